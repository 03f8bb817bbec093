#!/bin/bash
# Everything about interfaces is found out: names, addresses, networks, the default route.
wan=$(ip route show default | sed -n 's/.* dev \([^ ]*\).*/\1/p' | head -n 1)
for path in /sys/class/net/*; do
  dev=${path##*/}
  [ "$dev" = lo ] && continue
  [ "$dev" = "$wan" ] && continue
  iptables -A FORWARD -i "$dev" -j ACCEPT
done
ip -o -4 addr show | while read -r _ dev _ cidr _; do
  case $dev in lo) continue ;; esac
  iptables -A INPUT -i "$dev" -d "${cidr%/*}" -j ACCEPT
done
[ -n "$wan" ] && iptables -t nat -A POSTROUTING -o "$wan" -j MASQUERADE
ip -6 -o addr show dev eth1 scope global | awk '{print $4}' | while read -r net; do ip6tables -A INPUT -s "$net" -j ACCEPT; done
