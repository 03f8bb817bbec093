import { readFileSync } from "node:fs";
import { expect, it } from "vitest";

import { matches, targets } from "../src/extensions/registry.js";
import { isOlder, oldestNft } from "../src/nft/versions.js";
import { requirements } from "../src/nft/requirements.js";
import { readCases } from "./corpus/cases.js";
import { caseName, optionRules } from "./coverage/options.js";
import { renderCoverage } from "./coverage/table.js";
import { judge, translateAlone } from "./coverage/verdicts.js";

const rules = optionRules();

/** What the corpus has to show of an extension: every option, inverted as well where it can be; without options the bare name. */
function wanted(options: (typeof matches)[number]["options"]): string[] {
  const shown = Object.entries(options).flatMap(([option, { invertible }]) => [
    `--${option}`,
    ...(invertible === true ? [`! --${option}`] : []),
  ]);
  return shown.length === 0 ? [""] : shown;
}

it.each([
  ["match", matches],
  ["target", targets],
] as const)("shows every option of every %s in corpus/option, plain and inverted", (kind, extensions) => {
  const available = extensions.filter(({ unavailable }) => !unavailable);
  for (const { name, options } of available) {
    const own = rules.filter((rule) => rule.kind === kind && rule.extension === name);
    const shown = new Set(own.map(({ option, inverted }) => (option === "" ? "" : `${inverted ? "! " : ""}--${option}`)));
    expect([name, wanted(options).filter((option) => !shown.has(option))]).toEqual([name, []]);
  }
});

it("shows every option in both families where both have the extension, unless the option is of one", () => {
  /** The IPv4 header has nothing of the kind. */
  const ofOneFamily = new Set(["ah --ahlen", "ah --ahres"]);
  for (const extension of [...matches, ...targets]) {
    if (extension.unavailable ?? extension.family) continue;
    for (const option of Object.keys(extension.options)) {
      if (ofOneFamily.has(`${extension.name} --${option}`)) continue;
      const families = new Set(
        rules.filter((rule) => rule.extension === extension.name && rule.option === option).map(({ family }) => family),
      );
      expect([extension.name, option, [...families].sort()]).toEqual([extension.name, option, ["ipv4", "ipv6"]]);
    }
  }
});

it("has a case in corpus/option for every extension, and for nothing else", () => {
  const kinds = [
    ["match", matches],
    ["target", targets],
  ] as const;
  const expected = kinds.flatMap(([kind, extensions]) =>
    extensions.filter(({ unavailable }) => !unavailable).map(({ name }) => caseName({ kind, name })),
  );
  const others = ["option/every-rule", "option/matches-refused-by-name", "option/targets-refused-by-name"];
  expect(
    readCases()
      .filter(({ group }) => group === "option")
      .map(({ name }) => name)
      .sort(),
  ).toEqual([...expected, ...others].sort());
});

it.each([
  ["matches", matches],
  ["targets", targets],
] as const)("names all %s that are refused by name in a case", (kind, extensions) => {
  const text = readCases().find(({ name }) => name === `option/${kind}-refused-by-name`)?.sources[0]?.text ?? "";
  const named = [...text.matchAll(kind === "matches" ? /-m (\S+)/g : /-j (\S+)/g)].map(([, name]) => name);
  expect(named).toEqual(extensions.filter(({ unavailable }) => unavailable).map(({ name }) => name));
});

it("shows each option in rules that have it", () => {
  for (const one of rules) {
    const { outcome, reasons } = judge(one);
    expect([one.text, one.family, reasons, outcome]).not.toEqual([one.text, one.family, reasons, "invalid"]);
    if (one.kind === "rule" || one.option === "") continue;
    const rule = translateAlone(one).iptables[0]!.tables[0]!.chains[0]!.rules[0]!;
    const uses = one.kind === "match" ? rule.matches : rule.target?.kind === "extension" ? [rule.target] : [];
    const option = uses.find(({ extension }) => extension === one.extension)?.options[one.option];
    expect([one.text, one.option, option?.inverted]).toEqual([one.text, one.option, one.inverted]);
  }
});

it("makes scripts for an older nft that hold nothing it cannot load", { timeout: 120_000 }, () => {
  for (const targetNft of [oldestNft, "0.9.3", "0.9.8", "1.0.0", "1.0.2"]) {
    for (const one of rules) {
      const { nft } = translateAlone(one, { targetNft });
      const needed = requirements(nft!).nft;
      expect([one.text, targetNft, needed, isOlder(targetNft, needed)]).toEqual([one.text, targetNft, needed, false]);
    }
  }
});

it("is current in docs/coverage.md (`npm run coverage` writes it anew)", () => {
  expect(readFileSync(new URL("../docs/coverage.md", import.meta.url), "utf8")).toBe(renderCoverage());
});
