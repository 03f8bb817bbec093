/** The time to live of IPv4 and the hop limit of IPv6. */

import type { OptionUse } from "../../iptables/ast.js";
import { compare, match, number, type payload } from "../../nft/ast.js";
import type { Never, Statements } from "../extension.js";

/** The one test given of a count of hops: equal (or not), less or greater. */
export function hopsTest(
  field: ReturnType<typeof payload>,
  equal: OptionUse<number> | undefined,
  less: OptionUse<number> | undefined,
  greater: OptionUse<number> | undefined,
): Statements | Never {
  if (equal) return { statements: [match(field, number(equal.value), equal.inverted)] };
  if (less)
    return less.value === 0 ? { never: "no packet has fewer than 0 hops left" } : { statements: [compare(field, "<", number(less.value))] };
  if (!greater) return { statements: [] };
  return greater.value === 255
    ? { never: "no packet has more than 255 hops left" }
    : { statements: [compare(field, ">", number(greater.value))] };
}
