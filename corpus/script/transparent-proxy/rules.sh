#!/bin/bash
# Web through a proxy on this machine: redirected on one port, by TPROXY on the other, clients that may go by themselves first.
set -u
PROXY_PORT=3128 TPROXY_PORT=3129 LAN=eth1
DIRECT_CLIENTS=(198.51.100.140 198.51.100.141)
DIRECT_SITES="203.0.113.10,203.0.113.11"

iptables -t nat -N PROXY
iptables -t nat -A PREROUTING -i $LAN -p tcp -m tcp --dport 80 -j PROXY
for client in "${DIRECT_CLIENTS[@]}"; do iptables -t nat -A PROXY -s "$client" -j RETURN; done
iptables -t nat -A PROXY -d "$DIRECT_SITES" -j RETURN
iptables -t nat -A PROXY -p tcp -j REDIRECT --to-ports $PROXY_PORT

iptables -t mangle -N DIVERT
iptables -t mangle -A DIVERT -j MARK --set-mark 1
iptables -t mangle -A DIVERT -j ACCEPT
iptables -t mangle -A PREROUTING -p tcp -m socket --transparent -j DIVERT
iptables -t mangle -A PREROUTING -i $LAN -p tcp --dport 8080 -j TPROXY --tproxy-mark 0x1/0x1 --on-port $TPROXY_PORT
ip rule add fwmark 1 lookup 100 2>/dev/null || :
ip route add local 0.0.0.0/0 dev lo table 100 2>/dev/null || :

iptables -A INPUT -i $LAN -p tcp -m multiport --dports $PROXY_PORT,$TPROXY_PORT -j ACCEPT
iptables -A INPUT -p tcp -m multiport --dports $PROXY_PORT,$TPROXY_PORT -j REJECT --reject-with tcp-reset
