#!/bin/bash
# A telephone exchange: providers may come, scanners are known by what they call themselves, others are counted.
providers='198.51.100.20 198.51.100.24/30'
agents=("friendly-scanner" "sipcli" "VaxSIPUserAgent" "pplsip" "sip-scan")
sip="-p udp -m udp --dport 5060:5061"

iptables -N SIP
iptables -N SIP_BLOCK
iptables -A SIP_BLOCK -m recent --name sipban --set
iptables -A SIP_BLOCK -j DROP
iptables -A INPUT $sip -j SIP
for net in $providers; do iptables -A SIP -s $net -j ACCEPT; done
iptables -A SIP -m recent --name sipban --rcheck --seconds 3600 -j DROP
for agent in "${agents[@]}"; do
  iptables -A SIP -m string --string "$agent" --algo bm --from 28 --to 1500 -j SIP_BLOCK
done
iptables -A SIP -m string --string "REGISTER sip:" --algo bm -m recent --name register --set
iptables -A SIP -m string --string "REGISTER sip:" --algo bm -m recent --name register --update --seconds 60 --hitcount 12 --rttl -j SIP_BLOCK
iptables -A SIP -j ACCEPT
iptables -A INPUT -p udp --dport 10000:20000 -j ACCEPT
iptables -t mangle -A OUTPUT -p udp --sport 10000:20000 -j DSCP --set-dscp-class EF
iptables -t mangle -A OUTPUT -p udp --sport 5060:5061 -j DSCP --set-dscp-class CS3
