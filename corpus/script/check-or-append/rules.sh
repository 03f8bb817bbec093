#!/bin/sh -e
for_nothing=1
iptables -C INPUT -p tcp --dport 80 -j ACCEPT 2>/dev/null || iptables -A INPUT -p tcp --dport 80 -j ACCEPT
iptables -C INPUT -p tcp --dport 80 -j ACCEPT 2>/dev/null || iptables -A INPUT -p tcp --dport 80 -j ACCEPT
iptables -N BLOCK 2>/dev/null || iptables -F BLOCK
iptables -N BLOCK 2>/dev/null || iptables -F BLOCK
iptables -A BLOCK -s 192.0.2.0/24 -j DROP && iptables -A INPUT -j BLOCK
