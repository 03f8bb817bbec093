#!/bin/bash
# Bytes of each host in chains without targets, quotas for some.
net=198.51.100
iptables -N ACCT_IN; iptables -N ACCT_OUT
iptables -I FORWARD -j ACCT_IN
iptables -I FORWARD 2 -j ACCT_OUT
i=130
until (( i > 141 )); do
  iptables -A ACCT_IN -d $net.$i
  iptables -A ACCT_OUT -s $net.$i
  let i++
done
quota() { iptables -A FORWARD -s "$1" -m quota --quota "$2" -j ACCEPT && iptables -A FORWARD -s "$1" -j REJECT; }
quota $net.150 $((100 * 1024 * 1024))
quota $net.151 $((1 << 30))
iptables -Z
iptables -L ACCT_IN -nvx --line-numbers | awk 'NR > 2 { sum += $2 } END { print "bytes so far:", sum + 0 }' >&2
for n in $(seq 12 -4 1); do iptables -D ACCT_OUT $n; done
