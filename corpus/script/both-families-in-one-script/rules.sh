iptables -P INPUT DROP
ip6tables -P INPUT DROP
iptables -A INPUT -p icmp -j ACCEPT
ip6tables -A INPUT -p ipv6-icmp -j ACCEPT
/usr/sbin/iptables -t nat -A POSTROUTING -s 192.0.2.0/24 -j MASQUERADE
