/** Scripts as people have them: what `capture` prints is what a shell and iptables make of them in a network namespace. */

import { spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";

import { translate } from "../../src/translate.js";
import { CaptureCommand, plainRules } from "./capture-command.js";
import { describeOnKernel } from "./requirements.js";

const folder = resolve("test/kernel/scripts");
const scripts = readdirSync(folder).sort();

/**
 * Nothing of `capture` is in here: legacy iptables by all names, programs that do nothing, the same interfaces.
 * /etc and the rest are the machine's, which the scripts leave alone (test/kernel/scripts).
 */
const bare = String.raw`
multi=$(readlink -f "$(command -v iptables-legacy)")
for name in iptables ip6tables iptables-restore ip6tables-restore iptables-save ip6tables-save; do
  target=$(readlink -f "$(command -v $name)")
  [ "$target" = "$multi" ] || mount --bind "$multi" "$target"
done
mount -t tmpfs tmpfs /run && mount -t tmpfs tmpfs /var/lib
mkdir /run/bin && PATH=/run/bin:$PATH
for name in modprobe depmod insmod sysctl tc logger; do printf '#!/bin/sh\n' >/run/bin/$name; chmod 755 /run/bin/$name; done
ip link set lo up
for name in eth0 eth1; do ip link add $name type veth peer name peer-$name; ip link set peer-$name up; done
unshare --net=/run/peers true 2>/dev/null || { : >/run/peers; unshare --net=/run/peers true; }
for name in eth0 eth1; do nsenter --net=/run/peers sleep 30 & pid=$!; sleep 0.1; ip link set peer-$name netns $pid; done
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

describeOnKernel("capture of scripts", () => {
  let command: CaptureCommand;
  let work: string;
  beforeAll(() => {
    command = new CaptureCommand();
    work = mkdtempSync(join(tmpdir(), "capture-scripts-"));
    writeFileSync(join(work, "bare.sh"), bare);
  });
  afterAll(() => {
    command.remove();
    rmSync(work, { recursive: true });
  });

  it("has more than 25 scripts", () => expect(scripts.length).toBeGreaterThan(25));

  it.each(scripts)("%s", { timeout: 120_000 }, (name) => {
    const path = join(folder, name);
    const { output, error } = command.run([
      ...["--no-machine-interfaces", "--interface", "eth0=192.0.2.1/24"],
      ...["--interface", "eth1=198.51.100.129/25,2001:db8::1/64", "--", "bash", path],
    ]);
    const alone = spawnSync("unshare", ["-rnm", "--pid", "--fork", "--kill-child", "--mount-proc", "bash", join(work, "bare.sh"), path], {
      encoding: "utf8",
      timeout: 60_000,
    });
    expect(plainRules(output), error).toEqual(plainRules(alone.stdout));
    expect(plainRules(output).join("\n"), alone.stderr).toContain("*");
    expect(translate([{ file: name, text: output }]).outcome).not.toBe("invalid");
  });
});
