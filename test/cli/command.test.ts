/** The published files: bundled, packed, installed and run as processes. */

import { execFileSync, spawn, spawnSync } from "node:child_process";
import { cpSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createContext, runInContext } from "node:vm";
import { build } from "esbuild";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

const root = new URL("../../", import.meta.url).pathname;
const dump = "*filter\n:INPUT ACCEPT [0:0]\n-A INPUT -s 192.0.2.1/32 -j DROP\nCOMMIT\n";

let folder: string;
let command: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "ipt2nft-command-"));
  execFileSync(process.execPath, [join(root, "build.js"), "--directory", join(folder, "dist"), "--no-types"]);
  command = join(folder, "dist", "ipt2nft-recent.js");
  writeFileSync(join(folder, "many.v4"), manyRules(20_000));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

interface Result {
  status: number | null;
  output: string;
  error: string;
}

function execute(words: readonly string[], input: string | Uint8Array = dump): Result {
  const { status, stdout, stderr } = spawnSync(command, words, { input, maxBuffer: 1 << 30 });
  return { status, output: stdout.toString(), error: stderr.toString() };
}

/** By a shell, for what only a pipeline shows; bash ends with the command's own status. */
function shell(script: string): Result {
  const { status, stdout, stderr } = spawnSync("bash", ["-c", script, "bash", command], { maxBuffer: 1 << 30 });
  return { status, output: stdout.toString(), error: stderr.toString() };
}

/** The file and all that it imports before it runs. */
function partsOf(file: string): Set<string> {
  const found = new Set<string>();
  const waiting = [file];
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    if (found.has(next)) continue;
    found.add(next);
    for (const [, path] of readFileSync(next, "utf8").matchAll(/(?:from|import)"(\.[^"]+\.mjs)"/g)) waiting.push(join(next, "..", path!));
  }
  return found;
}

function manyRules(count: number): string {
  const rules = Array.from(
    { length: count },
    (_, index) =>
      `-A INPUT -s 198.51.${(index >> 8) & 255}.${index & 255}/32 -p tcp -m tcp --dport ${1 + (index % 65535)} -m comment --comment "rule ${index}" -j DROP\n`,
  );
  return `*filter\n:INPUT ACCEPT [0:0]\n${rules.join("")}COMMIT\n`;
}

describe("the command", () => {
  it("translates standard input", () => {
    const { status, output, error } = execute(["--ipv4"]);
    expect({ status, error }).toEqual({ status: 0, error: "" });
    expect(output).toContain("192.0.2.1");
  });

  it("knows its version and is not bound to a place", () => {
    const { version } = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as { version: string };
    expect(execute(["--version"])).toEqual({ status: 0, output: `${version}\n`, error: "" });
  });

  it("reads nothing of the subcommands when it starts", () => {
    const parts = join(folder, "dist", "parts");
    const read = new Set([command, join(parts, "translate.cjs")]);
    const ofSubcommands = readdirSync(parts)
      .filter((part) => /^(?:simulate|verify|review|corpus)-.*\.mjs$/.test(part))
      .flatMap((part) => [...partsOf(join(parts, part))]);
    // What they alone have: the models, the laboratory, the findings.
    for (const word of ["not-searched", "tcpreplay", "unreachable-rule"]) {
      const holders = [...new Set(ofSubcommands)].filter((part) => readFileSync(part, "utf8").includes(word));
      expect(holders).not.toEqual([]);
      expect(holders.filter((part) => read.has(part))).toEqual([]);
    }
  });

  it("takes over what V8 made of the translation when it was built", () => {
    const file = join(folder, "dist", "parts", "translate.cjs");
    const program = `
      const { readFileSync } = require("node:fs");
      const cachedData = readFileSync(${JSON.stringify(`${file}.compiled`)});
      console.log(new (require("node:vm").Script)(readFileSync(${JSON.stringify(file)}, "latin1"), { cachedData }).cachedDataRejected);`;
    expect(execFileSync(process.execPath, ["-e", program], { encoding: "utf8" })).toBe("false\n");
  });

  it.each(["", "no V8 made this", undefined])("starts without that, too: %j", (compiled) => {
    const copy = mkdtempSync(join(folder, "copy-"));
    cpSync(join(folder, "dist"), copy, { recursive: true });
    const file = join(copy, "parts", "translate.cjs.compiled");
    if (compiled === undefined) rmSync(file);
    else writeFileSync(file, compiled);
    const { status, stdout, stderr } = spawnSync(join(copy, "ipt2nft-recent.js"), ["--ipv4"], { input: dump, encoding: "utf8" });
    expect({ status, output: stdout, error: stderr }).toEqual(execute(["--ipv4"]));
  });

  it("runs on a terminal, and with devices in the place of streams", () => {
    writeFileSync(join(folder, "one.v4"), dump);
    const { status, stdout } = spawnSync("script", ["--quiet", "--return", "--command", `${command} ${folder}/one.v4`, "/dev/null"], {
      encoding: "utf8",
      stdio: ["ignore", "pipe", "pipe"],
    });
    expect({ status, output: stdout }).toEqual({ status: 0, output: expect.stringContaining("ip saddr 192.0.2.1 counter drop") as string });
    expect(shell(`"$1" ${folder}/one.v4 > /dev/null 2> /dev/null`).status).toBe(0);
    expect(shell(`"$1" < /dev/null`)).toEqual({ status: 2, output: "", error: expect.stringContaining("[no-table]") as string });
  });

  it("writes nothing for a broken dump", () => {
    const { status, output, error } = execute(["--ipv4"], "*filter\n:INPUT ACCEPT [0:0]\n");
    expect({ status, output }).toEqual({ status: 2, output: "" });
    expect(error).toContain("[missing-commit]");
  });

  it("is quiet when its reader goes away", () => {
    expect(shell(`set -o pipefail; "$1" --ipv4 ${folder}/many.v4 | head -c 1 > /dev/null`)).toMatchObject({ status: 0, error: "" });
  });

  it("writes all of a large script to a slow reader", () => {
    const whole = shell(`"$1" --ipv4 ${folder}/many.v4`);
    expect(whole.status).toBe(0);
    expect(shell(`"$1" --ipv4 ${folder}/many.v4 | { sleep 0.5; cat; }`).output).toBe(whole.output);
  });

  it("reads and writes descriptors that somebody has made non-blocking", async () => {
    // The ends of a socket pair are what Node gives a child for "pipe"; they stay non-blocking in the child's child.
    const child = spawn(
      process.execPath,
      [
        "-e",
        `process.stdin.on("data",()=>{});process.stdout.write("");` +
          `const c=require("node:child_process").spawn(${JSON.stringify(command)},["--ipv4"],{stdio:["inherit","inherit","inherit"]});` +
          `process.stdin.pause();c.on("exit",code=>process.exit(code))`,
      ],
      { stdio: ["pipe", "pipe", "inherit"] },
    );
    let output = "";
    child.stdout.setEncoding("utf8").on("data", (text: string) => {
      output += text;
    });
    setTimeout(() => child.stdin.end(dump), 500);
    expect(await new Promise((resolve) => child.on("close", resolve))).toBe(0);
    expect(output).toContain("192.0.2.1");
  });

  it("fails when the disk is full", () => {
    const { status, error } = shell(`"$1" --ipv4 ${folder}/many.v4 > /dev/full`);
    expect(status).toBe(2);
    expect(error).toContain("standard output cannot be written: no space left on the device");
  });
});

describe("the package", () => {
  const { files } = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as { readonly files: readonly string[] };

  it("installs globally from its tarball, without anything else and without a warning", () => {
    const manifest = readFileSync(join(root, "package.json"), "utf8");
    writeFileSync(join(folder, "build.js"), "// It is built.\n");
    for (const file of ["package.json", "pack.js", ...files.map((name) => name.replace(/\/\*.*/, ""))])
      if (file !== "dist" && !file.startsWith("!")) cpSync(join(root, file), join(folder, file), { recursive: true });
    const npm = (...words: string[]): void => {
      const { status, stderr } = spawnSync("npm", words, { cwd: folder, encoding: "utf8" });
      expect({ status, warnings: stderr.split("\n").filter((line) => /^npm (?:warn|error)/i.test(line)) }).toEqual({
        status: 0,
        warnings: [],
      });
    };
    const otherPackages = ["ipt2nft-recent_1.0.0_all.deb", "ipt2nft-recent-1.0.0-linux-x64", "ipt2nft-recent-1.0.0-linux-x64.tar.gz"];
    for (const file of otherPackages) writeFileSync(join(folder, "dist", file), "");
    npm("pack");
    for (const file of otherPackages) rmSync(join(folder, "dist", file));
    expect(readFileSync(join(folder, "package.json"), "utf8")).toBe(manifest);
    const tarball = readdirSync(folder).find((name) => name.endsWith(".tgz"))!;
    const prefix = join(folder, "prefix");
    npm("install", "--global", "--offline", "--no-audit", "--no-fund", "--prefix", prefix, join(folder, tarball));
    const { status, stdout } = spawnSync(join(prefix, "bin", "ipt2nft-recent"), ["--ipv4"], { input: dump, encoding: "utf8" });
    expect(status).toBe(0);
    expect(stdout).toContain("192.0.2.1");
    expect(existsSync(join(prefix, "lib/node_modules/ipt2nft-recent/node_modules"))).toBe(false);
    expect(readdirSync(join(prefix, "lib/node_modules/ipt2nft-recent/dist")).filter((file) => otherPackages.includes(file))).toEqual([]);
    expect(existsSync(join(prefix, "share/man/man1/ipt2nft-recent-review.1"))).toBe(true);
  });

  it("has what its pages link to, but for the source", () => {
    const installed = join(folder, "prefix", "lib", "node_modules", "ipt2nft-recent");
    const missing = readdirSync(installed, { recursive: true, encoding: "utf8" })
      .filter((page) => page.endsWith(".md"))
      .flatMap((page) => {
        const links = [...readFileSync(join(installed, page), "utf8").matchAll(/\]\((?!https?:)([^)\s#]+)/g)].map(([, link]) => link!);
        return links.map((link) => join(page, "..", link));
      })
      .filter((file) => !existsSync(join(installed, file)));
    expect(missing.filter((file) => !/^(?:src|grammar|playground)\//.test(file))).toEqual([]);
  });

  it("runs a corpus in an empty folder, on threads", () => {
    const cases = mkdtempSync(join(folder, "corpus-"));
    for (const name of ["a", "b", "c", "d"]) writeFileSync(join(cases, `${name}.v4`), manyRules(10));
    const installed = (...words: string[]): Result => {
      const { status, stdout, stderr } = spawnSync(join(folder, "prefix", "bin", "ipt2nft-recent"), ["corpus", ".", ...words], {
        cwd: cases,
        encoding: "utf8",
        env: { ...process.env, CI: "" },
        maxBuffer: 1 << 30,
      });
      return { status, output: stdout, error: stderr };
    };
    expect(installed("--update", "--jobs", "2")).toMatchObject({ status: 0, error: "" });
    expect(readdirSync(cases).filter((file) => file.endsWith(".nft"))).toHaveLength(4);
    writeFileSync(join(cases, "d.diagnostics"), "something\n");
    const { status, output } = installed("--jobs", "2", "--json");
    expect(status).toBe(1);
    expect(JSON.parse(output)).toMatchObject({
      cases: 4,
      failed: 1,
      threads: 2,
      results: [{ name: "a", problems: [] }, {}, {}, { name: "d", problems: [{ kind: "diagnostics" }] }],
    });
  });

  it("translates a fleet on threads, as one dump after the other", () => {
    const hosts = mkdtempSync(join(folder, "fleet-"));
    for (const [index, name] of ["a", "b", "c", "d"].entries()) writeFileSync(join(hosts, `${name}.v4`), manyRules(10 + (index % 3)));
    writeFileSync(join(hosts, "e.v4"), "*filter\n");
    const { status, stdout, stderr } = spawnSync(command, ["fleet", "*.v4", "--out", "scripts", "--jobs", "2"], {
      cwd: hosts,
      encoding: "utf8",
    });
    expect({ status, stderr }).toEqual({ status: 2, stderr: "" });
    expect(stdout).toContain("5 machines, 4 different dumps: 4 exact");
    expect(stdout).toContain(" on 2 threads)");
    expect(readdirSync(join(hosts, "scripts")).sort()).toEqual(["a.nft", "b.nft", "c.nft", "d.nft"]);
    for (const name of ["a", "c"]) {
      const one = spawnSync(command, [`${name}.v4`], { cwd: hosts, encoding: "utf8" });
      expect(readFileSync(join(hosts, "scripts", `${name}.nft`), "utf8")).toBe(one.stdout);
    }
  });

  it("has a library that runs without Node", async () => {
    const library = await build({
      entryPoints: [join(folder, "dist", "index.mjs")],
      bundle: true,
      format: "iife",
      globalName: "library",
      platform: "neutral",
      write: false,
    });
    // What every browser has, and nothing else.
    const context = createContext({ console, TextEncoder, TextDecoder, performance });
    runInContext(library.outputFiles[0]!.text, context);
    const { script, outcome } = runInContext(`library.translate(${JSON.stringify(dump)}, { family: "ipv4" })`, context) as {
      script: string;
      outcome: string;
    };
    expect(outcome).toBe("exact");
    expect(script).toContain("192.0.2.1");
  });
});
