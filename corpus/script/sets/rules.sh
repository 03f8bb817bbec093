#!/bin/bash
# ipset: restore from a pipe, swap of a filled set, a list of sets, timeouts.
ipset create trusted hash:net
for n in 0 1 2 3; do ipset add trusted 192.0.2.$((n * 64))/26; done
{ echo 'create blocked-new hash:ip hashsize 1024 maxelem 65536'; for n in $(seq 1 20); do echo "add blocked-new 203.0.113.$n"; done; } | ipset restore
ipset create blocked hash:ip
ipset swap blocked-new blocked
ipset destroy blocked-new
ipset create services bitmap:port range 0-1023
ipset add services 22; ipset add services 80-83
iptables -A INPUT -m set --match-set blocked src -j DROP
iptables -A INPUT -p tcp -m set --match-set services dst -m set --match-set trusted src -j ACCEPT
iptables -A INPUT -p tcp --dport 23 -j SET --add-set blocked src
