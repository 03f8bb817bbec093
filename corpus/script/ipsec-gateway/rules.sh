#!/bin/sh
# Sites joined by IPsec: what came through a tunnel, what must not leave but through one.
LOCAL=198.51.100.128/25
PEERS="203.0.113.1=10.10.0.0/16 203.0.113.2=10.20.0.0/16,10.21.0.0/16"
for peer in $PEERS; do
  gateway=${peer%%=*}
  nets=${peer#*=}
  iptables -A INPUT -s $gateway -p udp -m multiport --dports 500,4500 -j ACCEPT
  iptables -A INPUT -s $gateway -p esp -j ACCEPT
  iptables -A INPUT -s $gateway -p ah -m ah --ahspi 256:4096 -j ACCEPT
  OLDIFS=$IFS
  IFS=,
  for net in $nets; do
    iptables -A FORWARD -s $net -d $LOCAL -m policy --dir in --pol ipsec --mode tunnel --tunnel-src $gateway -j ACCEPT
    iptables -A FORWARD -s $LOCAL -d $net -m policy --dir out --pol ipsec -j ACCEPT
    iptables -A FORWARD -d $net -j REJECT
    iptables -t nat -A POSTROUTING -s $LOCAL -d $net -j RETURN
  done
  IFS=$OLDIFS
done
iptables -t nat -A POSTROUTING -s $LOCAL -o eth0 -m policy --dir out --pol none -j MASQUERADE
iptables -t mangle -A FORWARD -m policy --pol ipsec --dir in -p tcp --tcp-flags SYN,RST SYN -m tcpmss --mss 1361:65535 -j TCPMSS --set-mss 1360
