/**
 * `-j ECN`: changes the congestion bits of TCP and IP. The rule goes on.
 *
 *     -j ECN --ecn-ip-ect 0               →   ip ecn set 0
 *     -p tcp -j ECN --ecn-tcp-remove      →   jump, to a chain that writes the flags back without ECE and CWR
 *
 * man iptables-extensions, section "ECN".
 */

import { binary, hex, payload } from "../../nft/ast.js";
import { defineTarget, Invalid } from "../extension.js";
import { integer } from "../values/number.js";
import { fieldChanges, type FieldChange } from "./field-rewrite.js";

const congestionEcho = 0x40;
const windowReduced = 0x80;
const bit = integer(0, 1);

export const ecnTarget = defineTarget({
  name: "ECN",
  family: "ipv4",
  tables: ["mangle"],
  options: {
    "ecn-tcp-remove": { excludes: ["ecn-tcp-cwr", "ecn-tcp-ece"] },
    "ecn-tcp-cwr": { value: bit, excludes: ["ecn-tcp-remove"] },
    "ecn-tcp-ece": { value: bit, excludes: ["ecn-tcp-remove"] },
    "ecn-ip-ect": { value: integer(0, 3) },
  },
  check(options, { protocol }) {
    const tcp = options["ecn-tcp-remove"] ?? options["ecn-tcp-cwr"] ?? options["ecn-tcp-ece"];
    if (!tcp && !options["ecn-ip-ect"])
      return new Invalid("one of --ecn-tcp-remove, --ecn-tcp-cwr, --ecn-tcp-ece and --ecn-ip-ect is needed");
    return tcp && protocol !== 6 ? new Invalid("the TCP operations need -p tcp") : undefined;
  },
  facts: {
    way: "continue",
    effects: (options) => [
      {
        kind: "other",
        of: "tos",
        text: Object.values(options)
          .map((use) => `${use.name} ${use.text}`)
          .sort()
          .join(" "),
      },
    ],
    played: true,
    words: { does: "changes the congestion bits of", done: "given other congestion bits" },
  },
  translate(options, context) {
    const remove = options["ecn-tcp-remove"] ? 0 : undefined;
    const echo = options["ecn-tcp-ece"]?.value ?? remove;
    const reduced = options["ecn-tcp-cwr"]?.value ?? remove;
    const withBit = (flags: number, mask: number, value: number | undefined): number =>
      value === undefined ? flags : value === 1 ? flags | mask : flags & ~mask;
    const flagField = payload("tcp", "flags");
    const changes: FieldChange[] = [
      {
        // With a mask, because nft takes a lone `tcp flags 0x1` for "this flag among others".
        field: flagField,
        compared: binary(flagField, "&", hex(0xff)),
        bits: 8,
        change: (flags) => withBit(withBit(flags, congestionEcho, echo), windowReduced, reduced),
      },
    ];
    const transport = options["ecn-ip-ect"]?.value;
    if (transport !== undefined) changes.push({ field: payload("ip", "ecn"), bits: 2, change: () => transport });
    const statements = fieldChanges(changes, "set_ecn", context);
    return "untranslatable" in statements ? statements : { statements };
  },
});
