#!/bin/bash
# An entry point that opens a kill switch around a tunnel, by environment variables with defaults.
set -e
: "${VPN_PORT:=1194}" "${VPN_PROTO:=udp}" "${VPN_HOST:=198.51.100.200}"
docker_network="$(ip -o addr show dev eth0 | awk '$3 == "inet" {print $4}')"
gateway=$(ip route | awk '/default/ {print $3}')
iptables -P OUTPUT DROP
iptables -A OUTPUT -o lo -j ACCEPT
iptables -A OUTPUT -o tun0 -j ACCEPT
[[ -n $docker_network ]] && iptables -A OUTPUT -d "$docker_network" -j ACCEPT
iptables -A OUTPUT -p "$VPN_PROTO" -d "$VPN_HOST" --dport "$VPN_PORT" -m owner --gid-owner 0 -j ACCEPT
ip6tables -P OUTPUT DROP 2>/dev/null
ip6tables -A OUTPUT -o lo -j ACCEPT 2>/dev/null
ip route add 203.0.113.0/24 via "${gateway:-192.0.2.254}" || true
exec true
