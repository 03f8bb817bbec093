#!/bin/bash
# The actions of fail2ban: start, ban, unban, check, for some jails.
actionstart() { iptables -N f2b-$1; iptables -A f2b-$1 -j RETURN; iptables -I INPUT -p tcp -m multiport --dports $2 -j f2b-$1; }
actioncheck() { iptables -n -L INPUT | grep -q "f2b-$1[ \t]"; }
actionban() { actioncheck $1 && iptables -I f2b-$1 1 -s $2 -j REJECT --reject-with icmp-port-unreachable; }
actionunban() { iptables -D f2b-$1 -s $2 -j REJECT --reject-with icmp-port-unreachable; }
actionstart sshd ssh
actionstart apache http,https
for ip in 203.0.113.1 203.0.113.2 203.0.113.3; do actionban sshd $ip; done
actionban apache 203.0.113.77
actionunban sshd 203.0.113.2
