#!/bin/bash
# iptables-restore from here-documents with variables, then commands on top with --noflush.
LAN=192.0.2.0/24
iptables-restore <<EOF
*filter
:INPUT DROP [0:0]
:FORWARD DROP [0:0]
:OUTPUT ACCEPT [0:0]
:LOGDROP - [0:0]
-A INPUT -s $LAN -j ACCEPT
-A INPUT -j LOGDROP
-A LOGDROP -m limit --limit 5/min -j LOG --log-prefix "dropped: "
-A LOGDROP -j DROP
COMMIT
*nat
-A POSTROUTING -s $LAN -o eth0 -j MASQUERADE
COMMIT
EOF
ip6tables-restore <<'EOF'
*filter
:INPUT DROP [0:0]
-A INPUT -p ipv6-icmp -j ACCEPT
COMMIT
EOF
iptables-restore --noflush <<EOF
*filter
-I INPUT 1 -i lo -j ACCEPT
COMMIT
EOF
