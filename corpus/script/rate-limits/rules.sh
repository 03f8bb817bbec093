#!/bin/sh
# hashlimit, limit, connlimit, with numbers that are worked out.
rate=10
for svc in "22 $rate" "80 $((rate * 10))" "443 $((rate * 20))"; do
  set -- $svc
  iptables -A INPUT -p tcp --dport $1 -m hashlimit --hashlimit-upto $2/minute --hashlimit-burst $(($2 / 2)) --hashlimit-mode srcip --hashlimit-name "svc$1" -j ACCEPT
done
iptables -A INPUT -p icmp -m limit --limit 1/second --limit-burst 5 -j ACCEPT
iptables -A INPUT -p tcp -m connlimit --connlimit-above 50 --connlimit-mask 24 -j DROP
