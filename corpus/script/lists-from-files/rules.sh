#!/bin/bash
# White and black lists in files with comments, blank lines, carriage returns and no newline at the end.
dir=$(mktemp -d); trap 'rm -rf "$dir"' EXIT
printf '# office\r\n192.0.2.10\r\n\r\n192.0.2.11 # printer\r\n' > "$dir/white"
printf '203.0.113.5\n  203.0.113.6/31\n#203.0.113.8\n;203.0.113.9\n203.0.113.10-203.0.113.20\nnot an address\n198.51.100.77' > "$dir/black"
: > "$dir/empty"

entries() { sed -e 's/\r$//' -e 's/[#;].*//' -e 's/^[ \t]*//' -e 's/[ \t]*$//' "$1" | grep . ; }
load() {
  local file=$1 chain=$2 verdict=$3 entry
  iptables -N "$chain"
  iptables -A INPUT -j "$chain"
  while IFS= read -r entry || [[ -n $entry ]]; do
    if [[ $entry =~ ^[0-9.]+(/[0-9]+)?$ ]]; then iptables -A "$chain" -s "$entry" -j "$verdict"
    elif [[ $entry =~ ^[0-9.]+-[0-9.]+$ ]]; then iptables -A "$chain" -m iprange --src-range "$entry" -j "$verdict"
    else echo "$file: $entry: left out" >&2
    fi
  done < <(entries "$dir/$file")
}
load white WHITE ACCEPT
load black BLACK DROP
load empty NOBODY DROP
iptables -S BLACK | wc -l >&2
