#!/bin/sh
# Stands in for programs that ask the network, which fail as they do where there is none.
/.ipt2nft-recent/stand-in/log failing "${0##*/}" "$@"
exit 6
