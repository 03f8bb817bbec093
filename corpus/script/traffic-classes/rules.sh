#!/bin/bash
# Traffic classes: marks for the shaper, restored from the connection, worked out from a table of classes.
dev=eth0
classes=(
  "10 tcp 22 minimize-delay"
  "20 udp 53 minimize-delay"
  "30 tcp 80,443 maximize-throughput"
  "40 tcp 20,21 maximize-throughput"
)
tc qdisc del dev $dev root 2>/dev/null
tc qdisc add dev $dev root handle 1: htb default 50
iptables -t mangle -N SHAPE
iptables -t mangle -A POSTROUTING -o $dev -j SHAPE
iptables -t mangle -A SHAPE -j CONNMARK --restore-mark
iptables -t mangle -A SHAPE -m mark ! --mark 0 -j RETURN
for class in "${classes[@]}"; do
  read -r id proto ports tos <<< "$class"
  tc class add dev $dev parent 1: classid 1:$id htb rate $((id * 10))kbit
  iptables -t mangle -A SHAPE -p $proto -m multiport --ports $ports -j MARK --set-mark $id
  iptables -t mangle -A SHAPE -p $proto -m multiport --ports $ports -j TOS --set-tos $tos
  iptables -t mangle -A SHAPE -m mark --mark $id -j CLASSIFY --set-class 1:$id
done
iptables -t mangle -A SHAPE -p tcp -m length --length :64 --tcp-flags SYN,RST,ACK ACK -j MARK --set-mark 10
iptables -t mangle -A SHAPE -m connbytes --connbytes 1000000: --connbytes-dir both --connbytes-mode bytes -j MARK --set-mark 50
iptables -t mangle -A SHAPE -j CONNMARK --save-mark
printf 'classes: %d\n' "${#classes[@]}" >&2
