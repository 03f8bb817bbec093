#!/bin/sh
# One function for both families, with the ICMP of each.
both() { iptables "$@" && ip6tables "$@"; }
for table in filter mangle raw; do both -t $table -F; both -t $table -X; done
both -P INPUT DROP
both -A INPUT -i lo -j ACCEPT
both -A INPUT -m conntrack --ctstate INVALID -j DROP
iptables -A INPUT -p icmp --icmp-type echo-request -m limit --limit 5/s -j ACCEPT
ip6tables -A INPUT -p ipv6-icmp -m icmp6 --icmpv6-type neighbour-solicitation -m hl --hl-eq 255 -j ACCEPT
both -t raw -A PREROUTING -p udp --dport 53 -j NOTRACK
both -t mangle -A PREROUTING -p tcp --dport 443 -j MARK --set-mark 0x10
