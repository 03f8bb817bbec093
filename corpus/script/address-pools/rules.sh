#!/bin/bash
# Networks mapped one to one, pools for the rest, addresses worked out with printf.
ip2int() { local a b c d; IFS=. read -r a b c d <<< "$1"; echo $(((a << 24) + (b << 16) + (c << 8) + d)); }
int2ip() { printf '%d.%d.%d.%d\n' $(($1 >> 24 & 255)) $(($1 >> 16 & 255)) $(($1 >> 8 & 255)) $(($1 & 255)); }
iptables -t nat -A PREROUTING -i eth0 -d 203.0.113.0/28 -j NETMAP --to 198.51.100.128/28
iptables -t nat -A POSTROUTING -o eth0 -s 198.51.100.128/28 -j NETMAP --to 203.0.113.0/28
base=$(ip2int 203.0.113.16)
lan=$(ip2int 198.51.100.160)
for ((n = 0; n < 4; n++)); do
  first=$(int2ip $((base + 4 * n)))
  last=$(int2ip $((base + 4 * n + 3)))
  iptables -t nat -A POSTROUTING -o eth0 -s "$(int2ip $((lan + 8 * n)))/29" -j SNAT --to-source "$first-$last" --persistent
done
iptables -t nat -A POSTROUTING -o eth0 -p udp -j SNAT --to-source 203.0.113.32:1024-65535
iptables -t nat -A POSTROUTING -o eth0 -p icmp -j SNAT --to-source 203.0.113.32
iptables -t nat -A PREROUTING -d 203.0.113.40 -p tcp -m tcp --dport 25 -j DNAT --to-destination 198.51.100.200-198.51.100.203
mark=0x$(printf '%x' 4660)
iptables -t mangle -A PREROUTING -s 198.51.100.128/28 -j MARK --set-xmark "$mark/0xffff"
