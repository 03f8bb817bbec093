/** Every extension is in the registry, and its facts go together with its options. */

import { readdirSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { fieldTestsOf } from "../../src/extensions/described.js";
import { matches, targets } from "../../src/extensions/registry.js";
import type { ExtensionUse } from "../../src/iptables/ast.js";
import { rulesOf } from "../../src/verify/plan.js";
import { translate } from "../../src/translate.js";
import { readCases } from "../corpus/cases.js";

const sources = fileURLToPath(new URL("../../src/extensions", import.meta.url));

/** The extensions that the files of a folder define, with the file's name. */
async function definedIn(folder: "matches" | "targets"): Promise<[file: string, name: string][]> {
  const found: [string, string][] = [];
  for (const file of readdirSync(`${sources}/${folder}`)) {
    const module = (await import(`../../src/extensions/${folder}/${file.replace(/\.ts$/, ".js")}`)) as Record<string, unknown>;
    for (const value of Object.values(module)) {
      if (typeof value === "object" && value !== null && "facts" in value && "name" in value)
        found.push([`${folder}/${file}`, String(value.name)]);
    }
  }
  return found;
}

describe("the registry", () => {
  it.each([
    ["matches", matches],
    ["targets", targets],
  ] as const)("lists every extension of %s, and each once, in the order of the files", async (folder, listed) => {
    const names = listed.map(({ name }) => name);
    const defined = await definedIn(folder);
    expect(defined.filter(([, name]) => !names.includes(name))).toEqual([]);
    expect(names).toEqual([...new Set(names)]);
    const inFiles = defined.map(([, name]) => name);
    expect(names.filter((name) => inFiles.includes(name))).toEqual(inFiles);
  });
});

describe("facts", () => {
  const uses = readCases()
    .filter(({ name }) => name.startsWith("option/"))
    .flatMap(({ sources: dumps }) => rulesOf(translate(dumps).iptables))
    .flatMap(({ family, rule: { matches: all } }) => all.map((use) => ({ family, use })));

  it("name options that the extension has", () => {
    const wrong = uses.flatMap(({ family, use }) =>
      fieldTestsOf(use, family)
        .filter(({ option }) => matches.find(({ name }) => name === use.extension)?.options[option] === undefined)
        .map(({ option }) => `${use.extension} --${option}`),
    );
    expect(uses.length).toBeGreaterThan(200);
    expect(wrong).toEqual([]);
  });

  it("say the same of the same use, and imply themselves where they imply anything", () => {
    const notReflexive = uses.filter(({ use }) => {
      const { implies } = matches.find(({ name }) => name === use.extension)?.facts ?? {};
      const options = use.options as Parameters<NonNullable<typeof implies>>[0];
      return implies !== undefined && !implies(options, options) && !isInvertedCount(use);
    });
    expect(notReflexive.map(({ use }) => use.extension)).toEqual([]);
  });
});

/** An inverted range of a connection's traffic says nothing of another. */
function isInvertedCount({ extension, options }: ExtensionUse): boolean {
  return (
    (extension === "connbytes" && options["connbytes"]?.inverted === true) || (extension === "statistic" && options["every"] !== undefined)
  );
}
