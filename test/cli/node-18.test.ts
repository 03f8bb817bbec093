/** The command on the oldest Node.js that it runs on: `.ci/node-18 node_modules/.cache/node-18` unpacks it. */

import { execFileSync, spawnSync } from "node:child_process";
import { cpSync, existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { subcommands } from "../../src/cli/subcommands.js";

const root = new URL("../../", import.meta.url).pathname;
const tree = join(root, "node_modules", ".cache", "node-18");
const isThere = existsSync(join(tree, "complete")) && process.getuid?.() === 0;

const title = `Node.js 18${isThere ? "" : " (skipped: not unpacked, see .ci/node-18; or not root)"}`;

// Some twenty processes one after the other.
describe.skipIf(!isThere)(title, { timeout: 120_000 }, () => {
  let folder: string;
  /** The same from the root on. */
  let below: string;
  beforeAll(() => {
    folder = mkdtempSync(join(tree, "in", "command-"));
    below = folder.slice(tree.length + 1);
    execFileSync(process.execPath, [join(root, "build.js"), "--directory", join(folder, "dist"), "--no-types"]);
    writeFileSync(join(folder, "package.json"), '{ "type": "module" }');
    cpSync(join(root, "corpus", "machine"), join(folder, "corpus", "machine"), { recursive: true });
    cpSync(join(root, "examples"), join(folder, "examples"), { recursive: true });
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  /** Paths are from the folder of the root on. */
  function execute(...words: readonly string[]): { readonly status: number | null; readonly output: string; readonly error: string } {
    const command = join(folder, "dist", "ipt2nft-recent.js").slice(tree.length);
    const { status, stdout, stderr } = spawnSync("chroot", [tree, "/usr/bin/node", command, ...words], {
      encoding: "utf8",
      env: { PATH: `${process.env["PATH"]}:/usr/sbin` },
    });
    return { status, output: stdout, error: stderr };
  }

  it("is what is asked", () => {
    expect(spawnSync("chroot", [tree, "/usr/bin/node", "--version"], { encoding: "utf8" }).stdout).toMatch(/^v18\./);
  });

  it("loads every command", () => {
    for (const name of Object.keys(subcommands)) expect(execute(name, "--help")).toMatchObject({ status: 0, error: "" });
  });

  it("translates as any other", () => {
    expect(execute("corpus", join(below, "corpus"), "--quiet").output).toMatch(/^(\d+) cases: \1 as expected/m);
  });

  it("reviews and searches as any other", () => {
    const rules = ["repository", "changes/loosened"].map((name) => join(below, "examples", name, "rules.v4"));
    const review = ["review", "--fail-on", "never", "--json", ...rules];
    const here = spawnSync(process.execPath, [join(folder, "dist", "ipt2nft-recent.js"), ...review], { cwd: tree, encoding: "utf8" });
    expect(here.status).toBe(0);
    expect(execute(...review)).toEqual({ status: 0, output: here.stdout, error: here.stderr });
    expect(execute("simulate", "--budget", "200", join(below, "corpus/machine/small-server/rules.v4"))).toMatchObject({
      status: 0,
      error: "",
    });
  });
});
