/** What iptables itself says of the corpus: dumps load, invalid ones do not, and the generated ones are what iptables-save prints. */

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";

import { runInNamespace, withFiles } from "../../src/verify/namespace.js";
import { corpusDirectory, readCases } from "../corpus/cases.js";
import { describeOnKernel } from "./requirements.js";

const dumps = readCases().flatMap(({ files }) =>
  files.sources.filter((path) => !path.endsWith(".sh")).map((path) => ({ path, sets: files.ipsets ?? "" })),
);
const exceptions = new Set(
  Object.keys(JSON.parse(readFileSync(join(corpusDirectory, "differs-from-iptables-restore.json"), "utf8")) as Record<string, string>),
);

/**
 * Loads every dump into a namespace of its own. Prints the paths of those that do not load, and writes into its own folder what
 * iptables-save says of the generated ones.
 */
const script = `cd ${corpusDirectory}
export directory="$(dirname "$0")"
one() {
  case $1 in *6) iptables=ip6tables-legacy;; *) iptables=iptables-legacy;; esac
  if [ -n "$2" ] && ! ipset restore <"$2" || ! $iptables-restore <"$1"; then echo "$1" >&3; return; fi
  case $1 in generated/*)
    for table in $(sed -n 's/^\\*//p' "$1"); do $iptables-save -t "$table"; done >"$directory/\${1//\\//-}";;
  esac
}
export -f one
while IFS=: read -r dump sets; do unshare --net bash -c 'one "$1" "$2"' bash "$dump" "$sets" 3>&1 >/dev/null 2>&1; done <"$directory/list"
`;

/** The dump without what is of a moment: comments and counters. */
const timeless = (dump: string): string => dump.replace(/^#.*\n/gm, "").replace(/\[\d+:\d+\]/g, "[0:0]");

async function restoreAll(): Promise<{ readonly refused: readonly string[]; readonly saved: ReadonlyMap<string, string> }> {
  const list = dumps.map(({ path, sets }) => `${path}:${sets}\n`).join("");
  return withFiles({ "restore.sh": script, list }, async (directory) => {
    const { status, stdout, stderr } = await runInNamespace(join(directory, "restore.sh"), 100);
    if (status !== 0) throw new Error(`the dumps were not loaded: ${stderr}`);
    const refused = stdout.split("\n").filter((line) => line !== "");
    const saved = dumps
      .filter(({ path }) => path.startsWith("generated/") && !refused.includes(path))
      .map(({ path }) => [path, readFileSync(join(directory, path.replaceAll("/", "-")), "utf8")] as const);
    return { refused, saved: new Map(saved) };
  });
}

// Rules that ask for users and groups name some that a user namespace does not have.
(process.getuid?.() === 0 ? describeOnKernel : describe.skip)("iptables-restore and the corpus", () => {
  it(`loads ${dumps.length} dumps but for the invalid ones, and saves the generated ones as they are`, async () => {
    const { refused, saved } = await restoreAll();
    // Some of the exceptions load where the kernel has more modules.
    const named = dumps.map(({ path }) => path).filter((path) => !exceptions.has(path));
    expect(named.filter((path) => refused.includes(path))).toEqual(named.filter((path) => path.startsWith("invalid/")));
    for (const [path, text] of saved)
      expect([path, timeless(text)]).toEqual([path, timeless(readFileSync(join(corpusDirectory, path), "utf8"))]);
    expect(saved.size).toBeGreaterThan(4);
  });
});
