/** Sets of ipset as data: what the lines of an `ipset save` file make. */

import type { Span } from "../diagnostic.js";
import type { Family } from "../iptables/ast.js";

/** What one part of an element is: the words behind the colon of a type's name. */
export type Dimension = "ip" | "net" | "port" | "iface" | "mac" | "mark" | "set";

/** Addresses from `from` to `to`: one for `ip`, a whole network for `net`. */
export interface AddressPart {
  readonly kind: "address";
  readonly from: bigint;
  readonly to: bigint;
  readonly prefixLength: number;
}
/** `port` is type * 256 + code for ICMP and 0 for protocols that have neither; a `bitmap:port` has no protocol. */
export interface PortPart {
  readonly kind: "port";
  readonly protocol: number | undefined;
  readonly port: number;
}
export interface InterfacePart {
  readonly kind: "interface";
  readonly name: string;
  /** Every interface whose name begins like this. */
  readonly wildcard: boolean;
  /** A port of a bridge. */
  readonly physical: boolean;
}
/** An element of `bitmap:ip,mac` may lack the address, and gets that of the first packet. */
export interface HardwarePart {
  readonly kind: "hardware";
  readonly address: bigint | undefined;
}
export interface MarkPart {
  readonly kind: "mark";
  readonly mark: number;
}
export interface MemberPart {
  readonly kind: "member";
  readonly set: string;
}

export type Part = AddressPart | PortPart | InterfacePart | HardwarePart | MarkPart | MemberPart;

export interface IpsetElement {
  readonly parts: readonly Part[];
  /** Seconds left; absent for an element that stays. */
  readonly timeout?: number;
  /** An exception from the networks around it. */
  readonly nomatch: boolean;
  readonly comment?: string;
  readonly packets: bigint;
  readonly bytes: bigint;
  readonly span: Span;
}

export interface IpsetType {
  /** As `ipset save` prints it. */
  readonly name: string;
  readonly dimensions: readonly Dimension[];
  readonly method: "hash" | "bitmap" | "list";
}

export interface Ipset {
  readonly name: string;
  readonly type: IpsetType;
  /** Undefined for the types that hold no address: packets of both families match. */
  readonly family: Family | undefined;
  /** Seconds an element added without a timeout stays, 0 for ever; absent where elements have no timeouts. */
  readonly timeout?: number;
  readonly counters: boolean;
  /** Marks, priorities and queues for `-j SET --map-set`. */
  readonly skbinfo: boolean;
  readonly forceadd: boolean;
  readonly maxelem: number;
  /** Applied to every address before it is looked up (`netmask`, `bitmask`). */
  readonly mask?: bigint;
  readonly markmask: number;
  /** Bounds of a bitmap. */
  readonly range?: { readonly from: bigint; readonly to: bigint };
  readonly span: Span;
  /** By what makes an element the same to ipset. */
  readonly elements: ReadonlyMap<string, IpsetElement>;
}
