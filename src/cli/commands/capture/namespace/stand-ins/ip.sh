#!/bin/sh
# Stands in for ip: its commands that read work, however they are shortened, and all others are held.
ours=/.ipt2nft-recent
argument='' object='' command=''
for word; do
  if [ -n "$argument" ]; then
    argument=''
    continue
  fi
  case $word in
  -f | -fa* | -l | -loo* | -rc | -rcv*) argument=1 ;;
  -b | -ba* | -n | -ne*) held=1 ;;
  -*) ;;
  *)
    if [ -n "$object" ]; then
      command=$word
      break
    fi
    object=$word
    ;;
  esac
done
case $command in
'' | sh | sho | show | l | li | lis | list | ls | lst | g | ge | get | h | he | hel | help | save | showdump) ;;
# Of a link it is short for "set".
s) case $object in l | li | lin | link) held=1 ;; esac ;;
*) held=1 ;;
esac
# These wait for events, or have commands of other names.
case $object in mon* | netns | vrf) [ -z "$command" ] || held=1 ;; esac
[ -n "$held" ] || exec $ours/real/ip "$@"
$ours/stand-in/log held ip "$@"
exit 0
