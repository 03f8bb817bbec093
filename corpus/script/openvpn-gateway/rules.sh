#!/bin/bash
# The up script of a tunnel server: what the server would export has defaults, clients come from files of their own.
set -e
dev=${dev:-tun0} ifconfig_local=${ifconfig_local:-10.8.0.1} script_type=${script_type:-up}
WAN=eth0
ccd=$(mktemp -d)
echo 'ifconfig-push 10.8.0.10 10.8.0.9' > "$ccd/alice"
printf '%s\n' 'ifconfig-push 10.8.0.14 10.8.0.13' 'iroute 203.0.113.0 255.255.255.0' > "$ccd/office"

up() {
  iptables -t nat -A POSTROUTING -s "${ifconfig_local%.*}.0/24" -o $WAN -j MASQUERADE
  iptables -A INPUT -i $WAN -p udp --dport 1194 -m state --state NEW -j ACCEPT
  iptables -A INPUT -i "$dev" -j ACCEPT
  iptables -N VPN
  iptables -A FORWARD -i "$dev" -j VPN
  iptables -A FORWARD -o "$dev" -m state --state RELATED,ESTABLISHED -j ACCEPT
  for file in "$ccd"/*; do
    client=$(basename "$file")
    while read -r word first second; do
      case $word in
        ifconfig-push) iptables -A VPN -s "$first" -m comment --comment "client $client" -j ACCEPT ;;
        iroute) iptables -A VPN -s "$first/$second" -m comment --comment "behind $client" -j ACCEPT ;;
      esac
    done < "$file"
  done
  iptables -A VPN -j LOG --log-prefix "vpn unknown: "
  iptables -A VPN -j DROP
}
down() { iptables -F; iptables -t nat -F; }
$script_type
rm -r "$ccd"
