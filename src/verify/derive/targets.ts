/** What a target does to a packet on its way. */

import type { NatRange } from "../../extensions/targets/nat-range.js";
import { markChange, xmark } from "../../extensions/targets/mark-change.js";
import type { ExtensionUse, OptionUse, TableName } from "../../iptables/ast.js";
import type { View } from "./condition.js";
import { hasPorts } from "./draft.js";

export type Effect = "continue" | "accept" | "drop" | "return" | { readonly reject: string };

/** Targets after which no rule of the table is asked. */
const ending = new Set(["ACCEPT", "TPROXY", "SYNPROXY", "NFQUEUE", "QUEUE", "TARPIT", "STEAL", "CLUSTERIP", "SAME"]);

export function isEnding(extension: string): boolean {
  return ending.has(extension) || ["DROP", "REJECT", ...translating].includes(extension);
}

const translating = ["DNAT", "REDIRECT", "SNAT", "MASQUERADE", "NETMAP"];

export function applyTarget(use: ExtensionUse, view: View, table: TableName): Effect {
  const option = <Value>(name: string): OptionUse<Value> | undefined => use.options[name] as OptionUse<Value> | undefined;
  switch (use.extension) {
    case "DROP":
      return "drop";
    case "REJECT":
      return { reject: option("reject-with")?.text ?? "port" };
    case "RETURN":
      return "return";
    case "MARK":
      view.mark = changedMark(use, view.mark);
      return "continue";
    case "CONNMARK": {
      if (option("save-mark")) view.connmark = view.mark;
      else if (option("restore-mark")) view.mark = view.connmark;
      else view.connmark = changedMark(use, view.connmark);
      return "continue";
    }
    case "NOTRACK":
      view.state = "untracked";
      return "continue";
    case "CT":
      if (option("notrack")) view.state = "untracked";
      return "continue";
    case "TTL":
    case "HL":
      view.ttl = changedHops(option, use.extension.toLowerCase(), view.ttl);
      return "continue";
    case "DNAT":
    case "REDIRECT":
    case "SNAT":
    case "MASQUERADE":
    case "NETMAP":
      return table === "nat" ? translated(use, view) : "continue";
    default:
      return ending.has(use.extension) ? "accept" : "continue";
  }
}

function changedMark(use: ExtensionUse, before: number): number {
  const change = xmark(use.options);
  if (change === undefined) return before;
  const { keep, flip } = markChange(change);
  return ((before & keep) ^ flip) >>> 0;
}

function changedHops(option: <Value>(name: string) => OptionUse<Value> | undefined, name: string, before: number): number {
  const by = (suffix: string): number | undefined => option<number>(`${name}-${suffix}`)?.value;
  return by("set") ?? Math.min(255, Math.max(0, before + (by("inc") ?? 0) - (by("dec") ?? 0)));
}

/** The first address and port of a range stand for all; which one the kernel takes is its own choice. */
function translated(use: ExtensionUse, view: View): Effect {
  const source = use.extension === "SNAT" || use.extension === "MASQUERADE";
  const range = (use.options["to-destination"] ?? use.options["to-source"] ?? use.options["to-ports"])?.value as NatRange | undefined;
  const { net } = view;
  if (use.extension === "NETMAP") return "accept";
  if (range?.address) view[source ? "source" : "destination"] = range.address.from;
  else if (use.extension === "MASQUERADE")
    view.source =
      net.locals[
        Math.max(
          0,
          net.interfaces.findIndex(({ name }) => name === view.outInterface),
        )
      ]!;
  else if (use.extension === "REDIRECT") {
    view.destination = view.own
      ? net.family === "ipv4"
        ? 0x7f00_0001n
        : 1n
      : net.locals[
          Math.max(
            0,
            net.interfaces.findIndex(({ name }) => name === view.inInterface),
          )
        ]!;
  }
  if (range?.port && hasPorts(view.protocol)) view[source ? "sourcePort" : "destinationPort"] = range.port.from;
  return "accept";
}
