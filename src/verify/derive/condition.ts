/** A condition of a rule: how it is told whether a packet meets it, and how a packet is made to meet or miss it. */

import type { PacketField } from "../../extensions/facts.js";
import type { PacketState } from "../../extensions/values/connection-state.js";
import type { Chooser } from "./chooser.js";
import type { Draft, Fields } from "./draft.js";
import { routeTo, type Net, type Needs } from "./net.js";
import type { World } from "./world.js";

/** A packet somewhere on its way. */
export interface View extends Fields {
  /** Empty before routing. */
  outInterface: string;
  mark: number;
  connmark: number;
  state: PacketState;
  /** Goes against the direction of its connection's first packet. */
  reply: boolean;
  sourceChanged: boolean;
  destinationChanged: boolean;
  /** A socket of the firewall sent it. */
  readonly own: boolean;
  /** The firewall's kernel sent it. */
  readonly answer: boolean;
  readonly net: Net;
  readonly needs: Needs;
}

/**
 * `field`: of the packet alone; `state`: of its connection; `mark`: rules before decide; `list`, `bucket`: packets before
 * decide, hosts of `recent` and tokens of a limit; `closed`: nothing here can change it.
 */
export type ConditionKind = "field" | "state" | "mark" | "list" | "bucket" | "closed";

export interface Condition {
  /** As in the dump: `-s`, `-m tcp --dport`. */
  readonly label: string;
  readonly kind: ConditionKind;
  /** Undefined where nothing here can tell. Lists and buckets take note of the packet. */
  readonly test: (view: View, world: World) => boolean | undefined;
  /** Changes the draft so that the condition holds or fails; it may not succeed. */
  readonly make?: (draft: Draft, wanted: boolean, chooser: Chooser) => void;
  /** The fields it asks about; none for what is no field. */
  readonly fields?: readonly PacketField[];
  /** The addresses it asks about. */
  readonly sides?: readonly ("source" | "destination")[];
  /** How many packets are worth making that meet it, each in another way; one unless told. */
  readonly variety?: number;
  /** Of kind `list`. */
  readonly list?: {
    readonly name: string;
    readonly side: "source" | "destination";
    readonly sets: boolean;
    readonly hits: number;
    readonly inverted: boolean;
  };
}

/** The draft as rules see it before any of them changed it. */
export function viewOf(draft: Draft, { net, needs }: Pick<Chooser, "net" | "needs">): View {
  const own = draft.shape === "own";
  const leaves = own || draft.shape === "answer";
  const out = draft.shape === "inward" ? "" : (draft.outInterface ?? routeTo(net, needs, draft.destination));
  return {
    // One by one: this is done for every change of a draft, and spreading all of it takes ten times as long.
    source: draft.source,
    destination: draft.destination,
    protocol: draft.protocol,
    sourcePort: draft.sourcePort,
    destinationPort: draft.destinationPort,
    flags: draft.flags,
    tcpOptions: draft.tcpOptions,
    icmpType: draft.icmpType,
    icmpCode: draft.icmpCode,
    ttl: draft.ttl,
    tos: draft.tos,
    length: draft.length,
    fragmented: draft.fragmented,
    head: draft.head,
    extensionHeaders: draft.extensionHeaders,
    ipOptions: draft.ipOptions,
    hardwareSource: draft.hardwareSource,
    about: draft.about,
    // What went out by the loopback comes in by it.
    inInterface: out === "lo" ? "lo" : leaves ? "" : draft.inInterface,
    outInterface: out,
    mark: 0,
    connmark: 0,
    state: draft.state === "reply" ? "established" : draft.state,
    reply: draft.state === "reply",
    sourceChanged: false,
    destinationChanged: false,
    own,
    answer: draft.shape === "answer",
    net,
    needs,
  };
}
