#!/bin/bash
# What configuration management leaves: numbered files in a folder, each sourced in order, with functions of the first.
parts=$(mktemp -d)
cat > "$parts/00-functions" <<'END'
rule() { local comment=$1; shift; iptables -A "$@" -m comment --comment "$comment"; }
END
cat > "$parts/10-defaults" <<'END'
rule "000 related" INPUT -m state --state RELATED,ESTABLISHED -j ACCEPT
rule "001 loopback" INPUT -i lo -j ACCEPT
END
cat > "$parts/50-services" <<'END'
for p in 22 9100; do rule "100 port $p" INPUT -p tcp --dport $p -j ACCEPT; done
END
cat > "$parts/60-disabled.off" <<'END'
rule "never" INPUT -j ACCEPT
END
cat > "$parts/99-last" <<'END'
rule "999 drop all" INPUT -j DROP
END
for file in "$parts"/[0-9][0-9]-*; do
  case $file in *.off|*~|*.dpkg-*) continue ;; esac
  source "$file"
done
rm -r "$parts"
