#!/bin/bash
# Rules that iptables does not take are counted, and the script goes on.
errors=0
ipt() { iptables "$@" 2>/dev/null || { errors=$((errors + 1)); echo "failed: iptables $*" >&2; }; }
ipt -P INPUT DROP
ipt -A INPUT -p tcp --dport 22 -j ACCEPT
ipt -A INPUT -p tcp --dport 70000 -j ACCEPT
ipt -A INPUT -s 192.0.2.300 -j ACCEPT
ipt -A NOWHERE -j DROP
ipt -A INPUT -m no-such-match -j DROP
ipt -N fine
ipt -N fine
ipt -A fine -p udp --dport 53 -j ACCEPT
ipt -A INPUT -j fine
ipt -D INPUT -p tcp --dport 23 -j ACCEPT
ipt -X fine
ipt -I INPUT 9 -j DROP
if ((errors > 7)); then ipt -A INPUT -m comment --comment "$errors errors" -j LOG; fi
ipt -t nat -A POSTROUTING -o eth0 -j MASQUERADE
if iptables -C INPUT -j fine 2>/dev/null; then ipt -A fine -j RETURN; fi
