/** What the laboratory gives to iptables and ipset is written anew: it must load as what was read does. */

import { readFileSync } from "node:fs";
import { basename, join } from "node:path";
import { describe, expect, it } from "vitest";

import { translate } from "../../src/translate.js";
import { printRuleset, unprintable } from "../../src/iptables/print.js";
import { IpsetReader } from "../../src/ipset/read-ipsets.js";
import { runInNamespace, withFiles } from "../../src/verify/namespace.js";
import { corpusDirectory, readCases } from "../corpus/cases.js";
import { describeOnKernel } from "./requirements.js";

interface Pair {
  readonly path: string;
  readonly family: string;
  readonly original: string;
  readonly printed: string;
  readonly sets: string;
  readonly printedSets: string;
}

/** Every dump of the corpus of which all rules can be written. */
function pairs(): { readonly pairs: readonly Pair[]; readonly unprintable: number } {
  let left = 0;
  const found = readCases().flatMap(({ files }) =>
    files.sources
      .filter((path) => !path.endsWith(".sh"))
      .flatMap((path): Pair[] => {
        const original = readFileSync(join(corpusDirectory, path), "utf8");
        const { iptables, script } = translate([{ file: basename(path), text: original }], {});
        if (script === undefined || iptables.length !== 1) return [];
        const rules = iptables.flatMap(({ tables }) => tables.flatMap(({ chains }) => chains.flatMap((chain) => chain.rules)));
        if (rules.some((rule) => unprintable(rule) !== undefined)) {
          left += 1;
          return [];
        }
        const sets = files.ipsets === undefined ? "" : readFileSync(join(corpusDirectory, files.ipsets), "utf8");
        const reader = new IpsetReader(true);
        reader.readFile("sets", sets);
        const [ruleset] = iptables;
        const printedSets = reader.restorable.map((line) => `${line}\n`).join("");
        return [{ path, family: ruleset!.family, original, printed: printRuleset(ruleset!).text, sets, printedSets }];
      }),
  );
  return { pairs: found, unprintable: left };
}

const script = `cd "$(dirname "$0")"
one() {
  if [ -s "$1.sets" ]; then ipset restore <"$1.sets" || { echo refused; return; }; fi
  $2-legacy-restore <"$1" || { echo refused; return; }
  $2-legacy-save | grep -v '^#'
  ipset save | sed 's/ comment "[^"]*"//; s/initval [^ ]*//; s/timeout [1-9][0-9]*$//' | sort
}
export -f one
while read -r number iptables; do
  for which in original printed; do
    # What iptables does not load is none of this test's.
    if [ $which = printed ] && grep -qx refused "$number.original.saved"; then continue; fi
    unshare --net bash -c 'one "$1" "$2"' bash "$number.$which" "$iptables" >"$number.$which.saved" 2>/dev/null
  done
  grep -qx refused "$number.original.saved" && continue
  echo "loaded $number"
  if ! cmp -s "$number.original.saved" "$number.printed.saved"; then
    echo "differs $number"; diff "$number.original.saved" "$number.printed.saved"
  fi
done <list
`;

(process.getuid?.() === 0 ? describeOnKernel : describe.skip)("what is written from the AST", () => {
  it("loads as the dump itself does, for the corpus", { timeout: 400_000 }, async () => {
    const whole = process.env["CORPUS_LOADS"] === "all";
    const { pairs: every, unprintable: left } = pairs();
    const all = every.filter((_, index) => whole || index % 3 === 2);
    const files = Object.fromEntries(
      all.flatMap((pair, index) => [
        [`${index}.original`, pair.original],
        [`${index}.printed`, pair.printed],
        [`${index}.original.sets`, pair.sets],
        [`${index}.printed.sets`, pair.printedSets],
      ]),
    );
    const list = all.map(({ family }, index) => `${index} ${family === "ipv4" ? "iptables" : "ip6tables"}\n`).join("");
    const { status, stdout, stderr } = await withFiles({ ...files, list, "compare.sh": script }, (directory) =>
      runInNamespace(join(directory, "compare.sh"), 380),
    );
    expect(status, stderr).toBe(0);
    const lines = stdout.split("\n");
    const different = lines.map((line) => (line.startsWith("differs ") ? `${line} ${all[Number(line.slice(8))]!.path}` : line));
    expect(different.filter((line) => line !== "" && !line.startsWith("loaded ")).join("\n")).toBe("");
    expect(lines.filter((line) => line.startsWith("loaded ")).length).toBeGreaterThan(whole ? 400 : 130);
    expect(left).toBeLessThan(100);
  });
});
