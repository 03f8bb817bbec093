/** Time and memory of commands, and of ours as it is published. */

import { execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** What one run took: seconds on the clock and of processor time. */
export interface Run {
  readonly clock: number;
  readonly processor: number;
}

/** Runs a command and takes what bash says of its time. */
export function run(command: string): Run {
  const script = `TIMEFORMAT='took %3R %3U %3S'; time { ${command} >/dev/null 2>&1; }`;
  const { stderr } = spawnSync("bash", ["-c", script], {
    encoding: "utf8",
    env: { ...process.env, PATH: `${process.env["PATH"] ?? ""}:/usr/sbin:/sbin` },
  });
  const [, clock, user, system] = /took ([\d.]+) ([\d.]+) ([\d.]+)/.exec(stderr) ?? [];
  if (clock === undefined) throw new Error(`${command}: ${stderr}`);
  return { clock: Number(clock), processor: Number(user) + Number(system) };
}

function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? NaN;
}

/** The commands in turns, so that whatever else the machine does hits them alike; the medians. */
export function compare(commands: readonly string[], count: number): Run[] {
  const runs = commands.map((): Run[] => []);
  for (let turn = 0; turn < count; turn++) commands.forEach((command, index) => runs[index]!.push(run(command)));
  return runs.map((all) => ({ clock: median(all.map(({ clock }) => clock)), processor: median(all.map(({ processor }) => processor)) }));
}

/** Peak memory in megabytes, if GNU time is there to tell. */
export function peakMemory(command: string): string {
  const { stderr, status } = spawnSync("bash", ["-c", `command time -f 'peak %M' ${command} 2>&1 >/dev/null | tail -1 >&2`], {
    encoding: "utf8",
    env: { ...process.env, PATH: `${process.env["PATH"] ?? ""}:/usr/sbin:/sbin` },
  });
  const kilobytes = status === 0 ? /peak (\d+)/.exec(stderr)?.[1] : undefined;
  return kilobytes === undefined ? "?" : (Number(kilobytes) / 1024).toFixed(0);
}

/** Builds the command; `measure` gets the words that run it, and a directory that exists only meanwhile. */
export function withCommand<Result>(measure: (ours: string, directory: string) => Result): Result {
  const directory = mkdtempSync(join(tmpdir(), "command-time-"));
  try {
    execFileSync("node", ["build.js", "--directory", join(directory, "dist"), "--no-types"], { stdio: ["ignore", "ignore", "inherit"] });
    writeFileSync(join(directory, "package.json"), '{ "type": "module" }');
    return measure(`node ${join(directory, "dist", "ipt2nft-recent.js")}`, directory);
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}
