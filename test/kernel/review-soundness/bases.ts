/** The rulesets that changes are made of: those of the corpus, and random ones; without what no two runs decide alike. */

import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";

import type { Family } from "../../../src/iptables/ast.js";
import type { Random } from "../../../src/random.js";
import { unloadableLines } from "../../../src/verify/loadable.js";
import { translate } from "../../../src/translate.js";
import { undecidable } from "../../../src/verify/plan.js";
import { Unable } from "../../../src/verify/tools.js";
import { readCases } from "../../corpus/cases.js";
import { rulesetOfLists, wholeRuleset } from "../derive-ruleset.js";
import type { Ruleset } from "./pair.js";

export interface Base extends Ruleset {
  readonly name: string;
  readonly family: Family;
}

const groups = ["machine", "idiom", "generated", "ipset"];
/** More rules would take the search for packets too long. */
const mostLines = 450;

/** The files of the corpus. */
const files: readonly { readonly name: string; readonly family: Family; readonly path: string }[] = readCases()
  .filter(({ group }) => groups.includes(group))
  .flatMap(({ name, directory }) =>
    (["ipv4", "ipv6"] as const).map((family) => ({ name, family, path: join(directory, family === "ipv4" ? "rules.v4" : "rules.v6") })),
  )
  .filter(({ path }) => existsSync(path) && readFileSync(path, "utf8").split("\n").length <= mostLines);

const ready = new Map<string, Promise<Base | undefined>>();

/** A ruleset as far as this kernel loads it; undefined for one with sets of a type that it does not have. */
export function baseAtRandom(random: Random, number: number): Promise<Base | undefined> {
  if (random() < 0.8) {
    const { name, family, path } = files[Math.floor(random() * files.length)]!;
    const sets = join(path, "../sets.ipset");
    const base = { name, family, text: readFileSync(path, "utf8"), ipset: existsSync(sets) ? readFileSync(sets, "utf8") : "" };
    const known = ready.get(path) ?? loadable(base);
    ready.set(path, known);
    return known;
  }
  const text = random() < 0.5 ? rulesetOfLists(random, "ipv4") : wholeRuleset(random, "ipv4", 24);
  return loadable({ name: `random-${number}`, family: "ipv4", text, ipset: "" });
}

async function loadable(base: Base): Promise<Base | undefined> {
  const text = base.text.replaceAll("\r", "");
  const unplayed = undecidable(translate([{ file: "base", text, family: base.family }]).iptables);
  const lines = text
    .split("\n")
    .filter((line, index) => !line.startsWith("#") && !unplayed.has(`base:${index + 1}`))
    .map((line) => line.replace(/^\[\d+:\d+\] /u, ""));
  const bad = await unloadableLines(lines.join("\n"), base.family, "legacy", base.ipset).catch((error: unknown) => {
    if (error instanceof Unable) return undefined;
    throw error;
  });
  return bad && { ...base, text: lines.filter((_, index) => !bad.has(index + 1)).join("\n") };
}
