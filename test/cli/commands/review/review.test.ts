import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { ReviewReport } from "../../../../src/review/report.js";
import { dump } from "../../../review/dumps.js";
import { execute as executeSubcommand } from "../../execute.js";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "ipt2nft-review-"));
});
afterEach(() => rmSync(folder, { recursive: true }));

const at = (name: string): string => join(folder, name);

function write(name: string, text: string): string {
  mkdirSync(dirname(at(name)), { recursive: true });
  writeFileSync(at(name), text);
  return at(name);
}

const execute = (...words: string[]) => executeSubcommand(["review", ...words, "--no-simulate"]);

async function report(...words: string[]): Promise<ReviewReport> {
  const { output, error } = await execute(...words, "--format", "json");
  expect(error).toBe("");
  return JSON.parse(output) as ReviewReport;
}

const closed = dump("-A INPUT -p tcp -m tcp --dport 22 -j ACCEPT", "-A INPUT -j DROP");
const open = dump("-A INPUT -p tcp -m tcp --dport 22 -j ACCEPT", "-A INPUT -p tcp -m tcp --dport 23 -j ACCEPT", "-A INPUT -j DROP");
const ipv6 = dump("-A INPUT -s 2001:db8::1/128 -j ACCEPT", "-A INPUT -j DROP");

describe("what is compared with what", () => {
  it("reviews one dump by itself", async () => {
    expect(await report(write("rules.v4", closed))).toMatchObject({ verdict: "safe", changes: [], inputs: [{ role: "new" }] });
  });

  it("takes two dumps of one family for the old and the new one", async () => {
    const { inputs, opens } = await report(write("a", closed), write("b", open));
    expect(inputs).toEqual([
      { role: "old", file: at("a") },
      { role: "new", file: at("b") },
    ]);
    expect(opens.map(({ sentence }) => sentence)).toEqual(["TCP to port 23 (Telnet) of this machine from anywhere"]);
  });

  it("takes dumps of different families for one machine's", async () => {
    expect((await report(write("rules.v4", closed), write("rules.v6", ipv6))).inputs.map(({ role }) => role)).toEqual(["new", "new"]);
  });

  it("compares machines of both families with --old", async () => {
    const { opens } = await report(
      "--old",
      write("old.v4", closed),
      "--old",
      write("old.v6", ipv6),
      write("new.v4", open),
      write("new.v6", ipv6),
    );
    expect(opens).toHaveLength(1);
  });

  it("does not guess among three dumps", async () => {
    const { status, output, error } = await execute(write("a.v4", closed), write("b.v4", open), write("c.v6", ipv6));
    expect({ status, output }).toEqual({ status: 2, output: "" });
    expect(error).toContain("--old");
  });
});

const started = process.cwd();

describe("--base-ref", () => {
  const git = (...words: string[]): string =>
    execFileSync(
      "git",
      [
        "-C",
        folder,
        "-c",
        "user.name=Test",
        "-c",
        "user.email=test@example.com",
        "-c",
        "init.defaultBranch=main",
        "-c",
        "commit.gpgsign=false",
        ...words,
      ],
      { encoding: "utf8" },
    );

  beforeEach(() => {
    git("init", "--quiet");
    write("net/rules.v4", closed);
    git("add", ".");
    git("commit", "--quiet", "--message", "base");
    git("checkout", "--quiet", "-b", "change");
    process.chdir(folder);
  });
  afterEach(() => process.chdir(started));

  it("compares with the commit where the branch was left, not with what came there since", async () => {
    git("checkout", "--quiet", "main");
    write("net/rules.v4", dump("-A INPUT -j ACCEPT"));
    git("commit", "--quiet", "--all", "--message", "later");
    git("checkout", "--quiet", "change");
    const { opens, inputs } = await report("--base-ref", "main", write("net/rules.v4", open));
    expect(opens.map(({ sentence }) => sentence)).toEqual(["TCP to port 23 (Telnet) of this machine from anywhere"]);
    expect(inputs[0]).toEqual({ role: "old", file: at("net/rules.v4"), ref: expect.stringMatching(/^main \([0-9a-f]{12}\)$/) as string });
  });

  it("reviews a file that was not there as a new one", async () => {
    const { output, error } = await execute("--base-ref", "main", write("net/other.v4", open), "--format", "json");
    expect(error).toContain("they are reviewed as new");
    expect((JSON.parse(output) as ReviewReport).changes).toEqual([]);
  });

  it("compares one file that was there beside one that was not", async () => {
    const { opens, closes } = await report("--base-ref", "main", write("net/rules.v4", open), write("net/rules.v6", ipv6));
    expect(opens).toHaveLength(1);
    expect(closes.length).toBeGreaterThan(0);
  });

  it("does not take two machines for one", async () => {
    expect((await execute("--base-ref", "main", write("net/rules.v4", open), write("other/rules.v4", closed))).error).toContain(
      "give the dumps of one machine",
    );
  });

  it.each<[fault: string, ref: string, file: string, said: RegExp]>([
    ["an unknown commit", "origin/nowhere", "net/rules.v4", /git fetch origin "nowhere"/],
    ["an option for a commit", "--upload-pack=x", "net/rules.v4", /knows no commit|argument missing/],
    ["a file outside of the repository", "main", "/dev/null", /no git repository|outside of the repository/],
  ])("fails clearly for %s", async (_, ref, file, said) => {
    const { status, output, error } = await execute(`--base-ref=${ref}`, file.startsWith("/") ? file : at(file));
    expect({ status, output }).toEqual({ status: 2, output: "" });
    expect(error).toMatch(said);
  });
});

describe("exit status", () => {
  const warning = dump("-A INPUT -m recent --rcheck --name x -j DROP");

  it.each([
    [[], 1],
    [["--fail-on", "error"], 0],
    [["--fail-on", "note"], 1],
    [["--fail-on", "never"], 0],
  ] as const)("with %j and a warning is %d", async (words, status) => {
    expect((await execute(write("rules.v4", warning), ...words)).status).toBe(status);
  });

  it("is 0 without findings of weight, and 1 for an input that is no ruleset", async () => {
    expect((await execute(write("rules.v4", closed))).status).toBe(0);
    expect((await execute(write("rules.v4", "junk\n"))).status).toBe(1);
  });

  it.each([
    [[]],
    [["--fail-on", "sometimes"]],
    [["--format", "poem"]],
    [["--write", "html"]],
    [["--update-baseline"]],
    [["--base-ref", "x", "--old", "y"]],
  ])("is 2 for %j, with nothing on standard output", async (words) => {
    const { status, output, error } = await executeSubcommand([
      "review",
      ...words,
      ...(words.length > 0 ? [write("rules.v4", closed)] : []),
    ]);
    expect({ status, output }).toEqual({ status: 2, output: "" });
    expect(error).toMatch(/^ipt2nft-recent: error: /);
  });

  it("is 2 for a file that is not there", async () => {
    expect(await execute(at("missing"))).toMatchObject({ status: 2, output: "" });
  });
});

describe("--baseline", () => {
  const warning = dump("-A INPUT -m recent --rcheck --name x -j DROP");

  it("accepts what --update-baseline wrote, and nothing else", async () => {
    const rules = write("rules.v4", warning);
    expect((await execute(rules, "--baseline", at("accepted.json"), "--update-baseline")).status).toBe(0);
    expect(JSON.parse(readFileSync(at("accepted.json"), "utf8"))).toMatchObject({
      version: 1,
      findings: [{ code: "list-never-set", file: rules }, { code: "recent-list-size" }],
    });
    expect((await execute(rules, "--baseline", at("accepted.json"))).status).toBe(0);
    write("rules.v4", dump("-A INPUT -m recent --rcheck --name y -j DROP"));
    expect((await execute(rules, "--baseline", at("accepted.json"))).status).toBe(1);
  });

  it("fails for a file that is missing or none", async () => {
    expect((await execute(write("rules.v4", warning), "--baseline", at("missing"))).error).toContain("--update-baseline makes it");
    expect(await execute(write("rules.v4", warning), "--baseline", write("accepted.json", "[]"))).toMatchObject({ status: 2, output: "" });
  });
});

describe("reports", () => {
  it("go to files in several formats at once", async () => {
    const { output } = await execute(
      write("rules.v4", closed),
      "--format",
      "markdown",
      "--write",
      `sarif=${at("review.sarif")}`,
      "--write",
      `html=${at("review.html")}`,
    );
    expect(output).toMatch(/^## /);
    expect(JSON.parse(readFileSync(at("review.sarif"), "utf8"))).toMatchObject({ version: "2.1.0" });
    expect(readFileSync(at("review.html"), "utf8")).toMatch(/^<!doctype html>/i);
  });

  it("go to a file with -o, and nothing to standard output", async () => {
    expect(await execute(write("rules.v4", closed), "-o", at("review.txt"))).toMatchObject({ status: 0, output: "" });
    expect(readFileSync(at("review.txt"), "utf8")).toContain("Safe to merge");
  });

  it("are not written where the review fails", async () => {
    expect((await execute(at("missing"), "--write", `json=${at("review.json")}`)).status).toBe(2);
    expect(existsSync(at("review.json"))).toBe(false);
  });
});
