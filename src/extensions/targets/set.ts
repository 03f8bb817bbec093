/**
 * `-j SET`: adds the packet's addresses to an ipset, or takes them out.
 *
 *     -j SET --add-set trap src --timeout 60           →   add @ipset_trap { ip saddr timeout 60s }
 *     -j SET --add-set trap src --exist --timeout 60   →   update @ipset_trap { ip saddr timeout 60s }
 *     -j SET --del-set trap src                        →   delete @ipset_trap { ip saddr }
 *
 * man iptables-extensions, section "SET".
 */

import { append } from "../../append.js";
import type { Ipset } from "../../ipset/ast.js";
import { findIpset, impossible, lookupsOf, tooManyMembers, type Lookup, type SetUse } from "../../ipset/use.js";
import type { OptionUse } from "../../iptables/ast.js";
import { addressRangeExpression } from "../values/address.js";
import { jump, match, number, payload, range, type SetStatement, type Statement } from "../../nft/ast.js";
import { defineTarget, Invalid, type Remark, type RuleContext, type TargetTranslation, type Untranslatable } from "../extension.js";
import { recordedOf, setUse } from "../values/ipset.js";
import { integer } from "../values/number.js";

interface Change {
  readonly kind: "add" | "delete";
  readonly use: OptionUse<SetUse>;
  readonly exist: boolean;
  readonly timeout: number | undefined;
}

const recorded = (use: OptionUse<SetUse>, timeout: OptionUse<number> | undefined): string =>
  `${use.text}${timeout ? ` for ${timeout.value} s` : ""}`;

export const setTarget = defineTarget({
  name: "SET",
  options: {
    "add-set": { value: setUse, words: 2 },
    "del-set": { value: setUse, words: 2 },
    "map-set": { value: setUse, words: 2 },
    timeout: { value: integer(0, 2_147_483) },
    exist: {},
    "map-mark": {},
    "map-prio": {},
    "map-queue": {},
  },
  check(options) {
    if (!options["add-set"] && !options["del-set"] && !options["map-set"])
      return new Invalid("one of --add-set, --del-set and --map-set is needed");
    const onlyWithAdd = options.timeout ?? options.exist;
    if (onlyWithAdd && !options["add-set"]) return new Invalid(`--${onlyWithAdd.name} needs --add-set`);
    if (options["map-set"] && !options["map-mark"] && !options["map-prio"] && !options["map-queue"]) {
      return new Invalid("--map-set needs --map-mark, --map-prio or --map-queue");
    }
    return undefined;
  },
  facts: {
    way: "continue",
    reads: (options) => (options["map-set"] ? [{ memory: "ipset", name: options["map-set"].value.set }] : []),
    effects: (options) => [
      ...(options["add-set"]
        ? [
            {
              kind: "memory",
              memory: { memory: "ipset", name: options["add-set"].value.set },
              operation: "add",
              text: recorded(options["add-set"], options.timeout),
              of: recordedOf(options["add-set"]),
            } as const,
          ]
        : []),
      ...(options["del-set"]
        ? [
            {
              kind: "memory",
              memory: { memory: "ipset", name: options["del-set"].value.set },
              operation: "remove",
              text: options["del-set"].text,
              of: recordedOf(options["del-set"]),
            } as const,
          ]
        : []),
      ...(options["map-set"] ? [{ kind: "other", of: "mark", text: `map ${options["map-set"].text}` } as const] : []),
    ],
    played: true,
    dependsOnHook: true,
    words: { does: "changes a set for", done: "recorded in a set" },
  },
  translate(options, context): TargetTranslation {
    const { "add-set": add, "del-set": del, "map-set": map } = options;
    if (map)
      return {
        untranslatable: "marks, priorities and queues of elements have no nft form",
        at: map,
        help: "add by hand: meta mark set ip saddr map @name",
      };
    const changes: Change[] = [];
    if (add) changes.push({ kind: "add", use: add, exist: options.exist !== undefined, timeout: options.timeout?.value });
    if (del) changes.push({ kind: "delete", use: del, exist: false, timeout: undefined });
    // ipset adds first, and an nft rule ends where a set is full: with two sets the order makes no other difference.
    if (add && del && add.value.set !== del.value.set) changes.reverse();
    const rules: (readonly Statement[])[] = [];
    const approximations: Remark[] = [];
    const notes: Remark[] = [];
    for (const change of changes) {
      const found = changed(change, context);
      if ("untranslatable" in found) return found;
      append(rules, found.rules);
      append(approximations, found.approximations);
      append(notes, found.notes);
    }
    const remarks = { approximations, notes };
    const [only, ...more] = rules;
    if (only === undefined) return { statements: [], ...remarks };
    if (more.length === 0 && only.length === 1) return { statements: only, ...remarks };
    // What a packet has no key for must not keep the other changes, or what the rule does after them, from happening.
    return {
      statements: [jump(context.declare.chain(`ipset_${changes.map(({ kind, use }) => `${kind}_${use.value.set}`).join("_")}`, rules))],
      ...remarks,
    };
  },
});

interface Changed {
  readonly rules: readonly (readonly Statement[])[];
  readonly approximations: readonly Remark[];
  readonly notes: readonly Remark[];
}

function changed({ kind, use, exist, timeout }: Change, context: RuleContext): Changed | Untranslatable {
  const named = findIpset(use, context);
  const excess = tooManyMembers(named, use, context);
  if (excess !== undefined) return { untranslatable: excess, at: use };
  const approximations: Remark[] = [];
  const notes: Remark[] = [];
  const fitting = named.sets.filter((set) => impossible(set, use.value, context) === undefined);
  const set = fitting[0];
  if (set === undefined) {
    const [first] = named.sets;
    const why = first === undefined ? `the list "${use.value.set}" holds no set` : impossible(first, use.value, context);
    return { rules: [], approximations, notes: [{ message: `it changes nothing: ${why}`, at: use }] };
  }
  if (named.missing) {
    approximations.push({
      code: "ipset-missing",
      message:
        `no file holds the ipset "${set.name}": the script starts with an empty one, of which timeout and size are not ` +
        `known${set.timeout === undefined ? "; what is added stays for ever" : ""}`,
      help: "give what `ipset save` prints with --ipset FILE",
      at: use,
    });
  }
  if (fitting.length > 1 && kind === "delete")
    return {
      untranslatable: `"${set.name}" and others are members of "${use.value.set}", and the first that has the element loses it`,
      at: use,
    };
  if (fitting.length > 1) {
    approximations.push({
      message:
        `additions to the list "${use.value.set}" go to its first member "${set.name}" only; ipset takes the next where that ` +
        "is full or has the element already",
      at: use,
    });
  }
  if (set.family === undefined && context.ipsets?.twoFamilies === true) {
    approximations.push({ message: `rules of IPv4 and IPv6 change a set each; in iptables both change the set "${set.name}"`, at: use });
  }
  if (set.forceadd && kind === "add")
    approximations.push({
      message: `where the set "${set.name}" is full, ipset throws out another element (forceadd), nft adds nothing`,
      at: use,
    });
  const { lookups, differences } = lookupsOf(set, use.value, context);
  const dynamic = lookups.filter(({ form }) => form.dynamic);
  approximations.push(...differences.map((message) => ({ message: `set "${set.name}": ${message}`, at: use })));
  if (dynamic.length < lookups.length && kind === "delete") {
    return {
      untranslatable: `the set "${set.name}" holds networks of several lengths, and nft rules cannot take intervals out of a set`,
      at: use,
      help: "take the element out by hand: nft delete element",
    };
  }
  const lasting = set.timeout === undefined ? undefined : (timeout ?? set.timeout);
  if (timeout !== undefined && set.timeout === undefined) notes.push({ message: `the set "${set.name}" has no timeouts`, at: use });
  // Elements that stay for ever cannot be added to a set whose other elements go after a time of their own accord.
  const rules = dynamic.map((lookup) => {
    const stays = lasting === 0 && lookup.form.set.timeout !== undefined;
    if (stays)
      approximations.push({ message: `"--timeout 0" is for ever in ipset; here the set's own ${set.timeout ?? 0} s count`, at: use });
    return [...bounds(set, lookup, use.value, context), ...lookup.guards, statement(kind, exist, lookup, lasting)];
  });
  return { rules, approximations, notes };
}

/** A bitmap takes nothing outside of its range. */
function bounds({ range: limits, type }: Ipset, { key }: Lookup, { directions }: SetUse, { family }: RuleContext): Statement[] {
  if (limits === undefined) return [];
  if (type.name === "bitmap:port") return [match(key, range(number(limits.from), number(limits.to)))];
  return [
    match(
      payload(family === "ipv4" ? "ip" : "ip6", directions[0] === "dst" ? "daddr" : "saddr"),
      addressRangeExpression(limits.from, limits.to, family),
    ),
  ];
}

/** `timeout` in seconds; 0 for ever. */
function statement(kind: Change["kind"], exist: boolean, { name, key, form }: Lookup, timeout: number | undefined): SetStatement {
  if (kind === "delete") return { kind: "set", operation: "delete", set: name, key };
  // Only where elements have timeouts does nft distinguish adding from renewing.
  const operation = exist && form.set.flags.includes("timeout") ? "update" : "add";
  return { kind: "set", operation, set: name, key, ...(timeout !== undefined && timeout > 0 && { timeout: timeout * 1000 }) };
}
