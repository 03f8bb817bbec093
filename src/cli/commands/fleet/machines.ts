/** Which files are those of one machine. */

import { existsSync } from "node:fs";
import { basename, dirname, join, relative } from "node:path";

export interface MachineFiles {
  /** From the folder of all dumps on, without the ending: `web/front`. */
  readonly name: string;
  /** Paths of dumps and scripts of commands. */
  readonly sources: readonly string[];
  /** Path of what `ipset save` printed there. */
  readonly ipsets?: string;
  /** Path of the script that is made. */
  readonly script: string;
}

const endings = /\.(?:v4|v6|rules)$/;

/**
 * The machines by name: `x.v4`, `x.v6` and `x.rules` are one, with `x.ipset` beside them, or `sets.ipset` beside `rules.v4`.
 * @param base the folder that the paths of scripts are like those from there on
 * @param output the folder for the scripts
 */
export function machinesOf(files: readonly string[], base: string, output: string): MachineFiles[] {
  const machines = new Map<string, string[]>();
  for (const file of files) {
    const stem = file.replace(endings, "");
    machines.set(stem, [...(machines.get(stem) ?? []), file]);
  }
  return [...machines].map(([stem, sources]) => {
    const name = relative(base, stem);
    const ipsets = [`${stem}.ipset`, ...(basename(stem) === "rules" ? [join(dirname(stem), "sets.ipset")] : [])].find((path) =>
      existsSync(path),
    );
    return { name, sources, ...(ipsets !== undefined && { ipsets }), script: join(output, `${name}.nft`) };
  });
}

/** Dumps of the other family that lie beside those of the machine, and that no pattern names. */
export function dumpsLeftOut({ sources }: MachineFiles): string[] {
  return sources
    .flatMap((file) => (/\.v[46]$/.test(file) ? [file.replace(/[46]$/, (family) => (family === "4" ? "6" : "4"))] : []))
    .filter((file) => !sources.includes(file) && existsSync(file));
}
