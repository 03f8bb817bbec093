#!/bin/sh
### BEGIN INIT INFO
# Provides:          firewall
# Required-Start:    $local_fs $network
# Default-Start:     2 3 4 5
# Default-Stop:      0 1 6
# Short-Description: packet filter
### END INIT INFO
NAME=firewall
test -x /sbin/iptables || test -x /usr/sbin/iptables || exit 0
[ -r /etc/default/$NAME-of-this-test ] && . /etc/default/$NAME-of-this-test
VERBOSE=no

log_daemon_msg() { [ "$VERBOSE" = no ] || echo "$@"; }
log_end_msg() { return $1; }

do_start() {
  iptables -N BADFLAGS 2>/dev/null || return 1
  iptables -A BADFLAGS -j DROP
  iptables -A INPUT -p tcp --tcp-flags ACK,FIN FIN -j BADFLAGS
  iptables -A INPUT -p tcp --tcp-flags ALL NONE -j BADFLAGS
  iptables -A INPUT -p tcp --dport 22 --syn -m recent --set --name S
  iptables -A INPUT -p tcp --dport 22 --syn -m recent --rcheck --seconds 30 --hitcount 5 --name S -j BADFLAGS
  iptables -A INPUT -p tcp --dport 22 -j ACCEPT
  iptables -P INPUT DROP
}
do_stop() {
  iptables -P INPUT ACCEPT
  iptables -F INPUT
  iptables -F BADFLAGS && iptables -X BADFLAGS
}

case "${1:-start}" in
  start)
    log_daemon_msg "Starting $NAME"
    do_start
    case "$?" in
      0|1) log_end_msg 0 ;;
      2) log_end_msg 1 ;;
    esac
    ;;
  stop) do_stop ;;
  restart|force-reload) do_stop; do_start ;;
  *) echo "Usage: $0 {start|stop|restart|force-reload}" >&2; exit 3 ;;
esac
:
