/** How a dump is translated, once the command line is read. */

import type { Family } from "../../iptables/ast.js";
import type { KernelPartName } from "../../nft/kernel-parts.js";

export interface TranslationSettings {
  /** Paths of `ipset save` files. */
  readonly ipsets: readonly string[];
  /** Paths of folders of xt_geoip, or of CSV files. */
  readonly geoip: readonly string[];
  readonly table: string;
  readonly family: Family | undefined;
  readonly recent: "auto" | "exact" | "limit" | "ban";
  /** Elements. */
  readonly setSize: number;
  /** Seconds; never if absent. */
  readonly forgetAfter: number | undefined;
  /** One table for both families. */
  readonly inet?: true;
  /** Rules in sets and maps where that is quicker. */
  readonly optimize?: true;
  /** Version; any if absent. */
  readonly targetNft: string | undefined;
  /** Parts that the kernel lacks. */
  readonly without: readonly KernelPartName[];
  /** Bytes of a file that are read at most. */
  readonly maxInput: number;
}

/** What holds where nothing is said. */
export const translationDefaults = { table: "ipt2nft", recent: "auto", setSize: 65535 } as const;
