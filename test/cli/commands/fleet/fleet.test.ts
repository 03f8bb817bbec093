import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { findFiles } from "../../../../src/cli/commands/fleet/find.js";
import { nameMatches, parsePattern } from "../../../../src/cli/commands/fleet/pattern.js";
import { translate } from "../../../../src/translate.js";
import { execute } from "../../execute.js";

const dump = (rule: string): string => `*filter\n:INPUT ACCEPT [0:0]\n${rule}\nCOMMIT\n`;
const drop = dump("-A INPUT -s 192.0.2.1/32 -j DROP");
const accept = dump("-A INPUT -s 192.0.2.2/32 -j ACCEPT");
const refused = dump("-A INPUT -m geoip --src-cc CN -j DROP");

let folder: string;
let before: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "ipt2nft-fleet-"));
  before = process.cwd();
  process.chdir(folder);
});
afterEach(() => {
  process.chdir(before);
  rmSync(folder, { recursive: true });
});

function write(files: Readonly<Record<string, string>>): void {
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, text);
  }
}

const scripts = (): string[] =>
  readdirSync("out", { recursive: true, encoding: "utf8" })
    .filter((path) => path.endsWith(".nft"))
    .sort();
const script = (path: string): string => readFileSync(join("out", path), "utf8");

interface Document {
  readonly outcome: string;
  readonly differentDumps: number;
  readonly rules: unknown;
  readonly machines: readonly { readonly name: string; readonly outcome: string; readonly sameAs?: string; readonly failure?: string }[];
  readonly messages: readonly { readonly severity: string; readonly message: string }[];
}

async function fleetJson(...words: readonly string[]): Promise<{ readonly status: number; readonly report: Document }> {
  const { status, output, error } = await execute(["fleet", "--out", "out", "--json", ...words]);
  expect(error).toBe("");
  return { status, report: JSON.parse(output) as Document };
}

describe("a pattern", () => {
  it.each([
    ["*.v4", "a.v4", true],
    ["*.v4", ".hidden.v4", false],
    [".*.v4", ".hidden.v4", true],
    ["rules.v?", "rules.v6", true],
    ["rules.v?", "rules.v", false],
    ["a*b*c", "a-b-b-c", true],
    ["a*b*c", "a-c-b", false],
    ["*", "", true],
  ])("%s and the name %s: %s", (pattern, name, matches) => {
    expect(nameMatches(name, pattern)).toBe(matches);
  });

  it("takes a time that grows as the name", () => {
    const begin = performance.now();
    expect(nameMatches("a".repeat(200), `${"*a".repeat(60)}b`)).toBe(false);
    expect(performance.now() - begin).toBeLessThan(1000);
  });

  it("has a folder in front of its wildcards", () => {
    expect(parsePattern("hosts/**/*.v4")).toMatchObject({ base: "hosts", names: ["**", "*.v4"] });
    expect(parsePattern("/srv/*/rules.v4")).toMatchObject({ base: "/srv", names: ["*", "rules.v4"] });
    expect(parsePattern("*.v4")).toMatchObject({ base: ".", names: ["*.v4"] });
    expect(parsePattern("a/b.v4")).toMatchObject({ base: "a", names: ["b.v4"] });
    expect(parsePattern("/*.v4")).toMatchObject({ base: "/", names: ["*.v4"] });
  });

  it("finds files at any depth, none behind links to folders, none among the scripts, and says what it lacks", () => {
    write({ "h/a.v4": "", "h/x/b.v4": "", "h/x/y/c.v4": "", "h/x/d.v6": "", "h/out/e.v4": "", "h/.git/f.v4": "", "elsewhere/g.v4": "" });
    symlinkSync("../elsewhere", "h/link");
    symlinkSync("../elsewhere/g.v4", "h/g.v4");
    expect(findFiles(["h/**/*.v4", "h/*.v6"], "h/out")).toEqual({
      files: ["h/a.v4", "h/g.v4", "h/x/b.v4", "h/x/y/c.v4"],
      base: join(folder, "h"),
      errors: ['no file is like "h/*.v6"'],
      links: 1,
    });
    expect(findFiles(["h/*/*.v4", "elsewhere/*"], "out")).toMatchObject({
      files: ["elsewhere/g.v4", "h/out/e.v4", "h/x/b.v4"],
      base: folder,
    });
    expect(findFiles(["h/x/**"], "out").files).toEqual(["h/x/b.v4", "h/x/d.v6", "h/x/y/c.v4"]);
    // What another pattern has found already is found.
    expect(findFiles(["h/**/*.v4", "h/x/*.v4"], "out").errors).toEqual([]);
  });
});

describe("fleet", () => {
  it("writes a script for each machine, where its dump is, and as the command does", async () => {
    write({
      "h/a.v4": drop,
      "h/x/rules.v4": accept,
      "h/x/rules.v6": accept.replace("192.0.2.2/32", "2001:db8::1/128"),
      "h/x/y/b.v4": drop,
    });
    const { status, output, error } = await execute(["fleet", "h/**/*.v4", "h/**/*.v6", "--out", "out"]);
    expect({ status, error }).toEqual({ status: 0, error: "" });
    expect(scripts()).toEqual(["a.nft", "x/rules.nft", "x/y/b.nft"]);
    expect(script("a.nft")).toBe(translate([{ file: "h/a.v4", text: drop }]).script);
    expect(script("x/y/b.nft")).toBe(script("a.nft"));
    expect(script("x/rules.nft")).toContain("table ip6 ipt2nft");
    expect(output).toContain("3 machines, 2 different dumps: 3 exact, 0 approximated, 0 with rules refused, 0 without a new script");
    expect(output).toContain("4 rules: 4 exact");
  });

  it("has the exit status of the worst, and goes on behind what fails", async () => {
    write({ "h/a.v4": drop, "h/b.v4": "*filter\n-A NOWHERE -j DROP\nCOMMIT\n", "h/c.v4": refused, "h/d.v4": drop, "out/b.nft": "before" });
    mkdirSync("h/e.v4");
    symlinkSync("nowhere", "h/f.v4");
    expect((await execute(["fleet", "h/a.v4", "--out", "out"])).status).toBe(0);
    expect((await execute(["fleet", "h/a.v4", "h/b.v4", "--out", "out"])).status).toBe(2);
    expect((await execute(["fleet", "h/a.v4", "h/c.v4", "--out", "out"])).status).toBe(1);
    const { status, report } = await fleetJson("h/*.v4");
    expect(status).toBe(2);
    expect(report).toMatchObject({ outcome: "failed", differentDumps: 3, rules: { exact: 2, approximated: 0, refused: 1 } });
    expect(report.machines.map(({ name, outcome, sameAs }) => [name, outcome, sameAs])).toEqual([
      ["a", "exact", undefined],
      ["b", "invalid", undefined],
      ["c", "refused", undefined],
      ["d", "exact", "a"],
      ["f", "failed", undefined],
    ]);
    expect(report.machines[1]!.failure).toContain("h/b.v4:2:4: ");
    expect(report.machines[4]!.failure).toContain('"h/f.v4" cannot be read: no such file or directory');
    expect(script("b.nft")).toBe("before");
    expect(scripts()).toEqual(["a.nft", "b.nft", "c.nft", "d.nft"]);
    const { output } = await execute(["fleet", "h/*.v4", "--out", "out"]);
    expect(output).toMatch(/^error: b: h\/b\.v4:2:4: /m);
    expect(output).toMatch(/^warning: match "geoip" cannot be translated.*\n {2}on 1 machine: h\/c\.v4:3:10$/m);
    expect(output).toContain("5 machines, 3 different dumps: 2 exact, 0 approximated, 1 with rules refused, 2 without a new script");
  });

  it("says how many machines a warning is about, and --strict counts approximations", async () => {
    const near = dump(
      "-A INPUT -m hashlimit --hashlimit-above 50/sec --hashlimit-burst 100 --hashlimit-mode srcip --hashlimit-name x -j DROP",
    );
    write({ "h/a.v4": near, "h/b.v4": near, "h/c.v4": `# another\n${near}` });
    const { status, output } = await execute(["fleet", "h/*", "--out", "out"]);
    expect(status).toBe(0);
    expect(output).toMatch(/^ {2}on 3 machines: h\/a\.v4:3:\d+, h\/c\.v4:4:\d+$/m);
    expect((await execute(["fleet", "h/*", "--out", "out", "--strict"])).status).toBe(1);
  });

  it("takes the sets of a machine from beside its dump", async () => {
    const asks = dump("-A INPUT -m set --match-set bad src -j DROP");
    const sets = (address: string): string => `create bad hash:ip family inet hashsize 1024 maxelem 65536\nadd bad ${address}\n`;
    write({ "h/a.v4": asks, "h/a.ipset": sets("192.0.2.1"), "h/b/rules.v4": asks, "h/b/sets.ipset": sets("192.0.2.2"), "h/c.v4": asks });
    const { status, report } = await fleetJson("h/**/*.v4");
    expect(status).toBe(1);
    expect(report.differentDumps).toBe(3);
    expect(script("a.nft")).toContain("192.0.2.1");
    expect(script("b/rules.nft")).toContain("192.0.2.2");
    expect(report.machines[2]).toMatchObject({ name: "c", outcome: "refused" });
  });

  it("tells of dumps of the other family that nobody has asked for", async () => {
    write({ "h/a.v4": drop, "h/a.v6": drop });
    const { report } = await fleetJson("h/*.v4");
    expect(report.messages).toEqual([
      { severity: "note", message: "dumps of the other family beside those are not asked for: 1 (h/a.v6)" },
    ]);
  });

  it("follows no link out of the folder of the scripts", async () => {
    write({ "h/x/a.v4": drop, "h/b.v4": drop, "h/c.v4": drop, "elsewhere/kept": "kept" });
    mkdirSync("out");
    symlinkSync("../elsewhere", "out/x");
    symlinkSync("../elsewhere/kept", "out/b.nft");
    const { status, report } = await fleetJson("h/**/*.v4");
    expect(status).toBe(2);
    expect(report.machines.map(({ name, outcome }) => [name, outcome])).toEqual([
      ["b", "failed"],
      ["c", "exact"],
      ["x/a", "failed"],
    ]);
    expect(report.machines[2]!.failure).toContain("a link leads out of the folder");
    expect(readdirSync("elsewhere")).toEqual(["kept"]);
    expect(readFileSync("elsewhere/kept", "utf8")).toBe("kept");
  });

  it("writes over nothing that it reads", async () => {
    write({ "h/a.nft": drop, "h/a.v4": drop });
    const { status, error } = await execute(["fleet", "h/*", "--out", "h"]);
    expect(status).toBe(2);
    expect(error).toContain('"h/a.nft" is read, and would be written over');
    expect(readFileSync("h/a.nft", "utf8")).toBe(drop);
  });

  it("refuses what it cannot mean", async () => {
    expect((await execute(["fleet", "h/*"])).error).toContain("--out");
    expect((await execute(["fleet", "--out", "out"])).status).toBe(2);
    expect((await execute(["fleet", "--out", "out", "-"])).status).toBe(2);
    write({ "h/a.v4": drop });
    expect((await execute(["fleet", "--out", "out", "h"])).output).toContain("it is a directory; a pattern means what is in it");
    const { error, output: nothing } = await execute(["fleet", "--out", "out", "h/*", "--ipset", "none"]);
    expect([error, nothing]).toEqual(['ipt2nft-recent: error: "none" cannot be read: no such file or directory\n', ""]);
    const { status, output } = await execute(["fleet", "--out", "out", "no/such/*"]);
    expect(status).toBe(2);
    expect(output).toContain('the folder "no/such" cannot be read');
    expect(existsSync("out")).toBe(true);
  });
});
