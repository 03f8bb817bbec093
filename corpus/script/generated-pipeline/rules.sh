#!/bin/bash
# awk writes commands, sh runs them.
cat <<'EOF' | awk -F, '$1 !~ /^#/ { printf "iptables -A %s -p %s -s %s --dport %s -m comment --comment \"%s\" -j %s\n", $1, $2, $3, $4, $5, $6 }' | sh
#chain,proto,source,port,comment,target
INPUT,tcp,192.0.2.0/25,22,ssh from office,ACCEPT
INPUT,tcp,0.0.0.0/0,80,web,ACCEPT
FORWARD,udp,198.51.100.0/24,161,"snmp",DROP
EOF
printf '%s\n' 10 20 30 | xargs -I{} iptables -A OUTPUT -d 203.0.113.{} -j REJECT
