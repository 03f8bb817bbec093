#!/bin/bash
# Lists of networks in functions, sets by name, with a file that the script keeps.
state=/var/lib/fw-state
mkdir -p $state
networks() { case $1 in aa) echo 198.51.100.0/25 198.51.100.128/26 ;; bb) echo 203.0.113.0/24 ;; esac; }
for country in aa bb; do
  networks $country | tr ' ' '\n' > $state/$country.zone
  ipset -N $country nethash
  while read -r net; do ipset -A $country $net; done < $state/$country.zone
  iptables -I INPUT -m set --match-set $country src -j DROP
done
sysctl -qw net.ipv4.tcp_syncookies=1
rm -r $state
