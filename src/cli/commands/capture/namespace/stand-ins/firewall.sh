#!/bin/sh
# Stands in for iptables and ipset of all variants: the chosen one runs, and what it refuses is written down.
ours=/.ipt2nft-recent
name=${0##*/}
case $name in
*-legacy*) name=${name%%-legacy*}${name#*-legacy} ;;
*-nft*) name=${name%%-nft*}${name#*-nft} ;;
esac
"$ours/real/$name" "$@"
status=$?
[ $status -eq 0 ] || $ours/stand-in/log refused "$name" "$@"
exit $status
