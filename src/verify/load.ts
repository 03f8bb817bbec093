/** Loads scripts with `nft -f`, each twice in a row, in a network namespace that no one else sees. */

import { join } from "node:path";
import { readFile } from "node:fs/promises";

import { runInNamespace, withFiles } from "./namespace.js";

export interface LoadResult {
  /** Both loads succeeded. */
  readonly loaded: boolean;
  /** What nft said, at the first load or else at the second; empty when it had nothing to say. */
  readonly messages: string;
  /** `nft list ruleset` after each load; the second is empty when the first failed. */
  readonly first: string;
  readonly second: string;
}

export interface LoadOptions {
  /** Loaded with nft once before the script, to show what the script leaves alone. */
  readonly before?: string;
  /** A shell command between the two loads. */
  readonly between?: string;
}

/** Loads one script twice. */
export async function loadTwice(script: string, options: LoadOptions = {}): Promise<LoadResult> {
  const [result] = await loadAllTwice([script], options);
  return result!;
}

/** Seconds for one script; a ruleset of many thousand rules lists slowly. */
const allowance = 30;

/** A commit waits for the kernel more than it computes, so several namespaces at once finish sooner. */
const namespaces = 4;

/** Loads many scripts, each into an empty ruleset; the results are in the order given. */
export async function loadAllTwice(scripts: readonly string[], options: LoadOptions = {}): Promise<LoadResult[]> {
  const share = Math.ceil(scripts.length / namespaces);
  const shares = Array.from({ length: namespaces }, (_, index) => scripts.slice(index * share, (index + 1) * share));
  return (await Promise.all(shares.filter((part) => part.length > 0).map((part) => loadInOneNamespace(part, options)))).flat();
}

async function loadInOneNamespace(scripts: readonly string[], { before, between }: LoadOptions): Promise<LoadResult[]> {
  const names = scripts.map((_, index) => String(index));
  const files = {
    ...Object.fromEntries(scripts.map((script, index) => [`${index}.nft`, script])),
    "before.nft": before ?? "",
    "load.sh": `cd "$(dirname "$0")"
for script in ${names.join(" ")}; do
  nft flush ruleset
  ${before === undefined ? "" : "nft -f - <before.nft || exit"}
  : >$script.messages; : >$script.first; : >$script.second
  nft -f - <$script.nft >$script.messages 2>&1 || continue
  nft list ruleset | sed "s/ expires [0-9a-z]*//g" >$script.first
  ${between ?? ""}
  nft -f - <$script.nft >>$script.messages 2>&1 || continue
  nft list ruleset | sed "s/ expires [0-9a-z]*//g" >$script.second
  : >$script.loaded
done
`,
  };
  return withFiles(files, async (directory) => {
    const { status, stdout, stderr } = await runInNamespace(join(directory, "load.sh"), allowance + scripts.length * 2);
    if (status === null) throw new Error(`the scripts were not loaded: ${stderr}${stdout}`);
    const read = (name: string): Promise<string> => readFile(join(directory, name), "utf8");
    return Promise.all(
      names.map(
        async (name): Promise<LoadResult> => ({
          loaded: await read(`${name}.loaded`).then(
            () => true,
            () => false,
          ),
          messages: (await read(`${name}.messages`)).replaceAll("/dev/stdin", "script.nft"),
          first: await read(`${name}.first`),
          second: await read(`${name}.second`),
        }),
      ),
    );
  });
}
