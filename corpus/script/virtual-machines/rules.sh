#!/bin/bash
# A host of virtual machines: bridges that may not speak to each other, one address for each guest, checked by its port.
declare -A bridge=([red]=10.1.0.0/24 [green]=10.2.0.0/24 [blue]=10.3.0.0/24)
names=($(printf '%s\n' "${!bridge[@]}" | sort))
iptables -N GUESTS
iptables -A FORWARD -j GUESTS
for from in "${names[@]}"; do
  for to in "${names[@]}"; do
    [[ $from == "$to" ]] && continue
    iptables -A GUESTS -i "br-$from" -o "br-$to" -j REJECT --reject-with icmp-admin-prohibited
  done
  iptables -t nat -A POSTROUTING -s "${bridge[$from]}" ! -d "${bridge[$from]}" -j MASQUERADE
  iptables -t mangle -A POSTROUTING -o "br-$from" -p udp -m udp --dport 68 -j CHECKSUM --checksum-fill
done
guest() {
  local port=$1 address=$2
  iptables -A GUESTS -m physdev --physdev-in "$port" --physdev-is-bridged ! -s "$address" -j DROP
}
n=10
for port in vnet{0..3}; do
  guest "$port" "10.1.0.$((n++))"
done
iptables -A GUESTS -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
iptables -A INPUT -i br-+ -p udp -m multiport --dports 53,67 -j ACCEPT
