#!/bin/sh
# The same for both families, and by the command's name what differs.
set -e
for ipt in iptables ip6tables; do
  $ipt -P INPUT DROP
  $ipt -P FORWARD DROP
  $ipt -A INPUT -i lo -j ACCEPT
  $ipt -A INPUT -m conntrack --ctstate ESTABLISHED,RELATED -j ACCEPT
  if [ $ipt = ip6tables ]; then
    for type in destination-unreachable packet-too-big time-exceeded parameter-problem echo-request router-advertisement \
      neighbour-solicitation neighbour-advertisement; do
      $ipt -A INPUT -p ipv6-icmp --icmpv6-type $type -j ACCEPT
    done
    $ipt -A INPUT -s fe80::/10 -p udp --dport 546 -j ACCEPT
    $ipt -A FORWARD -m rt --rt-type 0 -j DROP
    nets='2001:db8:1::/48'
  else
    for type in 3 11 12 8; do $ipt -A INPUT -p icmp --icmp-type $type -j ACCEPT; done
    $ipt -A INPUT -p udp --sport 67 --dport 68 -j ACCEPT
    nets='192.0.2.0/24 198.51.100.128/25'
  fi
  for net in $nets; do
    $ipt -A INPUT -s $net -p tcp -m multiport --dports 22,5666 -j ACCEPT
  done
  $ipt -A INPUT -p tcp -m multiport --dports 80,443 -j ACCEPT
  case $ipt in
    ip6*) $ipt -A INPUT -j REJECT --reject-with icmp6-adm-prohibited ;;
    *) $ipt -A INPUT -j REJECT --reject-with icmp-admin-prohibited ;;
  esac
done
