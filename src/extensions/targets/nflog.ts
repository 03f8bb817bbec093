/**
 * `-j NFLOG`: the packet to a listener on a netlink group. The rule goes on.
 *
 *     -j NFLOG --nflog-group 5 --nflog-prefix "x"   →   log prefix "x" group 5 queue-threshold 1
 *
 * The threshold is always written: NFLOG's own default is 1, nft's is whatever the listener asked for.
 * man iptables-extensions, section "NFLOG". Prefix: at most 63 bytes (struct xt_nflog_info).
 */

import type { LogStatement } from "../../nft/ast.js";
import { defineTarget } from "../extension.js";
import { integer } from "../values/number.js";
import { prefixText, writablePrefix } from "./log-prefix.js";

export const nflogTarget = defineTarget({
  name: "NFLOG",
  options: {
    "nflog-group": { value: integer(0, 65535) },
    "nflog-prefix": { value: prefixText(63) },
    "nflog-range": { value: integer(0, 0xffffffff), excludes: ["nflog-size"] },
    "nflog-size": { value: integer(0, 0xffffffff), excludes: ["nflog-range"] },
    "nflog-threshold": { value: integer(0, 65535) },
  },
  compared: ({ "nflog-group": group, "nflog-threshold": threshold, ...others }) => ({
    ...others,
    group: group?.value ?? 0,
    threshold: threshold?.value ?? 0,
  }),
  facts: {
    way: "continue",
    effects: [],
    played: true,
    words: { does: "logs", done: "logged" },
  },
  translate(options) {
    const prefix = options["nflog-prefix"] && writablePrefix(options["nflog-prefix"]);
    const { "nflog-range": range, "nflog-size": size } = options;
    const threshold = options["nflog-threshold"]?.value ?? 1;
    const statement: LogStatement = {
      kind: "log",
      ...(prefix && { prefix: prefix.text }),
      group: options["nflog-group"]?.value ?? 0,
      ...(size && { snaplen: size.value }),
      ...(threshold > 0 && { queueThreshold: threshold }),
    };
    return {
      statements: [statement],
      notes: [
        ...(prefix?.notes ?? []),
        ...(range
          ? [{ at: range, code: "option-without-effect" as const, message: '"--nflog-range" never cut a packet, and is left out' }]
          : []),
      ],
    };
  },
});
