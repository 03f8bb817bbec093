#!/bin/sh
set -e
iptables -D INPUT -s 192.0.2.1 -j DROP
iptables -A INPUT -s 192.0.2.2 -j DROP
