/** The conditions of a rule, each with its test and with a way to make it hold or fail. */

import { recentUse } from "../../extensions/matches/recent.js";
import type { AddressMask, IptablesRule, IptablesRuleset, OptionUse } from "../../iptables/ast.js";
import { matchConditions } from "./conditions-of-matches.js";
import { setConditions, type Ipsets } from "./conditions-of-sets.js";
import { fieldCondition, type Condition } from "./condition.js";
import { icmpNumber, tcpNumber, udpNumber } from "./draft.js";
import { interfaceMatches } from "./net.js";

/** In the order in which the kernel asks. */
export function conditionsOf(rule: IptablesRule, ruleset: IptablesRuleset, sets: Ipsets): Condition[] {
  const { source, destination, inInterface, outInterface, protocol, fragment } = rule;
  const { family } = ruleset;
  return [
    ...(source ? [addressCondition("-s", "source", source)] : []),
    ...(destination ? [addressCondition("-d", "destination", destination)] : []),
    ...(inInterface ? [interfaceCondition("-i", inInterface)] : []),
    ...(outInterface ? [interfaceCondition("-o", outInterface)] : []),
    ...(protocol && protocol.value !== 0 ? [protocolCondition(protocol, icmpNumber[family])] : []),
    ...(fragment
      ? [
          fieldCondition(
            "-f",
            fragment,
            ({ fragmented }) => fragmented,
            (draft, wanted) => {
              draft.fragmented = wanted;
            },
          ),
        ]
      : []),
    ...rule.matches.flatMap((use) => {
      switch (use.extension) {
        case "recent":
          return [recentCondition(recentUse(use, family), maskOfList(ruleset, use))];
        case "set":
          return setConditions(use, family, sets);
        default:
          return matchConditions(use, family);
      }
    }),
  ];
}

function addressCondition(label: string, side: "source" | "destination", use: OptionUse<AddressMask>): Condition {
  const { value } = use;
  const inside = (address: bigint): boolean => (address & value.mask) === value.address;
  return {
    sides: [side],
    ...fieldCondition(
      label,
      use,
      (view) => inside(view[side]),
      (draft, wanted, chooser) => {
        if (inside(draft[side]) === wanted) return;
        const local = chooser.net.locals.filter((address) => inside(address) === wanted);
        // Addresses of the interfaces need nothing set up.
        if (side === "destination" && draft.shape === "inward" && local.length > 0) draft[side] = chooser.pick(local);
        else
          draft[side] = wanted
            ? chooser.within(value)
            : side === "source" && chooser.chance(0.7)
              ? chooser.source(draft.inInterface)
              : chooser.outside(value);
      },
    ),
  };
}

function interfaceCondition(label: "-i" | "-o", use: OptionUse<string>): Condition {
  const side = label === "-i" ? "inInterface" : "outInterface";
  return fieldCondition(
    label,
    use,
    (view) => interfaceMatches(view[side], use.value),
    (draft, wanted, chooser) => {
      const fits = (name: string): boolean => interfaceMatches(name, use.value) === wanted;
      const fitting = chooser.net.interfaces.map(({ name }) => name).filter(fits);
      if (wanted && fits("lo") && fitting.length === 0) {
        // What comes in by the loopback went out by it.
        Object.assign(draft, { shape: "own", outInterface: "lo" });
        return;
      }
      if (label === "-i" && draft.outInterface === "lo" && !fits("lo")) Object.assign(draft, { shape: "inward", outInterface: undefined });
      if (draft[side] !== undefined && fits(draft[side])) return;
      if (fitting.length > 0) draft[side] = chooser.pick(fitting);
    },
  );
}

function protocolCondition(use: OptionUse<number>, icmp: number): Condition {
  return fieldCondition(
    "-p",
    use,
    ({ protocol }) => protocol === use.value,
    (draft, wanted, chooser) => {
      if (wanted) draft.protocol = use.value;
      else if (draft.protocol === use.value)
        draft.protocol = chooser.pick([tcpNumber, udpNumber, icmp].filter((number) => number !== use.value));
    },
  );
}

/** The list's first rule decides for all. */
function maskOfList(ruleset: IptablesRuleset, use: IptablesRule["matches"][number]): bigint {
  const { list } = recentUse(use, ruleset.family);
  for (const rule of ruleset.tables.flatMap(({ chains }) => chains).flatMap(({ rules }) => rules)) {
    for (const other of rule.matches) {
      if (other.extension !== "recent") continue;
      const found = recentUse(other, ruleset.family);
      if (found.list === list) return found.mask;
    }
  }
  return recentUse(use, ruleset.family).mask;
}

/** See /src/rewrite/recent/README.md; here every stamp is in the window. */
function recentCondition({ operation, inverted, hits, rttl, list, side }: ReturnType<typeof recentUse>, mask: bigint): Condition {
  const key = side === "saddr" ? "source" : "destination";
  return {
    label: `-m recent ${inverted ? "! " : ""}--${operation}`,
    kind: "list",
    list: { name: list, side: key, sets: operation === "set", hits, inverted },
    test(view, world) {
      const host = view[key] & mask;
      const entry = world.entry(list, host);
      const touch = (): void => world.setEntry(list, host, { stamps: (entry?.stamps ?? 0) + 1, ttl: view.ttl });
      if (operation === "set") {
        touch();
        return !inverted;
      }
      if (entry === undefined || (rttl && entry.ttl !== view.ttl)) return inverted;
      if (operation === "remove") {
        world.setEntry(list, host, undefined);
        return !inverted;
      }
      const held = entry.stamps >= hits !== inverted;
      if (operation === "update" && held) touch();
      return held;
    },
  };
}
