/** Reading the words of a command line. */

import { CommanderError, InvalidArgumentError, type Command } from "commander";
import type { Shown } from "../command.js";

/** Reads the words behind the command's name; prints nothing. */
export function readWords(command: Command, words: readonly string[]): Shown | undefined {
  let shown = "";
  let complaint = "";
  withHelp(command)
    .exitOverride()
    .configureOutput({
      writeOut: (text) => (shown += text),
      writeErr: (text) => (complaint += text),
      getOutHelpWidth: () => 100,
      getErrHelpWidth: () => 100,
    });
  try {
    command.parse(words, { from: "user" });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    if (error.exitCode === 0) return { text: shown, error: false };
    return usageError((complaint || error.message).replace(/^error: /, ""));
  }
  return undefined;
}

/** Declares `--help`. */
export function withHelp(command: Command): Command {
  return command.helpOption("-h, --help", "print this help");
}

export function usageError(text: string): Shown {
  return { text: `${text.trimEnd()}\n(--help lists the options)`, error: true };
}

/** What is wrong if a file would be read twice. */
export function repeatedFile(files: readonly string[]): Shown | undefined {
  const repeated = files.find((file, index) => files.indexOf(file) < index);
  return repeated === undefined
    ? undefined
    : usageError(`${repeated === "-" ? "standard input" : JSON.stringify(repeated)} is given twice`);
}

/** Takes an option that may be given several times. */
export function several(word: string, before: readonly string[] | undefined): readonly string[] {
  return [...(before ?? []), word];
}

/** Takes a whole number within bounds, both included; `what` is for the complaint. */
export function wholeNumber(least: number, most: number, what = "a whole number"): (text: string) => number {
  return (text) => {
    // No more digits than a double holds exactly.
    const value = /^[0-9]{1,15}$/.test(text) ? Number(text) : NaN;
    if (!(value >= least && value <= most)) throw new InvalidArgumentError(`it must be ${what} from ${least} to ${most}`);
    return value;
  };
}

const unitSeconds: Readonly<Record<string, number>> = { w: 604800, d: 86400, h: 3600, m: 60, s: 1 };

/** Takes a duration such as `30d`, `12h30m` or `90s`; the value is in whole seconds, from 1 to `most`. */
export function duration(most: number): (text: string) => number {
  return (text) => {
    const parts = /^(?:\d{1,10}[wdhms])+$/.test(text) ? [...text.matchAll(/(\d+)([wdhms])/g)] : [];
    const seconds = parts.reduce((sum, [, count, unit]) => sum + Number(count) * unitSeconds[unit!]!, 0);
    if (seconds < 1 || seconds > most) {
      throw new InvalidArgumentError(`it must be a duration such as 30d, 12h, 90m or 1d12h, and ${Math.floor(most / 86400)}d at most`);
    }
    return seconds;
  };
}

/** Seeds of the generators of chance: what all of them take. */
export const largestSeed = 0x7fff_ffff;
