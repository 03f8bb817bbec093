/** Every match and target that is translated is sent packets on the kernel: a new one wants a case in test/kernel/extensions.ts. */

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";

import { matchNames, targetNames } from "../src/extensions/registry.js";
import { effectOf } from "../src/diagnostic.js";
import { translate } from "../src/translate.js";
import { readCases } from "./corpus/cases.js";
import { cases, untrackedCases, type Case } from "./kernel/extensions.js";

/** The extensions of the rules of a ruleset that are in the script. */
function usedIn(sources: Parameters<typeof translate>[0], options: Parameters<typeof translate>[1] = {}): Set<string> {
  const { iptables, diagnostics } = translate(sources, options);
  const refused = new Set(diagnostics.filter(({ code }) => effectOf(code) === "refused").map(({ span }) => `${span.file}:${span.line}`));
  const found = new Set<string>();
  for (const { span, matches, target } of iptables.flatMap(({ tables }) =>
    tables.flatMap(({ chains }) => chains.flatMap(({ rules }) => rules)),
  )) {
    if (refused.has(`${span.file}:${span.line}`)) continue;
    for (const { extension } of matches) found.add(`match ${extension}`);
    if (target?.kind === "extension") found.add(`target ${target.extension}`);
  }
  return found;
}
const builtIn: ReadonlySet<string> = new Set(["PREROUTING", "INPUT", "FORWARD", "OUTPUT", "POSTROUTING"]);

/** The rules of a case, without the address that tells its packets from others. */
function dumpOf({ rules }: Case): string {
  const places = Object.entries(rules).map(([place, texts]) => {
    const [table = "", chain = ""] = place.split(" ");
    return { table, chain, texts };
  });
  return [...new Set(places.map(({ table }) => table))]
    .map((table) => {
      const own = places.filter((one) => one.table === table);
      const lines = [
        ...own.map(({ chain }) => `:${chain} ${builtIn.has(chain) ? "ACCEPT" : "-"} [0:0]`),
        ...own.flatMap(({ chain, texts }) => texts.map((rule) => `-A ${chain} ${rule}`)),
      ];
      return `*${table}\n${lines.join("\n").replaceAll("{n}", "1")}\nCOMMIT\n`;
    })
    .join("");
}

/** Played by a test of their own, which names them. */
const elsewhere: Readonly<Record<string, string>> = {
  "match geoip": "geoip.test.ts",
  "match set": "ipset.test.ts",
  "target SET": "ipset.test.ts",
};

/** Not played, and why. */
const unplayed: Readonly<Record<string, string>> = {
  "match cgroup": "asks for the group of the process whose socket sends the packet, and no packet of the cases has one",
  "match cpu": "which processor takes a packet is by chance",
  "match nfacct": "kernels of ours lack xt_nfacct",
  "match osf": "asks for fingerprints that a program (nfnl_osf) has to load",
  "match socket": "asks for a socket that is open, and no packet of the cases is for one",
  "target NFQUEUE": "wants a program that takes the packets",
  "target QUEUE": "wants a program that takes the packets",
  "target SYNPROXY": "answers in place of a server, and no packet of the cases goes on with the handshake",
  "target TEE": "sends a second packet, and packets are told apart by their number",
};

describe("matches and targets on the kernel", () => {
  const played = new Set<string>();
  for (const one of [...cases, ...untrackedCases]) for (const name of usedIn(dumpOf(one), { family: one.family })) played.add(name);
  const translated = new Set<string>();
  for (const { group, sources, options } of readCases()) {
    if (group === "option") for (const name of usedIn(sources, options)) translated.add(name);
  }
  const names = [...matchNames.map((name) => `match ${name}`), ...targetNames.map((name) => `target ${name}`)];
  const wanted = names.filter((name) => translated.has(name));

  it("are most of them", () => expect(wanted.length).toBeGreaterThan(80));

  it.each(wanted)("%s has a case in test/kernel/extensions.ts", (name) => {
    if (Object.hasOwn(unplayed, name)) return expect(played).not.toContain(name);
    const file = elsewhere[name];
    if (file === undefined) return expect(played).toContain(name);
    const [kind = "", word = ""] = name.split(" ");
    const text = readFileSync(join("test", "kernel", file), "utf8");
    expect(text).toMatch(new RegExp(`${kind === "match" ? "-m" : "-j"} ${word}\\b|--match-${word}\\b`));
  });

  it("are asked for by names that there are", () => {
    for (const name of [...Object.keys(elsewhere), ...Object.keys(unplayed)]) expect(wanted).toContain(name);
  });
});
