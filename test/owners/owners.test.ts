import { readFileSync } from "node:fs";
import { expect, it } from "vitest";

import { readSaved } from "../../src/cutover/saved-rules.js";
import { ownerOf, owners } from "../../src/owners/owners.js";

/** Whose rules a machine of the corpus has, with how many. */
function tally(machine: string): Record<string, number> {
  const count: Record<string, number> = {};
  for (const { rules } of readSaved(readFileSync(`corpus/machine/${machine}/rules.v4`, "utf8"))) {
    for (const rule of rules) {
      const { name } = ownerOf(rule) ?? {};
      if (name !== undefined) count[name] = (count[name] ?? 0) + 1;
    }
  }
  return count;
}

it("recognises the programs of the corpus by their rules, and nobody where there is none", () => {
  expect(Object.keys(tally("docker-host"))).toContain("Docker");
  expect(Object.keys(tally("fail2ban"))).toEqual(["fail2ban"]);
  expect(Object.keys(tally("kube-proxy-session-affinity"))).toEqual(["kube-proxy"]);
  expect(Object.keys(tally("ufw"))).toEqual(["ufw"]);
  expect(tally("web-server")).toEqual({});
  expect(tally("mail-server")).toEqual({});
});

it.each([
  ["-A PREROUTING -m addrtype --dst-type LOCAL -j DOCKER", "Docker"],
  ["-A POSTROUTING -s 172.18.0.0/16 ! -o br-0123456789ab -j MASQUERADE", "Docker"],
  ["-A POSTROUTING -s 10.88.0.0/16 -j NETAVARK-1D8721804F16F", "Podman"],
  ["-A INPUT -j cali-INPUT", "Calico"],
  ["-A INPUT -j CILIUM_INPUT", "Cilium"],
  ["-A LIBVIRT_INP -i virbr0 -p udp -m udp --dport 53 -j ACCEPT", "libvirt"],
  ['-A INPUT -i lxdbr0 -p tcp -m tcp --dport 53 -m comment --comment "generated for LXD network lxdbr0" -j ACCEPT', "LXD"],
  ["-A INPUT -p tcp -m multiport --dports 22 -m set --match-set f2b-sshd src -j REJECT", "fail2ban"],
  ["-A INPUT -j INPUT_direct", "firewalld"],
  ["-A INPUT_ZONES -g IN_public", "firewalld"],
  ["-A INPUT -j ts-input", "Tailscale"],
  ['-A PREROUTING -m comment --comment "wg-quick(8) rule for wg0" -j DROP', "wg-quick"],
  ["-A INPUT -j sshguard", "sshguard"],
  ["-A INPUT -m set --match-set crowdsec-blacklists-0 src -j DROP", "CrowdSec"],
  ["-A INPUT -i br-lan -j ACCEPT", undefined],
  ['-A INPUT -m comment --comment "before -j DOCKER" -j ACCEPT', undefined],
])("knows whose %s is", (rule, name) => {
  expect(ownerOf(rule)?.name).toBe(name);
});

it("names no process twice, and none longer than the kernel keeps but cut there", () => {
  const processes = owners.flatMap(({ processes: names }) => names.map((name) => name.slice(0, 15)));
  expect(new Set(processes).size).toBe(processes.length);
});
