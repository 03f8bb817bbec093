/** Real traffic through a machine while its firewall is changed, and changed back: no packet is decided otherwise. */

import { spawn } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { afterAll, beforeAll, expect, it } from "vitest";

import { BuiltCommand, TestMachine } from "./cutover-machine.js";
import { networkProgram, surroundings } from "./cutover-networks.js";
import { describeOnKernel } from "./requirements.js";

const campaign = process.env["CUTOVER_KILLS"] !== undefined;
const isRoot = process.getuid?.() === 0;

const server = "192.0.2.1";
const banned = "192.0.2.9";
/** Seconds. */
const ban = 5;

const rules = `*mangle
:PREROUTING ACCEPT [0:0]
:INPUT ACCEPT [0:0]
:FORWARD ACCEPT [0:0]
:OUTPUT ACCEPT [0:0]
:POSTROUTING ACCEPT [0:0]
-A PREROUTING -p udp -m udp --dport 5005 -j MARK --set-xmark 0x5/0xffffffff
COMMIT
*nat
:PREROUTING ACCEPT [0:0]
:INPUT ACCEPT [0:0]
:OUTPUT ACCEPT [0:0]
:POSTROUTING ACCEPT [0:0]
-A PREROUTING -p udp -m udp --dport 5006 -j REDIRECT --to-ports 5001
COMMIT
*filter
:INPUT DROP [0:0]
:FORWARD DROP [0:0]
:OUTPUT ACCEPT [0:0]
-A INPUT -m conntrack --ctstate RELATED,ESTABLISHED -p tcp -j ACCEPT
-A INPUT -p udp -m udp --dport 5001 -j ACCEPT
-A INPUT -p tcp -m tcp --dport 5003 -j ACCEPT
-A INPUT -p udp -m udp --dport 5004 -m recent --rcheck --seconds ${ban} --hitcount 3 --name tries --mask 255.255.255.255 --rsource -j DROP
-A INPUT -p udp -m udp --dport 5004 -m recent --set --name tries --mask 255.255.255.255 --rsource -j ACCEPT
-A INPUT -p udp -m udp --dport 5005 -m mark --mark 0x5 -j ACCEPT
COMMIT
`;

/** Counts what arrives, by the port it was sent to; answers over TCP. Prints one line when its input ends. */
const receiver = `
import { createSocket } from "node:dgram";
import { createServer } from "node:net";
const got = { 5001: 0, 5002: 0, 5005: 0, 5006: 0 };
let firstTry;
for (const port of [5001, 5002, 5004, 5005]) {
  const socket = createSocket("udp4");
  socket.bind({ port, address: "${server}" }, () => socket.setRecvBufferSize(4 << 20));
  socket.on("message", (text) => {
    if (port !== 5004) got[text.toString()] += 1;
    else if (text.toString() === "try") firstTry ??= Date.now();
  });
}
createServer((socket) => { socket.on("error", () => {}); socket.pipe(socket); }).listen(5003, "${server}", () => console.log("ready"));
process.stdin.resume().on("end", () => { console.log(JSON.stringify({ got, firstTry })); setTimeout(() => process.exit(), 100); });
`;

/** Sends to each port in turn, again and again, and over one connection; tries of the host under a ban come from its address. */
const sender = `
import { createSocket } from "node:dgram";
import { connect } from "node:net";
const sent = { 5001: 0, 5002: 0, 5005: 0, 5006: 0 };
const socket = createSocket("udp4");
const tries = createSocket("udp4");
await new Promise((done) => tries.bind({ address: "${banned}" }, done));
let echoed = 0, written = 0, broken = "";
const stream = connect(5003, "${server}");
stream.on("error", (error) => { broken = error.message; });
stream.on("data", (data) => { echoed += data.length; });
await new Promise((done) => stream.once("connect", done));
const first = Date.now();
for (let hit = 0; hit < 3; hit += 1) tries.send("hit", 5004, "${server}");
let ends = false;
process.stdin.resume().on("end", () => { ends = true; });
for (let round = 0; !ends; round += 1) {
  for (const port of Object.keys(sent)) { socket.send(port, Number(port), "${server}"); sent[port] += 1; }
  if (round % 2 === 0) { stream.write("x"); written += 1; }
  if (round % 4 === 0) tries.send("try", 5004, "${server}");
  await new Promise((done) => setTimeout(done, 2));
}
await new Promise((done) => setTimeout(done, 500));
console.log(JSON.stringify({ sent, echoed, written, broken, first }));
setTimeout(() => process.exit(), 100);
`;

let command: BuiltCommand;

/** A program of node on a machine. */
function startProgram(one: TestMachine, name: string, text: string) {
  writeFileSync(join(command.folder, name), text);
  const child = spawn("nsenter", [`--net=/proc/${one.pid}/ns/net`, process.execPath, join(command.folder, name)]);
  const ended = new Promise((resolve) => child.once("close", resolve));
  let printed = "";
  child.stdout.on("data", (piece: Buffer) => (printed += piece.toString()));
  child.stderr.on("data", (piece: Buffer) => (printed += piece.toString()));
  return {
    said: async (word: string) => {
      for (let tries = 0; tries < 500 && !printed.includes(word); tries += 1) await delay(20);
    },
    begin: () => child.stdin.write("begin\n"),
    end: async () => {
      child.stdin.end();
      await ended;
      try {
        return JSON.parse(printed.trim().split("\n").at(-1)!) as unknown;
      } catch {
        throw new Error(printed.slice(0, 2_000));
      }
    },
  };
}

describeOnKernel(
  isRoot ? "traffic while firewalls change" : "traffic while firewalls change (skipped: it needs root of the machine)",
  () => {
    if (!isRoot) return it.skip("needs root of the machine");
    beforeAll(() => {
      command = new BuiltCommand();
    });
    afterAll(() => command.remove());

    // The harder kind always; the other is one transaction.
    it.each(campaign ? (["legacy", "nft"] as const) : (["legacy"] as const))(
      "no packet is decided otherwise, and a ban ends when it would have ended (%s)",
      async (variant) => {
        const [machine, client] = [new TestMachine(command, { variant }), new TestMachine(command)];
        try {
          machine.run(
            `ip link add eth0 type veth peer name eth0 netns ${client.pid} && ip address add ${server}/24 dev eth0 && ip link set eth0 up`,
          );
          client.run(`ip address add 192.0.2.2/24 dev eth0 && ip address add ${banned}/24 dev eth0 && ip link set eth0 up`);
          machine.load(rules);
          const old = machine.oldRules();
          const receiving = startProgram(machine, "receiver.mjs", receiver);
          await receiving.said("ready");
          const sending = startProgram(client, "sender.mjs", sender);
          await delay(1_000);
          expect(machine.cutover("start --confirm-within 5m")).toMatchObject({ status: 0 });
          expect(machine.firewall(old)).toBe("new");
          await delay((ban - 1) * 1_000);
          if (variant === "legacy") {
            expect(machine.cutover("undo")).toMatchObject({ status: 0 });
            expect(machine.firewall(old)).toBe("old");
            await delay(300);
          }
          const { sent, echoed, written, broken, first } = (await sending.end()) as {
            readonly sent: Readonly<Record<number, number>>;
            readonly echoed: number;
            readonly written: number;
            readonly broken: string;
            readonly first: number;
          };
          const { got, firstTry } = (await receiving.end()) as {
            readonly got: Readonly<Record<number, number>>;
            readonly firstTry: number;
          };
          expect(sent[5001]).toBeGreaterThan(1_000);
          expect(got).toEqual({ ...sent, 5002: 0 });
          expect({ broken, echoed }).toEqual({ broken: "", echoed: written });
          expect((firstTry - first) / 1000).toBeGreaterThan(ban - 0.05);
          expect((firstTry - first) / 1000).toBeLessThan(ban + 0.5);
        } finally {
          machine.remove();
          client.remove();
        }
      },
    );

    const machines = surroundings.flatMap((one) =>
      (campaign ? (["legacy", "nft"] as const) : (["legacy"] as const)).map((variant) => [one, variant] as const),
    );
    // Two of them always, the third with the rest.
    it.each((campaign ? machines : machines.slice(0, 2)).map(([one, variant]) => [one.machine, variant, one] as const))(
      "connections to, through and from %s come out as before, and who is banned stays so (%s)",
      async (name, variant, { networks, trials }) => {
        const machine = new TestMachine(command, { variant });
        const around = networks.map((network) => ({ ...network, place: new TestMachine(command) }));
        try {
          // The kernel sends errors seldom unless it is told.
          machine.run("sysctl -qw net.ipv4.ip_forward=1 net.ipv4.icmp_ratemask=0");
          for (const { device, own, hosts, place } of around) {
            const [address, length] = own.split("/");
            machine.run(
              `ip link add ${device} type veth peer name eth0 netns ${place.pid}; ip address add ${own} dev ${device}; ip link set ${device} up`,
            );
            const added = hosts.map((host) => `ip address add ${host}/${length} dev eth0`).join("; ");
            expect(place.run(`ip link set eth0 up; ${added}; ip route add default via ${address}`)).toMatchObject({ status: 0, error: "" });
          }
          machine.load(readFileSync(`corpus/machine/${name}/rules.v4`, "utf8"));
          const old = machine.oldRules();
          // Another port may lead to that of sshd.
          const ports = [...new Set([22, ...trials.map(({ port }) => port)])];
          const programs = around.map(({ place, device }, index) =>
            startProgram(
              place,
              `${name}${index}.mjs`,
              networkProgram(
                trials.filter(({ from }) => from === device),
                ports,
              ),
            ),
          );
          const own = startProgram(machine, `${name}.mjs`, networkProgram([], ports));
          for (const one of [own, ...programs]) await one.said("ready");
          for (const one of [own, ...programs]) one.begin();
          await delay(700);
          expect(machine.cutover("start --confirm-within 5m")).toMatchObject({ status: 0 });
          expect(machine.firewall(old)).toBe("new");
          await delay(500);
          expect(machine.cutover("undo")).toMatchObject({ status: 0 });
          expect(machine.firewall(old)).toBe("old");
          await delay(500);
          const outcomes = (await Promise.all(programs.map((one) => one.end()))) as Readonly<Record<string, number>>[][];
          await own.end();
          for (const [index, { device }] of around.entries()) {
            for (const [number, trial] of trials.filter(({ from }) => from === device).entries()) {
              const { [trial.becomes]: count = 0, ...others } = outcomes[index]![number]!;
              const words = `${trial.sources[0]} to ${trial.to}:${trial.port}`;
              expect(count, words).toBeGreaterThan(40);
              const other = Object.values(others).reduce((sum, one) => sum + one, 0);
              expect({ others: other === (trial.answered ?? 0) ? {} : others }, words).toEqual({ others: {} });
            }
          }
        } finally {
          machine.remove();
          for (const { place } of around) place.remove();
        }
      },
    );
  },
);
