/**
 * Scripts as people have them: what `capture` prints is what a shell and iptables make of them in a network namespace, and what is read
 * without running them is the same, or refused.
 */

import { spawn } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { readCases, readExpected } from "../corpus/cases.js";
import { translate } from "../../src/translate.js";
import { writeCaptured } from "../../src/captured-file.js";
import { withInterfaces } from "../../src/cli/commands/capture/machine.js";
import { readRecentHosts } from "../../src/cli/commands/capture/recent-hosts.js";
import { runCaptured } from "../../src/cli/commands/capture/run-captured.js";
import { plainRules } from "./capture-command.js";
import { describeOnKernel } from "./requirements.js";

const scripts = readCases().filter(({ group }) => group === "script");

/**
 * Nothing of `capture` is in here: legacy iptables by all names, programs that do nothing, the same interfaces.
 * /etc and the rest are the machine's, which the scripts leave alone.
 */
const bare = String.raw`
multi=$(readlink -f "$(command -v iptables-legacy)")
for name in iptables ip6tables iptables-restore ip6tables-restore iptables-save ip6tables-save; do
  target=$(readlink -f "$(command -v $name)")
  [ "$target" = "$multi" ] || mount --bind "$multi" "$target"
done
mount -t tmpfs tmpfs /run && mount -t tmpfs tmpfs /var/lib
mkdir /run/bin /run/netns /etc/iptables 2>/dev/null; PATH=/run/bin:$PATH
! [ -d /etc/iptables ] || mount -t tmpfs tmpfs /etc/iptables
for name in modprobe depmod insmod sysctl tc logger; do printf '#!/bin/sh\n' >/run/bin/$name; chmod 755 /run/bin/$name; done
sudo() { [ "$1" != -n ] || shift; "$@"; }
export -f sudo
ip link set lo up
: >/run/netns/peers
unshare --net=/run/netns/peers ip link set lo up
for name in eth0 eth1; do
  ip link add $name type veth peer name peer-$name netns peers
  nsenter --net=/run/netns/peers ip link set peer-$name up
done
ip address add 192.0.2.1/24 dev eth0; ip address add 198.51.100.129/25 dev eth1
ip -6 address add 2001:db8::1/64 dev eth1 nodad
ip link set eth0 up; ip link set eth1 up
mount -t sysfs sysfs /sys
bash "$1" >&2
iptables-save -c; ip6tables-save -c
sets=$(ipset save -sorted); [ -z "$sets" ] || printf '%s\n' "# Sets: ipset save" "$sets"
for list in /proc/net/xt_recent/*; do
  [ ! -s "$list" ] && ! grep -q . "$list" 2>/dev/null || { echo "# Hosts of the list ${"$"}{list##*/}"; sed 's/^src=\([^ ]*\) .*/+\1/' "$list"; }
done`;

interface Ran {
  readonly output: string;
  readonly error: string;
}

function run(program: string, words: readonly string[]): Promise<Ran> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, words, { stdio: ["ignore", "pipe", "pipe"], timeout: 60_000 });
    let [output, error] = ["", ""];
    child.stdout.on("data", (piece: Buffer) => (output += piece.toString("utf8")));
    child.stderr.on("data", (piece: Buffer) => (error += piece.toString("utf8")));
    child.on("error", reject);
    child.on("close", () => resolve({ output, error }));
  });
}

/** As `capture` does where our standard input is a terminal, without a process of node for each. */
async function captureOf(path: string): Promise<Ran> {
  let error = "";
  const left = await runCaptured({
    command: ["bash", path],
    machine: withInterfaces({ interfaces: [], routes: [] }, [
      { name: "eth0", addresses: ["192.0.2.1/24"] },
      { name: "eth1", addresses: ["198.51.100.129/25", "2001:db8::1/64"] },
    ]),
    timeout: 60,
    megabytes: 64,
    environment: process.env,
    readsInput: false,
    heard: (piece) => (error += piece.toString("utf8")),
    signal: new AbortController().signal,
  });
  return { output: writeCaptured({ ...left, madeWith: "1", lists: readRecentHosts(left.lists) }), error };
}

/** Chains and sets of the script, in order of the alphabet: without comments, and without what names have of a rule's place and text. */
function nftParts(script: string | undefined): string[] {
  const lines = (script ?? "")
    .split("\n")
    .filter((line) => !line.trim().startsWith("#"))
    .join("\n")
    .replace(/_line_[0-9]+/g, "_line")
    .replace(/_[0-9a-f]{6}(?=_|\b)/g, "_hash")
    // A second or so is over when ipset prints what is left, and iptables prints that any address will do.
    .replace(/(elements = .*timeout )[0-9]+s/g, "$1some s")
    .replace(/tproxy to 0\.0\.0\.0:/g, "tproxy to :");
  return (lines.match(/^(?:add|table) .*|^\tset .*|^\tchain [^]*?\n\t\}/gm) ?? []).sort();
}

describeOnKernel("scripts", () => {
  let work: string;
  const captured = new Map<string, Ran>();
  const alone = new Map<string, Ran>();

  // All that is run is waited for here, two at a time; nothing of it keeps a processor busy.
  beforeAll(async () => {
    work = mkdtempSync(join(tmpdir(), "capture-scripts-"));
    writeFileSync(join(work, "bare.sh"), bare);
    const bareWords = ["-rnm", "--pid", "--fork", "--kill-child", "--mount-proc", "bash", join(work, "bare.sh")];
    const waiting = [...scripts];
    const worker = async (): Promise<void> => {
      for (let one = waiting.shift(); one; one = waiting.shift()) {
        const path = join(one.directory, "rules.sh");
        captured.set(one.name, await captureOf(path));
        alone.set(one.name, await run("unshare", [...bareWords, path]));
      }
    };
    await Promise.all([worker(), worker(), worker()]);
  }, 240_000);

  afterAll(() => rmSync(work, { recursive: true }));

  it("are 60", () => expect(scripts.length).toBeGreaterThanOrEqual(60));

  describe.each(scripts.map((one) => ({ name: one.name, one })))("$name", ({ name, one }) => {
    it("is captured as a shell and iptables make it", () => {
      const { output, error } = captured.get(name)!;
      expect(plainRules(output), error).toEqual(plainRules(alone.get(name)!.output));
      expect(plainRules(output).join("\n"), error).toContain("*");
      expect(translate([{ file: name, text: output }]).outcome).not.toBe("invalid");
    });

    it("is read without running it as what it makes, or refused", () => {
      const { script, outcome, diagnostics } = translate(one.sources);
      expect(script).toBe(readExpected(one).script);
      if (outcome === "invalid") expect(diagnostics.some(({ severity }) => severity === "error")).toBe(true);
      else expect(nftParts(script)).toEqual(nftParts(translate([{ file: name, text: captured.get(name)!.output }]).script));
    });
  });
});
