/** What a packet carries through the firewall, as far as rules change it. */

import type { Effect, FieldValues, PlainMatter } from "../../extensions/facts.js";
import type { Carried } from "../packets/steps.js";

/** A number that is known, or a text that stands for one that is not: equal texts are equal numbers. */
export type Term = number | string;

/** New addresses and ports of a packet; what is absent is as it came. */
export interface Translation {
  readonly address?: { readonly from: bigint; readonly to: bigint };
  readonly port?: { readonly from: number; readonly to: number };
  /** To an address of this machine that the rule does not name. */
  readonly toMachine: boolean;
  /** Equal for translations that do the same. */
  readonly text: string;
}

/** Something a packet does to a memory that outlives it. */
export interface MemoryEvent {
  readonly memory: string;
  readonly kind: "add" | "remove" | "ask";
  readonly text: string;
}

/** What the packet itself has done to a list of `recent` on its way. */
export type OwnHits = Readonly<Record<"saddr" | "daddr", HostHits>>;

/** For the host of one side. */
export interface HostHits {
  readonly hits: number;
  /** The host was taken off the list; hits after that are counted anew. */
  readonly removed: boolean;
  /** What the packet did by its other side since: both may be one host, or of one network where a mask counts. */
  readonly behind: string;
}

export interface State {
  readonly carried: Readonly<Record<Carried, Term>>;
  /** `tracked`, `untracked`, or a text for another treatment; see `answering`. */
  readonly tracking: string;
  readonly destination?: Translation;
  readonly source?: Translation;
  /** Changes that no test of a ruleset reads. */
  readonly outside: string;
  readonly own: ReadonlyMap<string, OwnHits>;
  readonly events: readonly MemoryEvent[];
  /** It has come to a place where the two versions differ. */
  readonly diverged: boolean;
}

/** A packet of which nothing is known but its fields. */
export const arriving: State = {
  carried: { mark: "as it came", connmark: "as it came", tos: "as it came", ttl: "as it came" },
  tracking: "tracked",
  outside: "",
  own: new Map(),
  events: [],
  diverged: false,
};

/** How `State.tracking` begins for packets that are tracked, while the packets they answer are treated as the rest of the text says. */
export const answering = "the other direction is";

/** Whether no rule has said how to track the packet. */
function isLeftToTracking({ tracking }: State): boolean {
  return tracking === "tracked" || tracking.startsWith(answering);
}

/** Whether a known number is one of the values. */
export function isOneOf(value: number, values: FieldValues): boolean {
  switch (values.kind) {
    case "ranges":
      return values.ranges.some(({ from, to }) => BigInt(value) >= from && BigInt(value) <= to);
    case "bits":
      return (BigInt(value) & values.mask) === values.value;
    default:
      return false;
  }
}

/** The state behind a change that a target makes. A packet without a connection has no connection's mark (connmark_tg in xt_connmark.c). */
export function changed(state: State, effect: Effect): State {
  switch (effect.kind) {
    case "bits":
      if (effect.of === "connmark" && state.tracking === "untracked") return state;
      return carrying(state, effect.of, bitsOf(state.carried[effect.of], effect.keep, effect.flip));
    case "copy": {
      const { from, to, mask, keep, shift } = effect;
      if ([from, to].includes("connmark") && state.tracking === "untracked") return state;
      return carrying(state, to, copied(state.carried[from], state.carried[to], mask, keep, shift));
    }
    case "hops": {
      const before = state.carried.ttl;
      if (effect.change === "set") return carrying(state, "ttl", effect.by);
      return carrying(
        state,
        "ttl",
        typeof before === "number" ? Math.min(255, Math.max(0, before + effect.by)) : `${before} plus ${effect.by}`,
      );
    }
    case "untracked":
      // Of all rules that say how to track, the first decides.
      return isLeftToTracking(state) ? { ...state, tracking: "untracked" } : state;
    case "translate": {
      const { side, address, port, toMachine, text = "" } = effect;
      const translation: Translation = {
        ...(address && { address }),
        ...(port && { port }),
        toMachine,
        text: [
          text,
          ...(address ? [`${address.from}-${address.to}`] : []),
          ...(port ? [`port ${port.from}-${port.to}`] : []),
          ...(toMachine ? ["here"] : []),
        ].join(" "),
      };
      return side === "source" ? { ...state, source: translation } : { ...state, destination: translation };
    }
    case "memory": {
      const { memory, name = "" } = effect.memory;
      const text = [effect.text, ...effect.of.flatMap((matter) => changedOnTheWay(matter, state))].join(" ");
      return withEvent(state, { memory: `${memory} ${name}`, kind: effect.operation, text });
    }
    case "other":
      switch (effect.of) {
        case "mark":
        case "connmark":
        case "tos":
        case "ttl":
          return carrying(state, effect.of, `${effect.text} of ${state.carried[effect.of]}`);
        case "tracking":
          return isLeftToTracking(state) ? { ...state, tracking: effect.text } : state;
        case "addresses":
          return { ...state, destination: { toMachine: false, text: effect.text } };
        default:
          return { ...state, outside: `${state.outside}; ${effect.text}` };
      }
  }
}

/** What a match that reads this sees, or a set records, where rules changed it. */
export function changedOnTheWay(matter: PlainMatter, { carried, tracking, destination, source }: State): string[] {
  switch (matter) {
    case "mark":
    case "connmark":
    case "tos":
    case "ttl":
      return carried[matter] === arriving.carried[matter] ? [] : [`${matter} ${carried[matter]}`];
    case "tracking":
      return tracking === "tracked" ? [] : [tracking];
    case "addresses":
      return [...(destination ? [`to ${destination.text}`] : []), ...(source ? [`from ${source.text}`] : [])];
    default:
      return [];
  }
}

function carrying(state: State, of: Carried, term: Term): State {
  return { ...state, carried: { ...state.carried, [of]: term } };
}

function bitsOf(before: Term, keep: number, flip: number): Term {
  if (typeof before === "number") return ((before & keep) ^ flip) >>> 0;
  return keep === 0 ? flip : `(${before} & ${keep}) ^ ${flip}`;
}

function copied(from: Term, to: Term, mask: number, keep: number, shift: number): Term {
  if (typeof from === "number" && (typeof to === "number" || keep === 0)) {
    const source = (from & mask) >>> 0;
    const moved = shift < 0 ? source >>> -shift : (source << shift) >>> 0;
    return (((typeof to === "number" ? to : 0) & keep) ^ moved) >>> 0;
  }
  const source = `(${from} & ${mask})${shift === 0 ? "" : ` << ${shift}`}`;
  return keep === 0 ? source : `(${to} & ${keep}) ^ ${source}`;
}

export function withEvent(state: State, event: MemoryEvent): State {
  return { ...state, events: [...state.events, event] };
}

const noHits: HostHits = { hits: 0, removed: false, behind: "" };

export function ownHits(state: State, list: string): OwnHits {
  return state.own.get(list) ?? { saddr: noHits, daddr: noHits };
}

export function withOwnHits(state: State, list: string, hits: OwnHits): State {
  return { ...state, own: new Map(state.own).set(list, hits) };
}
