#!/bin/bash
# Multi-WAN: marks by chance, saved in the connection; the routing itself is not for iptables.
for n in 1 2; do
  ip rule add fwmark $n table $((100 + n)) 2>/dev/null
  ip route add default dev eth$((n - 1)) table $((100 + n)) 2>/dev/null
done
iptables -t mangle -A PREROUTING -j CONNMARK --restore-mark
iptables -t mangle -A PREROUTING -m mark ! --mark 0 -j ACCEPT
iptables -t mangle -A PREROUTING -m statistic --mode random --probability 0.5 -j MARK --set-mark 1
iptables -t mangle -A PREROUTING -m mark --mark 0 -j MARK --set-mark 2
iptables -t mangle -A PREROUTING -j CONNMARK --save-mark
iptables -t mangle -A FORWARD -p tcp -m tos --tos 0x10 -j DSCP --set-dscp-class AF21
tc qdisc add dev eth0 root handle 1: htb default 30 2>/dev/null
true
