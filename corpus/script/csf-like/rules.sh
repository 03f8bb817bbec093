#!/bin/bash
# Chains in pairs, lists of files read line by line, ipset for many addresses.
work=$(mktemp -d)
printf '%s\n' '# allowed' '198.51.100.1' 'tcp|in|d=3306|s=203.0.113.9' '' > "$work/csf.allow"
printf '%s\n' '203.0.113.50 # bad' '203.0.113.51' '2001:db8::bad' > "$work/csf.deny"
for chain in ALLOWIN ALLOWOUT DENYIN DENYOUT LOCALINPUT LOCALOUTPUT LOGDROPIN; do
  iptables -N $chain
done
iptables -A LOCALINPUT -j ALLOWIN
iptables -A LOCALINPUT -j DENYIN
iptables -A INPUT ! -i lo -j LOCALINPUT
iptables -A LOGDROPIN -p tcp -m limit --limit 30/m -j LOG --log-prefix 'Firewall: *TCP_IN Blocked* '
iptables -A LOGDROPIN -j DROP
ipset create chain_DENY hash:net -exist
while IFS= read -r line; do
  line=${line%%#*}; line=${line// /}
  [ -z "$line" ] && continue
  case $line in
    *:*) ip6tables -A INPUT -s "$line" -j DROP ;;
    *) ipset add chain_DENY "$line" ;;
  esac
done < "$work/csf.deny"
iptables -A DENYIN -m set --match-set chain_DENY src -j LOGDROPIN
while IFS='|' read -r proto way port source; do
  case $proto in
    '#'*|'') ;;
    tcp|udp) iptables -A ALLOWIN ! -i lo -p $proto --dport ${port#d=} -s ${source#s=} -j ACCEPT ;;
    *) iptables -A ALLOWIN ! -i lo -s $proto -j ACCEPT; iptables -A ALLOWOUT ! -o lo -d $proto -j ACCEPT ;;
  esac
done < "$work/csf.allow"
rm -r "$work"
