#!/bin/bash
# Hosts put on lists of recent by hand.
iptables -A INPUT -m recent --name banned --rcheck -j DROP
iptables -A INPUT -p tcp --dport 22 -m recent --name ssh --set
iptables -A INPUT -p tcp --dport 22 -m recent --name ssh --update --seconds 60 --hitcount 4 -j DROP
if [ -w /proc/net/xt_recent/banned ]; then
  for host in 203.0.113.5 203.0.113.6 203.0.113.7; do echo +$host > /proc/net/xt_recent/banned; done
  echo -203.0.113.6 > /proc/net/xt_recent/banned
fi
