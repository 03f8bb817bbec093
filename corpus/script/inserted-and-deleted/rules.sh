#!/bin/bash
# Positions, replacements, deletions by number and by rule, renamed chains, counters.
iptables -N first; iptables -N second
for n in 1 2 3 4 5; do iptables -I first 1 -p tcp --dport 300$n -j ACCEPT; done
iptables -D first 2
iptables -D first -p tcp --dport 3001 -j ACCEPT
iptables -R first 1 -p udp --dport 4000 -j DROP
iptables -E second third
iptables -A third -c 12 3456 -j RETURN
iptables -A INPUT -g first
iptables -A INPUT -j third
iptables -Z INPUT
