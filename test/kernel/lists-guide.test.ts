/** Every command of docs/lists.md, on a firewall of its own. */

import { readFileSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { beforeAll, expect, it } from "vitest";

import { translate } from "../../src/index.js";
import { runProgram } from "../../src/run-program.js";
import { runInNamespace, withFiles } from "../../src/verify/namespace.js";
import { describeOnKernel } from "./requirements.js";

const guide = readFileSync(new URL("../../docs/lists.md", import.meta.url), "utf8");

/** Lines of code that are commands, as they stand. */
const commands = guide.split("\n").flatMap((line) => /^ {4}((?:ipt2nft-recent|ssh) .*)$/.exec(line)?.[1] ?? []);

/** What the page shows of the output of these, but for the times. */
const shown = new Map(
  ["ipt2nft-recent lists", "ipt2nft-recent lists show SSH"].map((command) => {
    const [, behind = ""] = guide.split(`    ${command}\n\n`);
    return [command, withoutTimes((/^(?: {4}.*\n)+/.exec(behind)?.[0] ?? "").replace(/^ {4}/gm, ""))];
  }),
);

function withoutTimes(text: string): string {
  return text.replace(/[0-9]+\.[0-9] s\b/g, "N s").replace(/ +/g, " ");
}

/** Commands that go on until they are stopped: they get a second or two. */
const goesOn = /lists (?:watch|pipes|serve)/;

/** What is not run, and why. */
const notRun = new Map([["ssh -L 8323:127.0.0.1:8323 firewall.example.net", "there is no such machine"]]);

const dump = `*filter
:INPUT ACCEPT [0:0]
:FORWARD ACCEPT [0:0]
:OUTPUT ACCEPT [0:0]
-A INPUT -p tcp -m tcp --dport 22 -m recent --set --name SSH
-A INPUT -p tcp -m tcp --dport 22 -m recent --update --seconds 60 --hitcount 4 --name SSH -j DROP
-A INPUT -m recent --rcheck --name BAD -j DROP
COMMIT
`;

const output = new Map<string, { status: number; text: string }>();

describeOnKernel("docs/lists.md", () => {
  beforeAll(async () => {
    const { script } = translate(dump, { family: "ipv4" });
    await withFiles({ dump, "script.nft": script! }, async (directory) => {
      const build = await runProgram({
        program: "node",
        arguments: ["build.js", "--directory", join(directory, "command"), "--no-types"],
        seconds: 100,
        mostOutput: 1 << 20,
      });
      expect(build).toMatchObject({ kind: "ended", status: 0 });
      const lines = commands
        .filter((command) => !notRun.has(command))
        .map((command) => {
          // Files of the machine are those of a folder here.
          const here = command.replaceAll(/(\/var\/tmp|\/var\/log|\/etc|\/run)\//g, "./machine/");
          const run = goesOn.test(command) ? `timeout -s INT 2 ${here} 2>&1` : `${here} 2>&1`;
          return `echo '==> ${command}'; status=0; ${run} || status=$?; echo "<== $status"`;
        });
      const lab = `set -e
cd "$(dirname "$0")"
ipt2nft-recent() { ${process.execPath} command/ipt2nft-recent.js "$@"; }
export -f ipt2nft-recent
timeout() { command timeout "$1" "$2" "$3" ${process.execPath} command/ipt2nft-recent.js "\${@:5}"; }
ip link set lo up
# The firewall of before, of which the lists are taken over.
iptables-legacy-restore < dump
echo +192.0.2.99 > /proc/net/xt_recent/SSH
nft -f script.nft
mkdir -m 700 machine; mkdir -m 755 machine/xt_recent
echo correct-horse-battery > machine/ipt2nft-recent.token; chmod 600 machine/ipt2nft-recent.token
{ ipt2nft-recent lists add SSH --hits 4 192.0.2.7; ipt2nft-recent lists add SSH 198.51.100.9; ipt2nft-recent lists add BAD 203.0.113.5; }
${lines.join("\n")}
# Some who write without an end, and somebody else.
${process.execPath} command/ipt2nft-recent.js lists pipes pipes 2> flood & pipes=$!
for i in $(seq 600); do [ -p pipes/SSH ] && [ -p pipes/BAD ] && break; sleep 0.1; done
command timeout 2 sh -c 'yes +192.0.2.66 > pipes/SSH' &
command timeout 2 sh -c 'tr "\\0" x < /dev/zero > pipes/SSH' &
sleep 1
echo +203.0.113.66 > pipes/BAD
for i in $(seq 100); do nft list table ip ipt2nft | grep -qF 203.0.113.66 && break; sleep 0.1; done
echo "==> flood"; cat flood; echo "<== $((i < 100))"
kill -9 $pipes
`;
      await writeFile(join(directory, "lab.sh"), lab);
      const { status, stdout, stderr } = await runInNamespace(join(directory, "lab.sh"), 110);
      expect(status, stderr).toBe(0);
      for (const [, command, text, code] of stdout.matchAll(/^==> (.*)\n([\s\S]*?)^<== (\d+)$/gm))
        output.set(command!, { status: Number(code), text: text! });
    });
  });

  it("has commands", () => {
    expect(commands.length).toBeGreaterThan(15);
    for (const command of notRun.keys()) expect(commands).toContain(command);
  });

  it.each(commands.filter((command) => !notRun.has(command)))("%s", (command) => {
    const { status, text } = output.get(command)!;
    // `timeout` says so of what it has stopped, unless that ended by itself.
    expect(goesOn.test(command) ? [0, 124].includes(status) : status === 0, `${status}: ${text}`).toBe(true);
    expect(text).not.toMatch(/error|warning/);
    if (shown.has(command)) expect(withoutTimes(text)).toBe(shown.get(command));
  });

  it("hears a pipe while another is written to without an end", () => {
    const { status, text } = output.get("flood")!;
    expect(status, text).toBe(1);
  });

  it("takes over what xt_recent holds", () => {
    expect(output.get("ipt2nft-recent lists import /proc/net/xt_recent")).toEqual({ status: 0, text: "" });
  });
});
