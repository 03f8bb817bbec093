/** Inputs that took minutes or the whole stack: each within seconds of processor time. */

import { describe, expect, it } from "vitest";

import { searchLists, translate, type TranslateOptions } from "../src/index.js";
import { seededRandom } from "../src/random.js";
import { withoutCommands } from "../src/report/visible.js";
import { scriptDiff } from "../src/review/script-diff.js";
import { scriptDrift } from "../src/review/script-drift.js";
import { isScript } from "../src/shell/programs.js";
import { derive } from "../src/verify/derive/derive.js";
import { interfacesFor } from "../src/verify/derive/net.js";
import { isNftScript } from "../src/verify/nft-script.js";
import { denseChains, filterTable, listOfSets, manyLists } from "./bench/growth-inputs.js";

/** Seconds of processor time that each of them may take; before, they took ten or more, or ended with an exception. */
const longest = 4;

function seconds(run: () => unknown): number {
  const begin = process.cpuUsage();
  run();
  const { user, system } = process.cpuUsage(begin);
  return (user + system) / 1e6;
}

const asking = filterTable("-A INPUT -m set --match-set all src -j DROP\n");
const script = (text: string) => (): unknown => translate([{ file: "rules.sh", text: `iptables -F\n${text}` }]);
const withSets =
  (text: string, rules = asking) =>
  (): unknown =>
    translate([{ file: "rules.v4", text: rules }], { ipsets: [{ file: "sets.ipset", text }] });

describe("time in proportion", () => {
  const inputs: readonly (readonly [string, () => unknown])[] = [
    ["unknown commands of one line", script(`true${" && frobnicate".repeat(30_000)}`)],
    ["commas in a brace", script(`iptables -A INPUT {${",".repeat(150_000)}`)],
    ["quotes that are never closed, each with a substitution", script('iptables " $(\n'.repeat(20_000))],
    ["blanks in a command", script(`iptables -A INPUT${" ".repeat(300_000)}-j ACCEPT`)],
    ["blanks at continued lines", script(`iptables -A INPUT ${`${" ".repeat(400)}\\\n`.repeat(400)} -j ACCEPT`)],
    [
      "distinct variables on continued lines",
      script(`iptables ${Array.from({ length: 20_000 }, (_, index) => `$a${index} \\\n`).join("")}`),
    ],
    [
      "separators of lines that no dump has",
      () => translate([{ file: "rules", text: `*filter\n# ${"\u2028".repeat(100_000)}\nCOMMIT\n` }]),
    ],
    [
      "rules that a committed script lacks",
      () => {
        const listing = (rules: (index: number) => string): string =>
          `table ip x {\n chain y {\n${Array.from({ length: 3_000 }, (_, index) => rules(index)).join("\n")}\n }\n}\n`;
        const [made, committed] = [listing(() => "tcp dport 22 accept"), listing((index) => `udp dport ${index} accept`)];
        return scriptDrift(made, { file: "rules.nft", text: committed, listings: { made, committed } });
      },
    ],
    [
      "complaints, more than a stack has room for",
      () => {
        const { outcome, diagnostics } = translate([{ file: "rules.v4", text: asking }], {
          ipsets: [{ file: "sets.ipset", text: `create all hash:ip\n${"add all x\n".repeat(150_000)}` }],
        });
        expect({ outcome, complaints: diagnostics.length >= 150_000 }).toEqual({ outcome: "invalid", complaints: true });
      },
    ],
    ["the same in front of nothing that nft knows", () => isNftScript("\u2028".repeat(100_000))],
    ["blank lines of a committed script", () => scriptDiff("\n".repeat(100_000), "old", "", "new")],
    ["the same in a report", () => withoutCommands("\u2028".repeat(100_000))],
    ["continued lines", script(`iptables -A INPUT ${"\\\n".repeat(1_000_000)} -j ACCEPT`)],
    ["members of a list of sets", withSets(listOfSets(1_500))],
    ["members put in front of others", withSets(listOfSets(8_000, true), filterTable("-A INPUT -j ACCEPT\n"))],
    [
      "all sets flushed again and again",
      withSets(`${Array.from({ length: 20_000 }, (_, index) => `create s${index} hash:ip\n`).join("")}${"flush\n".repeat(20_000)}`),
    ],
    [
      "a list that thousands of rules ask",
      withSets(
        listOfSets(500),
        asking.replace(/(-A[^\n]*\n)/, (rule) => rule.repeat(2_000)),
      ),
    ],
  ];
  it.each(inputs)("%s", { timeout: 60_000 }, (_, run) => {
    expect(seconds(run)).toBeLessThan(longest);
  });

  it("empty lines in front of a dump, more than a stack has room for", () => {
    expect(isScript(`${"\n".repeat(8_000_000)}iptables -F`)).toBe(true);
    expect(isScript(`${"# x\n \t\r\n".repeat(1_000_000)}*filter`)).toBe(false);
  });
});

it("a list of many sets is asked in a chain of its own, one rule for each", () => {
  const options: TranslateOptions = { ipsets: [{ file: "sets.ipset", text: listOfSets(40) }] };
  const { script: text, outcome } = translate([{ file: "rules.v4", text: asking }], options);
  expect(outcome).toBe("exact");
  expect(text!.match(/ip saddr @ipset_s\d+ goto /g)).toHaveLength(40);
});

it("members of a list stand where they were put", () => {
  const sets = `create a hash:ip\ncreate b hash:ip\ncreate c hash:ip\ncreate d hash:ip\ncreate l list:set\nadd l a\nadd l b\nadd l c before a\nadd l d after a\nadd l b before c\ndel l a\nadd l a\n`;
  const { ipsets } = translate([{ file: "rules.v4", text: asking }], { ipsets: [{ file: "sets.ipset", text: sets }] });
  expect([...ipsets.get("l")!.elements.keys()]).toEqual(["b", "c", "d", "a"]);
});

describe("a search has a budget in steps", () => {
  it("that all lists share, and says what it leaves out", { timeout: 60_000 }, () => {
    const translation = translate([{ file: "rules.v4", text: manyLists(200) }]);
    let found: ReturnType<typeof searchLists> = [];
    expect(seconds(() => (found = searchLists(translation, { steps: 20_000 })))).toBeLessThan(longest);
    expect(found).toHaveLength(200);
    const reasons = found.flatMap(({ result }) => (result.kind === "not-searched" ? [result.reason] : []));
    expect(reasons.length).toBeGreaterThan(100);
    expect(reasons.every((reason) => /budget/.test(reason))).toBe(true);
  });

  it("and each list has its share", () => {
    const translation = translate([{ file: "rules.v4", text: manyLists(4) }]);
    const efforts = searchLists(translation, { steps: 100_000 }).map(({ result }) =>
      result.kind === "searched" ? result.effort.schedules : 0,
    );
    expect(Math.min(...efforts)).toBeGreaterThan(0);
  });

  it("for packets of rules that are hard to reach", { timeout: 60_000 }, () => {
    const { iptables } = translate([{ file: "rules.v4", text: denseChains(16) }]);
    const derived = (steps: number) =>
      derive({ rulesets: iptables, interfaces: interfacesFor(iptables), random: seededRandom(1), packets: 100, steps });
    let obstacles: ReturnType<typeof derive>["obstacles"] = new Map();
    expect(seconds(() => ({ obstacles } = derived(300_000)))).toBeLessThan(longest);
    expect([...obstacles.values()].filter(({ kind }) => kind === "time").length).toBeGreaterThan(0);
  });
});
