/** Connection states, as `conntrack --ctstate` and `state --state` test them. */

import { binary, compare, ct, hex, match, oneOf, symbol, type Expression, type Statement } from "../../nft/ast.js";
import { Invalid, type ValueParser } from "../extension.js";

/** The states a packet can be in, one at a time; the first two are those of packets without a connection. */
export const packetStates = ["invalid", "untracked", "new", "established", "related"] as const;
export type PacketState = (typeof packetStates)[number];
/** Not states but bits of the connection: its addresses or ports are translated. */
type VirtualState = "snat" | "dnat";

export interface StateList {
  readonly states: readonly PacketState[];
  readonly virtual: readonly VirtualState[];
}

/** A comma list; each word may be shortened and is read in letters of either case. */
export function stateList(words: readonly (PacketState | VirtualState)[]): ValueParser<StateList> {
  return (text) => {
    const found = new Set<string>();
    for (const part of text.toLowerCase().split(",")) {
      const state = part === "" ? undefined : words.find((word) => word.startsWith(part));
      if (state === undefined) return new Invalid(`"${part}" is not a connection state`);
      found.add(state);
    }
    return {
      states: packetStates.filter((state) => found.has(state)),
      virtual: (["snat", "dnat"] as const).filter((state) => found.has(state)),
    };
  };
}

/** `ct state a,b`, or `ct state != { a, b }`; nothing where every state is meant. */
export function stateTest(states: readonly PacketState[], inverted = false): Statement[] {
  if (states.length === packetStates.length && !inverted) return [];
  if (!inverted) return [match(ct("state"), { kind: "flags", flags: inUsualOrder(states) })];
  // `ct state != a,b` compares with the sum of both bits, which no packet has.
  return [match(ct("state"), oneOf(inUsualOrder(states).map((state) => symbol(state))), true)];
}

/** Established first: the order in which people write them. */
const usualOrder: readonly PacketState[] = ["established", "related", "new", "invalid", "untracked"];
function inUsualOrder(states: readonly PacketState[]): PacketState[] {
  return usualOrder.filter((state) => states.includes(state));
}

/** At least one of the bits of the connection's status is set, or none of them is. */
export function statusTest(bits: readonly string[], none = false): Statement {
  if (!none) return match(ct("status"), { kind: "flags", flags: bits });
  const [first = "", ...rest] = bits;
  const union = rest.reduce<Expression>((all, bit) => binary(all, "|", symbol(bit)), symbol(first));
  return compare(binary(ct("status"), "&", union), "==", hex(0));
}

/**
 * The ways in which a packet can satisfy a list of states, none of which overlap.
 * Each says whether its packets have a connection: the other options of `-m conntrack` are asked only for these.
 */
export interface StateCase {
  readonly statements: readonly Statement[];
  readonly connection: boolean | "either";
}

const connectionless: ReadonlySet<PacketState> = new Set(["invalid", "untracked"]);

/** The cases of a list of states; `split` keeps packets with and without a connection apart. */
export function stateCases({ states, virtual }: StateList, inverted: boolean, split: boolean): StateCase[] {
  const wanted = packetStates.filter((state) => states.includes(state) !== inverted);
  const without = wanted.filter((state) => connectionless.has(state));
  const within = wanted.filter((state) => !connectionless.has(state));
  const cases: StateCase[] = [];
  if (virtual.length === 0) {
    if (wanted.length === 0) return [];
    if (!split || without.length === 0 || within.length === 0) {
      // As the rule was written: what is left of the list, or what is excluded.
      const statements = inverted ? stateTest(states, true) : stateTest(wanted);
      return [{ statements, connection: within.length === 0 ? false : without.length === 0 ? true : "either" }];
    }
    return [
      { statements: stateTest(without), connection: false },
      { statements: stateTest(within), connection: true },
    ];
  }
  if (inverted) {
    if (without.length > 0) cases.push({ statements: stateTest(without), connection: false });
    if (within.length > 0) cases.push({ statements: [...stateTest(within), statusTest(virtual, true)], connection: true });
    return cases;
  }
  if (!split || without.length === 0 || within.length === 0) {
    if (wanted.length > 0)
      cases.push({ statements: stateTest(wanted), connection: within.length === 0 ? false : without.length === 0 ? true : "either" });
  } else {
    cases.push({ statements: stateTest(without), connection: false }, { statements: stateTest(within), connection: true });
  }
  if (wanted.length < packetStates.length) {
    cases.push({ statements: [...(wanted.length === 0 ? [] : stateTest(wanted, true)), statusTest(virtual)], connection: true });
  }
  return cases;
}
