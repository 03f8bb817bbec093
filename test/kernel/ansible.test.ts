/** The Ansible collection, played by ansible-playbook over ssh to namespaces. ANSIBLE_HOSTS=12 plays a dozen of them. */

import { spawnSync } from "node:child_process";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { setTimeout as delay } from "node:timers/promises";
import { afterAll, beforeAll, expect, it } from "vitest";

import { AnsibleHosts, controllerAddress, systemdHost, type TestHost } from "./ansible-hosts.js";
import { BuiltCommand } from "./cutover-machine.js";
import { describeOnKernel } from "./requirements.js";

const count = Number(process.env["ANSIBLE_HOSTS"] ?? 4);
const lost = count - 1;

/** Seconds: more than a busy machine takes from the change to the confirmation. */
const confirmWithin = 20 + 2 * count;

/** Milliseconds for each test. */
const patience = 120_000 + 15_000 * count;

const filter = (...rules: readonly string[]): string =>
  [
    "*filter",
    ":INPUT DROP [7:420]",
    ":FORWARD DROP [0:0]",
    ":OUTPUT ACCEPT [0:0]",
    ...rules.map((rule) => `[1:60] ${rule}`),
    "COMMIT",
    "",
  ].join("\n");

const established = "-A INPUT -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT";
const hosts: readonly TestHost[] = Array.from({ length: count }, (_, index) => ({
  // Names of hosts are data.
  name: index === 1 ? "gate; $(touch pwned) '2" : `host${index}`,
  address: `192.0.2.${index + 1}`,
  variant: index % 2 === 0 ? "legacy" : "nft",
  dumps: {
    ipv4: filter(
      "-A INPUT -i lo -j ACCEPT",
      established,
      `-A INPUT -s ${controllerAddress}/32 -p tcp -m tcp --dport 22 -j ACCEPT`,
      "-A INPUT -p tcp -m tcp --dport 22 -m recent --update --seconds 600 --hitcount 3 --name ssh --mask 255.255.255.255 --rsource -j DROP",
      "-A INPUT -p tcp -m tcp --dport 22 -m recent --set --name ssh --mask 255.255.255.255 --rsource -j ACCEPT",
      // What a host prints is data, too: Ansible would stop at a variable that is not there.
      `-A INPUT -p tcp -m tcp --dport ${8000 + index} -m comment --comment "{{ no_such_variable }}" -j ACCEPT`,
    ),
    ipv6: filter("-A INPUT -i lo -j ACCEPT", established),
  },
}));

const page = readFileSync("docs/ansible.md", "utf8");
/** What the page calls by this name. */
const playbook = "firewall.yml";
const playbookText = /```yaml\n# firewall\.yml\n(.*?)```/s.exec(page)![1]!;

const module = (name: string): string => `ipt2nft_recent.firewall.ipt2nft_recent_${name}`;

/** The role with other settings than by default. */
const settings = {
  ansible_python_interpreter: "/usr/bin/python3",
  ipt2nft_recent_executable_destination: "/var/lib/ipt2nft-recent.command",
  ipt2nft_recent_confirm_within: `${confirmWithin}s`,
};

const missing = ["ansible-playbook", "sshd"].filter(
  (program) => spawnSync("sh", ["-c", `PATH="$PATH:/usr/sbin" command -v ${program}`]).status !== 0,
);
const isRoot = process.getuid?.() === 0;
const canRun = isRoot && (missing.length === 0 || process.env["CI"] === "true");
const reason = isRoot ? `not installed: ${missing.join(", ")}` : "it needs root of the machine";

describeOnKernel(canRun ? `the Ansible collection, on ${count} hosts` : `the Ansible collection (skipped: ${reason})`, () => {
  if (!canRun) return it.skip(reason);
  let command: BuiltCommand;
  let fleet: AnsibleHosts;

  beforeAll(async () => {
    expect(missing).toEqual([]);
    command = new BuiltCommand();
    fleet = new AnsibleHosts(hosts);
    const wrapper = fleet.path("ipt2nft-recent");
    writeFileSync(wrapper, `#!/bin/sh\nexec ${process.execPath} ${command.path} "$@"\n`, { mode: 0o755 });
    writeFileSync(
      fleet.path("settings.json"),
      JSON.stringify({
        ...settings,
        ipt2nft_recent_executable: wrapper,
        ipt2nft_recent_controller_command: [wrapper],
      }),
    );
    // Two batches, whatever the number of hosts.
    writeFileSync(fleet.path(playbook), playbookText.replace("25%", "100%"));
    // As a release has it.
    const line = 'node build-ansible.js --directory "$0" && ansible-galaxy collection install "$0"/*.tar.gz -p "$0/collections"';
    const installed = spawnSync("sh", ["-c", line, fleet.folder], {
      encoding: "utf8",
      env: { ...process.env, ...fleet.environment() },
    });
    expect(installed.status, installed.stderr).toBe(0);
    await fleet.ready();
  }, patience);
  afterAll(() => {
    fleet?.remove();
    command?.remove();
  });

  const plays: string[] = [];
  const play = (words: string) => {
    plays.push(words);
    return fleet.play(`${words} -e @settings.json`);
  };
  const firewalls = (): string[] => hosts.map((_, index) => fleet.firewall(index));
  const all = <Value>(value: Value): Value[] => hosts.map(() => value);

  it(
    "records the rules of all hosts in a folder that corpus and fleet read, and changes nothing in check mode",
    () => {
      const recorded = play(`${playbook} --tags record`);
      expect(recorded.status, recorded.text).toBe(0);
      expect(readdirSync(fleet.path("firewalls", "dumps"))).toEqual(hosts.flatMap(({ name }) => [`${name}.v4`, `${name}.v6`]).sort());
      expect(readdirSync(fleet.folder)).not.toContain("pwned");
      const read = fleet.run(
        `${fleet.path("ipt2nft-recent")} fleet '${fleet.path("firewalls", "dumps")}/*.v?' --out ${fleet.path("made")}`,
      );
      expect(read.status, read.text).toBe(0);
      expect(readdirSync(fleet.path("made"))).toHaveLength(count);

      const checked = play(`${playbook} --check --diff`);
      expect(checked.status, checked.text).toBe(0);
      expect(checked.text).toContain("+table ip ipt2nft {");
      expect(readdirSync(fleet.path("firewalls"))).toEqual(["dumps"]);
      expect(firewalls()).toEqual(all("old"));
    },
    patience,
  );

  it("stops a host whose rules are not those that were recorded", () => {
    fleet.on(0, "iptables-legacy -I INPUT -p tcp --dport 8080 -j ACCEPT");
    const played = play(`${playbook} --limit host0`);
    expect(played.recap["host0"], played.text).toMatchObject({ failed: 1 });
    expect(played.text).toContain("the rules are not those that are recorded");
    expect(played.text).toContain("8080");
    fleet.on(0, "iptables-legacy -D INPUT 1");
    expect(firewalls()).toEqual(all("old"));
  });

  it(
    "changes hosts in batches and confirms them over new connections, and a second time nothing",
    () => {
      writeFileSync(
        fleet.path("checks.yml"),
        `- name: Lose the connection
  ansible.builtin.command:
    argv: [ip, link, set, host${lost}, down]
  delegate_to: localhost
  changed_when: false
  when: inventory_hostname == '${hosts[lost]!.name}'
`,
      );
      const played = play(`${playbook} -e ipt2nft_recent_checks=$PWD/checks.yml`);
      expect(played.recap[hosts[lost]!.name], played.text).toMatchObject({ unreachable: 1 });
      for (const { name } of hosts.slice(0, lost)) expect(played.recap[name], played.text).toMatchObject({ failed: 0, unreachable: 0 });
      expect(firewalls().slice(0, lost)).toEqual(all("new").slice(0, lost));
      expect(fleet.on(0, "nft -c -f /etc/nftables.conf; echo $?")).toBe("0\n");
      const asked = fleet.on(systemdHost, "grep -E '^(enable|disable) ' /run/systemctl.log");
      expect(asked).toBe("disable netfilter-persistent\nenable nftables\n");
      expect(readFileSync(fleet.path("firewalls", "scripts", "host0.nft"), "utf8")).toContain("table ip ipt2nft {");

      const again = play(`ipt2nft_recent.firewall.migrate --limit '!${hosts[lost]!.name}'`);
      expect(again.status, again.text).toBe(0);
      for (const { name } of hosts.slice(0, lost)) expect(again.recap[name], again.text).toMatchObject({ changed: 0, failed: 0 });
    },
    patience,
  );

  it("bans hosts once, and lets them go", () => {
    const list = (state: string, more: object = {}) => ({
      [module("list")]: { list: "ssh", state, command: ["/var/lib/ipt2nft-recent.command"], ...more },
      register: state,
    });
    const addresses = ["203.0.113.7"];
    const ban = list("banned", { addresses });
    const tasks = [
      { ...ban, check_mode: true },
      list("queried"),
      { "ansible.builtin.assert": { that: ["banned is changed", "queried.hosts == []"] } },
      ban,
      { "ansible.builtin.assert": { that: ["banned is changed", "banned.hosts[0].over"] } },
      ban,
      { "ansible.builtin.assert": { that: ["banned is not changed", "banned.hosts[0].over"] } },
      list("absent", { addresses }),
      { "ansible.builtin.assert": { that: ["absent is changed", "absent.hosts == []"] } },
      list("absent", { addresses }),
      { "ansible.builtin.assert": { that: ["absent is not changed"] } },
    ];
    writeFileSync(fleet.path("lists.yml"), JSON.stringify([{ hosts: "host0", tasks }]));
    const played = play("lists.yml");
    expect(played.recap["host0"], played.text).toMatchObject({ failed: 0, ok: tasks.length });
  });

  it(
    "goes back by itself on the host that was lost, and refuses a confirmation over the connection of the change",
    async () => {
      const decided = (): string => fleet.on(lost, "ls /var/lib/ipt2nft-recent/run");
      for (const end = Date.now() + 60_000; !decided().includes("undone") && Date.now() < end; await delay(500));
      expect(fleet.firewall(lost)).toBe("old");
      fleet.run(`ip link set host${lost} up`);

      const { name, variant } = hosts[lost]!;
      const cutover = { command: ["/var/lib/ipt2nft-recent.command"] };
      const other = Buffer.from(hosts[0]!.dumps.ipv4).toString("base64");
      const tasks = [
        ...[{ ipv4: other }, { ipv4: "" }].flatMap((reviewed) => [
          { [module("cutover")]: { ...cutover, state: "started", reviewed }, register: "refused", ignore_errors: true },
          { "ansible.builtin.assert": { that: ["refused is failed", "'no longer those that were reviewed' in refused.msg"] } },
        ]),
        { [module("cutover")]: { ...cutover, state: "started" }, check_mode: true, register: "planned" },
        {
          "ansible.builtin.assert": {
            that: ["planned is changed", `planned.document.plan.old == ['iptables-${variant}', 'ip6tables-${variant}']`],
          },
        },
        { [module("cutover")]: { ...cutover, state: "started", confirm_within: "60s" } },
        { [module("cutover")]: { ...cutover, state: "confirmed" } },
      ];
      writeFileSync(fleet.path("old.yml"), JSON.stringify([{ hosts: name, tasks }]));
      const played = play("old.yml");
      expect(played.recap[name], played.text).toMatchObject({ ok: 7, failed: 1, changed: 2 });
      expect(played.text).toContain("opened before the change");

      const undone = play(
        `ipt2nft_recent.firewall.undo --limit ${name},host${systemdHost} -e '{"ipt2nft_recent_command": ["/var/lib/ipt2nft-recent.command"]}'`,
      );
      expect(undone.recap[name], undone.text).toMatchObject({ changed: 1, failed: 0 });
      expect(undone.recap[`host${systemdHost}`], undone.text).toMatchObject({ changed: 3, failed: 0 });
      expect([fleet.firewall(lost), fleet.firewall(systemdHost)]).toEqual(["old", "old"]);
      const asked = fleet.on(systemdHost, "grep -E '^(enable|disable) ' /run/systemctl.log | tail -n 2");
      expect(asked).toBe("disable nftables\nenable netfilter-persistent\n");
    },
    patience,
  );

  it("plays what docs/ansible.md shows", () => {
    const shown = [...page.matchAll(/^ {4}ansible-playbook (.*)$/gm)].map(([, words]) => words!.replace("web1", hosts[lost]!.name));
    expect(shown.length).toBeGreaterThan(3);
    expect(shown.filter((words) => !plays.some((played) => played.startsWith(words)))).toEqual([]);
  });
});
