#!/bin/sh
# Router script: the WAN's address from ifconfig, port forwards from a table in a string.
wanf=eth0
wanip=$(ifconfig $wanf | sed -n 's/.*inet \(addr:\)\{0,1\}\([0-9.]*\).*/\2/p')
insmod xt_recent 2>/dev/null
iptables -t nat -A PREROUTING -d $wanip -j TRIGGER 2>/dev/null
iptables -t nat -N forwards
iptables -t nat -A PREROUTING -d $wanip -j forwards
forwards="tcp:8080:192.0.2.10:80 tcp:2222:192.0.2.11:22 udp:5060:192.0.2.12:5060"
for f in $forwards; do
  set -- $(echo $f | tr : ' ')
  iptables -t nat -A forwards -p $1 --dport $2 -j DNAT --to-destination $3:$4
  iptables -I FORWARD -i $wanf -p $1 -d $3 --dport $4 -j ACCEPT
done
iptables -t nat -A POSTROUTING -o $wanf -j SNAT --to-source $wanip
iptables -A FORWARD -p tcp --tcp-flags SYN,RST SYN -j TCPMSS --clamp-mss-to-pmtu
