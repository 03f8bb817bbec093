iptables -A INPUT -p tcp --dport 22 \
  -m comment --comment 'the door; for "staff" only' \
  -j ACCEPT # not for guests
iptables -A INPUT -m comment --comment it\'s\ late -j LOG --log-prefix "late # "; iptables -A INPUT -m geoip \
  --src-cc CN \
  -j DROP
