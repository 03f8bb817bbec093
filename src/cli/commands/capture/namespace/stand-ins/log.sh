#!/bin/sh
# Writes down a command: the first word says what became of it. The file has a bound of its own, that of the file system.
kind=$1
shift
printf '%s\t%s\n' "$kind" "$(printf %s "$*" | tr '\000-\037\177' '[ *]' | cut -c 1-400)" >>/.ipt2nft-recent/log 2>/dev/null
