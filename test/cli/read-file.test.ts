import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, symlinkSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { readGeoip } from "../../src/cli/geoip.js";
import { decode, readBytes, usualMaxInput } from "../../src/cli/read-file.js";
import { Failure } from "../../src/failure.js";
import { execute } from "./execute.js";

it("decodes UTF-8 and drops its byte order mark", () => {
  expect(decode(Buffer.from("\ufeff*filter é 日\n"))).toEqual({ text: "*filter é 日\n", encoding: "utf8" });
});

it("gives every byte of anything else a character of its own", () => {
  const bytes = Uint8Array.from({ length: 256 }, (_, byte) => byte);
  const { text, encoding } = decode(bytes);
  expect(encoding).toBe("latin1");
  expect(Array.from(text, (character) => character.charCodeAt(0))).toEqual([...bytes]);
});

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "read-file-"));
});
afterAll(() => rmSync(folder, { recursive: true }));

const path = (name: string): string => join(folder, name);
const dump = "*filter\n:INPUT ACCEPT [0:0]\nCOMMIT\n";

describe("input has an end", () => {
  it("reads a file of just the bytes allowed, and none with one more", () => {
    writeFileSync(path("whole"), "12345");
    expect(Buffer.from(readBytes(path("whole"), 5)).toString()).toBe("12345");
    expect(() => readBytes(path("whole"), 4)).toThrow(Failure);
  });

  it("reads files that say they are empty up to their end", () => {
    expect(Buffer.from(readBytes("/proc/self/status", 1 << 20)).toString()).toMatch(/^Name:[^]*\n$/);
    expect(() => readBytes("/proc/self/status", 100)).toThrow(/larger than/);
  });

  it("reads what the caller has opened", () => {
    expect(readBytes("/dev/null", 1)).toHaveLength(0);
  });

  const commands: readonly (readonly string[])[] = [
    ["FILE"],
    ["--ipset", "FILE", "rules.v4"],
    ["--geoip", "FILE", "rules.v4"],
    ["simulate", "FILE"],
    ["simulate", "--traffic", "FILE", "rules.v4"],
    ["verify", "FILE"],
    ["review", "FILE"],
    ["review", "--old", "FILE", "rules.v4"],
    ["review", "--old-ipset", "FILE", "rules.v4"],
    ["review", "--script", "FILE", "rules.v4"],
    ["review", "--baseline", "FILE", "rules.v4"],
    ["corpus", "FOLDER", "--add", "FILE", "--name", "x"],
  ];
  const run = (words: readonly string[], file: string): ReturnType<typeof execute> =>
    execute(words.map((word) => (word === "FILE" ? file : word === "rules.v4" || word === "FOLDER" ? path(word) : word)));

  beforeAll(() => {
    writeFileSync(path("rules.v4"), dump);
    writeFileSync(path("large"), "");
    truncateSync(path("large"), usualMaxInput + 1);
    execFileSync("mkfifo", [path("fifo")]);
    symlinkSync("/dev/zero", path("zeros"));
  });

  it.each(commands.map((words) => [words.join(" "), words] as const))("%s: neither large files nor what is no file", async (_, words) => {
    for (const [file, reason] of [
      [path("large"), "is larger than 256 MB; --max-input reads more"],
      [path("fifo"), "is not read: it is a pipe"],
      [path("zeros"), "is not read: it is a device"],
    ] as const) {
      const { status, output, error } = await run(words, file);
      expect([status, output]).toEqual([2, ""]);
      expect(error).toContain(reason);
    }
  });

  it("tells a case of a corpus that has such a file", async () => {
    const { status, output } = await execute(["corpus", "--max-input", "1", corpusWith((1 << 20) + 1)]);
    expect(status).toBe(1);
    expect(output).toContain("is larger than 1 MB");
  });

  it("takes the limit of --max-input, for standard input too", async () => {
    const { status, error } = await execute(["--max-input", "1"], { readInput: async (limit) => Buffer.alloc(limit + 1, "\n") });
    expect([status, error]).toEqual([2, "ipt2nft-recent: error: standard input is larger than 1 MB; --max-input reads more\n"]);
    expect((await execute(["--max-input", "0"], {})).error).toContain("a number of megabytes from 1 to 511");
  });

  it("unpacks no more of a compressed table than it reads of a plain one", () => {
    writeFileSync(path("table.csv.gz"), gzipSync(Buffer.alloc(1 << 20, "\n")));
    expect(() => readGeoip([path("table.csv.gz")], (1 << 20) - 1)).toThrow(/unpacks to is larger than/);
  });
});

function corpusWith(bytes: number): string {
  const corpus = mkdtempSync(join(folder, "corpus-"));
  writeFileSync(join(corpus, "one.v4"), "");
  truncateSync(join(corpus, "one.v4"), bytes);
  return corpus;
}
