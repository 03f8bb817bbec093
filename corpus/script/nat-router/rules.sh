#!/bin/sh
# The router at home, from a forum: flush what the kernel says there is, then one block a purpose.
EXTIF="eth0"
INTIF="eth1"
EXTIP="`ip addr show dev $EXTIF | awk '/inet / { split($2, a, "/"); print a[1] }'`"
UNIVERSE="0.0.0.0/0"
INTNET="198.51.100.128/25"
iptables="iptables"

for table in `cat /proc/net/ip_tables_names`; do
  $iptables -t $table -F
  $iptables -t $table -X
done
echo "1" > /proc/sys/net/ipv4/ip_forward
echo "1" > /proc/sys/net/ipv4/ip_dynaddr

$iptables -N drop-and-log-it
$iptables -A drop-and-log-it -j LOG --log-level info
$iptables -A drop-and-log-it -j REJECT

$iptables -A INPUT -i lo -s $UNIVERSE -d $UNIVERSE -j ACCEPT
$iptables -A INPUT -i $INTIF -s $INTNET -d $UNIVERSE -j ACCEPT
$iptables -A INPUT -i $EXTIF -s $INTNET -d $UNIVERSE -j drop-and-log-it
$iptables -A INPUT -i $EXTIF -s $UNIVERSE -d $EXTIP -m state --state ESTABLISHED,RELATED -j ACCEPT
if [ -n "$EXTIP" ]; then
  $iptables -A INPUT -i $EXTIF -p tcp -s $UNIVERSE -d $EXTIP --dport 22 -m state --state NEW -j ACCEPT
fi
$iptables -A INPUT -s $UNIVERSE -d $UNIVERSE -j drop-and-log-it
$iptables -A FORWARD -i $EXTIF -o $INTIF -m state --state ESTABLISHED,RELATED -j ACCEPT
$iptables -A FORWARD -i $INTIF -o $EXTIF -j ACCEPT
$iptables -A FORWARD -j drop-and-log-it
$iptables -t nat -A POSTROUTING -o $EXTIF -j SNAT --to $EXTIP
for chain in INPUT FORWARD; do $iptables -P $chain DROP; done
