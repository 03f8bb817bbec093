#!/bin/bash
# A configuration that is written, sourced and evaluated.
dir=$(mktemp -d)
cat > "$dir/fw.conf" <<'EOF'
OPEN="22/tcp 53/udp 53/tcp 1000:1010/tcp"
POLICY=DROP
declare -A HOSTS=([backup]=192.0.2.20 [monitor]=192.0.2.21)
EOF
. "$dir/fw.conf"
iptables -P INPUT "$POLICY"
for entry in $OPEN; do iptables -A INPUT -p "${entry#*/}" --dport "${entry%/*}" -j ACCEPT; done
for host in $(printf '%s\n' "${!HOSTS[@]}" | sort); do
  iptables -A INPUT -s "${HOSTS[$host]}" -m comment --comment "host $host" -j ACCEPT
done
eval "$(printf 'iptables -A INPUT -p %s -j REJECT\n' tcp udp)"
rm -r "$dir"
