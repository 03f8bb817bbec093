/** `cutover` on this kernel: whatever goes wrong, and whenever a process is killed, the machine has one firewall. */

import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { afterAll, afterEach, beforeAll, expect, it } from "vitest";

import { steps } from "../../src/cutover/change.js";
import { BuiltCommand, TestMachine } from "./cutover-machine.js";
import { describeOnKernel } from "./requirements.js";

/** Without it, what takes longest is left out: the run of all tests has little time. Its value is the number of random kills. */
const campaign = process.env["CUTOVER_KILLS"] !== undefined;
const itInCampaign = it.runIf(campaign);

const isRoot = process.getuid?.() === 0;

const dump = readFileSync("corpus/machine/web-server/rules.v4", "utf8");
const small = `*filter
:INPUT DROP [7:420]
:FORWARD DROP [0:0]
:OUTPUT ACCEPT [0:0]
[3:180] -A INPUT -i lo -j ACCEPT
[2:120] -A INPUT -p tcp -m tcp --dport 22 -m recent --update --seconds 600 --hitcount 3 --name tries --mask 255.255.255.255 --rsource -j DROP
[2:120] -A INPUT -p tcp -m tcp --dport 22 -m recent --set --name tries --mask 255.255.255.255 --rsource -j ACCEPT
COMMIT
*mangle
:PREROUTING ACCEPT [0:0]
:INPUT ACCEPT [0:0]
:FORWARD ACCEPT [0:0]
:OUTPUT ACCEPT [0:0]
:POSTROUTING ACCEPT [0:0]
[5:300] -A PREROUTING -p tcp -m tcp --dport 80 -j MARK --set-xmark 0x7/0xffffffff
COMMIT
`;

const withDocker = `*nat
:PREROUTING ACCEPT [0:0]
:INPUT ACCEPT [0:0]
:OUTPUT ACCEPT [0:0]
:POSTROUTING ACCEPT [0:0]
-A POSTROUTING -s 172.17.0.0/16 ! -o docker0 -j MASQUERADE
COMMIT
*filter
:INPUT DROP [0:0]
:FORWARD DROP [0:0]
:OUTPUT ACCEPT [0:0]
:DOCKER - [0:0]
:DOCKER-USER - [0:0]
:mine - [0:0]
-A INPUT -i lo -j ACCEPT
-A INPUT -p tcp -m tcp --dport 22 -j mine
-A FORWARD -j DOCKER-USER
-A FORWARD -o docker0 -j DOCKER
-A FORWARD -i eth1 -j ACCEPT
-A DOCKER -d 172.17.0.2/32 ! -i docker0 -o docker0 -p tcp -m tcp --dport 80 -j ACCEPT
-A DOCKER-USER -j RETURN
-A mine -m recent --set --name tries --mask 255.255.255.255 --rsource -j ACCEPT
COMMIT
`;

let command: BuiltCommand;
let machine: TestMachine | undefined;

function machineWith(rules: string, variant: "legacy" | "nft" = "legacy"): TestMachine {
  machine = new TestMachine(command, { variant });
  machine.load(rules);
  return machine;
}

describeOnKernel(isRoot ? "cutover" : "cutover (skipped: it needs root of the machine)", () => {
  if (!isRoot) return it.skip("needs root of the machine");
  beforeAll(() => {
    command = new BuiltCommand();
  });
  afterEach(() => {
    machine?.remove();
    machine = undefined;
  });
  afterAll(() => command.remove());

  itInCampaign.each(["legacy", "nft"] as const)(
    "changes %s rules, goes back at the deadline, and is confirmed from a new connection",
    async (variant) => {
      const one = machineWith(small, variant);
      const old = one.oldRules();
      expect(one.cutover("plan")).toMatchObject({ status: 0, output: expect.stringContaining(`iptables-${variant}`) });
      expect(one.firewall(old)).toBe("old");

      expect(one.cutover("start --confirm-within 1s --wait --json")).toMatchObject({
        status: 1,
        output: expect.stringContaining('"undone"'),
      });
      expect(one.firewall(old)).toBe("old");
      expect(one.run(`iptables-${variant}-save -c`).output).toContain("[5:300] -A PREROUTING");

      expect(one.cutover("start --confirm-within 5m").status).toBe(0);
      expect(one.firewall(old)).toBe("new");
      expect(one.cutover("start")).toMatchObject({ status: 2, error: expect.stringContaining("waits for its confirmation") });
      expect(one.cutover("confirm")).toMatchObject({ status: 1, error: expect.stringContaining("no connection of sshd") });

      const persisted = join(one.folder, "boot.nft");
      expect(one.overNewConnection(`confirm --persist ${persisted} --json`)).toMatchObject({
        status: 0,
        output: expect.stringMatching(/"changed": true,\n {2}"state": "confirmed"/),
      });
      expect(one.overNewConnection(`confirm --persist ${persisted} --json`).output).toContain('"changed": false');
      expect(one.run(`nft -c -f ${persisted}`).status).toBe(0);
      expect(one.processes()).toEqual([]);
      expect(one.firewall(old)).toBe("new");
      expect(one.cutover("start --json")).toMatchObject({ status: 0, output: expect.stringContaining('"changed": false') });

      expect(one.cutover("undo").status).toBe(0);
      expect(one.firewall(old)).toBe("old");
      expect(one.cutover("undo --json").output).toContain('"changed": false');
    },
  );

  itInCampaign("refuses a confirmation over the connection that the change was made on", () => {
    const one = machineWith(small);
    const old = one.oldRules();
    expect(one.overNewConnection("start --confirm-within 5m", "confirm")).toMatchObject({
      status: 1,
      error: expect.stringContaining("opened before the change"),
    });
    expect(one.decision()).toBe("waiting");
    expect(one.cutover("confirm --probe false")).toMatchObject({ status: 1, error: expect.stringContaining("the probe failed") });
    expect(one.decision()).toBe("waiting");
    expect(one.firewall(old)).toBe("new");
  });

  it("restores what it was, whichever step a kill comes at", async () => {
    const one = machineWith(small);
    const old = one.oldRules();
    for (const step of campaign ? steps : (["empty"] as const)) {
      const started = one.begin("start --confirm-within 5m");
      const ended = new Promise((resolve) => started.once("exit", resolve));
      for (let tries = 0; tries < 20_000 && !one.file("journal").includes(`"${step}","event":"begins"`); tries += 1) await delay(1);
      started.kill("SIGKILL");
      await ended;
      const state = await one.settled();
      expect(["none", "undone", "waiting"], step).toContain(state);
      expect(one.firewall(old), step).toBe(state === "waiting" ? "new" : "old");
      if (state === "waiting") one.cutover("undo");
      expect(one.firewall(old), step).toBe("old");
    }
  });

  const kills = Number(process.env["CUTOVER_KILLS"] ?? 3);
  itInCampaign(
    `ends with one firewall when any process is killed at random, ${kills} times`,
    async () => {
      const one = machineWith(dump);
      const old = one.oldRules();
      for (let round = 0; round < kills; round += 1) {
        const words = round % 3 === 2 ? "undo" : "start --confirm-within 2s";
        if (words === "undo") one.cutover("start --confirm-within 5m");
        const began = one.begin(words);
        const ended = new Promise((resolve) => began.once("exit", resolve));
        await delay(Math.random() * (words === "undo" ? 700 : 2_000));
        const victims = one.processes();
        const victim = victims[Math.floor(Math.random() * victims.length)];
        if (victim !== undefined) {
          try {
            process.kill(victim, "SIGKILL");
          } catch {
            // It was quicker.
          }
        }
        await ended;
        // An undo that was killed before it decided has changed nothing.
        await one.settled({ decided: words !== "undo" });
        if (one.firewall(old) === "new") one.cutover("undo");
        expect(one.firewall(old), `round ${round}: ${words}`).toBe("old");
      }
    },
    30_000 + kills * 15_000,
  );

  it("changes nothing where nft fails, and goes back where the old rules cannot be taken away", () => {
    const one = machineWith(small);
    const old = one.oldRules();
    one.program("nft", 'case "$*" in "-f -") exit 1 ;; esac; exec /usr/sbin/nft "$@"');
    expect(one.cutover("start")).toMatchObject({
      status: 1,
      error: expect.stringMatching(/at the step load.*\n.*the old firewall decides/),
    });
    expect(one.firewall(old)).toBe("old");
    one.withoutProgram("nft");
    one.program("iptables-legacy-restore", 'case "$*" in *-c*) exec /usr/sbin/iptables-legacy-restore "$@" ;; esac; exit 3');
    expect(one.cutover("start")).toMatchObject({ status: 1, error: expect.stringContaining("at the step empty") });
    expect(one.firewall(old)).toBe("old");
  });

  itInCampaign("keeps the new firewall where the old one cannot be restored, and goes on trying", async () => {
    const one = machineWith(small);
    const old = one.oldRules();
    one.program(
      "iptables-legacy-restore",
      `[ ! -e ${one.folder}/broken ] || case "$*" in *-c*) exit 3 ;; esac; exec /usr/sbin/iptables-legacy-restore "$@"`,
    );
    expect(one.cutover("start --confirm-within 5m").status).toBe(0);
    writeFileSync(join(one.folder, "broken"), "");
    expect(one.cutover("undo").status).toBe(1);
    expect(one.firewall(old)).toBe("new");
    one.run(`rm ${one.folder}/broken`);
    await delay(1_500);
    expect(await one.settled()).toBe("undone");
    expect(one.firewall(old)).toBe("old");
  });

  itInCampaign("changes nothing on a full disk, and goes back on one that fills up later", async () => {
    const one = machineWith(small);
    const old = one.oldRules();
    mkdirSync(one.state);
    // In a mount namespace of its own, so that nothing is left behind.
    const words = `mount -t tmpfs -o size=SIZE,mode=700 none ${one.state} && ${"COMMAND"}`;
    const inside = (size: string, lines: string) =>
      one.run(`unshare --mount bash -c '${words.replace("SIZE", size).replace("COMMAND", lines.replaceAll("'", `'\\''`))}'`);
    const line = (action: string): string => `node ${command.path} cutover ${action} --state-dir ${one.state}`;
    expect(inside("8k", line("start"))).toMatchObject({ status: 1, error: expect.stringContaining("no space left") });
    expect(one.firewall(old)).toBe("old");
    const filled = inside(
      "2m",
      `${line("start --confirm-within 2s")}; status=$?; cat /dev/zero > ${one.state}/zero; sleep 4; ls ${one.state}/run; exit $status`,
    );
    expect(filled).toMatchObject({ status: 0, output: expect.stringMatching(/^undone$/m) });
    expect(one.firewall(old)).toBe("old");
  });

  itInCampaign("confirms or goes back where both come at once, and never both", async () => {
    const one = machineWith(small);
    const old = one.oldRules();
    for (let round = 0; round < (campaign ? 10 : 2); round += 1) {
      one.cutover("start --confirm-within 1s");
      await delay(300 + Math.random() * 500);
      const { status } = one.cutover("confirm --probe true");
      await delay(1_500);
      const state = await one.settled({ decided: true });
      expect(state).toBe(status === 0 ? "confirmed" : "undone");
      expect(one.firewall(old)).toBe(status === 0 ? "new" : "old");
      one.cutover("undo");
      expect(one.firewall(old)).toBe("old");
    }
  });

  itInCampaign("keeps the stamps of hosts while a change waits", () => {
    const one = machineWith(small);
    one.run("echo +192.0.2.7 > /proc/net/xt_recent/tries; echo +192.0.2.7 > /proc/net/xt_recent/tries");
    const before = one.run("cat /proc/net/xt_recent/tries").output;
    expect(before).toContain("192.0.2.7");
    one.cutover("start --confirm-within 5m");
    one.cutover("undo");
    expect(one.run("cat /proc/net/xt_recent/tries").output).toBe(before);
  });

  it("takes hits that the new firewall saw along to the old lists, once", () => {
    const one = machineWith(small, campaign ? "nft" : "legacy");
    const list = "/proc/net/xt_recent/tries";
    const hits = (): Record<string, number> =>
      Object.fromEntries(
        [...one.run(`cat ${list}`).output.matchAll(/^src=(\S+) .* oldest_pkt: \d+ (.*)$/gm)].map(([, host, stamps]) => [
          host,
          stamps!.split(", ").length,
        ]),
      );
    one.run(`for host in 7 7 6; do echo +192.0.2.$host > ${list}; done`);
    one.cutover("start --confirm-within 5m");
    if (campaign) one.cutover("confirm --probe true");
    const words = [7, 8, 8, 9].map((host) => `+192.0.2.${host}`).join(" ");
    const added = one.run(
      `for words in "write tries ${words}" "remove tries 192.0.2.9"; do node ${command.path} lists $words || exit; done`,
    );
    expect(added).toMatchObject({ status: 0 });
    expect(one.cutover("undo")).toMatchObject({
      status: 0,
      error: expect.stringContaining("the old lists have, as if they came now, 3 hits of 2 hosts that came while"),
    });
    const after = { "192.0.2.6": 1, "192.0.2.7": 3, "192.0.2.8": 2 };
    expect(hits()).toEqual(after);
    // As after a kill between its last steps.
    one.run(`mv ${one.state}/run/undone ${one.state}/run/undoing; sh ${one.state}/run/roll-back.sh now`);
    expect(hits()).toEqual(after);
  });

  it("changes to an optimised script that decides at once and goes on counting, and back", () => {
    const blocked = Array.from({ length: 200 }, (_, index) => `[${index}:${index * 60}] -A INPUT -s 127.9.0.${index}/32 -j DROP`);
    const one = machineWith(small.replace("[3:180] -A INPUT -i lo", `${blocked.join("\n")}\n[3:180] -A INPUT -i lo`));
    const old = one.oldRules();
    // Nobody listens: who is not dropped is told so. A second packet would come after a second.
    const answered = (host: number): boolean => {
      const options = `{ host: "127.0.0.1", port: 9, localAddress: "127.9.0.${host}" }`;
      const tried = `setTimeout(() => process.exit(1), 400); net.connect(${options}).on("error", ({ code }) => process.exit(code === "ECONNREFUSED" ? 0 : 2))`;
      return one.run(`${process.execPath} -e '${tried}'`).status === 0;
    };
    const answers = (): boolean[] => [7, 200].map(answered);
    expect(answers()).toEqual([false, true]);
    expect(one.cutover("start --optimize --confirm-within 5m").status).toBe(0);
    expect(one.firewall(old)).toBe("new");
    expect(answers()).toEqual([false, true]);
    const listed = one.run("nft list table ip ipt2nft").output;
    expect(listed).toMatch(/^\t\tip saddr @filter_INPUT_saddr drop$/m);
    // One before the change, and one after it.
    expect(listed).toContain("127.9.0.7 counter packets 9 ");
    expect(listed).toContain("127.9.0.199 counter packets 199 bytes 11940");
    expect(one.status()).toMatchObject({ state: "waiting", firewalls: ["new"] });
    expect(one.cutover("undo").status).toBe(0);
    expect(one.firewall(old)).toBe("old");
    expect(one.run("iptables-legacy-save -c").output).toContain("[199:11940] -A INPUT -s 127.9.0.199/32 -j DROP");
    expect(answers()).toEqual([false, true]);
  });

  it.each(campaign ? (["legacy", "nft"] as const) : (["legacy"] as const))(
    "leaves the chains to iptables in which a live program keeps rules (%s)",
    async (variant) => {
      const one = machineWith(withDocker, variant);
      const old = one.oldRules();
      // Without its process nobody keeps the rules up, and they are translated as all others.
      expect(one.cutover("plan").error).not.toContain("stays in iptables");
      one.run(`cp /bin/bash ${one.folder}/dockerd; ${one.folder}/dockerd --norc -c 'sleep 600; true' > /dev/null 2>&1 &`);
      expect(one.cutover("start --confirm-within 5m")).toMatchObject({
        status: 0,
        error: expect.stringContaining(
          "FORWARD of the table filter stays in iptables, with 1 rule of yours in it: Docker keeps rules in it",
        ),
      });
      const left = one.oldRules();
      expect(left.split("\n").filter((line) => line.startsWith("-A"))).toEqual(
        old.split("\n").filter((line) => line.startsWith("-A") && !line.startsWith("-A INPUT") && !line.startsWith("-A mine")),
      );
      expect(left).toContain(":INPUT ACCEPT\n:FORWARD DROP\n");
      expect(one.run("nft list table ip ipt2nft").output).toMatch(/hook input priority filter; policy drop/);
      expect(one.run("nft list table ip ipt2nft").output).not.toContain("forward");
      expect(one.status()).toMatchObject({ state: "waiting", firewalls: ["new"] });
      // What the program does meanwhile stays.
      one.run(`iptables-${variant} -A DOCKER -d 172.17.0.3/32 -j ACCEPT`);
      expect(one.cutover("undo").status).toBe(0);
      expect(one.oldRules().replace("-A DOCKER -d 172.17.0.3/32 -j ACCEPT\n", "")).toBe(old);
      expect(one.oldRules()).not.toBe(old);
      expect(one.hasNew()).toBe(false);
    },
  );

  itInCampaign("restores the old firewall when the machine starts again before the confirmation", () => {
    const one = machineWith(small);
    const old = one.oldRules();
    const run = `${one.state}/run`;
    // Number 1 of a process namespace stands for that of the machine.
    const restarted = one.run(`unshare --pid --fork --mount-proc bash --norc -c '
      node ${command.path} cutover start --state-dir ${one.state} --confirm-within 5m || exit
      kill -9 $(cut -d " " -f 1 ${run}/watching.*); sed -i 1s/.*/another/ ${run}/place
      nft flush ruleset; for table in filter mangle; do iptables-legacy -t $table -F; iptables-legacy -t $table -X; done
      iptables-legacy -P INPUT ACCEPT; iptables-legacy -P FORWARD ACCEPT
      [ -e ${run}/armed ] && sh ${run}/roll-back.sh boot'`);
    expect(restarted.status, restarted.error).toBe(0);
    expect(one.decision()).toBe("undone");
    expect(one.firewall(old)).toBe("old");
  });

  it("has systemd watch the change and take it back at the next start, where the machine runs it", async () => {
    const one = machineWith(small);
    const old = one.oldRules();
    // Stands for systemd: writes down what it is asked, and starts what it is to run.
    const asked = join(one.folder, "asked");
    one.program(
      "systemd-run",
      `echo "systemd-run $*" >> ${asked}; [ ! -e ${one.folder}/broken ] || exit 1
while [[ $1 == --* ]]; do shift; done
# Not before it is in a session of its own, where the end of this program does not end it.
rm -f ${one.folder}/apart; setsid bash -c 'touch ${one.folder}/apart; exec "$@"' apart "$@" > /dev/null 2>&1 &
until [ -e ${one.folder}/apart ]; do sleep 0.01; done`,
    );
    one.program("systemctl", `echo "systemctl $*" >> ${asked}`);
    // Number 1 of a process namespace stands for that of the machine; /run and /etc of a mount namespace hold nothing for others.
    const etc = "mount -t overlay none -o lowerdir=/etc,upperdir=/run/upper,workdir=/run/work /etc";
    const onSystemd = (lines: string) =>
      one.run(`unshare --pid --fork --mount-proc bash --norc -c '
        mount -t tmpfs none /run && mkdir -p /run/systemd/system /run/upper /run/work && ${etc} || exit
        cutover() { node ${command.path} cutover "$@" --state-dir ${one.state}; }
        units() { ls /etc/systemd/system/ipt2nft-recent* /etc/systemd/system/multi-user.target.wants/ipt2nft-recent* 2> /dev/null | wc -l; }
        wait_for() { for try in $(seq 100); do [ -e ${one.state}/run/$1 ] && return; sleep 0.1; done; }
        ${lines}'`);
    const done = onSystemd(`cutover start --confirm-within 2s; units; cat /etc/systemd/system/ipt2nft-recent-roll-back.service
      [ ! -e /usr/bin/systemd-analyze ] || /usr/bin/systemd-analyze verify /etc/systemd/system/ipt2nft-recent-roll-back.service || exit
      kill -9 $(cut -d " " -f 1 ${one.state}/run/watching.5); wait_for undone; units
      touch ${one.folder}/broken; cutover start --confirm-within 5m; units; cutover confirm --probe true; units
      cutover undo; mount -t tmpfs -o ro none /etc/systemd; cutover start --confirm-within 5m; cutover undo`);
    expect(done.status, done.error).toBe(0);
    const [before, ...rest] = done.output.split("\n");
    expect([before, ...rest.slice(-4)]).toEqual(["2", "0", "2", "0", ""]);
    expect(rest.join("\n")).toContain(`ConditionPathExists=|${one.state}/run/armed\n`);
    expect(rest.join("\n")).toContain(`ExecStart=/bin/sh ${one.state}/run/roll-back.sh boot\n`);
    expect(done.error).toMatch(/no unit could be installed that takes the change back when the machine starts/);
    const words = readFileSync(asked, "utf8");
    expect(words).toMatch(
      new RegExp(
        `^systemctl daemon-reload\nsystemd-run --quiet --collect --property=Restart=on-failure --property=RestartSec=1 ` +
          `--unit=ipt2nft-recent-roll-back-\\d+ /bin/sh ${one.state}/run/roll-back.sh watch 0\nsystemctl daemon-reload\n`,
      ),
    );
    expect(one.firewall(old)).toBe("old");
  });

  it("restores the old rules byte for byte, and every file that the machine starts from", () => {
    const one = machineWith(small);
    // Somebody's editor wrote ISO 8859-1.
    one.run(String.raw`iptables-legacy -A INPUT -m comment --comment "$(printf 'b\344r')" -j DROP`);
    one.run(String.raw`iptables-legacy -A INPUT -m recent --rcheck --name "$(printf 'b\344r')" -j DROP`);
    one.run(String.raw`echo +192.0.2.7 > "/proc/net/xt_recent/$(printf 'b\344r')"`);
    const bytes = String.raw`iptables-legacy-save | LC_ALL=C sed -e '/^#/d' -e 's/ \[.*//' | od -c; cut -d ' ' -f 1 /proc/net/xt_recent/b*`;
    const before = one.run(bytes).output;
    expect(before).toMatch(/b 344   r[^]*b 344   r[^]*src=192\.0\.2\.7$/m);
    for (const name of ["first.nft", "second.nft"]) writeFileSync(join(one.folder, name), `# ${name}\n`);
    expect(one.cutover("start --confirm-within 5m").status).toBe(0);
    expect(one.run("nft list ruleset").output).toContain("192.0.2.7");
    expect(one.cutover(`confirm --probe true --persist ${one.folder}/none/boot.nft`).status).toBe(2);
    expect(one.run(`mkfifo ${one.folder}/fifo`).status).toBe(0);
    expect(one.cutover(`confirm --probe true --persist ${one.folder}/fifo`).status).toBe(2);
    expect(one.decision()).toBe("waiting");
    expect(one.cutover(`confirm --probe true --persist ${one.folder}/first.nft`).status).toBe(0);
    expect(one.run(`cd ${one.folder} && node ${command.path} cutover confirm --state-dir ${one.state} --persist second.nft`).status).toBe(
      0,
    );
    expect(one.cutover("undo").status).toBe(0);
    expect(one.run(bytes).output).toBe(before);
    for (const name of ["first.nft", "second.nft"]) expect(readFileSync(join(one.folder, name), "utf8")).toBe(`# ${name}\n`);
  });

  it("changes nothing where the old rules could not be restored, or somebody else may write to the folder", () => {
    const one = machineWith(small);
    one.run("iptables-legacy -A INPUT -m comment --comment $'a\\n-A INPUT -j ACCEPT\\nb' -j DROP");
    const old = one.oldRules();
    writeFileSync(join(one.folder, "other.v4"), dump);
    expect(one.cutover(`start ${one.folder}/other.v4`)).toMatchObject({
      status: 2,
      error: expect.stringContaining("could not be restored"),
    });
    expect(one.firewall(old)).toBe("old");
    rmSync(one.state, { recursive: true });
    mkdirSync(one.state);
    chmodSync(one.state, 0o777);
    for (const action of ["start", "undo", "status"])
      expect(one.cutover(action), action).toMatchObject({ status: 2, error: expect.stringContaining("others may write to") });
    expect(readdirSync(one.state)).toEqual([]);
  });

  it("does what docs/cutover.md says", () => {
    const one = machineWith(dump, "nft");
    const old = one.oldRules();
    one.run("echo +203.0.113.9 > /proc/net/xt_recent/SSH");
    one.program("ipt2nft-recent", `case $1 in cutover) set -- "$@" --state-dir ${one.state} ;; esac; exec node ${command.path} "$@"`);
    const guide = readFileSync("docs/cutover.md", "utf8");
    const commands = [...guide.matchAll(/^ {4}(.*)$/gm)].map(([, line]) => line!.replace("/etc/nftables.conf", `${one.folder}/boot.nft`));
    expect(commands).toHaveLength(9);
    const said = commands.map((line) => {
      const onSshd = line.includes("--persist") ? `cp /bin/bash sshd; ./sshd --norc -c '${line}; exit $?'` : line;
      const { status, output, error } = one.run(`cd ${one.folder}; ${onSshd}`);
      expect(status, `${line}:\n${error}`).toBe(0);
      return output + error;
    });
    const [plan, , review, reviewed, start, status, confirm, again, undo] = said;
    expect(plan).toMatch(/old firewall: +iptables-nft\n.*35 exact.*\nlists of recent: +SSH \(1 host\)/s);
    expect(review).toContain("WEB");
    expect(reviewed).toContain("old firewall:");
    expect(start).toContain("taken back in 300 s");
    expect(status).toMatch(/state: waiting\nkernel: the new firewall decides alone\ntaken back in: \d+ s\nwatched: yes/);
    expect(confirm).toContain("so that the machine starts with it");
    expect(again).not.toContain("error");
    expect(undo).toContain("the old firewall decides");
    expect(one.firewall(old)).toBe("old");
    expect(one.run("cat /proc/net/xt_recent/SSH").output).toContain("src=203.0.113.9 ");
  });

  it("changes nothing where the rules are no longer those that were reviewed", () => {
    const one = machineWith(small);
    const old = one.oldRules();
    writeFileSync(join(one.folder, "reviewed.v4"), small.replace(/^\[3:180\] .*\n/m, ""));
    writeFileSync(join(one.folder, "reviewed.v6"), small.replaceAll("255.255.255.255", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"));
    expect(one.cutover(`start --reviewed ${one.folder}/reviewed.v4`)).toMatchObject({
      status: 1,
      error: expect.stringContaining(
        'no longer those that were reviewed: "ipv4 filter: -A INPUT -i lo -j ACCEPT" came; nothing was changed',
      ),
    });
    expect(one.cutover(`plan --reviewed ${one.folder}/reviewed.v6`)).toMatchObject({ status: 1, error: expect.stringContaining("went") });
    writeFileSync(join(one.folder, "reviewed.none"), "");
    expect(one.cutover(`plan --reviewed ${one.folder}/reviewed.none`)).toMatchObject({ status: 1, error: expect.stringContaining("came") });
    expect(one.cutover(`plan --reviewed ${one.folder}/nothing`)).toMatchObject({ status: 2, output: "" });
    expect(one.firewall(old)).toBe("old");
  });

  itInCampaign("loses no rule that it is not told to lose", () => {
    const one = machineWith(small.replace("COMMIT", "-A FORWARD -m string --string never --algo bm --icase -j DROP\nCOMMIT"));
    const old = one.oldRules();
    expect(one.cutover("start")).toMatchObject({ status: 1, error: expect.stringContaining("1 rule would be lost; --accept-loss 1") });
    expect(one.firewall(old)).toBe("old");
    expect(existsSync(join(one.state, "run"))).toBe(false);
  });
});
