/**
 * `-m socket`: a socket of this machine will take the packet.
 *
 *     -m socket --transparent                 →   socket wildcard 0 socket transparent 1
 *     -m socket --transparent --nowildcard    →   socket transparent 1
 *     -m socket --nowildcard                  →   socket transparent <= 1
 *
 * nft has no "any socket": an expression about one stops the rule where there is none, and `transparent` is 0 or 1.
 *
 * man iptables-extensions, section "socket".
 */

import { assign, compare, keyword, match, meta, number, type Statement } from "../../nft/ast.js";
import { defineMatch, type Remark } from "../extension.js";
import { outsideHooks } from "../values/hooks.js";

export const socket = defineMatch({
  name: "socket",
  options: { transparent: {}, nowildcard: {}, "restore-skmark": {} },
  facts: {
    reads: ["socket", "mark", "tracking"],
    condition: [],
    played: true,
  },
  translate({ transparent, nowildcard, "restore-skmark": restoreMark }, context) {
    const outside = outsideHooks(context, ["prerouting", "input", "output"], "socket");
    if (outside) return outside;
    const statements: Statement[] = [];
    if (!nowildcard) statements.push(match(keyword("socket", "wildcard"), number(0)));
    if (transparent) statements.push(match(keyword("socket", "transparent"), number(1)));
    else if (nowildcard) statements.push(compare(keyword("socket", "transparent"), "<=", number(1)));
    if (restoreMark) statements.push(assign(meta("mark"), keyword("socket", "mark")));
    const approximations: Remark[] =
      nowildcard && !restoreMark
        ? []
        : [
            {
              message:
                "packets of a connection that is being set up or closed (SYN_RECV, TIME_WAIT) match in iptables and not in nft, which " +
                "reads no " +
                (restoreMark ? "mark" : "bound address") +
                " from such a socket",
            },
          ];
    return { statements, approximations };
  },
});
