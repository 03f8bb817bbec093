#!/bin/bash
# Loops over ports and networks, arithmetic, arrays.
set -euo pipefail
TCP_PORTS=(22 25 80 110 143 443 993)
UDP_PORTS="53 123 1194"
ADMINS="198.51.100.7 203.0.113.0/28"
for port in "${TCP_PORTS[@]}"; do
  iptables -A INPUT -p tcp --dport "$port" -j ACCEPT
done
for port in $UDP_PORTS; do
  iptables -A INPUT -p udp --dport "$port" -j ACCEPT
done
for ((i = 0; i < 5; i++)); do
  iptables -A OUTPUT -p tcp --dport $((6000 + i * 10)) -j REJECT --reject-with tcp-reset
done
while read -r net; do
  iptables -I INPUT -s "$net" -j ACCEPT
done < <(tr ' ' '\n' <<<"$ADMINS")
