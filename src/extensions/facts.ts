/**
 * What an extension says about itself beside its translation: what its answer depends on, which packets it can match, what it
 * changes, where its target sends the packet, and whether it can be played on the kernel.
 *
 * Everything that has to know an extension asks these facts: the rewriter (connection tracking, fragments), `verify` (packets, what
 * cannot be compared) and `review` (what a change does). The models of xt matches in `src/simulate` do not: they are the oracle, and
 * written apart on purpose.
 */

import type { Family, OptionUse } from "../iptables/ast.js";
import type { OptionDefinitions, OptionUses } from "./extension.js";

// ------------------------------------------------------------------------------------------------- what is read

/** What an answer depends on, or a target changes. */
export type Matter = PlainMatter | Memory;

export type PlainMatter =
  /** Bytes of the packet that nothing on its way through the firewall changes. */
  | "packet"
  /**
   * The transport header, at places where nft reads it also in a fragment behind the first, which has none (nft_payload.c, measured on
   * Linux 6.18). iptables' matches never hold for such a fragment.
   */
  | "transport"
  /** Addresses and ports: address translation changes them. */
  | "addresses"
  | "interfaces"
  | "tos"
  | "ttl"
  | "mark"
  | "connmark"
  | "connlabel"
  | "secmark"
  /** The entry of connection tracking: state, status, direction, first addresses, helper, expiry. */
  | "tracking"
  /** Routes, addresses of this machine, IPsec policies. */
  | "routing"
  /** Sockets of this machine and the processes behind them. */
  | "socket"
  | "time"
  | "chance"
  | "processor"
  /** Nothing that any match reads: classes of traffic control, segment sizes, copies. */
  | "outside";

/** Something that lives longer than a packet, and that earlier packets decide. */
export interface Memory {
  readonly memory: MemoryKind;
  /** The rules of one name share it, over all tables; every rule has its own if absent. */
  readonly name?: string;
}

export type MemoryKind =
  | "recent"
  | "ipset"
  | "limit"
  | "hashlimit"
  | "quota"
  | "turns"
  /** Connections that are open. */
  | "connections"
  /** Packets and bytes of each connection. */
  | "traffic"
  | "nfacct"
  | "rateest"
  | "geoip";

export function isMemory(matter: Matter): matter is Memory {
  return typeof matter === "object";
}

/** Whether an answer may be another one a rule later, for the same packet: it counts or remembers, or a rule between may change it. */
export function mayChangeOnTheWay(matter: Matter): boolean {
  if (isMemory(matter)) return matter.memory !== "geoip";
  return ["tos", "ttl", "mark", "connmark", "connlabel", "secmark", "chance"].includes(matter);
}

/** Whether the kernel tracks connections, and so puts fragments together, for a rule that reads or changes this. */
export function needsTracking(matter: Matter): boolean {
  if (isMemory(matter)) return matter.memory === "connections" || matter.memory === "traffic";
  return ["tracking", "connmark", "connlabel"].includes(matter);
}

// -------------------------------------------------------------------------------------------- packets that match

/** A field of a packet as conditions name it; numbers unless told. */
export type PacketField =
  | "source"
  | "destination"
  | "protocol"
  | "sourcePort"
  | "destinationPort"
  /** Type times 256 plus code. */
  | "icmp"
  /** The byte of flags: FIN is 1, SYN 2, … CWR 128. */
  | "tcpFlags"
  /** Kinds of TCP options that are there. */
  | "tcpOption"
  /** Bytes of data a segment may hold, where the packet says. */
  | "segmentSize"
  | "tos"
  | "ttl"
  /** Of the whole packet, in bytes. */
  | "length"
  | "mark"
  | "connmark"
  | "espSpi"
  | "ahSpi"
  | "routingType"
  /** Names, with a `+` at the end for all that begin so. */
  | "inInterface"
  | "outInterface"
  /** Words. */
  | "state"
  | "direction"
  | "sourceType"
  | "destinationType"
  | "packetType"
  | "hardwareSource"
  | "policy"
  | "owner";

export type FieldValues =
  /** Any number of these ranges, both ends included; those that run backwards hold none. */
  | { readonly kind: "ranges"; readonly ranges: readonly { readonly from: bigint; readonly to: bigint }[] }
  /** Numbers that have this value under the mask. */
  | { readonly kind: "bits"; readonly value: bigint; readonly mask: bigint }
  | { readonly kind: "pattern"; readonly pattern: string }
  | { readonly kind: "words"; readonly words: readonly string[] };

/** One test of a rule on fields of the packet. */
export interface FieldTest {
  /** The option that asks, without dashes. */
  readonly option: string;
  /** It holds where any of these fields has one of the values. */
  readonly fields: readonly PacketField[];
  readonly values: FieldValues;
  readonly inverted: boolean;
  /** Further options that the test has taken into account. */
  readonly covers?: readonly string[];
}

// ------------------------------------------------------------------------------------------------ what is changed

/** Something a rule does beside deciding, in typed form where what follows can tell. */
export type Effect =
  /** new = (old & keep) ^ flip, of an unsigned number. */
  | { readonly kind: "bits"; readonly of: "mark" | "connmark" | "tos"; readonly keep: number; readonly flip: number }
  /** Between the packet's mark and the connection's: to = (to & keep) ^ ((from & mask) << shift). */
  | {
      readonly kind: "copy";
      readonly from: "mark" | "connmark";
      readonly to: "mark" | "connmark";
      readonly mask: number;
      readonly keep: number;
      readonly shift: number;
    }
  /** `set` to the number, or `add` it (negative: take off), within 0 and 255. */
  | { readonly kind: "hops"; readonly change: "set" | "add"; readonly by: number }
  | { readonly kind: "untracked" }
  /** Other addresses or ports for the connection. */
  | {
      readonly kind: "translate";
      /** `either`: the hook tells. */
      readonly side: "source" | "destination" | "either";
      readonly address?: { readonly from: bigint; readonly to: bigint };
      readonly port?: { readonly from: number; readonly to: number };
      /** To an address of this machine that the rule does not name. */
      readonly toMachine: boolean;
      /** The kernel draws the port. */
      readonly portByLot?: boolean;
      /** What the addresses become, where they are not the same for all packets. */
      readonly text?: string;
    }
  /** A host goes on a list or into a set, or off it. */
  | {
      readonly kind: "memory";
      readonly memory: Memory;
      readonly operation: "add" | "remove";
      /** What of the packet is recorded and for how long, to tell two of them apart. */
      readonly text: string;
      /** What of the packet is recorded that rules may change on its way. */
      readonly of: readonly PlainMatter[];
    }
  /** Something else that is told apart by its text only. */
  | { readonly kind: "other"; readonly of: PlainMatter; readonly text: string };

/** What the sender of a packet that is not let through is told. */
export interface Refusal {
  readonly kind: "reset" | "unreachable";
  /** "a TCP reset". */
  readonly words: string;
}

/** Where a target sends the packet: `elsewhere` gives it to a program or a part of the kernel that decides by itself. */
export type Way = "continue" | "accept" | "drop" | "return" | "elsewhere";

/** What a rule does for good with the packets that match it. */
export type Judgement = "stops" | "lets through";

// ---------------------------------------------------------------------------------------------------- the facts

/** `true`, or why no two runs of the same packets are alike: a phrase that begins with "it" or names the cause. */
export type Played = true | string;

/** What is remembered, as `verify` has to lead packets through it. */
export type Recollection =
  /** A bucket of tokens that do not come back while packets are played. */
  | {
      readonly kind: "bucket";
      readonly burst: number;
      readonly above: boolean;
      readonly name?: string;
      readonly by: readonly PacketField[];
      /** The option that says how fast tokens come back, and what it says, in packets; absent where it counts something else. */
      readonly rate?: { readonly option: string; readonly packets: number; readonly seconds: number };
    }
  /** Of every so many packets the one of this position, from 0. */
  | { readonly kind: "turn"; readonly every: number; readonly position: number; readonly inverted: boolean };

export interface MatchFacts<Definitions extends OptionDefinitions = OptionDefinitions> {
  /** What the answer depends on. Memory that the match reads it may also change by being asked. */
  readonly reads: readonly Matter[] | ((options: OptionUses<Definitions>) => readonly Matter[]);
  /**
   * The tests that fields of the packet tell; options without one are asked in another way. A function has a test for a match without
   * options too, unless that matches every packet. `[]`: no field tells.
   */
  readonly condition: readonly FieldTest[] | ((options: OptionUses<Definitions>, family: Family) => readonly FieldTest[]);
  readonly played: Played | ((options: OptionUses<Definitions>) => Played);
  /**
   * What it asks, in words that follow "where" and "unless" and name their subject; an inverted option as if it were not. Undefined, or
   * absent: the options are shown as they are written.
   */
  readonly words?: (options: OptionUses<Definitions>) => string | undefined;
  /** Every packet matches, whatever the options say. */
  readonly always?: true;
  /** What of it packets before decide, where `verify` can lead packets through it. */
  readonly recollection?: (options: OptionUses<Definitions>) => Recollection | undefined;
  /**
   * Whether every packet that matches with the first options would match with the second ones, the memory of both being fed alike.
   * Absent: nothing is known of different options.
   */
  readonly implies?: (first: OptionUses<Definitions>, second: OptionUses<Definitions>) => boolean;
  /** Whether it holds the more often, the more packets have asked it (`true`), or the less often. Absent: neither is known. */
  readonly growsWithUse?: (options: OptionUses<Definitions>) => boolean;
}

export interface TargetFacts<Definitions extends OptionDefinitions = OptionDefinitions> {
  readonly way: Way;
  /** What it asks beside the packet itself. */
  readonly reads?: (options: OptionUses<Definitions>) => readonly Matter[];
  /** What the sender of a dropped packet is told: a reset, or an ICMP error. */
  readonly refusal?: (options: OptionUses<Definitions>) => Refusal;
  /** What it changes; `[]`: nothing. */
  readonly effects: readonly Effect[] | ((options: OptionUses<Definitions>, family: Family) => readonly Effect[]);
  readonly played: Played | ((options: OptionUses<Definitions>) => Played);
  /** What it becomes in nft depends on the hooks it is reached from. */
  readonly dependsOnHook?: true;
  /** For sentences: what the rule does with packets ("drops"), and what becomes of them ("dropped"). */
  readonly words: { readonly does: string; readonly done: string };
}

// ------------------------------------------------------------------------------------------------- building tests

type NumberUse = OptionUse<{ readonly from: number; readonly to: number }> | undefined;

/** A test of one field for a range of numbers; none where the option is not given. */
export function rangeTests(fields: PacketField | readonly PacketField[], use: NumberUse): FieldTest[] {
  return use ? [rangesTest(fields, use, [use.value])] : [];
}

/** The tests of source and destination ports that the protocols with ports share. */
export function portFieldTests(options: { readonly "source-port"?: NumberUse; readonly "destination-port"?: NumberUse }): FieldTest[] {
  return [...rangeTests("sourcePort", options["source-port"]), ...rangeTests("destinationPort", options["destination-port"])];
}

/** A test of one or any of several fields for ranges of numbers. */
export function rangesTest(
  fields: PacketField | readonly PacketField[],
  { name, inverted }: Pick<OptionUse<unknown>, "name" | "inverted">,
  ranges: readonly { readonly from: number | bigint; readonly to: number | bigint }[],
): FieldTest {
  return {
    option: name,
    fields: typeof fields === "string" ? [fields] : fields,
    values: { kind: "ranges", ranges: ranges.map(({ from, to }) => ({ from: BigInt(from), to: BigInt(to) })) },
    inverted,
  };
}

/** A test of bits of a field; none where the option is not given. */
export function bitsTests(
  field: PacketField,
  use: Pick<OptionUse<{ readonly value: number; readonly mask: number }>, "name" | "inverted" | "value"> | undefined,
): FieldTest[] {
  if (!use) return [];
  const { name, inverted, value } = use;
  return [{ option: name, fields: [field], values: { kind: "bits", value: BigInt(value.value), mask: BigInt(value.mask) }, inverted }];
}

/** A test of a field for words; none where the option is not given. */
export function wordTests(
  field: PacketField,
  use: Pick<OptionUse<unknown>, "name" | "inverted"> | undefined,
  words: readonly string[],
): FieldTest[] {
  return use ? [{ option: use.name, fields: [field], values: { kind: "words", words }, inverted: use.inverted }] : [];
}
