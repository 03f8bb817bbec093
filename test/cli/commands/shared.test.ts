/** What all commands have in common: how options are spelled, and how a run ends that has no result. */

import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { Parsed } from "../../../src/cli/command.js";
import { parseCorpusWords } from "../../../src/cli/commands/corpus/options.js";
import { parseReviewWords } from "../../../src/cli/commands/review/options.js";
import { parseSimulateWords } from "../../../src/cli/commands/simulate/options.js";
import { parseTranslateWords } from "../../../src/cli/commands/translate/options.js";
import { parseVerifyWords } from "../../../src/cli/commands/verify/options.js";
import { Failure } from "../../../src/failure.js";
import { execute } from "../execute.js";

interface Common {
  readonly format: string;
  readonly color: boolean | undefined;
}

const parsers: readonly (readonly [name: string, parse: (words: readonly string[]) => Parsed<Common>])[] = [
  ["translate", parseTranslateWords],
  ["simulate", parseSimulateWords],
  ["verify", parseVerifyWords],
  ["review", parseReviewWords],
  ["corpus", parseCorpusWords],
];

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "ipt2nft-shared-"));
});
afterEach(() => rmSync(folder, { recursive: true }));

describe.each(parsers)("the options of %s", (_, parse) => {
  const settingsOf = (...words: readonly string[]): Common => {
    const parsed = parse(["what", ...words]);
    if ("text" in parsed) throw new Error(parsed.text);
    return parsed.settings;
  };
  const complaintOf = (...words: readonly string[]): string => {
    const parsed = parse(["what", ...words]);
    return "text" in parsed && parsed.error ? parsed.text : "";
  };

  it("have one way to say the form of the report, and a short one", () => {
    expect(settingsOf().format).toBe("text");
    expect(settingsOf("--format", "text").format).toBe("text");
    expect(settingsOf("--format=json").format).toBe("json");
    expect(settingsOf("--json").format).toBe("json");
    expect(settingsOf("--json", "--format", "json").format).toBe("json");
    expect(complaintOf("--json", "--format", "text")).toContain("--json and --format text ask for different reports");
    expect(complaintOf("--format", "xml")).toContain("text,");
  });

  it("have one way to say whether to colour", () => {
    expect(settingsOf().color).toBeUndefined();
    expect(settingsOf("--color").color).toBe(true);
    expect(settingsOf("--no-color").color).toBe(false);
  });

  it("stand in the help, which fits a narrow terminal", () => {
    const help = parse(["--help"]);
    const text = "text" in help && !help.error ? help.text : "";
    expect(text).toMatch(/--format <FORMAT> +form of the (?:report|diagnostics) \(choices: "text",[^]*\(?default: +text\)/);
    expect(text).toMatch(/--json +the same as --format json/);
    expect(text).toMatch(/--color +colour the [^]*--no-color +never colour the/);
    expect(text).toMatch(/-h, --help +print this help/);
    const [options] = text.split("Examples:\n");
    expect(options!.split("\n").filter((line) => line.startsWith("  -") && line.length > 100)).toEqual([]);
  });
});

describe("a run without a result", () => {
  const dump = "*filter\n:INPUT ACCEPT [0:0]\n-A INPUT -s nowhere -j DROP\nCOMMIT\n";

  it.each([[[]], [["simulate"]], [["verify"]]])("%j says where the input is no ruleset", async (command) => {
    const { status, output, error } = await execute([...command, "--ipv4"], { input: dump });
    expect({ status, output }).toEqual({ status: 2, output: "" });
    expect(error).toMatch(
      /^<stdin>:3:10: error: .*"nowhere".* \[invalid-value\]\n {2}-A INPUT -s nowhere -j DROP\n {11}\^{10}\n1 error: nothing was translated\n$/,
    );
    expect((await execute([...command, "--ipv4", "--color"], { input: dump })).error).toContain("\x1b[1m<stdin>:3:10:\x1b[0m");
  });

  const commands = (): readonly (readonly string[])[] => [
    [],
    ["simulate"],
    ["review", join(folder, "rules.v4"), "--script", join(folder, "rules.nft")],
    ["corpus", folder, "--add", join(folder, "rules.v4"), "--name", "new"],
  ];
  beforeEach(() => {
    writeFileSync(join(folder, "rules.v4"), dump);
    writeFileSync(join(folder, "rules.nft"), "");
  });

  it("says that the fault is ours where it is", async () => {
    const translate = (): never => {
      throw new TypeError("out of cheese");
    };
    for (const words of commands()) {
      const { status, output, error } = await execute(words, { translate });
      expect({ words, status, output }).toEqual({ words, status: 2, output: "" });
      expect(error).toMatch(/^ipt2nft-recent: error: internal error, please report it with the input: TypeError: out of cheese\n +at /);
    }
  });

  it("tells other reasons as they are", async () => {
    const translate = (): never => {
      throw new Failure("no countries here");
    };
    for (const words of commands()) {
      expect(await execute(words, { translate })).toEqual({
        status: 2,
        output: "",
        error: "ipt2nft-recent: error: no countries here\n",
      });
    }
  });

  it.each([["translate"], ["simulate"], ["verify"], ["review"], ["corpus"]])("%s refuses an option it does not have", async (name) => {
    expect(await execute([...(name === "translate" ? [] : [name]), "--zzz"])).toEqual({
      status: 2,
      output: "",
      error: "ipt2nft-recent: error: unknown option '--zzz'\n(--help lists the options)\n",
    });
  });
});
