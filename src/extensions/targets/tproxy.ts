/**
 * `-j TPROXY`: hands the packet to a local transparent socket, or drops it where there is none.
 *
 *     -p tcp --dport 80 -j TPROXY --on-port 8080 --tproxy-mark 0x1/0x1   →   tcp dport 80 goto, to a chain of
 *         meta l4proto tcp tproxy to :8080 meta mark set meta mark | 0x1 accept
 *         drop
 *
 * nft's tproxy ends the rule where there is no socket, and is no verdict by itself: hence the two rules.
 * man iptables-extensions, section "TPROXY".
 */

import { assign, goto, match, meta, number, symbol, verdict } from "../../nft/ast.js";
import { defineTarget, Invalid } from "../extension.js";
import { address, addressLiteral, formatAddress } from "../values/address.js";
import { valueMask, type ValueMask } from "../values/number.js";
import { port } from "../values/port.js";
import { changed, markChange } from "./mark-change.js";

const noChange: ValueMask = { value: 0, mask: 0 };
const protocolNames: Readonly<Record<number, string>> = { 6: "tcp", 17: "udp" };

export const tproxyTarget = defineTarget({
  name: "TPROXY",
  tables: ["mangle"],
  hooks: ["prerouting"],
  options: {
    "on-port": { value: port, required: true },
    "on-ip": { value: address },
    "tproxy-mark": { value: valueMask() },
  },
  check: (_options, { protocol }) =>
    protocol !== undefined && protocolNames[protocol] !== undefined ? undefined : new Invalid("needs -p tcp or -p udp"),
  facts: {
    way: "accept",
    effects: ({ "on-ip": ip, "on-port": onPort, "tproxy-mark": given }, family) => [
      { kind: "bits", of: "mark", ...markChange(given?.value ?? noChange) },
      {
        kind: "other",
        of: "socket",
        text: `a proxy on ${onPort?.value ? `port ${onPort.value}` : "its own port"}${ip ? ` of ${formatAddress(ip.value, family)}` : ""}`,
      },
    ],
    played: true,
    words: { does: "hands to a proxy", done: "handed to a proxy" },
  },
  translate(options, context) {
    const protocol = protocolNames[context.protocol ?? 0];
    if (!protocol) return { untranslatable: "nft has it for tcp and udp only" };
    const portNumber = options["on-port"]?.value ?? 0;
    const given = options["on-ip"]?.value;
    const mark = meta("mark");
    const marked = changed(mark, markChange(options["tproxy-mark"]?.value ?? noChange));
    const rules = [
      [
        match(meta("l4proto"), symbol(protocol)),
        {
          kind: "tproxy" as const,
          // Without either, the packet's own port at the interface's address: nft says so by the zero address.
          ...(given !== undefined || portNumber === 0 ? { address: addressLiteral(given ?? 0n, context.family) } : {}),
          ...(portNumber !== 0 && { port: number(portNumber) }),
        },
        ...(marked === mark ? [] : [assign(mark, marked)]),
        verdict("accept"),
      ],
      [verdict("drop")],
    ];
    return { statements: [goto(context.declare.chain("tproxy_or_drop", rules))] };
  },
});
