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
import { spawn } from "node:child_process";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { refuseOverwriting, writeFileAtomically } from "../../src/cli/output.js";
import { bundleModule } from "../bundle-module.js";

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

it("writes what a link leads to that is not there yet, and keeps the link", async () => {
  symlinkSync("real", join(folder, "link"));
  await writeFileAtomically(join(folder, "link"), "new");
  expect(lstatSync(join(folder, "link")).isSymbolicLink()).toBe(true);
  expect(readFileSync(join(folder, "real"), "utf8")).toBe("new");
  symlinkSync("round", join(folder, "round"));
  await expect(writeFileAtomically(join(folder, "round"), "")).rejects.toThrow(/cannot be written/);
});

it("follows no link out of a folder that is named", async () => {
  const within = join(folder, "within");
  mkdirSync(within);
  writeFileSync(join(folder, "outside"), "old");
  symlinkSync("../outside", join(within, "link"));
  symlinkSync("../new", join(within, "dangling"));
  symlinkSync("..", join(within, "up"));
  for (const name of ["link", "dangling", "up/outside", "up/new"])
    await expect(writeFileAtomically(join(within, name), "new", within)).rejects.toThrow(/leads out of the folder/);
  expect(readFileSync(join(folder, "outside"), "utf8")).toBe("old");
  expect(readdirSync(folder)).toEqual(["outside", "within"]);
});

it("refuses to write over what is read, and one file twice, whatever they are called", () => {
  writeFileSync(join(folder, "rules"), "");
  symlinkSync("rules", join(folder, "link"));
  symlinkSync("later", join(folder, "dangling"));
  expect(() => refuseOverwriting([join(folder, "rules")], [join(folder, ".", "link")])).toThrow(/is read, and would be written over/);
  expect(() => refuseOverwriting([join(folder, "later"), join(folder, "dangling")], [])).toThrow(/would be written twice/);
  refuseOverwriting(["-", "-", "/dev/null", "/dev/null", undefined, join(folder, "new")], ["-", join(folder, "rules")]);
});

it("leaves no temporary file when a signal comes in the middle", async () => {
  const main = join(folder, "main.mjs");
  await bundleModule(
    `import { writeFileAtomically } from "./src/cli/output.js";
        process.stdout.write("go");
        for (;;) await writeFileAtomically(${JSON.stringify(join(folder, "out"))}, "x".repeat(1 << 22));`,
    main,
  );
  for (const wait of [0, 7, 13, 21]) {
    const child = spawn(process.execPath, [main], { stdio: ["ignore", "pipe", "inherit"] });
    let again: NodeJS.Timeout | undefined;
    child.stdout.once("data", () =>
      setTimeout(() => {
        child.kill("SIGINT");
        // One that comes in the microseconds in which a writing stops to listen is lost.
        again = setInterval(() => child.kill("SIGINT"), 1_000);
      }, wait),
    );
    expect(await new Promise((resolve) => child.on("exit", (_, signal) => resolve(signal)))).toBe("SIGINT");
    clearInterval(again);
    expect(readdirSync(folder).filter((name) => name.endsWith(".tmp"))).toEqual([]);
  }
});
