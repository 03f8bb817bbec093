/**
 * `-m rt`: the routing header of IPv6.
 *
 *     -m rt --rt-type 0 --rt-segsleft 1:5 --rt-len 24   →   rt type 0 rt seg-left 1-5 rt hdrlength 2
 *
 * man iptables-extensions, section "rt".
 */

import { exists, match, number, type ExtensionHeader } from "../../nft/ast.js";
import { defineMatch, Invalid, type MatchTranslation, type Never, type ValueParser } from "../extension.js";
import { rangesTest } from "../facts.js";
import { integer, unorderedRange } from "../values/number.js";
import { allOf, rangeTest } from "../values/range.js";
import { eightByteUnits } from "../values/header-length.js";
import { address } from "../values/address.js";

const largest = 4294967295;
const field = (name: string): ExtensionHeader => ({ kind: "extension-header", header: "rt", field: name });

const addressList: ValueParser<readonly bigint[]> = (text, context) => {
  const addresses: bigint[] = [];
  for (const part of text.split(",")) {
    const one = address(part, context);
    if (one instanceof Invalid) return one;
    addresses.push(one);
  }
  return addresses.length > 16 ? new Invalid("more than 16 addresses") : addresses;
};

export const rt = defineMatch({
  name: "rt",
  family: "ipv6",
  options: {
    "rt-type": { value: integer(0, largest), invertible: true },
    "rt-segsleft": { value: unorderedRange(0, largest), invertible: true },
    "rt-len": { value: integer(0, largest), invertible: true },
    "rt-0-res": {},
    "rt-0-addrs": { value: addressList },
    "rt-0-not-strict": {},
  },
  check(options) {
    const { "rt-type": type, "rt-0-addrs": addresses, "rt-0-not-strict": loose } = options;
    const typeZero = options["rt-0-res"] ?? addresses ?? loose;
    if (typeZero && (type?.value !== 0 || type.inverted)) return new Invalid(`--${typeZero.name} needs --rt-type 0`);
    return loose && !addresses ? new Invalid("--rt-0-not-strict needs --rt-0-addrs") : undefined;
  },
  facts: {
    reads: ["packet"],
    condition: (options) => {
      const type = options["rt-type"];
      // Without a type any routing header will do.
      return type
        ? [rangesTest("routingType", type, [{ from: type.value, to: type.value }])]
        : [rangesTest("routingType", { name: "rt-type", inverted: false }, [{ from: 0, to: 255 }])];
    },
    played: true,
  },
  translate(options): MatchTranslation {
    const { "rt-type": type, "rt-segsleft": left, "rt-len": length } = options;
    const typeZero = options["rt-0-res"] ?? options["rt-0-addrs"];
    if (typeZero) {
      return {
        untranslatable: "nft does not read the list of a type 0 routing header",
        help: "routers and hosts drop that header anyway (RFC 5095)",
        at: typeZero,
      };
    }
    const impossible: Never = { never: "no routing header is of that type" };
    const tests = allOf([
      type && (type.value > 255 ? (type.inverted ? undefined : impossible) : match(field("type"), number(type.value), type.inverted)),
      left && rangeTest(field("seg-left"), left.value, left.inverted, 255),
      length && eightByteUnits(field("hdrlength"), length.value, length.inverted),
    ]);
    if (!Array.isArray(tests)) return tests;
    return { statements: tests.length === 0 ? [exists({ kind: "extension-header", header: "rt" })] : tests };
  },
});
