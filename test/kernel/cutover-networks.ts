/** Machines of the corpus with the networks around them, and what becomes of the connections that are tried there. */

/** Tries one connection after the other, each from another port. */
export interface Trial {
  /** The network that it comes from. */
  readonly from: string;
  /** In turn. */
  readonly sources: readonly string[];
  readonly to: string;
  readonly port: number;
  /** What becomes of each: `silence`, `refused`, `unreachable`, or where it arrives and as whose. */
  readonly becomes: string;
  /** So many are answered before, as a list of `recent` has it. */
  readonly answered?: number;
}

export interface Surroundings {
  readonly machine: string;
  /** Interfaces of the machine, with its address and those of the network behind it, all of them /24 or /25. */
  readonly networks: readonly { readonly device: string; readonly own: string; readonly hosts: readonly string[] }[];
  readonly trials: readonly Trial[];
}

const hosts = (network: string, from: number, to: number): string[] =>
  Array.from({ length: to - from + 1 }, (_, index) => `${network}.${from + index}`);

const wan = hosts("203.0.113", 10, 39);

export const surroundings: readonly Surroundings[] = [
  {
    machine: "router-with-nat",
    networks: [
      { device: "eth1", own: "192.0.2.1/24", hosts: ["192.0.2.10", "192.0.2.11", "192.0.2.20"] },
      { device: "eth2", own: "198.51.100.1/24", hosts: hosts("198.51.100", 10, 39) },
      { device: "ppp0", own: "203.0.113.77/24", hosts: [...wan, "203.0.113.101", "203.0.113.102"] },
    ],
    trials: [
      { from: "ppp0", sources: wan, to: "203.0.113.77", port: 80, becomes: "192.0.2.10:80 as itself" },
      { from: "ppp0", sources: ["203.0.113.101"], to: "203.0.113.77", port: 2222, becomes: "silence", answered: 3 },
      { from: "ppp0", sources: ["203.0.113.102"], to: "203.0.113.77", port: 23, becomes: "silence" },
      { from: "ppp0", sources: wan, to: "203.0.113.77", port: 8080, becomes: "silence" },
      { from: "eth1", sources: ["192.0.2.20"], to: "203.0.113.10", port: 9000, becomes: "203.0.113.10:9000 as 203.0.113.77" },
      { from: "eth1", sources: ["192.0.2.20"], to: "203.0.113.10", port: 25, becomes: "unreachable" },
      { from: "eth1", sources: ["192.0.2.20"], to: "203.0.113.10", port: 445, becomes: "silence" },
      { from: "eth1", sources: ["192.0.2.20"], to: "203.0.113.10", port: 53, becomes: "192.0.2.1:53 as itself" },
      { from: "eth2", sources: hosts("198.51.100", 10, 39), to: "203.0.113.10", port: 443, becomes: "203.0.113.10:443 as 203.0.113.77" },
      { from: "eth2", sources: ["198.51.100.10"], to: "192.0.2.10", port: 80, becomes: "silence" },
    ],
  },
  {
    machine: "docker-host",
    networks: [
      { device: "eth0", own: "203.0.113.1/24", hosts: [...wan, "203.0.113.101", "203.0.113.130"] },
      { device: "docker0", own: "198.51.100.1/25", hosts: ["198.51.100.2"] },
      { device: "br-4c1f0a77d210", own: "198.51.100.129/25", hosts: ["198.51.100.130"] },
    ],
    trials: [
      { from: "eth0", sources: wan, to: "203.0.113.1", port: 80, becomes: "198.51.100.2:80 as itself" },
      { from: "eth0", sources: ["203.0.113.130"], to: "203.0.113.1", port: 80, becomes: "silence" },
      { from: "eth0", sources: ["203.0.113.101"], to: "203.0.113.1", port: 22, becomes: "silence", answered: 3 },
      { from: "eth0", sources: wan, to: "203.0.113.1", port: 5432, becomes: "silence" },
      { from: "docker0", sources: ["198.51.100.2"], to: "203.0.113.10", port: 9000, becomes: "203.0.113.10:9000 as 203.0.113.1" },
      { from: "docker0", sources: ["198.51.100.2"], to: "198.51.100.130", port: 5432, becomes: "silence" },
      { from: "br-4c1f0a77d210", sources: ["198.51.100.130"], to: "203.0.113.10", port: 9000, becomes: "203.0.113.10:9000 as 203.0.113.1" },
    ],
  },
  {
    machine: "web-server",
    networks: [{ device: "eth0", own: "192.0.2.100/24", hosts: ["192.0.2.5", ...hosts("192.0.2", 110, 149), "192.0.2.201"] }],
    trials: [
      { from: "eth0", sources: hosts("192.0.2", 110, 149), to: "192.0.2.100", port: 80, becomes: "192.0.2.100:80 as itself" },
      { from: "eth0", sources: ["192.0.2.201"], to: "192.0.2.100", port: 22, becomes: "silence", answered: 3 },
      { from: "eth0", sources: ["192.0.2.5"], to: "192.0.2.100", port: 22, becomes: "192.0.2.100:22 as itself" },
      { from: "eth0", sources: ["192.0.2.5"], to: "192.0.2.100", port: 5666, becomes: "192.0.2.100:5666 as itself" },
      { from: "eth0", sources: ["192.0.2.110"], to: "192.0.2.100", port: 5666, becomes: "silence" },
      { from: "eth0", sources: ["192.0.2.110"], to: "192.0.2.100", port: 113, becomes: "refused" },
    ],
  },
];

/**
 * A program of node for one network: listens on all ports that somebody tries, tells who connects where he arrived and as whom, and makes
 * the trials that come from there, once its input says so. Ends with its input, and prints how often each came out how.
 */
export function networkProgram(trials: readonly Trial[], ports: readonly number[]): string {
  return `
import { connect, createServer } from "node:net";
const trials = ${JSON.stringify(trials)};
const plain = (address) => address.replace("::ffff:", "");
for (const port of ${JSON.stringify(ports)}) {
  const server = createServer((socket) => {
    socket.on("error", () => {});
    socket.end(plain(socket.localAddress) + ":" + socket.localPort + " " + plain(socket.remoteAddress));
  });
  await new Promise((done) => server.listen(port, done));
}
console.log("ready");
// Where this process was not asked for so long, a late answer is its own fault.
let lastTick = performance.now(), longest = 0;
setInterval(() => {
  longest = Math.max(longest * 0.9, performance.now() - lastTick);
  lastTick = performance.now();
}, 20);
let ends = false;
const ended = new Promise((done) => process.stdin.on("end", () => { ends = true; done(); }));
// All networks listen before the first of them tries.
await new Promise((done) => process.stdin.once("data", done));
process.stdin.resume();
const attempt = (trial, number) => new Promise((done) => {
  const source = trial.sources[number % trial.sources.length];
  const began = performance.now();
  const socket = connect({ host: trial.to, port: trial.port, localAddress: source });
  let said = "", late = "";
  const timer = setTimeout(() => end("silence"), 1_500);
  const end = (outcome) => { clearTimeout(timer); socket.destroy(); done(outcome); };
  // A first packet that is lost is sent again after a second.
  socket.on("connect", () => { if (performance.now() - began >= 990 && longest < 300) late = "late: "; });
  socket.on("data", (data) => { said += data; });
  socket.on("end", () => {
    const [where, as] = said.split(" ");
    end(late + where + " as " + (as === source ? "itself" : as));
  });
  socket.on("error", ({ code }) => end({ ECONNREFUSED: "refused", EHOSTUNREACH: "unreachable", ENETUNREACH: "unreachable" }[code] ?? code));
});
const outcomes = trials.map(() => ({}));
await Promise.all(trials.map(async (trial, index) => {
  const pending = [];
  for (let number = 0; !ends; number += 1) {
    pending.push(attempt(trial, number).then((outcome) => { outcomes[index][outcome] = (outcomes[index][outcome] ?? 0) + 1; }));
    await new Promise((done) => setTimeout(done, 25));
  }
  await Promise.all(pending);
}));
await ended;
console.log(JSON.stringify(outcomes));
setTimeout(() => process.exit(), 100);
`;
}
