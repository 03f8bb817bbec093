#!/bin/sh
# Quotes, blanks and special characters in words.
prefix='blocked: "x" $y '
iptables -A FORWARD -m string --string 'GET /admin page' --algo bm -j LOG --log-prefix "$prefix"
iptables -A FORWARD -m time --timestart 09:00 --timestop 18:00 --weekdays Mon,Tue,Wed,Thu,Fri -j ACCEPT
iptables -A FORWARD -m comment --comment "it's $(echo computed) \\ text" -j DROP
iptables -A FORWARD ! -s 192.0.2.0/24 -p tcp ! --dport 80:90 -m ttl --ttl-lt 5 -j REJECT --reject-with icmp-admin-prohibited
