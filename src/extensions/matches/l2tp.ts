/**
 * `-m l2tp`: tunnel and session of L2TP packets. nft knows no L2TP header.
 *
 * iptables-extensions(8) of iptables 1.8.7 and later, section "l2tp".
 */

import { defineMatch } from "../extension.js";
import { integer } from "../values/number.js";
import { oneOfWords } from "../values/text.js";

export const l2tp = defineMatch({
  name: "l2tp",
  options: {
    pversion: { value: integer(2, 3) },
    tid: { value: integer(0, 0xffffffff) },
    sid: { value: integer(0, 0xffffffff) },
    type: { value: oneOfWords(["control", "data"]) },
  },
  facts: {
    reads: ["packet"],
    condition: [],
    played: true,
  },
  translate() {
    return {
      untranslatable: "nft has no expression for L2TP headers",
      help: "compare the bytes after the UDP header: @th,64,16 holds the flags and version",
    };
  },
});
