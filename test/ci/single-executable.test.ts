/** The single executable, built, packed and run where there is no Node.js, beside the command as it is published. */

import { execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { subcommands } from "../../src/cli/subcommands.js";
import { ownSenderWord, sentLine } from "../../src/verify/own-packets.js";

const root = new URL("../../", import.meta.url).pathname;
const { version } = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as { readonly version: string };
const release = `ipt2nft-recent-${version}-${process.platform}-${process.arch}`;
const rules = "corpus/machine/small-server/rules.v4";

interface Result {
  readonly status: number | null;
  readonly output: string;
  readonly error: string;
}

describe.skipIf(process.platform !== "linux")("build-single.js", { timeout: 60_000 }, () => {
  let folder: string;
  let unpacked: string;
  let published: string;
  /** A link to the executable that the archive holds. */
  let executable: string;
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), "ipt2nft single-"));
    const build = (script: string, ...words: readonly string[]): unknown =>
      execFileSync("sh", ["-c", 'umask 077 && exec "$@"', "sh", process.execPath, script, ...words], {
        cwd: root,
        env: { ...process.env, SOURCE_DATE_EPOCH: "1750000000" },
      });
    build("build.js", "--directory", join(folder, "published"), "--no-types");
    published = join(folder, "published", "ipt2nft-recent.js");
    build("build-single.js", "--directory", folder, "--archive");
    unpacked = join(folder, release);
    rmSync(unpacked, { force: true });
    execFileSync("tar", ["-C", folder, "-xzf", join(folder, `${release}.tar.gz`)]);
    executable = join(folder, "ipt2nft-recent");
    symlinkSync(join(unpacked, "bin", "ipt2nft-recent"), executable);
  }, 120_000);
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  function run(program: string, words: readonly string[], environment: NodeJS.ProcessEnv, input = ""): Result {
    const { status, stdout, stderr } = spawnSync(program, words, { cwd: root, env: environment, input, encoding: "utf8" });
    return { status, output: stdout, error: stderr };
  }

  /** By a link, and where there is no other program at all. */
  const runExecutable = (words: readonly string[], input?: string): Result => run(executable, words, { PATH: "/nonexistent" }, input);

  function expectSame(words: readonly string[], status: number, input?: string): Result {
    const expected = run(process.execPath, [published, ...words], process.env, input);
    const result = runExecutable(words, input);
    expect({ words, ...result }).toEqual({ words, ...expected, status });
    return result;
  }

  it("translates files and standard input", () => {
    expect(expectSame([rules], 0).output).toContain("table ip ipt2nft");
    expectSame([], 0, readFileSync(join(root, rules), "utf8"));
    // Lines that no program writes, and options: parts of their own.
    expect(expectSame(["--json", "--ipv4", "-"], 1, "*filter\n-A INPUT  -m geoip --src-cc CN -j DROP\nCOMMIT\n").error).toContain("geoip");
    expectSame(["--ipv4"], 2, "*filter\n-A INPUT\n");
  });

  it("has every command, and their errors", () => {
    for (const name of Object.keys(subcommands))
      expect(runExecutable([name, "--help"])).toMatchObject({
        status: 0,
        output: expect.stringContaining(`Usage: ipt2nft-recent ${name}`) as string,
        error: "",
      });
    expect(
      expectSame(["review", "--format", "html", "examples/repository/rules.v4", "examples/changes/loosened/rules.v4"], 1).output,
    ).toMatch(/^<!doctype html>/i);
    expectSame(["simulate", rules, "--budget", "100"], 0);
    expectSame(["completion", "bash"], 0);
  });

  it("has what runs on threads", () => {
    const corpus = runExecutable(["corpus", "corpus/machine", "--jobs", "2"]);
    expect(corpus).toMatchObject({ status: 0, error: "", output: expect.stringMatching(/^(\d+) cases: \1 as expected/m) as string });
    const made = join(folder, "fleet");
    const fleet = runExecutable(["fleet", "corpus/machine/*/rules.v4", "--out", made, "--jobs", "2"]);
    expect(fleet).toMatchObject({ status: 1, output: expect.stringContaining("on 2 threads)") as string });
    expect(readFileSync(join(made, "small-server", "rules.nft"), "utf8")).toContain("table ip ipt2nft");
  });

  it("leaves all words to the command that Node.js knows, too", () => {
    expectSame(["--version"], 0);
    for (const word of ["--inspect", "--inspect-brk=0", "-e", "-p", "-i", "-r", "--require=x", "--run", "--test", "--v8-options"]) {
      const refused = { status: 2, output: "", error: `ipt2nft-recent: error: unknown option '${word}'` };
      for (const words of [[word], ["review", word]]) {
        const { status, output, error } = runExecutable(words);
        expect({ status, output, error: error.split("\n")[0] }).toEqual(refused);
      }
    }
  });

  it("is the program that sends packets of sockets for verify", () => {
    // An order that cannot be carried out is answered as one of which the packet was lost.
    expect(runExecutable([ownSenderWord], "no order\n")).toEqual({ status: 0, output: `${sentLine}\n`, error: "" });
    expectSame([ownSenderWord, "more"], 2);
  });

  it("has its manual, its completions and all licences beside it, and the licences inside, too", () => {
    const share = (...path: readonly string[]): string => readFileSync(join(unpacked, "share", ...path), "utf8");
    expect(share("man", "man1", "ipt2nft-recent-review.1")).toMatch(/^\.TH .* "2025-06-15"/);
    for (const path of [
      "bash-completion/completions/ipt2nft-recent",
      "zsh/site-functions/_ipt2nft-recent",
      "fish/vendor_completions.d/ipt2nft-recent.fish",
    ])
      expect(share(path)).toContain("completion lists");
    const licenses = share("doc", "ipt2nft-recent", "third-party-licenses.txt");
    for (const name of [
      "ipt2nft-recent",
      "commander",
      `Node.js ${process.versions.node}\n\nNode.js is licensed for use as follows`,
      "- V8",
    ])
      expect(licenses).toContain(`\n${name}`.trimStart());
    expect(runExecutable(["--licenses"])).toEqual({ status: 0, output: licenses, error: "" });
    const listed = execFileSync("tar", ["-tvzf", join(folder, `${release}.tar.gz`)], {
      encoding: "utf8",
      env: { ...process.env, TZ: "UTC" },
    });
    for (const line of listed.trim().split("\n")) expect(line).toMatch(/^(?:drwxr-xr-x|-rwxr-xr-x|-rw-r--r--) 0\/0 +\d+ 2025-06-15 15:06 /);
  });

  it("names nothing of the machine that built it", () => {
    const places = [tmpdir(), root].map((path) => join(path, "ipt2nft-recent-single-"));
    const content = readFileSync(executable, "latin1");
    for (const place of [...places, root.replace(/\/$/, "/src")]) expect(content.includes(place)).toBe(false);
  });

  it("refuses a license that is not that of Node.js", () => {
    const words = ["build-single.js", "--directory", folder, "--node-license", "LICENSE"];
    expect(run(process.execPath, words, process.env)).toEqual({
      status: 1,
      output: "",
      error: "build-single: LICENSE is not the license of Node.js\n",
    });
  });
});
