/**
 * Runs hostile inputs one after the other in a process of its own, whose memory is limited by who starts it:
 *
 *     node --max-old-space-size=512 campaign-process.mjs SEED FIRST COUNT RULES PROGRESS-FILE [KIND…]
 *
 * The progress file holds the kind and number of the input that is being run, so that one which hangs or takes the process down is known.
 * Standard output has a line of JSON for each that broke a promise or took too long, and one at the end with what all of them took.
 */

import { openSync, writeSync } from "node:fs";

import { attempts, inputRandom, shares } from "./hostile-inputs.js";

/** Seconds of processor time that one input may take. */
const longest = 2;

const [seed = "1", first = "0", count = "100", rules = "8", progressFile = "/dev/null", ...wanted] = process.argv.slice(2);
const progress = openSync(progressFile, "w");
const kinds = Object.entries(attempts(Number(rules)))
  .filter(([kind]) => wanted.length === 0 || wanted.includes(kind))
  .flatMap((kind) => Array.from({ length: shares[kind[0]] ?? 1 }, () => kind));
const print = (line: object): void => void process.stdout.write(`${JSON.stringify(line)}\n`);

const times: Record<string, { inputs: number; seconds: number; slowest: number }> = {};
for (let index = Number(first); index < Number(first) + Number(count); index++) {
  const [kind, attempt] = kinds[index % kinds.length]!;
  writeSync(progress, `${kind}\t${index}`.padEnd(60), 0);
  const begin = process.cpuUsage();
  try {
    await attempt(inputRandom(kind, Number(seed), index));
  } catch (error) {
    print({ kind, index, broken: error instanceof Error ? (error.stack ?? error.message).slice(0, 2_000) : String(error) });
  }
  const { user, system } = process.cpuUsage(begin);
  const seconds = (user + system) / 1e6;
  if (seconds > longest) print({ kind, index, broken: `it takes ${seconds.toFixed(1)} s` });
  const time = (times[kind] ??= { inputs: 0, seconds: 0, slowest: 0 });
  time.inputs++;
  time.seconds += seconds;
  time.slowest = Math.max(time.slowest, seconds);
}
print({ times, megabytes: process.resourceUsage().maxRSS / 1024 });
