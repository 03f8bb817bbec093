#!/bin/bash
# Devices by hardware address, hours by the day, in a function that is fed by a here-document.
school="Mon,Tue,Wed,Thu,Fri"
weekend="Sat,Sun"
iptables -N KIDS
iptables -N KIDS_OPEN
iptables -A FORWARD -i eth1 -j KIDS
while read -r mac name group; do
  [[ $mac == \#* || -z $mac ]] && continue
  case $group in
    small) from=15:00 to=18:30 ;;
    big) from=14:00 to=21:00 ;;
    *) echo "$name: no group" >&2; continue ;;
  esac
  iptables -A KIDS -m mac --mac-source "$mac" -m time --weekdays $school --timestart $from --timestop $to --kerneltz -j KIDS_OPEN
  iptables -A KIDS -m mac --mac-source "$mac" -m time --weekdays $weekend --timestart 09:00 --timestop 22:00 --kerneltz -j KIDS_OPEN
  iptables -A KIDS -m mac --mac-source "$mac" -j REJECT
done <<END
# who
00:00:5E:00:53:01 tablet small
00:00:5e:00:53:02 laptop big
00:00:5e:00:53:03 guest other
END
iptables -A KIDS_OPEN -p tcp -m multiport --dports 80,443 -j ACCEPT
iptables -A KIDS_OPEN -p udp --dport 443 -j DROP
iptables -A KIDS_OPEN -p udp --dport 53 -m string --algo kmp --icase --hex-string "|04|game|07|example|00|" -j DROP
