/** What `corpus` takes for a thousand dumps: those of whole machines in corpus/, each many times. */

import { cpSync, mkdirSync, readdirSync, rmSync } from "node:fs";
import { join } from "node:path";

import { compare, peakMemory, run, withCommand, type Run } from "./command-time.js";

const dumps = 1_000;
const turns = 3;
const machines = "corpus/machine";

/** Builds the command, measures, and returns a table as Markdown. */
export function measureCorpus(): string {
  return withCommand((ours, directory) => {
    const corpus = join(directory, "corpus");
    const cases = readdirSync(machines);
    for (let index = 0; index < dumps; index++) {
      const name = cases[index % cases.length]!;
      const folder = join(corpus, name, String(index));
      mkdirSync(folder, { recursive: true });
      cpSync(join(machines, name), folder, { recursive: true });
    }
    const expected = run(`${ours} corpus ${corpus}`).clock;
    const threads = [1, 2, 4];
    const commands = threads.map((jobs) => `${ours} corpus --jobs ${jobs} ${corpus}`);
    const runs: Run[] = compare(commands, turns);
    const lines = [
      `${dumps} dumps (${cases.length} machines in turn), first run ${expected.toFixed(1)} s`,
      "",
      "| threads | s | processor s | ms per dump | MB |",
      "|---|---|---|---|---|",
    ];
    runs.forEach(({ clock, processor }, index) => {
      lines.push(
        `| ${threads[index]} | ${clock.toFixed(2)} | ${processor.toFixed(2)} | ${((clock / dumps) * 1000).toFixed(1)} | ${peakMemory(commands[index]!)} |`,
      );
    });
    rmSync(corpus, { recursive: true });
    return lines.join("\n");
  });
}
