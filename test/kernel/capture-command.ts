/** The built command, for tests that end it, feed it or run it as somebody else. */

import { execFileSync, spawn, spawnSync, type ChildProcess } from "node:child_process";
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

export interface CaptureResult {
  readonly status: number | null;
  readonly output: string;
  readonly error: string;
}

export class CaptureCommand {
  /** Everybody may read it; it is gone at the end. */
  readonly folder = mkdtempSync(join(tmpdir(), "ipt2nft-recent-test-"));

  /** Where a program that `start` has started puts its temporary files. */
  readonly temporary = join(this.folder, "temporary");

  constructor() {
    mkdirSync(this.temporary);
    chmodSync(this.folder, 0o755);
    execFileSync("node", ["build.js", "--directory", join(this.folder, "dist"), "--no-types"], { stdio: "pipe" });
  }

  remove(): void {
    rmSync(this.folder, { recursive: true });
  }

  /** Writes a script; its path. */
  script(name: string, text: string): string {
    const path = join(this.folder, name);
    writeFileSync(path, text);
    chmodSync(path, 0o755);
    return path;
  }

  private words(words: readonly string[]): string[] {
    return [join(this.folder, "dist", "ipt2nft-recent.js"), ...words];
  }

  /** `ipt2nft-recent capture WORDS`, with words in front of it that run it otherwise. */
  run(words: readonly string[], { input = "", before = [] as readonly string[], subcommand = "capture" } = {}): CaptureResult {
    const [program, ...rest] = [...before, process.execPath, ...this.words([subcommand, ...words].filter((word) => word !== ""))];
    const { status, stdout, stderr } = spawnSync(program!, rest, { input, encoding: "utf8", cwd: this.folder, timeout: 110_000 });
    return { status, output: stdout, error: stderr };
  }

  start(words: readonly string[]): ChildProcess {
    return spawn(process.execPath, this.words(["capture", ...words]), {
      cwd: this.folder,
      stdio: ["ignore", "pipe", "pipe"],
      env: { ...process.env, TMPDIR: this.temporary },
    });
  }
}

/** The rules, sets and hosts without what differs from run to run: times, counters, hashes. */
export function plainRules(text: string): string[] {
  return text
    .split("\n")
    .filter((line) => line !== "" && !/^# (?:Generated|Completed|Captured)/.test(line))
    .map((line) => line.replace(/\[[0-9]+:[0-9]+\]/, "[0:0]").replace(/ initval 0x[0-9a-f]+/, ""));
}
