#!/bin/sh
# Firmware of a router: settings by "nvram get", forwards in one string with separators.
nvram() {
  [ "$1" = get ] || return 1
  case $2 in
    wan_ifname) echo eth0 ;;
    lan_ifname) echo eth1 ;;
    lan_ipaddr) echo 198.51.100.129 ;;
    lan_netmask) echo 255.255.255.128 ;;
    portforward) echo '1<3<<6881:6889<<198.51.100.150<torrent>1<1<203.0.113.0/24<22<2222<198.51.100.151<ssh>0<2<<53<<198.51.100.152<off' ;;
    dmz_enable) echo 1 ;;
    dmz_ipaddr) echo 198.51.100.199 ;;
    ne_syncookies) echo '' ;;
  esac
}
WAN=$(nvram get wan_ifname) LAN=$(nvram get lan_ifname)
NET="$(nvram get lan_ipaddr)/$(nvram get lan_netmask)"
iptables -t nat -N WANPREROUTING
iptables -N wanin
iptables -A FORWARD -i $WAN -j wanin
oldifs=$IFS; IFS='>'
for row in $(nvram get portforward); do
  IFS='<'; set -- $row; IFS='>'
  on=$1 proto=$2 from=$3 outside=$4 inside=$5 host=$6
  [ "$on" = 1 ] || continue
  [ -n "$from" ] && src="-s$from" || src=-s0.0.0.0/0
  for p in tcp udp; do
    case $proto$p in 1udp|2tcp) continue ;; esac
    iptables -t nat -A WANPREROUTING -p $p $src --dport $outside -j DNAT --to-destination "$host${inside:+:$inside}"
    iptables -A wanin -p $p $src -d $host --dport ${inside:-$outside} -j ACCEPT
  done
done
IFS=$oldifs
[ "$(nvram get dmz_enable)" -eq 1 ] && iptables -t nat -A WANPREROUTING -j DNAT --to-destination $(nvram get dmz_ipaddr)
iptables -t nat -A PREROUTING -i $WAN -j WANPREROUTING
iptables -t nat -A POSTROUTING -o $LAN -s $NET -d $NET -j MASQUERADE
iptables -t mangle -A FORWARD -p tcp --tcp-flags SYN,RST SYN -j TCPMSS --clamp-mss-to-pmtu
