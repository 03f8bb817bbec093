#!/bin/sh
# Stands in for ifconfig and hostname: they show something for the name of one interface, or for none; more words change something.
ours=/.ipt2nft-recent
name=${0##*/}
count=0
for word; do
  case $word in
  -*) ;;
  *) count=$((count + 1)) ;;
  esac
done
most=1
[ "$name" = ifconfig ] || most=0
[ $count -gt $most ] || exec "$ours/real/$name" "$@"
$ours/stand-in/log held "$name" "$@"
exit 0
