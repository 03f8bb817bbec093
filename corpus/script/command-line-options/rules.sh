#!/bin/bash
# A tool with options of its own; without any it takes these.
[ $# -gt 0 ] || set -- -i eth0 -t "22 443" -u 123 -l -s 192.0.2.0/24 -s 198.51.100.128/25 -- extra 8443
log=no nets=()
while getopts 'i:t:u:ls:nh' option; do
  case $option in
    i) iface=$OPTARG ;;
    t) tcp=$OPTARG ;;
    u) udp=$OPTARG ;;
    l) log=yes ;;
    s) nets+=("$OPTARG") ;;
    n) dry=echo ;;
    h|?) echo "usage: ${0##*/} [-i INTERFACE] [-t PORTS] [-u PORTS] [-l] [-n] [-s NET]…" >&2; exit 2 ;;
  esac
done
shift $((OPTIND - 1))
run() { ${dry-} iptables "$@"; }
run -N SERVICES
for net in "${nets[@]}"; do run -A INPUT ${iface:+-i "$iface"} -s "$net" -j SERVICES; done
for port in $tcp; do run -A SERVICES -p tcp --dport "$port" -j ACCEPT; done
for port in $udp; do run -A SERVICES -p udp --dport "$port" -j ACCEPT; done
while (($#)); do
  case $1 in
    extra) run -A SERVICES -p tcp --dport "$2" -m comment --comment extra -j ACCEPT; shift 2 ;;
    *) shift ;;
  esac
done
[ $log = yes ] && run -A SERVICES -m limit --limit 3/min -j LOG --log-prefix "${iface}: "
run -A SERVICES -j DROP
