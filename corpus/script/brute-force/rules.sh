#!/bin/bash
# Windows of recent for several services by one function.
throttle() {
  local name=$1 port=$2 seconds=$3 hits=$4
  iptables -N "$name"
  iptables -A INPUT -p tcp --dport "$port" -m conntrack --ctstate NEW -j "$name"
  iptables -A "$name" -m recent --name "$name" --set
  iptables -A "$name" -m recent --name "$name" --update --seconds "$seconds" --hitcount "$hits" -j DROP
  iptables -A "$name" -j ACCEPT
}
throttle SSH 22 60 4
throttle FTP 21 300 6
throttle SMTP 25 30 10
