/**
 * `-j TCPMSS`: lowers the segment size a SYN announces. The rule goes on.
 *
 *     -p tcp --tcp-flags SYN,RST SYN -j TCPMSS --clamp-mss-to-pmtu
 *       →   tcp flags & (syn | rst) == syn tcp option maxseg size set rt mtu
 *
 * Neither side ever raises the size. Differences: TCPMSS adds the option where it is missing (nft cannot), with at most 536 in
 * IPv4 and 1220 in IPv6, the sizes a missing option stands for; and it drops segments with a broken header.
 * man iptables-extensions, section "TCPMSS".
 */

import type { IptablesRule } from "../../iptables/ast.js";
import { assign, keyword, number, type Expression } from "../../nft/ast.js";
import { defineTarget, Invalid, type Remark } from "../extension.js";
import { integer } from "../values/number.js";

const segmentSize: Expression = { kind: "tcp-option", option: "maxseg", field: "size" };
/** What a host assumes when the other announces nothing (RFC 9293, 3.7.1). */
const assumedSize = { ipv4: 536, ipv6: 1220 } as const;

/** The kernel wants a match on SYN in the same rule: flags among which SYN must be set. */
function matchesSyn(rule: IptablesRule): boolean {
  return rule.matches.some(({ extension, options }) => {
    if (extension !== "tcp") return false;
    if (options.syn && !options.syn.inverted) return true;
    const flags = options["tcp-flags"];
    return flags !== undefined && !flags.inverted && /\b(?:SYN|ALL)\b/i.test(flags.text.trim().split(/\s+/).at(-1) ?? "");
  });
}

export const tcpmssTarget = defineTarget({
  name: "TCPMSS",
  options: {
    "set-mss": { value: integer(0, 65515) },
    "clamp-mss-to-pmtu": {},
  },
  check(options, { chain, protocol }) {
    if (!options["set-mss"] && !options["clamp-mss-to-pmtu"]) return new Invalid("one of --set-mss and --clamp-mss-to-pmtu is needed");
    if (protocol !== 6) return new Invalid("needs -p tcp");
    return options["clamp-mss-to-pmtu"] && (chain === "PREROUTING" || chain === "INPUT")
      ? new Invalid("--clamp-mss-to-pmtu works in FORWARD, OUTPUT and POSTROUTING only")
      : undefined;
  },
  facts: {
    way: "continue",
    effects: [{ kind: "other", of: "outside", text: "segment size" }],
    played: true,
    dependsOnHook: true,
    words: { does: "sets the segment size of", done: "given another segment size" },
  },
  translate(options, { family, hooks, rule }) {
    if (!matchesSyn(rule)) return { untranslatable: "the kernel takes it only beside a match on SYN, such as --tcp-flags SYN,RST SYN" };
    const { "set-mss": size, "clamp-mss-to-pmtu": clamp } = options;
    // Given both, iptables forgets the number.
    if (clamp || !size) {
      if (hooks.has("prerouting") || hooks.has("input")) {
        return { untranslatable: "the kernel knows a path only in FORWARD, OUTPUT and POSTROUTING", at: clamp };
      }
      const note: Remark = {
        code: "option-without-effect",
        message: "a SYN without the option gets none in nft; TCPMSS adds one that says what a missing option means",
        at: clamp,
      };
      return { statements: [assign(segmentSize, keyword("rt", "mtu"))], notes: [note] };
    }
    const statements = [assign(segmentSize, number(size.value))];
    if (size.value >= assumedSize[family]) {
      return {
        statements,
        notes: [
          {
            code: "option-without-effect",
            message:
              `a SYN without the option gets none in nft; TCPMSS adds one of ${assumedSize[family]}, which is what a missing ` +
              "option means",
            at: size,
          },
        ],
      };
    }
    return {
      statements,
      approximations: [
        {
          message:
            `a SYN without the option gets none in nft, so its sender may be sent segments of ${assumedSize[family]} bytes ` +
            `instead of ${size.value}`,
          at: size,
        },
      ],
    };
  },
});
