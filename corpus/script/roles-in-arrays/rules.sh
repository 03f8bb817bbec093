#!/bin/bash
# Roles of a machine in arrays by name; the machine has several.
declare -A tcp udp sources
tcp[web]="80 443" tcp[db]="5432" tcp[node]="9100" tcp[ssh]="22"
udp[ntp]="123" udp[snmp]="161:162"
sources[db]="198.51.100.192/26" sources[node]="192.0.2.50 192.0.2.51" sources[snmp]="192.0.2.50"
roles=(ssh web db node ntp snmp none)

allow() {
  local role=$1 proto=$2 port=$3 source
  for source in ${sources[$role]:-any}; do
    local -a from=()
    [[ $source == any ]] || from=(-s "$source")
    iptables -A INPUT -p "$proto" "${from[@]}" --dport "$port" -m comment --comment "role:$role" -j ACCEPT
  done
}

iptables -A INPUT -m state --state RELATED,ESTABLISHED -j ACCEPT
for role in "${roles[@]}"; do
  if [[ -z ${tcp[$role]-}${udp[$role]-} ]]; then echo "role $role has no ports" >&2; continue; fi
  for port in ${tcp[$role]-}; do allow "$role" tcp "$port"; done
  for port in ${udp[$role]-}; do allow "$role" udp "$port"; done
done
iptables -A INPUT -j REJECT --reject-with icmp-host-prohibited
iptables -P INPUT DROP
(( ${#roles[@]} > 6 )) && iptables -A FORWARD -j REJECT
true
