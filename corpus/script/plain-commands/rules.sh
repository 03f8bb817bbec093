#!/bin/sh
# A plain firewall.
PATH=/usr/sbin:/sbin:/usr/bin:/bin
export PATH
echo "Starting firewall on $(hostname)"
modprobe nf_conntrack 2>/dev/null || true
echo 1 > /proc/sys/net/ipv4/ip_forward

iptables -F
iptables -t nat -F; iptables -X
iptables -D INPUT -j OLD 2>/dev/null
iptables -X OLD 2>/dev/null || true
/sbin/iptables -P INPUT DROP
sudo iptables -w -P FORWARD DROP
sudo -n /usr/sbin/iptables -w 5 -N LOGDROP 2>&1 || /sbin/iptables -N LOGDROP
iptables -A LOGDROP -m limit --limit 5/min -j LOG --log-prefix "dropped: "
iptables -A LOGDROP -j DROP
iptables -A INPUT -i lo -j ACCEPT
iptables -A INPUT -m conntrack \
         --ctstate ESTABLISHED,RELATED \
         -j ACCEPT
iptables -A INPUT -p tcp --dport 22 -m recent --set --name 'SSH' && iptables -A INPUT -p tcp --dport 22 -m recent --update --seconds 60 --hitcount 4 --name SSH -j LOGDROP
iptables -I INPUT 2 -s 192.0.2.0/24 -j ACCEPT -m comment --comment "it's the office; \"HQ\""
iptables -C INPUT -p tcp --dport 80 -j ACCEPT 2>/dev/null || iptables -A INPUT -p tcp --dport 80 -j ACCEPT
iptables -C INPUT -p tcp --dport 80 -j ACCEPT 2>/dev/null || iptables -A INPUT -p tcp --dport 80 -j ACCEPT
iptables -t nat -A POSTROUTING -o eth0 -j MASQUERADE
iptables -E LOGDROP LOGDROP2
iptables -A INPUT -j LOGDROP2
iptables -R INPUT 1 -i lo -s 127.0.0.1 -j ACCEPT
iptables --table mangle -A PREROUTING -i eth0 -j MARK --set-mark 1
ip6tables -P INPUT DROP
ip6tables -A INPUT -p ipv6-icmp -j ACCEPT
ip6tables -A INPUT -p tcp --dport 80 -j ACCEPT
ip6tables -D INPUT 2
iptables -Z
iptables -L -n -v
iptables-save > /etc/iptables/rules.v4
exit 0
