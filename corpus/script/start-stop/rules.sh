#!/bin/bash
# An init script: case start|stop|restart, functions that call each other.
fw_stop() {
  iptables -F; iptables -X
  for chain in INPUT FORWARD OUTPUT; do iptables -P $chain ACCEPT; done
}
fw_start() {
  fw_stop
  iptables -P INPUT DROP
  iptables -A INPUT -i lo -j ACCEPT
  iptables -A INPUT -m conntrack --ctstate ESTABLISHED,RELATED -j ACCEPT
  iptables -A INPUT -p tcp -m multiport --dports 22,80,443 -j ACCEPT
}
case "${1:-start}" in
  start) fw_start ;;
  stop) fw_stop ;;
  restart) fw_stop; fw_start ;;
  *) echo "Usage: $0 {start|stop|restart}" >&2; exit 1 ;;
esac
exit 0
