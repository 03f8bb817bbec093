#!/bin/sh
# The variants by their own names, with waits and long options.
ipt="iptables-legacy -w 5"
$ipt --policy FORWARD DROP
$ipt --append INPUT --protocol tcp --destination-port 25 --jump ACCEPT
$ipt --insert INPUT 1 --in-interface lo --jump ACCEPT
$ipt --new-chain audit
$ipt --append audit --jump LOG --log-prefix 'audit ' --log-uid
$ipt --append OUTPUT --jump audit
ip6tables-legacy -w -A INPUT -s 2001:db8::/32 -j ACCEPT
iptables-legacy-restore -n <<EOF
*filter
-A INPUT -p udp --dport 500 -j ACCEPT
COMMIT
EOF
