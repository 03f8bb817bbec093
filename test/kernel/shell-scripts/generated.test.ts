/**
 * Scripts at random, read without running them and run by bash: the rulesets are equal, or the script was refused. `SCRIPTS=10000` tries
 * more than the usual number, `SCRIPTS_SEED` others, `SCRIPTS_FAULTS=DIR` keeps those that differ.
 */

import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it } from "vitest";

import { effectOf } from "../../../src/diagnostic.js";
import { printRuleset } from "../../../src/iptables/print.js";
import { seededRandom } from "../../../src/random.js";
import { translate } from "../../../src/translate.js";
import { unshareArguments } from "../../../src/verify/namespace.js";
import { describeOnKernel } from "../requirements.js";
import { scriptAtRandom, type ScriptCase } from "./generate.js";

const count = Number(process.env["SCRIPTS"] ?? 120);
const seed = Number(process.env["SCRIPTS_SEED"] ?? 1);
/** Scripts in one namespace. */
const batch = 100;

/** Runs each script on empty tables, then loads what was read on empty tables, and saves both. */
const driver = `cd "$1"; export XTABLES_LOCKFILE="$1/lock" PATH="$1/bin:$PATH:/usr/sbin:/sbin"
clear() {
  for chain in INPUT FORWARD OUTPUT; do iptables -P $chain ACCEPT; done
  iptables -F; iptables -X
}
save() { iptables-save | grep -v '^[#*]\\|^COMMIT' | sed 's/ \\[.*//'; }
for script in *.sh; do
  clear
  ( read -r line <"\${script%.sh}.environment"; eval "$line" timeout 10 bash ./run "$script" ) >/dev/null 2>&1 </dev/null
  save >"\${script%.sh}.ran"
  [ -e "\${script%.sh}.read" ] || continue
  clear
  iptables-restore <"\${script%.sh}.read" || echo "not loaded" >>"\${script%.sh}.loaded"
  save >>"\${script%.sh}.loaded"
done
`;

interface Read {
  readonly script: ScriptCase;
  /** Undefined: refused. */
  readonly printed: string | undefined;
}

function read(script: ScriptCase): Read {
  const { iptables, diagnostics } = translate([{ file: "rules.sh", text: script.text }]);
  const isRefused = diagnostics.some(({ code }) => effectOf(code) === "invalid");
  return { script, printed: isRefused ? undefined : iptables.map((ruleset) => printRuleset(ruleset).text).join("") };
}

/** Faults, each with the script and both rulesets. */
function compare(scripts: readonly Read[], directory: string): string[] {
  mkdirSync(join(directory, "bin"));
  for (const name of ["iptables", "iptables-save", "iptables-restore"]) {
    const legacy = name.replace("iptables", "iptables-legacy");
    writeFileSync(join(directory, "bin", name), `#!/bin/sh\nexec ${legacy} "$@"\n`, { mode: 0o755 });
  }
  // The shebang counts, as it does where the script is started.
  writeFileSync(
    join(directory, "run"),
    `read -r first <"$1"; case $first in *-e) set -e ;; esac\nscript=$1; shift; set -- $ARGUMENTS; . "./$script"\n`,
  );
  const name = (index: number): string => join(directory, String(index).padStart(5, "0"));
  scripts.forEach(({ script, printed }, index) => {
    writeFileSync(`${name(index)}.sh`, script.text);
    const environment = Object.entries({ ...script.environment, ARGUMENTS: script.parameters.join(" ") });
    writeFileSync(`${name(index)}.environment`, `${environment.map(([key, value]) => `${key}='${value}'`).join(" ")}\n`);
    if (printed !== undefined) writeFileSync(`${name(index)}.read`, printed);
  });
  const done = spawnSync("unshare", [...(unshareArguments() ?? []), "bash", "-c", driver, "driver", directory], { encoding: "utf8" });
  expect(done.status, done.stderr).toBe(0);
  return scripts.flatMap(({ script, printed }, index) => {
    if (printed === undefined) return [];
    const [ran, loaded] = ["ran", "loaded"].map((suffix) => readFileSync(`${name(index)}.${suffix}`, "utf8"));
    return ran === loaded
      ? []
      : [
          `${script.text}\n# with ${JSON.stringify(script.environment)} ${script.parameters.join(" ")}\n--- bash\n${ran}--- read\n${loaded}`,
        ];
  });
}

describeOnKernel("scripts at random", () => {
  it("are read as bash runs them, or refused", { timeout: 120_000 + count * 2_000 }, () => {
    const random = seededRandom(seed);
    const all = Array.from({ length: count }, () => read(scriptAtRandom(random)));
    const faults: string[] = [];
    for (let start = 0; start < all.length; start += batch) {
      const directory = mkdtempSync(join(tmpdir(), "scripts-"));
      try {
        faults.push(...compare(all.slice(start, start + batch), directory));
      } finally {
        rmSync(directory, { recursive: true });
      }
    }
    const kept = process.env["SCRIPTS_FAULTS"];
    if (kept !== undefined) {
      mkdirSync(kept, { recursive: true });
      faults.forEach((fault, index) => writeFileSync(join(kept, `${index}.txt`), fault));
    }
    const carried = all.filter(({ printed }) => printed !== undefined).length;
    console.info(`${count} scripts, ${carried} carried over, ${faults.length} faults`);
    expect(faults.slice(0, 3)).toEqual([]);
    // A reader that refuses all is right and of no use.
    expect(carried).toBeGreaterThan(count / 10);
  });
});
