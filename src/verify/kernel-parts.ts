/** Which parts of nf_tables this kernel lacks: a small table for each is loaded into a namespace of its own. */

import { emit } from "../nft/emit.js";
import { dispensableParts, sampleOf, type KernelPartName } from "../nft/kernel-parts.js";
import { loadAllTwice } from "./load.js";

let asked: Promise<ReadonlySet<KernelPartName>> | undefined;

/** Those that a script can be made without; helpers of conntrack are not asked for. */
export function lackingParts(): Promise<ReadonlySet<KernelPartName>> {
  return (asked ??= ask());
}

async function ask(): Promise<ReadonlySet<KernelPartName>> {
  const results = await loadAllTwice(dispensableParts.map((part) => emit(sampleOf(part, "ip", []))));
  return new Set(dispensableParts.filter((_, index) => !results[index]!.loaded));
}
