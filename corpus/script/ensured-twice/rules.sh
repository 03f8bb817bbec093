#!/bin/bash
# Run twice in a row by configuration management: -C || -A, and a chain that may be there.
ensure() { iptables -C "$@" 2>/dev/null || iptables -A "$@"; }
once() {
  iptables -N MANAGED 2>/dev/null || iptables -F MANAGED
  ensure INPUT -j MANAGED
  ensure MANAGED -p tcp --dport 22 -s 192.0.2.0/24 -j ACCEPT
  ensure MANAGED -p tcp --dport 22 -j DROP
  ensure MANAGED -j RETURN
}
once; once
