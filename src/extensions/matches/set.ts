/**
 * `-m set`: membership in an ipset, which becomes an nft set of our table out of an `ipset save` file.
 *
 *     -m set --match-set office src       →   ip saddr @ipset_office
 *     -m set --match-set web src,dst      →   ip saddr . meta l4proto . th dport @ipset_web
 *
 * A set of ports holds ICMP messages and protocols without ports too; those stand in sets beside it, and the rule asks them all
 * where its `-p` does not tell. A list of sets is asked member by member.
 *
 * man iptables-extensions, section "set"; what a set of each type looks at: kernel files net/netfilter/ipset/ip_set_*.c.
 */

import { findIpset, impossible, lookupsOf, lookupStatement, tooManyMembers, type Lookup } from "../../ipset/use.js";
import type { Statement } from "../../nft/ast.js";
import { defineMatch, Invalid, type MatchTranslation, type Remark, type RuleContext, type ValueParser } from "../extension.js";
import { recordedOf, setUse } from "../values/ipset.js";
import { parseInteger } from "../values/number.js";

const counter: ValueParser<bigint> = (value) => parseInteger(value) ?? new Invalid(`"${value}" is not a whole number`);

export const setMatch = defineMatch({
  name: "set",
  options: {
    "match-set": { aliases: ["set"], value: setUse, words: 2, invertible: true, required: true },
    "return-nomatch": {},
    "update-counters": { invertible: true },
    "update-subcounters": { invertible: true },
    "packets-eq": { value: counter, invertible: true, excludes: ["packets-lt", "packets-gt"] },
    "packets-lt": { value: counter, excludes: ["packets-eq", "packets-gt"] },
    "packets-gt": { value: counter, excludes: ["packets-eq", "packets-lt"] },
    "bytes-eq": { value: counter, invertible: true, excludes: ["bytes-lt", "bytes-gt"] },
    "bytes-lt": { value: counter, excludes: ["bytes-eq", "bytes-gt"] },
    "bytes-gt": { value: counter, excludes: ["bytes-eq", "bytes-lt"] },
  },
  facts: {
    reads: ({ "match-set": use }) => [{ memory: "ipset", name: use?.value.set ?? "" }, ...recordedOf(use)],
    condition: [],
    played: true,
    words: ({ "match-set": use, ...others }) => {
      if (!use || Object.keys(others).length > 0) return undefined;
      const sides = new Set(use.value.directions.map((direction) => (direction === "src" ? "source" : "destination")));
      return `the ${[...sides].join(" and the ")} ${sides.size === 1 ? "is" : "together are"} in set "${use.value.set}"`;
    },
  },
  translate(options, context): MatchTranslation {
    const use = options["match-set"];
    if (!use) return { never: "no set is named" };
    const named = findIpset(use, context);
    const excess = tooManyMembers(named, use, context);
    if (excess !== undefined) return { untranslatable: excess, at: use };
    const approximations: Remark[] = [];
    const notes: Remark[] = [];
    const count =
      options["packets-eq"] ??
      options["packets-lt"] ??
      options["packets-gt"] ??
      options["bytes-eq"] ??
      options["bytes-lt"] ??
      options["bytes-gt"];
    if (count && (named.missing || named.isList || named.sets.some(({ counters }) => counters))) {
      return {
        untranslatable: "nft cannot compare the counters of an element",
        at: count,
        help: "without the option the rule asks for membership only",
      };
    }
    if (count) notes.push({ message: `the set "${use.value.set}" has no counters`, at: count });
    const update = options["update-counters"] ?? options["update-subcounters"];
    if (update?.inverted && named.sets.some(({ counters }) => counters)) {
      notes.push({ message: "the elements of the set count every packet that finds them", at: update });
    }
    if (named.missing) approximations.push(missing(use.inverted, named.changes, context, use.value.set, use));
    if (named.listTimeouts) {
      approximations.push({
        message: `members of "${use.value.set}" have timeouts, after which ipset no longer asks them; nft always does`,
        at: use,
      });
    }

    const lookups: Lookup[] = [];
    let why = `the list "${use.value.set}" holds no set`;
    for (const set of named.sets) {
      const reason = impossible(set, use.value, context);
      if (reason !== undefined) {
        why = reason;
        continue;
      }
      const exceptions = options["return-nomatch"] !== undefined && set.type.dimensions.includes("net");
      const found = lookupsOf(set, use.value, context, exceptions);
      if (found.lookups.length === 0) why = `the set "${set.name}" holds nothing of the rule's protocol`;
      for (const lookup of found.lookups) lookups.push(lookup);
      approximations.push(...found.differences.map((message) => ({ message: `set "${set.name}": ${message}`, at: use })));
      notes.push(...found.notes.map((message) => ({ code: "text-changed" as const, message: `set "${set.name}": ${message}`, at: use })));
    }
    const remarks = { approximations, notes };
    if (lookups.length === 0) return use.inverted ? { statements: [], ...remarks } : { never: why, ...remarks };
    return { ...(use.inverted ? outside(lookups) : inside(lookups)), ...remarks };
  },
});

/** Look-ups that are written one after the other in each rule; for more of them the rules would grow with their square. */
const mostInOneRule = 16;

/** The packet is in one of the sets. */
function inside(lookups: readonly Lookup[]): MatchTranslation {
  const groups = lookups.map((lookup) => [...lookup.guards, lookupStatement(lookup)]);
  if (groups.length === 1) return { statements: groups[0]! };
  // Keys that every packet has can say that it is in no earlier set.
  if (lookups.length <= mostInOneRule && lookups.every(({ form }) => form.alwaysLoads)) {
    const statements = lookups.map((lookup) => ({ here: lookupStatement(lookup), elsewhere: lookupStatement(lookup, true) }));
    return {
      alternatives: statements.map(({ here }, index): Statement[] => [
        ...statements.slice(0, index).map(({ elsewhere }) => elsewhere),
        here,
      ]),
    };
  }
  const forms = lookups.map(({ form }) => form.port);
  const apart = !forms.includes(undefined) && new Set(forms).size === forms.length && !forms.includes("plain");
  return apart ? { alternatives: groups } : { anyOf: groups };
}

/** The packet is in none of the sets. */
function outside(lookups: readonly Lookup[]): MatchTranslation {
  if (lookups.length <= mostInOneRule && lookups.every(({ form }) => form.alwaysLoads))
    return { statements: lookups.map((lookup) => lookupStatement(lookup, true)) };
  return { unless: lookups.map((lookup) => [...lookup.guards, lookupStatement(lookup)]) };
}

function missing(inverted: boolean, changes: boolean, { judgement }: RuleContext, set: string, at: Remark["at"]): Remark {
  if (changes) {
    return {
      code: "ipset-missing",
      message: `no file holds the ipset "${set}": the script starts with an empty set, which its rules fill`,
      help: "give what `ipset save` prints with --ipset FILE",
      at,
    };
  }
  const stops = judgement === "stops";
  const without = judgement === undefined ? undefined : stops === inverted ? "more closed" : "more open";
  const does = stops
    ? inverted
      ? "it stops all packets it asks about"
      : "it stops nothing"
    : inverted
      ? "it lets all packets through that it asks about"
      : "it lets nothing through";
  const effect = without === undefined ? "" : `, which makes the firewall ${without}: ${does}`;
  return {
    code: "ipset-missing",
    message:
      `no file holds the ipset "${set}": the rule is written with an empty set, and ${inverted ? "every" : "no"} packet ` +
      `matches it${effect}`,
    help: "give what `ipset save` prints with --ipset FILE",
    at,
    without: without ?? `${inverted ? "every" : "no"} packet matches its set`,
  };
}
