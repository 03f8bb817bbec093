/** Time and memory of the command for inputs that grow, twice as large each time. */

import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { spawnSync } from "node:child_process";
import { dirname, join } from "node:path";

import { withCommand } from "./command-time.js";
import { growingInputs, type GrowingInput } from "./growth-inputs.js";

/** Sizes measured, each twice the one before. */
const doublings = 2;
/** Seconds of processor time, and megabytes of data, beyond which a run is ended. */
const longest = 30;
const most = 6_000;

const timeIsUp = 137;

interface Measured {
  /** Of processor time, so that whatever else the machine does counts little. */
  readonly seconds: number;
  readonly megabytes: number;
  /** As the shell has it; 137 where the time was up. */
  readonly status: number;
}

/**
 * Builds the command, measures, and returns a table as Markdown; `subjects` are what the names of inputs begin with, all if there are none.
 * The growth is that of the time beyond that of an empty run, from one size to the next: 2 is in proportion, 4 is square.
 */
export function measureGrowth(subjects: readonly string[]): string {
  const inputs = growingInputs.filter(({ name }) => subjects.length === 0 || subjects.some((subject) => name.startsWith(subject)));
  return withCommand((ours, directory) => {
    const start = measured(`${ours} --version`, directory).seconds;
    const lines = ["| input | size | s | MB | growth | exit status |", "|---|---|---|---|---|---|"];
    for (const input of inputs) {
      let before: number | undefined;
      for (let doubling = 0; doubling <= doublings; doubling++) {
        const size = input.size * 2 ** doubling;
        const { seconds, megabytes, status } = measuredInput(ours, directory, input, size);
        const own = Math.max(0, seconds - start);
        // Of less than a tenth of a second there is nothing to say.
        const growth = before === undefined || before < 0.1 ? "" : (own / before).toFixed(1);
        lines.push(`| ${input.name} | ${size} | ${seconds.toFixed(2)} | ${megabytes.toFixed(0)} | ${growth} | ${status} |`);
        process.stderr.write(`${lines.at(-1)}\n`);
        before = own;
        if (status === timeIsUp) break;
      }
    }
    return lines.join("\n");
  });
}

function measuredInput(ours: string, directory: string, { words, files }: GrowingInput, size: number): Measured {
  const folder = mkdtempSync(join(directory, "input-"));
  try {
    const given = Object.entries(files(size));
    for (const [name, content] of given) {
      mkdirSync(dirname(join(folder, name)), { recursive: true });
      writeFileSync(join(folder, name), content);
    }
    return measured(`${ours} ${words.join(" ")}`, folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Runs the command in the folder; GNU time tells what it took. */
function measured(command: string, folder: string): Measured {
  const limited = `ulimit -d ${most * 1024} -t ${longest}; ${command} > /dev/null 2> /dev/null`;
  const { stderr } = spawnSync("bash", ["-c", `command time -f 'took %U %S %M %x' bash -c ${JSON.stringify(limited)}`], {
    cwd: folder,
    encoding: "utf8",
  });
  const [, user, system, kilobytes, status] = /took ([\d.]+) ([\d.]+) (\d+) (\d+)/.exec(stderr) ?? [];
  if (user === undefined) throw new Error(`${command}: ${stderr}`);
  return { seconds: Number(user) + Number(system), megabytes: Number(kilobytes) / 1024, status: Number(status) };
}
