import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";

import { readCases } from "./corpus/cases.js";
import { generatedFiles } from "./generators/all.js";
import { chainOfEndpoint, chainOfService } from "./generators/kube-proxy.js";

const files = generatedFiles();

describe("generated rulesets", () => {
  it.each(files)("$path is current (`npm run generate` writes it anew)", ({ path, text }) => {
    expect(readFileSync(new URL(`../${path}`, import.meta.url), "utf8")).toBe(text);
  });

  it("are all that corpus/generated holds", () => {
    const sources = readCases()
      .filter(({ group }) => group === "generated")
      .flatMap(({ files: { sources: own } }) => own);
    expect(sources.map((path) => `corpus/${path}`).sort()).toEqual(files.map(({ path }) => path).sort());
  });

  it.each(files)("$path has 200 to 5,000 rules", ({ text }) => {
    const rules = text.split("\n").filter((line) => line.startsWith("-A ")).length;
    expect([rules >= 200, rules <= 5000]).toEqual([true, true]);
  });

  it("has chains of kube-proxy under the names that real ones have", () => {
    const kubernetes = { name: "default/kubernetes:https", protocol: "tcp" } as const;
    expect(chainOfService(kubernetes)).toBe("KUBE-SVC-NPX46M4PTMTKRN6Y");
    expect(chainOfEndpoint(kubernetes, "192.168.1.5:6443")).toBe("KUBE-SEP-54IUPJM2TTG4TKF2");
  });
});
