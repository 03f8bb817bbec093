/** Time and memory of the published command, beside `iptables-restore-translate` and a bare `node -e 0`, in turns. */

import { execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { bigRuleset } from "./big-ruleset.js";

const turns = 5;

/** What one run took: seconds on the clock and of processor time. */
interface Run { readonly clock: number; readonly processor: number }

const smallDump = `*filter
:INPUT DROP [0:0]
:FORWARD DROP [0:0]
:OUTPUT ACCEPT [0:0]
-A INPUT -i lo -j ACCEPT
-A INPUT -m state --state RELATED,ESTABLISHED -j ACCEPT
-A INPUT -p tcp -m tcp --dport 22 -m state --state NEW -m recent --set --name SSH --mask 255.255.255.255 --rsource
-A INPUT -p tcp -m tcp --dport 22 -m state --state NEW -m recent --update --seconds 60 --hitcount 4 --name SSH --mask 255.255.255.255 --rsource -j DROP
-A INPUT -p tcp -m tcp --dport 22 -j ACCEPT
COMMIT
`;

/** Runs a command and takes what bash says of its time. */
function run(command: string): Run {
  const script = `TIMEFORMAT='took %3R %3U %3S'; time { ${command} >/dev/null 2>&1; }`;
  const { stderr } = spawnSync("bash", ["-c", script], { encoding: "utf8", env: { ...process.env, PATH: `${process.env["PATH"] ?? ""}:/usr/sbin:/sbin` } });
  const [, clock, user, system] = /took ([\d.]+) ([\d.]+) ([\d.]+)/.exec(stderr) ?? [];
  if (clock === undefined) throw new Error(`${command}: ${stderr}`);
  return { clock: Number(clock), processor: Number(user) + Number(system) };
}

function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? NaN;
}

/** The commands in turns, so that whatever else the machine does hits them alike; the medians. */
function compare(commands: readonly string[], count: number): Run[] {
  const runs = commands.map((): Run[] => []);
  for (let turn = 0; turn < count; turn++) commands.forEach((command, index) => runs[index]!.push(run(command)));
  return runs.map((all) => ({ clock: median(all.map(({ clock }) => clock)), processor: median(all.map(({ processor }) => processor)) }));
}

/** Peak memory in megabytes, if GNU time is there to tell. */
function peakMemory(command: string): string {
  const { stderr, status } = spawnSync("bash", ["-c", `command time -f 'peak %M' ${command} 2>&1 >/dev/null | tail -1 >&2`], {
    encoding: "utf8", env: { ...process.env, PATH: `${process.env["PATH"] ?? ""}:/usr/sbin:/sbin` },
  });
  const kilobytes = status === 0 ? /peak (\d+)/.exec(stderr)?.[1] : undefined;
  return kilobytes === undefined ? "?" : (Number(kilobytes) / 1024).toFixed(0);
}

/** Builds the command, measures, and returns tables as Markdown. Further dumps may be given by name. */
export function measureTranslator(files: readonly string[] = []): string {
  const directory = mkdtempSync(join(tmpdir(), "translator-time-"));
  try {
    execFileSync("node", ["build.js", "--directory", join(directory, "dist"), "--no-types"], { stdio: ["ignore", "ignore", "inherit"] });
    writeFileSync(join(directory, "package.json"), '{ "type": "module" }');
    const ours = `node ${join(directory, "dist", "ipt2nft-recent.js")}`;
    const lines = ["| rules | iptables-restore-translate: s, MB | ours: s, MB | ratio of processor time |", "|---|---|---|---|"];
    const generated = [1_000, 10_000, 100_000].map((rules) => {
      const file = join(directory, `${rules}.v4`);
      writeFileSync(file, bigRuleset(rules));
      return file;
    });
    for (const file of [...generated, ...files]) {
      const upstreamCommand = `iptables-restore-translate -f ${file}`;
      const ourCommand = `${ours} ${file}`;
      const rules = readFileSync(file, "utf8").split("\n").filter((line) => line.startsWith("-A")).length;
      const [upstream, own] = compare([upstreamCommand, ourCommand], turns) as [Run, Run];
      const cell = ({ clock, processor }: Run, memory: string): string => `${clock.toFixed(2)} (processor ${processor.toFixed(2)}), ${memory}`;
      lines.push(`| ${rules} | ${cell(upstream, peakMemory(upstreamCommand))} | ${cell(own, peakMemory(ourCommand))} | ${(own.processor / upstream.processor).toFixed(1)} |`);
    }
    const small = join(directory, "small.v4");
    writeFileSync(small, smallDump);
    const [bare, translation] = compare(["node -e 0", `${ours} ${small}`], 21) as [Run, Run];
    const milliseconds = (seconds: number): string => (seconds * 1000).toFixed(0);
    lines.push("", `A small file: ${milliseconds(translation.clock)} ms (processor ${milliseconds(translation.processor)}), a bare node -e 0 `
      + `${milliseconds(bare.clock)} ms (${milliseconds(bare.processor)}): ${(translation.clock / bare.clock).toFixed(2)} times (${(translation.processor / bare.processor).toFixed(2)}).`);
    return lines.join("\n");
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}
