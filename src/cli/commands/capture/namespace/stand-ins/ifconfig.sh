#!/bin/sh
# Stands in for ifconfig: the name of one interface, or none, shows something; more words change something.
ours=/.ipt2nft-recent
count=0
for word; do
  case $word in
  -*) ;;
  *) count=$((count + 1)) ;;
  esac
done
[ $count -gt 1 ] || exec "$ours/real/ifconfig" "$@"
$ours/stand-in/log held ifconfig "$@"
exit 0
