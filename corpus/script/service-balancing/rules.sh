#!/bin/bash
# Services with several endpoints, by chance and by affinity, in chains that are named by a hash.
hash() { printf '%s' "$1" | sha256sum | cut -c1-16 | tr '[:lower:]' '[:upper:]'; }
iptables -t nat -N SERVICES
iptables -t nat -A PREROUTING -j SERVICES
iptables -t nat -A OUTPUT -j SERVICES
iptables -t nat -N MARK-MASQ
iptables -t nat -A MARK-MASQ -j MARK --or-mark 0x4000
iptables -t nat -A POSTROUTING -m mark --mark 0x4000/0x4000 -j MASQUERADE --random-fully

service() {
  local name=$1 address=$2 port=$3 affinity=$4; shift 4
  local chain=SVC-$(hash "$name") n=$# endpoint sep i=0
  iptables -t nat -N "$chain"
  iptables -t nat -A SERVICES -d "$address/32" -p tcp -m tcp --dport "$port" -m comment --comment "$name" -j "$chain"
  local -a seps=()
  for endpoint; do
    sep=SEP-$(hash "$name$endpoint")
    seps+=("$sep")
    iptables -t nat -N "$sep"
    iptables -t nat -A "$sep" -s "${endpoint%:*}/32" -j MARK-MASQ
    if [ "$affinity" = yes ]; then
      iptables -t nat -A "$sep" -p tcp -m recent --name "$sep" --set --rsource -m tcp -j DNAT --to-destination "$endpoint"
      iptables -t nat -A "$chain" -m recent --name "$sep" --rcheck --seconds 10800 --reap --rsource -j "$sep"
    else
      iptables -t nat -A "$sep" -p tcp -m tcp -j DNAT --to-destination "$endpoint"
    fi
  done
  for sep in "${seps[@]}"; do
    if (( n - i > 1 )); then
      iptables -t nat -A "$chain" -m statistic --mode random --probability "$(awk -v n=$((n - i)) 'BEGIN { printf "%.10f", 1 / n }')" -j "$sep"
    else
      iptables -t nat -A "$chain" -j "$sep"
    fi
    i=$((i + 1))
  done
}
service default/web 10.96.0.10 80 no 10.244.1.5:8080 10.244.2.5:8080 10.244.3.5:8080
service default/shop 10.96.0.11 443 yes 10.244.1.6:8443 10.244.2.6:8443
iptables -A FORWARD -m mark --mark 0x4000/0x4000 -j ACCEPT
