/** The actions of examples/fail2ban, by fail2ban itself: skipped, and its title says so, where it is not installed. */

import { readFileSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";

import { translate } from "../../src/index.js";
import { findProgram, runProgram } from "../../src/run-program.js";
import { runInNamespace, withFiles } from "../../src/verify/namespace.js";
import { missingRequirement } from "./requirements.js";

const missing = findProgram("fail2ban-server") === undefined ? "not installed: fail2ban" : missingRequirement;

const rules = ["sshd", "web"].map((name) => `-A INPUT -m recent --update --seconds 3600 --name f2b-${name} -j REJECT\n`).join("");
const dump = `*filter\n:INPUT ACCEPT [0:0]\n:FORWARD ACCEPT [0:0]\n:OUTPUT ACCEPT [0:0]\n${rules}COMMIT\n`;
const dump6 = dump.replaceAll("f2b-sshd", "f2b-sshd6").replaceAll("f2b-web", "f2b-web6");

const jail = (name: string, action: string): string => `[${name}]
enabled = true
filter = failures
backend = polling
logpath = auth.log
maxretry = 3
findtime = 600
bantime = 3600
allowipv6 = true
action = ${action}
`;

const lab = (command: string): string => `set -eE
trap 'echo "failed: $BASH_COMMAND" >&2; cat f2b.log >&2 || true' ERR
cd "$(dirname "$0")"
here=$PWD
ip link set lo up
nft -f script.nft
lists() { ${command} lists "$@"; }
printf '#!/bin/sh\\nexec ${command} "$@"\\n' > ipt2nft-recent; chmod 755 ipt2nft-recent
mkdir -p f2b/action.d f2b/filter.d f2b/jail.d
mv *.conf f2b/action.d
printf '[Definition]\\nloglevel = INFO\\nlogtarget = %s/f2b.log\\nsyslogsocket = auto\\nsocket = %s/f2b.sock\\npidfile = %s/f2b.pid\\ndbfile = None\\ndbpurgeage = 1d\\n' "$here" "$here" "$here" > f2b/fail2ban.conf
printf '[Definition]\\nfailregex = ^ failure from <HOST>$\\n' > f2b/filter.d/failures.conf
sed "s#auth.log#$here/auth.log#; s#=/run/xt_recent#=$here/pipes#; s#command=ipt2nft-recent#command=$here/ipt2nft-recent#" jails > f2b/jail.conf
touch auth.log
mkdir -m 755 pipes
${command} lists pipes pipes 2> pipes.log & pipes=$!
for i in $(seq 100); do [ -p pipes/f2b-sshd ] && break; sleep 0.1; done
client() { fail2ban-client -c f2b -s "$here/f2b.sock" -p "$here/f2b.pid" "$@"; }
client start >/dev/null
state() { for list in f2b-sshd f2b-web f2b-sshd6 f2b-web6; do echo "$1 $list: $(lists show $list --format json | sed -n 's/.*"address": "\\(.*\\)",/\\1/p' | tr '\\n' ' ')"; done; }
held() { lists show "$1" | grep -qF "$2"; }
until_held() { for i in $(seq 60); do held "$1" "$2" && return; sleep 0.3; done; echo "never on $1: $2" >&2; false; }
until_gone() { for i in $(seq 60); do held "$1" "$2" || return 0; sleep 0.3; done; echo "still on $1: $2" >&2; false; }
for host in 192.0.2.7 2001:db8::7 198.51.100.8; do for i in 1 2 3; do echo "$(date '+%Y-%m-%d %H:%M:%S') failure from $host" >> auth.log; done; done
until_held f2b-sshd 192.0.2.7; until_held f2b-web 198.51.100.8; until_held f2b-sshd6 2001:db8::7; until_held f2b-web6 2001:db8::7
state banned
client set sshd unbanip 192.0.2.7 >/dev/null; client set web unbanip 2001:db8::7 >/dev/null
until_gone f2b-sshd 192.0.2.7; until_gone f2b-web6 2001:db8::7
state unbanned
client unban --all >/dev/null
until_gone f2b-sshd 198.51.100.8; until_gone f2b-web 192.0.2.7; until_gone f2b-sshd6 2001:db8::7
state flushed
client set sshd banip 203.0.113.1 >/dev/null; until_held f2b-sshd 203.0.113.1
client stop >/dev/null
until_gone f2b-sshd 203.0.113.1
state stopped
kill $pipes; wait $pipes
echo "left: $(ls pipes)"
grep -c ERROR f2b.log || true
`;

const action = (name: string): string => readFileSync(new URL(`../../examples/fail2ban/action.d/${name}.conf`, import.meta.url), "utf8");

describe.skipIf(missing !== undefined)(`fail2ban${missing === undefined ? "" : ` (skipped: ${missing})`}`, () => {
  it("bans, lets go, flushes and stops by pipes and directly, in both families", async () => {
    const { script } = translate([
      { file: "v4", text: dump, family: "ipv4" },
      { file: "v6", text: dump6, family: "ipv6" },
    ]);
    const files = {
      "script.nft": script!,
      "ipt2nft-recent.conf": action("ipt2nft-recent"),
      "ipt2nft-recent-direct.conf": action("ipt2nft-recent-direct"),
      jails: `${jail("sshd", "ipt2nft-recent[name=sshd, pipes=/run/xt_recent]")}\n${jail("web", "ipt2nft-recent-direct[name=web, command=ipt2nft-recent]")}`,
    };
    await withFiles(files, async (directory) => {
      const built = await runProgram({
        program: "node",
        arguments: ["build.js", "--directory", join(directory, "command"), "--no-types"],
        seconds: 100,
        mostOutput: 1 << 20,
      });
      expect(built).toMatchObject({ kind: "ended", status: 0 });
      await writeFile(join(directory, "lab.sh"), lab(`${process.execPath} ${join(directory, "command", "ipt2nft-recent.js")}`));
      const { status, stdout, stderr } = await runInNamespace(join(directory, "lab.sh"), 110);
      expect(status, stderr).toBe(0);
      expect(stdout.trim().split("\n")).toEqual([
        "banned f2b-sshd: 192.0.2.7 198.51.100.8 ",
        "banned f2b-web: 192.0.2.7 198.51.100.8 ",
        "banned f2b-sshd6: 2001:db8::7 ",
        "banned f2b-web6: 2001:db8::7 ",
        "unbanned f2b-sshd: 198.51.100.8 ",
        "unbanned f2b-web: 192.0.2.7 198.51.100.8 ",
        "unbanned f2b-sshd6: 2001:db8::7 ",
        "unbanned f2b-web6: ",
        ...["flushed", "stopped"].flatMap((state) => ["f2b-sshd", "f2b-web", "f2b-sshd6", "f2b-web6"].map((list) => `${state} ${list}: `)),
        "left: ",
        "0",
      ]);
    });
  });
});
