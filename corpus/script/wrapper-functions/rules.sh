#!/bin/bash
# A large framework in small: wrappers that note the family, settings with defaults, plug-ins as functions that are called by name.
IP4TABLES=$(command -v iptables)
IP6TABLES=$(command -v ip6tables)
RETVAL=0

ip4tables() {
  local result
  result=$("$IP4TABLES" "$@" 2>&1)
  local status=$?
  [ $status -eq 0 ] || { echo "$IP4TABLES $*: $result" >&2; RETVAL=9; return $status; }
}
ip6tables_safe() { "$IP6TABLES" "$@" || RETVAL=9; }
both() { ip4tables "$@"; ip6tables_safe "$@"; }

: "${EXT_IF:=eth0}" "${INT_IF:=eth1}" "${INTERNAL_NET:=198.51.100.128/25}"
OPEN_TCP="22 443"
OPEN_UDP=""
DROP_PRIVATE=${DROP_PRIVATE:-1}

create_user_chains() {
  for chain in EXT_INPUT_CHAIN EXT_OUTPUT_CHAIN INT_INPUT_CHAIN POST_INPUT_DROP_CHAIN VALID_CHK; do
    both -N $chain
    both -F $chain
  done
}

setup_valid_check() {
  local flags
  for flags in "ALL FIN,URG,PSH" "ALL SYN,RST,ACK,FIN,URG" "ALL ALL" "ALL FIN" "SYN,RST SYN,RST" "SYN,FIN SYN,FIN" "ALL NONE"; do
    # Two words each.
    both -A VALID_CHK -p tcp --tcp-flags $flags -j POST_INPUT_DROP_CHAIN
  done
  ip4tables -A VALID_CHK -f -m limit --limit 3/minute --limit-burst 1 -j LOG --log-prefix "AIF:Fragment: "
}

plugin_ssh_protection() {
  ip4tables -A EXT_INPUT_CHAIN -p tcp --dport 22 -m recent --name sshchk --set
  ip4tables -A EXT_INPUT_CHAIN -p tcp --dport 22 -m recent --name sshchk --update --seconds 60 --hitcount 4 -j POST_INPUT_DROP_CHAIN
}
plugin_private_nets() {
  [ "$DROP_PRIVATE" = 1 ] || return
  local net
  for net in 10.0.0.0/8 172.16.0.0/12; do ip4tables -A EXT_INPUT_CHAIN -s $net -j POST_INPUT_DROP_CHAIN; done
}

create_user_chains
setup_valid_check
for plugin in $(declare -F | sed -n 's/^declare -f \(plugin_.*\)/\1/p'); do $plugin; done
for port in $OPEN_TCP; do both -A EXT_INPUT_CHAIN -p tcp --dport $port -j ACCEPT; done
for port in $OPEN_UDP; do both -A EXT_INPUT_CHAIN -p udp --dport $port -j ACCEPT; done
both -A POST_INPUT_DROP_CHAIN -j DROP
both -A INPUT -m conntrack --ctstate ESTABLISHED,RELATED -j ACCEPT
both -A INPUT -i "$EXT_IF" -j VALID_CHK
both -A INPUT -i "$EXT_IF" -j EXT_INPUT_CHAIN
ip4tables -A INPUT -i "$INT_IF" -s "$INTERNAL_NET" -j INT_INPUT_CHAIN
both -P INPUT DROP
exit $RETVAL
