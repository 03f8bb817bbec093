/** `review --script`: nft itself says whether a committed script is equivalent. */

import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import type { ReviewReport } from "../../src/review/report.js";
import { translate } from "../../src/translate.js";
import { execute } from "../cli/execute.js";
import { readCases } from "../corpus/cases.js";
import { describeOnKernel } from "./requirements.js";

const machine = readCases().find(({ name }) => name === "machine/router-with-nat")!;
const made = translate(machine.sources, machine.options).script!;

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "ipt2nft-drift-"));
  for (const { file, text } of machine.sources) writeFileSync(join(folder, file), text);
});
afterAll(() => rmSync(folder, { recursive: true }));

/** What is said of this script beside the dumps. */
async function drift(script: string): Promise<string[]> {
  return (await reportOn(script)).findings.filter(({ code }) => code.startsWith("script-")).map(({ message }) => message);
}

async function reportOn(script: string): Promise<ReviewReport> {
  writeFileSync(join(folder, "rules.nft"), script);
  const { output } = await execute([
    "review",
    "--script",
    join(folder, "rules.nft"),
    ...machine.sources.map(({ file }) => join(folder, file)),
    "--no-simulate",
    "--format",
    "json",
  ]);
  return JSON.parse(output) as ReviewReport;
}

describeOnKernel("review --script", () => {
  it("takes the script that was made, without its comments and with other counters", async () => {
    expect(await drift(made)).toEqual([]);
    expect(await drift(made.replaceAll(/^\s*#.*\n/gm, "").replaceAll("counter ", "counter packets 5 bytes 300 "))).toEqual([]);
  });

  it("takes a script that spells the same otherwise", async () => {
    const spelled = made
      .replaceAll("priority filter", "priority 0")
      .replaceAll(/tcp dport ([0-9]+) /g, "tcp dport { $1 } ")
      .replaceAll("iifname", "meta iifname");
    expect(spelled).not.toBe(made);
    const said = await drift(spelled);
    // A set of one port stays a set: that is all nft sees a difference in.
    expect(said.filter((message) => !message.includes("tcp dport"))).toEqual([]);
    expect((await reportOn(spelled)).inputs.at(-1)?.compared).toBe("rule by rule, as nft lists it");
  });

  it("finds a rule that is gone, one that is new, a policy and the order", async () => {
    const lines = made.split("\n");
    const rule = lines.findIndex((line) => line.includes("counter") && line.includes("drop") && !line.includes("policy"));
    expect(await drift(lines.filter((_, index) => index !== rule).join("\n"))).toEqual([expect.stringContaining(" lacks: ")]);
    expect(await drift(lines.flatMap((line, index) => (index === rule ? ["\t\ttcp dport 23 accept", line] : [line])).join("\n"))).toEqual([
      expect.stringContaining("and the dumps do not: tcp dport 23 accept"),
    ]);
    expect(await drift(made.replace("policy drop", "policy accept"))).toHaveLength(2);
  });

  it("says what nft has against a script it does not load", async () => {
    expect(await drift(`${made}\njunk`)).toEqual([expect.stringContaining("nft does not load the script")]);
  });
});
