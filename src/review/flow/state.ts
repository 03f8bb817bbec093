/** What a packet carries through the firewall, as far as rules change it. */

import type { Effect, PlainMatter } from "../../extensions/facts.js";
import type { Carried } from "../packets/steps.js";
import { bitsChanged, bitsCopied, type Term } from "./terms.js";

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
  /** The local socket that a rule has handed it to; its header is as it was. */
  readonly socket?: string;
  /** Changes that no test of a ruleset reads. */
  readonly outside: string;
  readonly own: ReadonlyMap<string, OwnHits>;
  readonly events: readonly MemoryEvent[];
  /** It has come to a place where the two versions differ. */
  readonly diverged: boolean;
}

/** A packet of which nothing is known but its fields. */
export const arriving: State = {
  carried: { mark: "mark as it came", connmark: "connmark as it came", tos: "tos as it came", ttl: "ttl as it came" },
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

/** The state behind a change that a target makes. */
export function changed(state: State, effect: Effect): State {
  switch (effect.kind) {
    case "bits":
      return carrying(state, effect.of, bitsChanged(state.carried[effect.of], effect.keep, effect.flip));
    case "copy": {
      const { from, to, mask, keep, shift } = effect;
      if (from === "connmark" && state.tracking === "untracked") return state;
      return carrying(state, to, bitsCopied(state.carried[from], state.carried[to], mask, keep, shift));
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
        case "socket":
          return { ...state, socket: effect.text };
        case "tracking":
          return isLeftToTracking(state) ? { ...state, tracking: effect.text } : state;
        case "addresses":
          return { ...state, destination: { toMachine: false, text: effect.text } };
        default:
          return { ...state, outside: `${state.outside}; ${effect.text}` };
      }
  }
}

/** With the place that a packet comes to: a socket that it was handed to has it in place of the address it is sent to. */
export function placed(state: State): State {
  return state.socket === undefined ? state : { ...state, destination: { toMachine: false, text: state.socket } };
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

/** A packet without a connection has no connection's mark (connmark_tg in xt_connmark.c). */
function carrying(state: State, of: Carried, term: Term): State {
  if (of === "connmark" && state.tracking === "untracked") return state;
  return { ...state, carried: { ...state.carried, [of]: term } };
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
