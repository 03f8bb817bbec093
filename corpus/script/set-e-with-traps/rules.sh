#!/bin/bash
# Errors lead to a rollback by trap; here none comes.
set -Eeuo pipefail
backup=$(mktemp)
iptables-save > "$backup"
rollback() { iptables-restore < "$backup"; echo "rolled back" >&2; }
trap rollback ERR
trap 'rm -f "$backup"' EXIT
iptables -A INPUT -p tcp --dport 8443 -j ACCEPT
iptables -A INPUT -p tcp --syn -m connlimit --connlimit-above 20 -j REJECT
iptables -A INPUT -j DROP
