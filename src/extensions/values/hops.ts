/** The time to live of IPv4 and the hop limit of IPv6. */

import type { OptionUse } from "../../iptables/ast.js";
import { compare, match, number, type payload } from "../../nft/ast.js";
import type { Never, Statements } from "../extension.js";
import { rangesTest, type Effect, type FieldTest } from "../facts.js";

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

/** The same tests as conditions on the packet. */
export function hopsFieldTests(
  equal: OptionUse<number> | undefined,
  less: OptionUse<number> | undefined,
  greater: OptionUse<number> | undefined,
): FieldTest[] {
  return [
    ...(equal ? [rangesTest("ttl", equal, [{ from: equal.value, to: equal.value }])] : []),
    ...(less ? [rangesTest("ttl", less, [{ from: 0, to: less.value - 1 }])] : []),
    ...(greater ? [rangesTest("ttl", greater, [{ from: greater.value + 1, to: 255 }])] : []),
  ];
}

/** They in words that follow "where". @param name of the field */
export function hopsWords(
  name: string,
  equal: OptionUse<number> | undefined,
  less: OptionUse<number> | undefined,
  greater: OptionUse<number> | undefined,
): string | undefined {
  const use = equal ?? less ?? greater;
  return use && `its ${name} is ${equal ? "" : less ? "below " : "above "}${use.value}`;
}

/** What `-j TTL` and `-j HL` do. */
export function hopsEffects(
  set: OptionUse<number> | undefined,
  more: OptionUse<number> | undefined,
  less: OptionUse<number> | undefined,
): Effect[] {
  if (set) return [{ kind: "hops", change: "set", by: set.value }];
  return [{ kind: "hops", change: "add", by: (more?.value ?? 0) - (less?.value ?? 0) }];
}
