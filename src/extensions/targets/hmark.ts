/**
 * `-j HMARK`: a packet mark out of a hash. Not translated: nft's hash gives other numbers.
 *
 * man iptables-extensions, section "HMARK".
 */

import { defineTarget } from "../extension.js";
import { integer } from "../values/number.js";
import { text } from "../values/text.js";

const word = text(1023);
const unsigned = integer(0, 0xffffffff);

export const hmarkTarget = defineTarget({
  name: "HMARK",
  options: {
    "hmark-tuple": { value: word },
    "hmark-mod": { value: integer(1, 0xffffffff), required: true },
    "hmark-offset": { value: unsigned },
    "hmark-rnd": { value: unsigned, required: true },
    "hmark-src-prefix": { value: word },
    "hmark-dst-prefix": { value: word },
    "hmark-sport-mask": { value: word },
    "hmark-dport-mask": { value: word },
    "hmark-spi-mask": { value: word },
    "hmark-sport": { value: word },
    "hmark-dport": { value: word },
    "hmark-spi": { value: word },
    "hmark-proto-mask": { value: word },
  },
  facts: {
    way: "continue",
    effects: [{ kind: "other", of: "mark", text: "hash of the packet" }],
    played: true,
    words: { does: "marks", done: "marked" },
  },
  translate: () => ({
    untranslatable: "nft's hash gives the packets other marks",
    help: "if only an even spread matters, add by hand: meta mark set jhash ip saddr . ip daddr mod … offset …",
  }),
});
