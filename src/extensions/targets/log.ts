/**
 * `-j LOG`: a line in the kernel log. The rule goes on.
 *
 *     -j LOG --log-prefix "drop: " --log-level 7 --log-uid   →   log prefix "drop: " level debug flags skuid
 *
 * man iptables-extensions, section "LOG". Prefix: at most 29 bytes (struct xt_log_info), nft's 127.
 */

import type { LogStatement } from "../../nft/ast.js";
import { defineTarget, Invalid, type ValueParser } from "../extension.js";
import { parseInteger } from "../values/number.js";
import { prefixText, writablePrefix } from "./log-prefix.js";

/** nft's names of the levels 0 to 7. */
const levels = ["emerg", "alert", "crit", "err", "warn", "notice", "info", "debug"] as const;
/** The names iptables reads; `err` and `warn` are not among them. */
const levelNames: Readonly<Record<string, number>> = {
  emerg: 0,
  panic: 0,
  alert: 1,
  crit: 2,
  error: 3,
  warning: 4,
  notice: 5,
  info: 6,
  debug: 7,
};

const level: ValueParser<(typeof levels)[number]> = (text) => {
  const value = Object.hasOwn(levelNames, text) ? levelNames[text]! : Number(parseInteger(text) ?? -1n);
  return levels[value] ?? new Invalid(`"${text}" is not a log level`);
};

export const logTarget = defineTarget({
  name: "LOG",
  options: {
    "log-level": { value: level },
    "log-prefix": { value: prefixText(29) },
    "log-tcp-sequence": {},
    "log-tcp-options": {},
    "log-ip-options": {},
    "log-uid": {},
    "log-macdecode": {},
  },
  compared: ({ "log-level": chosen, ...others }) => ({ ...others, level: chosen?.value ?? "warn" }),
  facts: {
    way: "continue",
    effects: [],
    played: true,
    words: { does: "logs", done: "logged" },
  },
  translate(options) {
    const prefix = options["log-prefix"] && writablePrefix(options["log-prefix"]);
    const chosen = options["log-level"]?.value;
    const flags = [
      ...(options["log-tcp-sequence"] ? ["tcp sequence"] : []),
      ...(options["log-tcp-options"] ? ["tcp options"] : []),
      ...(options["log-ip-options"] ? ["ip options"] : []),
      ...(options["log-uid"] ? ["skuid"] : []),
      ...(options["log-macdecode"] ? ["ether"] : []),
    ];
    const statement: LogStatement = {
      kind: "log",
      ...(prefix && { prefix: prefix.text }),
      // Level 4 is the default of both.
      ...(chosen !== undefined && chosen !== "warn" && { level: chosen }),
      ...(flags.length > 0 && { flags }),
    };
    return { statements: [statement], notes: prefix?.notes ?? [] };
  },
});
