#!/bin/bash
# Families side by side, with wait, and a subshell.
( for n in 1 2 3; do iptables -w -A INPUT -p tcp --dport $((100 + n)) -j ACCEPT; done ) &
( for n in 1 2 3; do ip6tables -w -A INPUT -p tcp --dport $((200 + n)) -j ACCEPT; done ) &
wait
(cd / && iptables -w -A INPUT -j LOG)
