/**
 * `-j SYNPROXY`: answers SYNs on behalf of the server until the client has proved itself. Other segments go on.
 *
 *     -p tcp -m conntrack --ctstate INVALID,UNTRACKED -j SYNPROXY --sack-perm --timestamp --wscale 7 --mss 1460
 *       →   meta l4proto tcp ct state invalid,untracked synproxy mss 1460 wscale 7 timestamp sack-perm
 *
 * man iptables-extensions, section "SYNPROXY".
 */

import { defineTarget, Invalid, type ValueParser } from "../extension.js";
import { integer } from "../values/number.js";

/** iptables reads 32 bits and stores fewer. */
const truncated =
  (bits: 8 | 16): ValueParser<number> =>
  (text, context) => {
    const value = integer(0, 0xffffffff)(text, context);
    return value instanceof Invalid ? value : value & ((1 << bits) - 1);
  };
const byte = truncated(8);
const word = truncated(16);
/** The largest window scale of TCP (RFC 7323), and of nft. */
const largestScale = 14;

export const synproxyTarget = defineTarget({
  name: "SYNPROXY",
  hooks: ["input", "forward"],
  options: {
    "sack-perm": {},
    timestamp: {},
    wscale: { value: byte },
    mss: { value: word },
    ecn: {},
  },
  check: (_options, { protocol }) => (protocol === 6 ? undefined : new Invalid("needs -p tcp")),
  facts: {
    way: "elsewhere",
    effects: [{ kind: "other", of: "tracking", text: "proxy of connections" }],
    played: "the kernel answers in the place of a server, and none is there",
    words: { does: "answers in the place of the server for", done: "answered in the place of the server" },
  },
  translate(options) {
    const { wscale, mss, ecn } = options;
    if (ecn)
      return { untranslatable: "nft's synproxy cannot pass ECN on", at: ecn, help: "leave --ecn out: connections then go without ECN" };
    if (wscale && wscale.value > largestScale) return { untranslatable: `nft takes window scales up to ${largestScale}`, at: wscale };
    return {
      statements: [
        {
          kind: "synproxy",
          ...(mss && { mss: mss.value }),
          ...(wscale && { wscale: wscale.value }),
          timestamp: options.timestamp !== undefined,
          sackPermitted: options["sack-perm"] !== undefined,
        },
      ],
    };
  },
});
