#!/bin/bash
# Rules are saved, edited as text and restored; counters come along.
iptables -A INPUT -p tcp --dport 22 -j ACCEPT
iptables -A INPUT -p tcp --dport 8000 -j ACCEPT
iptables -A INPUT -s 203.0.113.7 -j DROP
iptables -t nat -A PREROUTING -p tcp --dport 80 -j REDIRECT --to-ports 8000
saved=$(mktemp)
iptables-save > "$saved"
sed -i -e 's/--dport 8000 -j ACCEPT/--dport 8080 -j ACCEPT/' -e '/203\.0\.113\.7/d' -e 's/--to-ports 8000/--to-ports 8080/' "$saved"
awk '/^-A INPUT/ && !done { print "-A INPUT -i lo -j ACCEPT"; done = 1 } { print }' "$saved" | iptables-restore
iptables-save -t filter | sed 's/:FORWARD ACCEPT/:FORWARD DROP/' | iptables-restore --table filter
printf '%s\n' '*mangle' ':mark - [0:0]' '-A mark -j MARK --set-xmark 0x7/0xff' '-A PREROUTING -i eth1 -j mark' COMMIT | iptables-restore -n
rm "$saved"
