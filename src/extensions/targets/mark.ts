/**
 * `-j MARK`: changes the packet's mark. The rule goes on.
 *
 *     -j MARK --set-xmark 0x1/0xffffffff   →   meta mark set 0x1
 *     -j MARK --set-mark 0x1/0xf           →   meta mark set (meta mark & 0xfffffff0) ^ 0x1
 *
 * man iptables-extensions, section "MARK".
 */

import { assign, meta } from "../../nft/ast.js";
import { defineTarget, Invalid } from "../extension.js";
import { changed, markChange, markOptions, xmark } from "./mark-change.js";

export const markTarget = defineTarget({
  name: "MARK",
  options: markOptions(),
  check: (options) =>
    xmark(options) ? undefined : new Invalid("one of --set-xmark, --set-mark, --and-mark, --or-mark and --xor-mark is needed"),
  compared: xmark,
  facts: {
    way: "continue",
    effects: (options) => [{ kind: "bits", of: "mark", ...markChange(xmark(options) ?? { value: 0, mask: 0 }) }],
    played: true,
    words: { does: "marks", done: "marked" },
  },
  translate(options) {
    const mark = meta("mark");
    const value = changed(mark, markChange(xmark(options) ?? { value: 0, mask: 0 }));
    return { statements: value === mark ? [] : [assign(mark, value)] };
  },
});
