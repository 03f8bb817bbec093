/** Sets of random elements and rules that ask them in every way: the same marks under iptables with ipset and under our script. */

import { spawnSync } from "node:child_process";
import { beforeAll, describe, expect, it } from "vitest";

import { translate, type Family } from "../../src/index.js";
import { describeDifferences, type Report } from "../../src/verify/fate.js";
import { replayAll, ReplayError } from "../../src/verify/lab.js";
import type { Frame } from "../../src/verify/frame.js";
import { echoRequest, icmp, otherProtocol, tcp, udp, type Packet } from "../../src/verify/packet.js";
import { unshareArguments } from "../../src/verify/namespace.js";
import { describeOnKernel } from "./requirements.js";

const rounds = 8;
const packetsPerRound = 260;
/** Seconds between two packets. */
const spacing = 0.003;
/** Each rule sets a bit of the mark. */
const rulesPerFamily = 31;

/** Numbers that are the same in every run (a linear congruential generator). */
class Dice {
  constructor(private state: number) {}
  below(limit: number): number {
    this.state = (Math.imul(this.state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((this.state / 2 ** 32) * limit);
  }
  of<Value>(values: readonly Value[]): Value {
    return values[this.below(values.length)]!;
  }
  chance(share: number): boolean {
    return this.below(1000) < share * 1000;
  }
}

interface World {
  readonly family: Family;
  source(): string;
  destination(): string;
  network(side: "source" | "destination"): string;
}

function worldOf(family: Family, dice: Dice): World {
  const v4 = family === "ipv4";
  const sourceHost = (): number => dice.below(16);
  const host = (side: "source" | "destination", number: number): string => {
    if (v4) return side === "source" ? `203.0.113.${number + 16}` : `198.51.100.${number + 32}`;
    return side === "source" ? `2001:db8:2::${(number + 16).toString(16)}` : `2001:db8:1::${(number + 32).toString(16)}`;
  };
  return {
    family,
    source: () => host("source", sourceHost()),
    destination: () => host("destination", dice.below(8)),
    network: (side) => {
      const bits = v4 ? 32 : 128;
      // 28 of 32 holds all sources; one above that is everything there is.
      return `${host(side, side === "source" ? dice.below(16) : dice.below(8))}/${bits - dice.of([0, 0, 1, 2, 2, 3, 3, 4, 5])}`;
    },
  };
}

const portWords = ["tcp:80", "tcp:443", "udp:53", "udp:80", "sctp:80", "udplite:53"];
const ports = [80, 443, 53];

function portWord(family: Family, dice: Dice): string {
  const others = family === "ipv4" ? ["icmp:echo-request", "icmp:3/1", "gre:0"] : ["icmpv6:echo-request", "icmpv6:1/4", "gre:0"];
  return dice.of([...portWords, ...others]);
}

interface MadeSet {
  readonly name: string;
  readonly dimensions: number;
  readonly hasNetworks: boolean;
}

function makeSets(world: World, dice: Dice, prefix: string): { readonly sets: readonly MadeSet[]; readonly text: string } {
  const { family } = world;
  const lines: string[] = [];
  const sets: MadeSet[] = [];
  const make = (type: string, options: string, count: number, element: () => string): void => {
    const name = `${prefix}${sets.length}`;
    const hasNetworks = type.includes("net");
    lines.push(
      `create ${name} ${type} ${type.startsWith("hash:") ? `family ${family === "ipv4" ? "inet" : "inet6"} ` : ""}${options}`.trim(),
    );
    const seen = new Set<string>();
    for (let index = 0; index < count; index++) {
      const made = element();
      if (seen.has(made)) continue;
      seen.add(made);
      lines.push(`add ${name} ${made}${hasNetworks && dice.chance(0.3) ? " nomatch" : ""}`);
    }
    sets.push({ name, dimensions: type.slice(type.indexOf(":") + 1).split(",").length, hasNetworks });
  };
  const port = (): string => portWord(family, dice);
  make("hash:ip", "", 5, () => world.source());
  make("hash:net", "", 8, () => world.network("source"));
  make("hash:net", "comment", 5, () => world.network("destination"));
  make("hash:ip,port", "", 14, () => `${world.source()},${port()}`);
  make("hash:net,port", "", 16, () => `${world.network("source")},${port()}`);
  make("hash:ip,port,ip", "", 40, () => `${world.source()},${port()},${world.destination()}`);
  make("hash:ip,port,net", "", 40, () => `${world.source()},${port()},${world.network("destination")}`);
  make("hash:net,iface", "", 10, () => `${world.network("source")},${dice.of(["eth0", "eth1"])}`);
  make("bitmap:port", "range 50-500", 2, () => String(dice.of(ports)));
  if (family === "ipv4") {
    make("hash:ip", "netmask 30", 2, () => `203.0.113.${16 + 4 * dice.below(4)}`);
    make("bitmap:ip", "range 203.0.113.0/24", 6, () => world.source());
    make("bitmap:ip", "range 203.0.113.0/24 netmask 30", 2, () => `203.0.113.${16 + 4 * dice.below(4)}`);
    make("bitmap:ip,mac", "range 203.0.113.0/24", 6, () => `${world.source()},${dice.of(hardware)}`);
  }
  const list = `${prefix}list`;
  lines.push(`create ${list} list:set size 8`);
  const members = [...new Set([0, 1, 2].map(() => dice.below(sets.length)))];
  for (const member of members) lines.push(`add ${list} ${sets[member]!.name}`);
  sets.push({ name: list, dimensions: Math.max(...members.map((member) => sets[member]!.dimensions)), hasNetworks: true });
  // Repeated elements differ in how their network is written: ipset takes only the first, or the same with -exist.
  return { sets, text: lines.join("\n") };
}

const hardware = ["02:00:00:00:01:01", "02:00:00:00:01:02"];

function makeRules(sets: readonly MadeSet[], family: Family, dice: Dice): string {
  const lines = ["*mangle"];
  for (let bit = 0; bit < rulesPerFamily; bit++) {
    const set = dice.of(sets);
    const count = Math.max(1, set.dimensions + (dice.chance(0.1) ? dice.of([-1, 1]) : 0));
    // Mostly the directions that can match: sources hold what comes in, the third part what it goes to.
    const usual = ["src", dice.of(["src", "dst"]), "dst", "src"].slice(0, count);
    const directions = dice.chance(0.75) ? usual : usual.map(() => dice.of(["src", "dst"]));
    const parts = [
      dice.chance(0.3) ? `-p ${dice.of(["tcp", "udp", family === "ipv4" ? "icmp" : "icmpv6", "gre"])}` : "",
      `-m set ${dice.chance(0.3) ? "! " : ""}--match-set ${set.name} ${directions.join(",")}`,
      set.hasNetworks && dice.chance(0.2) ? "--return-nomatch" : "",
    ];
    lines.push(
      `-A PREROUTING ${parts.filter((part) => part !== "").join(" ")} -j MARK --set-xmark 0x${(2 ** bit).toString(16)}/0x${(2 ** bit).toString(16)}`,
    );
  }
  return `${[...lines, "COMMIT"].join("\n")}\n`;
}

function packet(world: World, dice: Dice): Packet {
  const from = world.source();
  const to = world.destination();
  const options = { sourcePort: dice.of([...ports, 40_000]) };
  switch (dice.below(8)) {
    case 0:
    case 1:
    case 2:
      return tcp(from, to, dice.of(ports), options);
    case 3:
    case 4:
      return udp(from, to, dice.of(ports), options);
    case 5:
      return dice.chance(0.5)
        ? echoRequest(from, to)
        : world.family === "ipv4"
          ? icmp(from, to, 3, 1, { payload: new Uint8Array(40) })
          : icmp(from, to, 1, 4, { payload: new Uint8Array(40) });
    case 6:
      return otherProtocol(from, to, 47, { payload: new Uint8Array(16) });
    default: {
      const port = dice.of(ports);
      return otherProtocol(from, to, dice.of([132, 136, 33]), {
        payload: Uint8Array.of(0x9c, 0x40, port >> 8, port & 0xff, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0),
      });
    }
  }
}

function round(seed: number): {
  readonly dumps: Record<Family, string>;
  readonly script: string;
  readonly frames: readonly Frame[];
  readonly prepare: string;
} {
  const dice = new Dice(seed * 7_919 + 1);
  const worlds = { ipv4: worldOf("ipv4", dice), ipv6: worldOf("ipv6", dice) };
  const made = { ipv4: makeSets(worlds.ipv4, dice, "four"), ipv6: makeSets(worlds.ipv6, dice, "six") };
  const dumps = { ipv4: makeRules(made.ipv4.sets, "ipv4", dice), ipv6: makeRules(made.ipv6.sets, "ipv6", dice) };
  const sets = `${made.ipv4.text}\n${made.ipv6.text}\n`;
  const { script, diagnostics } = translate(
    [
      { file: "rules.v4", text: dumps.ipv4, family: "ipv4" },
      { file: "rules.v6", text: dumps.ipv6, family: "ipv6" },
    ],
    { ipsets: [{ file: "sets.ipset", text: sets }] },
  );
  if (script === undefined) throw new Error(diagnostics.map(({ span, message }) => `${span.file}:${span.line}: ${message}`).join("\n"));
  const frames = Array.from(
    { length: packetsPerRound },
    (_, index): Frame => ({
      at: index * spacing,
      packet: packet(dice.of([worlds.ipv4, worlds.ipv6]), dice),
      interface: dice.of(["eth0", "eth1"]),
      hardwareSource: dice.of(hardware),
    }),
  );
  return { dumps, script, frames, prepare: `ipset -exist restore <<'END'\n${sets}END` };
}

/** Sets that rules change, with a rule in front that shows what they held before. */
const changingSets = `create trap hash:ip timeout 600
create calm hash:ip
add calm 203.0.113.16
create seen hash:ip,port,ip family inet
add seen 203.0.113.17,udp:53,198.51.100.33
create blocks hash:net
add blocks 203.0.113.16/30
create mixed hash:net
add mixed 203.0.113.24/29
add mixed 203.0.113.16/32
create doors bitmap:port range 50-100
create some bitmap:ip range 203.0.113.16/29
create wide hash:ip netmask 30
create six hash:ip family inet6
create both list:set
add both six
add both calm
`;
const changingRules = `*mangle
${[
  "trap src",
  "calm src",
  "seen src,dst,dst",
  "blocks src",
  "mixed src",
  "doors dst",
  "some src",
  "wide src",
  "both src",
  "seen src,src,dst",
]
  .map(
    (set, bit) => `-A PREROUTING -m set --match-set ${set} -j MARK --set-xmark 0x${(2 ** bit).toString(16)}/0x${(2 ** bit).toString(16)}`,
  )
  .join("\n")}
-A PREROUTING -p udp -m udp --dport 53 -j SET --add-set trap src --exist --timeout 300
-A PREROUTING -p tcp -m tcp --dport 443 -j SET --del-set trap src
-A PREROUTING -p tcp -m tcp --dport 80 -j SET --add-set both src
-A PREROUTING -p tcp -m tcp --dport 53 -j SET --del-set calm src
-A PREROUTING -p tcp -m tcp --sport 53 -j SET --add-set trap src --del-set calm src
-A PREROUTING -i eth1 -j SET --add-set seen src,dst,dst
-A PREROUTING -p icmp -j SET --del-set seen src,dst,dst
-A PREROUTING -p udp -m udp --dport 80 -j SET --add-set blocks src
-A PREROUTING -p udp -m udp --dport 443 -j SET --del-set blocks src
-A PREROUTING -p gre -j SET --add-set mixed src
-A PREROUTING -p udp -m udp --sport 80 -j SET --add-set doors dst
-A PREROUTING -m udp -p udp --sport 443 -j SET --add-set some src
-A PREROUTING -p icmp -j SET --add-set wide src
COMMIT
`;

function changingRound(): ReturnType<typeof round> {
  const dice = new Dice(4_711);
  const world = worldOf("ipv4", dice);
  const { script, diagnostics } = translate([{ file: "rules.v4", text: changingRules }], {
    ipsets: [{ file: "sets.ipset", text: changingSets }],
  });
  if (script === undefined) throw new Error(diagnostics.map(({ span, message }) => `${span.file}:${span.line}: ${message}`).join("\n"));
  const frames = Array.from(
    { length: packetsPerRound },
    (_, index): Frame => ({ at: index * spacing, packet: packet(world, dice), interface: dice.of(["eth0", "eth1"]) }),
  );
  return { dumps: { ipv4: changingRules, ipv6: "" }, script, frames, prepare: `ipset restore <<'END'\n${changingSets}END` };
}

const inputs = [...Array.from({ length: rounds }, (_, index) => round(index)), changingRound()];
const trial = spawnSync(
  "unshare",
  [...(unshareArguments() ?? []), "bash", "-c", "PATH=$PATH:/usr/sbin:/sbin; ipset create trial hash:net,iface"],
  { encoding: "utf8" },
);

if (trial.status !== 0) describe.skip(`ipset on the kernel (skipped: ${trial.stderr.trim() || "no namespaces"})`, () => undefined);
else
  describeOnKernel("ipset on the kernel", () => {
    let reports: readonly (Report | ReplayError)[] = [];

    beforeAll(async () => {
      reports = await replayAll(inputs);
      const outcomes = reports.flatMap((report) => (report instanceof ReplayError ? [] : report.outcomes));
      const marks = new Set(outcomes.map(({ iptables }) => iptables.sighting?.mark));
      console.log(
        `${inputs.length} rulesets, ${outcomes.length} packets, ${marks.size} different marks, ${outcomes.filter(({ differs }) => differs).length} differing`,
      );
    }, 90_000);

    it.each(inputs.map((_, index) => index))("round %i, the last with rules that change sets", (index) => {
      const report = reports[index]!;
      if (report instanceof ReplayError) throw report;
      expect(describeDifferences(report)).toBe(`0 of ${packetsPerRound} packets differ`);
      expect(report.outcomes.filter(({ iptables }) => (iptables.sighting?.mark ?? 0) !== 0).length).toBeGreaterThan(packetsPerRound / 2);
    });
  });
