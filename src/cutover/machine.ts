/** What a machine holds before a change: the firewalls of both kinds, sets, and lists of `recent`. */

import type { Family } from "../iptables/ast.js";

/** `legacy` is ip_tables of the kernel; `nft` is nf_tables with the rules that iptables-nft makes. */
export type Variant = "legacy" | "nft";

/** How bytes that a program printed were read, and are written again. */
export type Encoding = "utf8" | "latin1";

/** What one of the save programs prints. */
export interface SavedRules {
  readonly variant: Variant;
  readonly family: Family;
  readonly text: string;
  readonly encoding: Encoding;
  /** Paths of the programs. */
  readonly save: string;
  readonly restore: string;
  /** The program that changes single chains. */
  readonly iptables: string;
}

/** A host on a list of `recent`. */
export interface SeenHost {
  /** As /proc/net/xt_recent has it. */
  readonly address: string;
  /** That of its last packet; 0 for one that was written to the file. */
  readonly ttl: number;
  /** Seconds since each time that it was seen; undefined where the kernel's clock is not known. */
  readonly ages: readonly (number | undefined)[];
}

export interface SeenHosts {
  readonly list: string;
  readonly encoding: Encoding;
  readonly hosts: readonly SeenHost[];
}

/** A table of nft by its family and name. */
export interface TableName {
  readonly family: "ip" | "ip6" | "inet" | "arp" | "bridge" | "netdev";
  readonly name: string;
}

export interface Machine {
  /** Programs that run here and keep up rules of their own, as `src/owners` names them. */
  readonly live: ReadonlySet<string>;
  readonly saved: readonly SavedRules[];
  /** What `ipset save` prints. */
  readonly ipsets: string;
  readonly ipsetsEncoding: Encoding;
  readonly lists: readonly SeenHosts[];
  readonly tables: readonly TableName[];
  /** What nft lists of our own tables that were there before, as it loads again; empty where there were none. */
  readonly ownTables: string;
}
