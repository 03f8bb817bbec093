/** What a target does to a packet on its way, and where it sends it. */

import { refusalOf, effectsOf, wayOf } from "../../extensions/described.js";
import type { Effect, Refusal } from "../../extensions/facts.js";
import { hasPorts } from "../../extensions/values/protocols.js";
import type { ExtensionUse, Family } from "../../iptables/ast.js";
import type { View } from "./condition.js";
import type { BuiltIn } from "./firewall.js";

/** How the packet goes on in its table; a drop may tell the sender. */
export type Passage = "continue" | "accept" | "drop" | "return" | { readonly answer: Refusal["kind"] };

export function applyTarget(use: ExtensionUse, view: View, hook: BuiltIn): Passage {
  for (const effect of effectsOf(use, view.net.family)) apply(effect, view, hook);
  const way = wayOf(use);
  const answer = refusalOf(use)?.kind;
  if (way === "drop" && answer !== undefined) return { answer };
  // Whoever has the packet now, no rule of this table is asked.
  return way === "elsewhere" ? "accept" : way;
}

function apply(effect: Effect, view: View, hook: BuiltIn): void {
  switch (effect.kind) {
    case "bits":
      view[effect.of] = ((view[effect.of] & effect.keep) ^ effect.flip) >>> 0;
      return;
    case "copy": {
      const copied = Number(BigInt.asUintN(32, shifted(BigInt((view[effect.from] & effect.mask) >>> 0), effect.shift)));
      view[effect.to] = ((view[effect.to] & effect.keep) ^ copied) >>> 0;
      return;
    }
    case "hops":
      view.ttl = effect.change === "set" ? effect.by : Math.min(255, Math.max(0, view.ttl + effect.by));
      return;
    case "untracked":
      view.state = "untracked";
      return;
    case "translate":
      translate(effect, view, sideOf(effect, hook));
      return;
    case "memory":
    case "other":
  }
}

const shifted = (value: bigint, shift: number): bigint => (shift < 0 ? value >> BigInt(-shift) : value << BigInt(shift));

type Translation = Effect & { readonly kind: "translate" };

function sideOf({ side }: Translation, hook: BuiltIn): "source" | "destination" {
  return side === "either" ? (hook === "PREROUTING" || hook === "OUTPUT" ? "destination" : "source") : side;
}

/** The first address and port of a range stand for all; which one the kernel takes is its own choice. */
function translate({ address, port, toMachine }: Translation, view: View, side: "source" | "destination"): void {
  if (address !== undefined) view[side] = address.from;
  else if (toMachine) view[side] = machineAddress(view, side);
  if (port !== undefined && hasPorts(view.protocol)) view[side === "source" ? "sourcePort" : "destinationPort"] = port.from;
}

/** Of the interface by which the packet leaves or came; what the machine itself sends is led to its loopback. */
function machineAddress({ net, own, inInterface, outInterface }: View, side: "source" | "destination"): bigint {
  if (side === "destination" && own) return net.family === "ipv4" ? 0x7f00_0001n : 1n;
  const index = net.interfaces.findIndex(({ name }) => name === (side === "source" ? outInterface : inInterface));
  return net.locals[Math.max(0, index)]!;
}

/** The sides whose address or port the target may change for packets of a hook. */
export function translatedSides(use: ExtensionUse, hook: BuiltIn, family: Family): ReadonlySet<"source" | "destination"> {
  return new Set(effectsOf(use, family).flatMap((effect) => (effect.kind === "translate" ? [sideOf(effect, hook)] : [])));
}

/** Whether the target changes what other rules ask of a packet that they cannot change themselves: marks and translated addresses. */
export function leavesMark(use: ExtensionUse, family: Family): boolean {
  const marks: readonly string[] = ["mark", "connmark"];
  return effectsOf(use, family).some(
    (effect) =>
      effect.kind === "translate" ||
      (effect.kind === "bits" && marks.includes(effect.of)) ||
      (effect.kind === "copy" && marks.includes(effect.to)),
  );
}
