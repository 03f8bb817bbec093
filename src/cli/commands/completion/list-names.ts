/** The names of the lists of the firewall that runs, for a shell that asks while somebody types. */

import { existsSync, readFileSync } from "node:fs";
import { release } from "node:os";
import { Failure } from "../../../failure.js";
import { usualTable } from "../lists/options.js";
import { namesOfLists } from "../lists/kernel.js";

/** Seconds: nobody waits longer for a name. */
const patience = 2;

/**
 * The names that can stand on one line. Nothing is said, and there are none, where the firewall cannot be read: for users other than
 * root, and where there is no such table.
 * @param words those of the command line in front of the one that is completed; `--table` and `--script` are heard
 */
export async function namesOfRunningLists(words: readonly string[]): Promise<readonly string[]> {
  if (process.geteuid?.() !== 0 || !knowsNft()) return [];
  try {
    const names = await namesOfLists({ table: valueOf("--table", words) ?? usualTable, script: valueOf("--script", words) }, patience);
    return names.filter((name) => !/[\p{C}\u2028\u2029]/u.test(name));
  } catch (error) {
    if (error instanceof Failure) return [];
    throw error;
  }
}

/** The value that an option has last. */
function valueOf(option: string, words: readonly string[]): string | undefined {
  const values = words.flatMap((word, index) => {
    if (word === option) return words[index + 1] === "=" ? (words[index + 2] ?? []) : (words[index + 1] ?? []);
    return word.startsWith(`${option}=`) ? word.slice(option.length + 1) : [];
  });
  return values.at(-1);
}

/** Whether nf_tables is in the kernel already: asking nft would load the module, and completing a word must change nothing. */
function knowsNft(): boolean {
  // A kernel without modules has everything from the beginning.
  if (!existsSync("/proc/modules") || existsSync("/sys/module/nf_tables")) return true;
  try {
    return readFileSync(`/lib/modules/${release()}/modules.builtin`, "utf8").includes("/nf_tables.ko");
  } catch {
    return false;
  }
}
