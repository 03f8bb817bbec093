import { execFileSync } from "node:child_process";
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";

import { bootUnit } from "../../../../src/cli/commands/cutover/effects.js";
import { deadlineText, StateDirectory } from "../../../../src/cli/commands/cutover/state-directory.js";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "ipt2nft-state-"));
});
afterEach(() => rmSync(folder, { recursive: true }));

const files = (...names: readonly string[]): Map<string, string> =>
  new Map([...names.map((name) => [name, name] as const), ["deadline", deadlineText(7.2)]]);

it("puts a whole change in the place of the last one", () => {
  const state = new StateDirectory(folder);
  expect(state.decision()).toBeUndefined();
  state.begin(files("armed", "lists/0"));
  expect(state.decision()).toBe("armed");
  expect(state.read("lists/0")).toBe("lists/0");
  expect(statSync(join(state.run, "armed")).mode & 0o777).toBe(0o600);
  state.begin(files("confirmed"));
  expect(state.decision()).toBe("confirmed");
  expect(existsSync(join(folder, "previous", "armed"))).toBe(true);
});

it("is nobody else's, and holds nothing that somebody else has put there", () => {
  const state = new StateDirectory(join(folder, "state"));
  state.requireOwn();
  state.make();
  state.begin(files("armed", "lists/0"));
  state.requireOwn();
  for (const [name, put] of [
    ["lock", (path: string) => symlinkSync("/etc/passwd", path)],
    ["lock", (path: string) => execFileSync("mkfifo", [path])],
    ["next", (path: string) => symlinkSync("run", path)],
    ["run/roll-back.sh", (path: string) => writeFileSync(path, "", { mode: 0o666 })],
    ["run/lists/1", (path: string) => symlinkSync("/dev/zero", path)],
  ] as const) {
    const path = join(state.folder, name);
    const before = process.umask(0);
    put(path);
    process.umask(before);
    expect(() => state.requireOwn(), name).toThrow(`${JSON.stringify(path)} is nothing that cutover has made`);
    rmSync(path);
  }
  state.requireOwn();
  chmodSync(state.folder, 0o770);
  expect(() => state.requireOwn()).toThrow("others may write to");
});

it("holds bytes as they are", () => {
  const state = new StateDirectory(folder);
  state.begin(new Map([["old", Buffer.from([0x62, 0xe4, 0x0a])]]));
  expect(readFileSync(join(state.run, "old"))).toEqual(Buffer.from([0x62, 0xe4, 0x0a]));
  expect(state.readDecoded("old")).toEqual({ text: "b\u00e4\n", encoding: "latin1" });
});

it("decides once", () => {
  const state = new StateDirectory(folder);
  state.begin(files("armed"));
  expect(state.decide("armed", "confirmed")).toBe(true);
  expect(state.decide("armed", "undoing")).toBe(false);
  expect(state.decision()).toBe("confirmed");
});

it("puts back what a process that was killed between two renames has left", () => {
  const state = new StateDirectory(folder);
  state.begin(files("confirmed"));
  state.begin(files("armed"));
  rmSync(state.run, { recursive: true });
  state.mend();
  expect(state.decision()).toBe("confirmed");
});

it("writes the deadline over in place, with as many bytes", () => {
  const state = new StateDirectory(folder);
  state.begin(files("armed"));
  expect(state.deadline()).toBe(8);
  const { ino, size } = statSync(join(state.run, "deadline"));
  state.writeDeadline(123_456);
  expect(state.deadline()).toBe(123_456);
  expect(statSync(join(state.run, "deadline"))).toMatchObject({ ino, size });
});

it.runIf(process.platform === "linux")("is locked for others until it is unlocked", async () => {
  const [one, other] = [new StateDirectory(folder), new StateDirectory(folder)];
  expect(await one.lock()).toBe(true);
  expect(await other.lock()).toBe(false);
  expect(one.inherited).toHaveLength(1);
  one.unlock();
  expect(await other.lock()).toBe(true);
  other.unlock();
});

it("writes a unit that runs the way back before the network is up, and only for a change that is open", () => {
  const unit = bootUnit("/var/lib/x");
  expect(unit).toContain("ConditionPathExists=|/var/lib/x/run/armed\nConditionPathExists=|/var/lib/x/run/undoing\n");
  expect(unit).toContain("ExecStart=/bin/sh /var/lib/x/run/roll-back.sh boot\n");
  expect(unit).toMatch(/^After=.*netfilter-persistent\.service/m);
  expect(readFileSync("src/cutover/roll-back.sh", "utf8")).toContain("\nboot)\n");
});
