import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it } from "vitest";
import { decode, readBytes } from "../../src/cli/read-file.js";

it("decodes UTF-8 and drops its byte order mark", () => {
  expect(decode(Buffer.from("\ufeff*filter é 日\n"))).toEqual({ text: "*filter é 日\n", encoding: "utf8" });
});

it("gives every byte of anything else a character of its own", () => {
  const bytes = Uint8Array.from({ length: 256 }, (_, byte) => byte);
  const { text, encoding } = decode(bytes);
  expect(encoding).toBe("latin1");
  expect(Array.from(text, (character) => character.charCodeAt(0))).toEqual([...bytes]);
});

it("reads files, and nothing that may never end", () => {
  const folder = mkdtempSync(join(tmpdir(), "ipt2nft-read-"));
  try {
    writeFileSync(join(folder, "file"), "text");
    symlinkSync("file", join(folder, "link"));
    symlinkSync("/dev/zero", join(folder, "rules.v4"));
    execFileSync("mkfifo", [join(folder, "pipe")]);
    expect(Buffer.from(readBytes(join(folder, "link"))).toString()).toBe("text");
    expect(() => readBytes(join(folder, "rules.v4"))).toThrow(/rules\.v4" cannot be read: it is a device/);
    expect(() => readBytes(join(folder, "pipe"))).toThrow(/pipe" cannot be read: it is a pipe/);
    expect(readBytes("/dev/null")).toHaveLength(0);
  } finally {
    rmSync(folder, { recursive: true });
  }
});
