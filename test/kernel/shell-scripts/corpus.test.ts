/** Scripts of the corpus run by a shell: what iptables-save prints then becomes the same nft rules as the script itself. */

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { spawnSync } from "node:child_process";
import { expect, it } from "vitest";

import { translate } from "../../../src/index.js";
import { readCases } from "../../corpus/cases.js";
import { unshareArguments } from "../../../src/verify/namespace.js";
import { describeOnKernel } from "../requirements.js";

/** Both programs by the names that the legacy ones have here, without the rights of others and without paths. */
const prelude = `export XTABLES_LOCKFILE=/dev/null PATH="$PATH:/usr/sbin:/sbin"
iptables() { iptables-legacy "$@"; }
ip6tables() { ip6tables-legacy "$@"; }
iptables-save() { :; }
modprobe() { :; }
sudo() { while [ "\${1#-}" != "$1" ]; do shift; done; "$@"; }
`;
const marker = "==== save ====";

const scripts = readCases().filter(({ group, sources }) => group === "script" && sources[0]?.text.includes("ipset") === false);

/** nft lines without comments, and without the numbers of lines in names. */
function rules(script: string | undefined): string {
  return (script ?? "")
    .split("\n")
    .filter((line) => !line.trim().startsWith("#"))
    .join("\n")
    .replace(/_line_[0-9]+/g, "_line");
}

describeOnKernel("scripts and the shell", () => {
  it.each(scripts.map(({ name, directory }) => ({ name, directory })))("$name", ({ directory }) => {
    const text = readFileSync(join(directory, "rules.sh"), "utf8");
    // A loaded rule of a match the kernel lacks would fail; such lines are of no use here.
    const runnable = text
      .replace(/(?:\/usr)?\/s?bin\/(?=ip6?tables)/g, "")
      .replace(/^echo 1 > .*$/gm, "")
      .replace(/^iptables-save.*$/gm, "")
      .replace(/^exit.*[\s\S]*/m, "")
      .replace(/^PATH=.*$/gm, "");
    const done = spawnSync(
      "unshare",
      [
        ...(unshareArguments() ?? []),
        "bash",
        "-c",
        `${prelude}\n(\n${runnable}\n) >/dev/null
echo "${marker}"; iptables-legacy-save; echo "${marker}"; ip6tables-legacy-save`,
      ],
      { encoding: "utf8" },
    );
    const [, v4 = "", v6 = ""] = done.stdout.split(`${marker}\n`);
    const dumps = [
      { file: "rules.v4", text: v4, family: "ipv4" as const },
      { file: "rules.v6", text: v6, family: "ipv6" as const },
    ].filter(({ text: dump }) => dump.includes("*"));
    expect(dumps.length, done.stderr).toBeGreaterThan(0);
    expect(rules(translate([{ file: "rules.sh", text }]).script)).toBe(rules(translate(dumps).script));
  });
});
