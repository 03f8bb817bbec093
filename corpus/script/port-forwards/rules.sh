#!/bin/sh
# Port forwards in a table at the end of the script, which the script reads from itself.
fwd() {
  proto=$1 outside=$2 host=$3 inside=$4
  iptables -t nat -A PREROUTING -i eth0 -p $proto --dport $outside -j DNAT --to-destination $host:$inside
  iptables -A FORWARD -i eth0 -o eth1 -p $proto -d $host --dport `echo $inside | tr - :` -j ACCEPT
}
hairpin() { iptables -t nat -A POSTROUTING -o eth1 -s 198.51.100.128/25 -d $1 -j MASQUERADE; }

iptables -P FORWARD DROP
iptables -A FORWARD -m state --state ESTABLISHED,RELATED -j ACCEPT
seen=
while read proto outside host inside name; do
  case "$proto" in ''|\#*) continue ;; esac
  for one in `echo $proto | tr / ' '`; do fwd $one $outside $host $inside; done
  case " $seen " in *" $host "*) ;; *) hairpin $host; seen="$seen $host" ;; esac
done <<TABLE
# proto  outside    host            inside     what
tcp      80         198.51.100.130  8080       web
tcp/udp  3074       198.51.100.131  3074       console

udp      5060       198.51.100.132  5060       telephone
udp      10000:10100 198.51.100.132 10000-10100 voice
TABLE
