#!/bin/bash
# Three knocks, chains made in a loop.
knocks=(7000 8000 9000)
last=KNOCKING
iptables -N KNOCKING
iptables -A INPUT -m conntrack --ctstate ESTABLISHED,RELATED -j ACCEPT
iptables -A INPUT -j KNOCKING
for i in "${!knocks[@]}"; do
  gate=GATE$((i + 1))
  iptables -N $gate
  if [ $i -eq 0 ]; then iptables -A $gate -p tcp --dport ${knocks[i]} -m recent --name AUTH$((i + 1)) --set -j DROP
  else
    iptables -A $gate -m recent --name AUTH$i --remove
    iptables -A $gate -p tcp --dport ${knocks[i]} -m recent --name AUTH$((i + 1)) --set -j DROP
  fi
done
iptables -N PASSED
iptables -A PASSED -m recent --name AUTH3 --remove
iptables -A PASSED -p tcp --dport 22 -j ACCEPT
iptables -A KNOCKING -m recent --rcheck --seconds 30 --name AUTH3 -j PASSED
iptables -A KNOCKING -m recent --rcheck --seconds 10 --name AUTH2 -j GATE3
iptables -A KNOCKING -m recent --rcheck --seconds 10 --name AUTH1 -j GATE2
iptables -A KNOCKING -j GATE1
