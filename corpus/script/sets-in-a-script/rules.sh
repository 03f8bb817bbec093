ipset create blocked hash:ip timeout 600
ipset -exist add blocked 192.0.2.1 timeout 60
ipset add blocked 192.0.2.2
ipset del blocked 192.0.2.2
iptables -A INPUT -m set --match-set blocked src -j DROP
iptables -A INPUT -p tcp --dport 23 -j SET --add-set blocked src --exist
