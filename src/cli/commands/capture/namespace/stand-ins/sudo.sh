#!/bin/sh
# Stands in for sudo and doas: the command is run, by root that it is already.
while [ $# -gt 0 ]; do
  case $1 in
  --) shift && break ;;
  -[ugpCrthRTDc] | --user | --group | --prompt | --chdir | --chroot | --host | --type | --role | --close-from | --command-timeout | --other-user)
    shift 2 || exit 1
    ;;
  -*) shift ;;
  [A-Za-z_]*=*) export "$1" && shift ;;
  *) break ;;
  esac
done
[ $# -eq 0 ] || exec "$@"
