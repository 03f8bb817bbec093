iptables -A INPUT -s 192.0.2.1 -j DROP
iptables -A INPUT -s 192.0.2.2 -j DROP
iptables -I INPUT -s 192.0.2.3 -j DROP
iptables -I INPUT 2 -s 192.0.2.4 -j DROP
iptables -R INPUT 1 -s 192.0.2.5 -j DROP
iptables -D INPUT -s 192.0.2.2 -j DROP
iptables -D INPUT 2
iptables -D INPUT -s 192.0.2.99 -j DROP
iptables -F FORWARD
iptables -t raw -A PREROUTING -p udp --dport 53 -j NOTRACK
iptables -t raw -F
