/** Rules that iptables does not load on this kernel: a module is missing, or a set. */

import { join } from "node:path";

import type { Family } from "../iptables/ast.js";
import { restoreCommand, type IptablesVariant } from "./lab-script.js";
import { runInNamespace, withFiles } from "./namespace.js";
import { Unable } from "./tools.js";

/** Seconds; a ruleset of thousands of rules is loaded rule by rule if it does not load as a whole. */
const allowance = 300;

/** Numbers of the lines, from 1. Throws `Unable` if not even the chains load. */
export async function unloadableLines(
  dump: string,
  family: Family,
  variant: IptablesVariant,
  ipsets = "",
  signal?: AbortSignal,
): Promise<ReadonlySet<number>> {
  const restore = restoreCommand(family, variant);
  const script = `cd "$(dirname "$0")"
[ ! -s sets ] || ipset restore <sets || exit 1
${restore} <dump 2>/dev/null && exit 0
table= number=0
while IFS= read -r line; do [[ $line == [-[]* ]] || printf '%s\\n' "$line"; done <dump >skeleton
${restore} <skeleton || exit 1
while IFS= read -r line; do
  number=$((number + 1))
  case "$line" in
    \\**) table=$line;;
    -*|\\[*) printf '%s\\n%s\\nCOMMIT\\n' "$table" "$line" | ${restore} --noflush 2>/dev/null || echo $number;;
  esac
done <dump
`;
  return withFiles({ dump: dump.endsWith("\n") ? dump : `${dump}\n`, sets: ipsets, "check.sh": script }, async (directory) => {
    const { status, stdout, stderr } = await runInNamespace(join(directory, "check.sh"), allowance, signal && { signal });
    signal?.throwIfAborted();
    if (status !== 0) throw new Unable(`${restore} loads not even the chains: ${stderr.trim()}`);
    return new Set(
      stdout
        .split("\n")
        .filter((line) => line !== "")
        .map(Number),
    );
  });
}

/** What nft says to the script in an empty namespace; empty if it loads. A script from elsewhere must have passed `scriptFault`. */
export async function nftComplaint(script: string, signal?: AbortSignal): Promise<string> {
  return withFiles({ "check.sh": "nft -c -f - 2>&1" }, async (directory) => {
    const { status, stdout, stderr } = await runInNamespace(join(directory, "check.sh"), allowance, {
      // The last line of a comment ends, too.
      input: `${script}\n`,
      ...(signal && { signal }),
    });
    signal?.throwIfAborted();
    return status === 0 ? "" : `${stdout}${stderr}`.trim() || "nft failed";
  });
}
