#!/bin/bash
# A mail server: services by name from a list of our own, limits for each sender, outgoing mail for one user only.
services() { cat <<LIST
smtp 25
submission 587
imaps 993
sieve 4190
LIST
}
port_of() { services | awk -v name="$1" '$1 == name { print $2 }'; }

iptables -P INPUT DROP
iptables -A INPUT -i lo -j ACCEPT
iptables -A INPUT -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
for name in smtp submission imaps sieve; do
  port=$(port_of $name)
  [ -n "$port" ] || { echo "no port for $name" >&2; exit 1; }
  iptables -A INPUT -p tcp --dport "$port" -m hashlimit --hashlimit-upto 30/min --hashlimit-burst 20 --hashlimit-mode srcip \
    --hashlimit-name "$name" -m comment --comment "$name" -j ACCEPT
done
iptables -A INPUT -p tcp --dport "$(port_of smtp)" -j REJECT --reject-with tcp-reset
iptables -N OUT_SMTP
iptables -A OUTPUT ! -o lo -p tcp --dport 25 -j OUT_SMTP
iptables -A OUT_SMTP -m owner --uid-owner root -j ACCEPT
iptables -A OUT_SMTP -j LOG --log-uid --log-prefix "smtp by others: "
iptables -A OUT_SMTP -j REJECT
iptables -A INPUT -p tcp --dport 25 -m connlimit --connlimit-above 10 --connlimit-mask 24 -j DROP
