#!/bin/sh
# The form that Firewall Builder writes: helper functions, load by epilog, RULE numbers.
PATH="/sbin:/usr/sbin:/bin:/usr/bin:${PATH}"
export PATH
LSMOD="lsmod"
MODPROBE="modprobe"
IPTABLES="iptables"
IP6TABLES="ip6tables"
IP="ip"
LOGGER="logger"
log() { echo "$1"; command -v "$LOGGER" >/dev/null 2>&1 && $LOGGER -p info "$1"; }
getInterfaceVarName() { echo $1 | sed 's/\./_/'; }
getaddr() {
  dev=$1
  L=$($IP -4 addr show dev $dev scope global 2>/dev/null | sed -n '/inet/{s!.*inet\(6\)* !!;s!/.*!!p}' | sed 's/peer.*//')
  test -z "$L" && { eval "$2=''"; return; }
  eval "$2=\"$L\""
}
reset_iptables_v4() {
  $IPTABLES -P OUTPUT DROP; $IPTABLES -P INPUT DROP; $IPTABLES -P FORWARD DROP
  cat /proc/net/ip_tables_names | while read table; do
    $IPTABLES -t $table -L -n | while read c chain rest; do
      if test "X$c" = "XChain"; then $IPTABLES -t $table -F $chain; fi
    done
    $IPTABLES -t $table -X
  done
}
load_modules() { for module in nf_conntrack nf_nat; do $LSMOD | grep ${module} >/dev/null || $MODPROBE ${module} || exit 1; done; }
script_body() {
  $IPTABLES -A INPUT -m state --state ESTABLISHED,RELATED -j ACCEPT
  getaddr eth0 i_eth0
  echo "Rule 0 (eth0)"
  $IPTABLES -N In_RULE_0
  test -n "$i_eth0" && for i in $i_eth0; do $IPTABLES -A INPUT -i eth0 -s $i -j In_RULE_0; done
  $IPTABLES -A In_RULE_0 -j LOG --log-level info --log-prefix "RULE 0 -- DENY "
  $IPTABLES -A In_RULE_0 -j DROP
  echo "Rule 1 (global)"
  $IPTABLES -A OUTPUT -m state --state NEW -j ACCEPT
}
log "Activating firewall script"
load_modules
reset_iptables_v4
script_body
echo 1 > /proc/sys/net/ipv4/ip_forward
