#!/bin/bash
# PostUp lines of a wg-quick file, run as wg-quick does: %i is the interface, each line goes through eval.
conf=$(mktemp)
cat > "$conf" <<'END'
[Interface]
Address = 10.66.66.1/24
ListenPort = 51820
PostUp = iptables -I INPUT -p udp --dport 51820 -j ACCEPT; iptables -I FORWARD -i eth0 -o %i -j ACCEPT
PostUp = iptables -I FORWARD -i %i -j ACCEPT
PostUp = iptables -t nat -A POSTROUTING -o eth0 -j MASQUERADE
PostUp = ip6tables -I FORWARD -i %i -j ACCEPT; ip6tables -t nat -A POSTROUTING -o eth0 -j MASQUERADE
PostDown = iptables -D FORWARD -i %i -j ACCEPT
END
INTERFACE=wg0
hooks=()
while IFS= read -r line; do
  [[ $line =~ ^PostUp[[:space:]]*=[[:space:]]*(.*)$ ]] && hooks+=("${BASH_REMATCH[1]}")
done < "$conf"
for hook in "${hooks[@]}"; do
  hook="${hook//%i/$INTERFACE}"
  echo "[#] $hook" >&2
  (eval "$hook")
done
# Packets that leave by another interface with the address of the tunnel are dropped.
iptables-restore -n <<END
*raw
-I PREROUTING ! -i $INTERFACE -d 10.66.66.1 -m addrtype ! --src-type LOCAL -j DROP -m comment --comment "wg-quick(8) rule for $INTERFACE"
COMMIT
*mangle
-I POSTROUTING -m mark --mark 51820 -p udp -j CONNMARK --save-mark -m comment --comment "wg-quick(8) rule for $INTERFACE"
-I PREROUTING -p udp -j CONNMARK --restore-mark -m comment --comment "wg-quick(8) rule for $INTERFACE"
COMMIT
END
rm "$conf"
