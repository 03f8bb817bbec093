#!/bin/bash
# A rule that iptables does not take makes the script load what was saved before.
iptables -P FORWARD DROP
iptables -A FORWARD -s 192.0.2.0/24 -j ACCEPT
saved=$(iptables-save)
if ! { iptables -A INPUT -j DROP && iptables -A INPUT -p tcp --dport 99999 -j ACCEPT; } 2>/dev/null; then
  iptables-restore <<<"$saved"
fi
true
