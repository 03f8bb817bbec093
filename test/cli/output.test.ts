import {
  chmodSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { writeFileAtomically } from "../../src/cli/output.js";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "ipt2nft-output-"));
});
afterEach(() => rmSync(folder, { recursive: true }));

it("writes a new file and leaves nothing else behind", async () => {
  await writeFileAtomically(join(folder, "rules.nft"), "table\n");
  expect(readFileSync(join(folder, "rules.nft"), "utf8")).toBe("table\n");
  expect(readdirSync(folder)).toEqual(["rules.nft"]);
});

it("replaces what a symbolic link points to, and keeps link and permissions", async () => {
  writeFileSync(join(folder, "real"), "old");
  chmodSync(join(folder, "real"), 0o640);
  symlinkSync("real", join(folder, "link"));
  await writeFileAtomically(join(folder, "link"), "new");
  expect(lstatSync(join(folder, "link")).isSymbolicLink()).toBe(true);
  expect(readFileSync(join(folder, "real"), "utf8")).toBe("new");
  expect(statSync(join(folder, "real")).mode & 0o777).toBe(0o640);
});

it("writes to a device as it is", async () => {
  await writeFileAtomically("/dev/null", "gone");
  expect(statSync("/dev/null").isCharacterDevice()).toBe(true);
});

it("says why it cannot, and leaves what was there", async () => {
  await expect(writeFileAtomically(join(folder, "none", "rules.nft"), "")).rejects.toThrow(/cannot be written: no such file or directory/);
  mkdirSync(join(folder, "folder"));
  await expect(writeFileAtomically(join(folder, "folder"), "")).rejects.toThrow(/it is a directory/);
  expect(readdirSync(folder)).toEqual(["folder"]);
});
