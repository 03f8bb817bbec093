/**
 * `-m srh`: the segment routing header of IPv6 (a routing header of type 4, RFC 8754).
 *
 *     -m srh --srh-next-hdr 6 --srh-segs-left-gt 1 --srh-tag 0   →   rt type 4 rt nexthdr 6 rt seg-left 2-255 srh tag 0
 *
 * Lengths are in units of eight bytes behind the first eight, as the field has them (net/ipv6/netfilter/ip6t_srh.c).
 *
 * ip6tables -m srh -h; the man page does not have it.
 */

import { match, number, type ExtensionHeader } from "../../nft/ast.js";
import type { OptionUse } from "../../iptables/ast.js";
import { defineMatch, type MatchTranslation } from "../extension.js";
import { addressMask } from "../values/address.js";
import { integer } from "../values/number.js";
import { allOf, rangeTest } from "../values/range.js";

const byte = { value: integer(0, 255), invertible: true } as const;
const segment = { value: addressMask, invertible: true } as const;
const segmentRouting = 4;

function field(header: "rt" | "srh", name: string): ExtensionHeader {
  return { kind: "extension-header", header, field: name };
}

export const srh = defineMatch({
  name: "srh",
  family: "ipv6",
  options: {
    "srh-next-hdr": byte,
    "srh-hdr-len-eq": byte,
    "srh-hdr-len-gt": byte,
    "srh-hdr-len-lt": byte,
    "srh-segs-left-eq": byte,
    "srh-segs-left-gt": byte,
    "srh-segs-left-lt": byte,
    "srh-last-entry-eq": byte,
    "srh-last-entry-gt": byte,
    "srh-last-entry-lt": byte,
    "srh-tag": { value: integer(0, 65535), invertible: true },
    "srh-psid": segment,
    "srh-nsid": segment,
    "srh-lsid": segment,
  },
  facts: {
    reads: ["packet"],
    condition: [],
    played: true,
  },
  translate(options): MatchTranslation {
    const list = options["srh-psid"] ?? options["srh-nsid"] ?? options["srh-lsid"];
    if (list) return { untranslatable: "nft cannot take a segment whose place in the list another field gives", at: list };
    const nextHeader = options["srh-next-hdr"];
    const tag = options["srh-tag"];
    if (tag && tag.value >> 8 !== (tag.value & 0xff)) {
      return {
        untranslatable: "the kernel compares the bytes of a tag in the order of the machine, so what the number means depends on it",
        help: "the tag as it is on the wire: srh tag NUMBER",
        at: tag,
      };
    }
    const bounds = (name: ExtensionHeader, equal?: OptionUse<number>, above?: OptionUse<number>, below?: OptionUse<number>) => [
      equal && rangeTest(name, { from: equal.value, to: equal.value }, equal.inverted, 255),
      above && rangeTest(name, { from: above.value + 1, to: 255 }, above.inverted, 255),
      below && rangeTest(name, { from: 0, to: below.value - 1 }, below.inverted, 255),
    ];
    const tests = allOf([
      match(field("rt", "type"), number(segmentRouting)),
      nextHeader && rangeTest(field("rt", "nexthdr"), { from: nextHeader.value, to: nextHeader.value }, nextHeader.inverted, 255),
      ...bounds(field("rt", "hdrlength"), options["srh-hdr-len-eq"], options["srh-hdr-len-gt"], options["srh-hdr-len-lt"]),
      ...bounds(field("rt", "seg-left"), options["srh-segs-left-eq"], options["srh-segs-left-gt"], options["srh-segs-left-lt"]),
      ...bounds(field("srh", "last-entry"), options["srh-last-entry-eq"], options["srh-last-entry-gt"], options["srh-last-entry-lt"]),
      tag && rangeTest(field("srh", "tag"), { from: tag.value, to: tag.value }, tag.inverted, 65535),
    ]);
    if (!Array.isArray(tests)) return tests;
    return {
      statements: tests,
      approximations: [{ message: "malformed headers, with more segments left than there are, match in nft and not in iptables" }],
    };
  },
});
