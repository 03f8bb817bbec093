/**
 * The models of `simulate` against the kernel: random rulesets of one to three lists with every option of `recent`, random
 * schedules, and each packet's verdict and mark under iptables and under our script compared with what its model says.
 *
 * The models count time in ticks of the kernel, whose beginning is not known: the phase that fits best is taken. Where a
 * stamp is a tick or two from a window's end either answer is right, and what follows for that host is not compared.
 * Another campaign: `MODELS_SEED=7 MODELS_RULESETS=40 npx vitest run --project kernel test/kernel/models`.
 */

import { afterAll, expect, it } from "vitest";

import { translate } from "../../src/index.js";
import { cutRules } from "../../src/simulate/cut.js";
import { describePacket } from "../../src/simulate/explain.js";
import { modelsOf, type Models } from "../../src/simulate/models.js";
import { sameOutcome, ticksPerSecond, type Outcome, type Packet } from "../../src/simulate/packet.js";
import type { Fate } from "../../src/verify/fate.js";
import { replayAll, ReplayError, type ReplayInput } from "../../src/verify/lab.js";
import { udp } from "../../src/verify/packet.js";
import { seededRandom, type Random } from "../../src/random.js";
import { formatAddress } from "../../src/extensions/values/address.js";
import { describeOnKernel } from "./requirements.js";

const seed = Number(process.env["MODELS_SEED"] ?? 1);
const rulesets = Number(process.env["MODELS_RULESETS"] ?? 12);
/** Rulesets that are played at the same time. */
const width = 12;
/** Seconds of one schedule. */
const duration = 11;
const packetsEach = 700;

const firewall = 0xc000_0201n;
const ports = [53, 123, 500];

interface Trial {
  readonly dump: string;
  readonly seconds: readonly number[];
  readonly packets: readonly (Packet & { readonly at: number })[];
}

// --------------------------------------------------------------------------------------------------------- rulesets

interface ListShape {
  readonly name: string;
  readonly side: string;
  readonly mask: string;
  readonly seconds: readonly number[];
  readonly hits: readonly number[];
}

function pick<Item>(random: Random, items: readonly Item[]): Item {
  return items[Math.floor(random() * items.length)]!;
}

function trialOf(number: number): Trial {
  const random = seededRandom(number);
  const lists = ["alpha", "beta", "gamma"].slice(0, 1 + Math.floor(random() * 3)).map(
    (name): ListShape => ({
      name,
      side: pick(random, ["rsource", "rsource", "rsource", "rdest"]),
      mask: pick(random, ["255.255.255.255", "255.255.255.255", "255.255.255.252"]),
      seconds: [pick(random, [1, 2, 3]), pick(random, [1, 2])],
      hits: [pick(random, [2, 3, 4, 5]), pick(random, [1, 4, 8, 12])],
    }),
  );
  const rules = Array.from({ length: 4 + Math.floor(random() * 5) }, (_, index) => ruleOf(pick(random, lists), index, random));
  const [first] = lists;
  const verdicts = [
    `-A INPUT -p udp -m udp --dport ${ports[0]} -m recent --rcheck --seconds ${first!.seconds[0]} --hitcount ${first!.hits[0]} --name ${first!.name} --mask ${first!.mask} --${first!.side} -j DROP`,
  ];
  const dump = `*mangle\n:side - [0:0]\n-A PREROUTING -p udp -m udp --dport ${ports[1]} -j side\n${rules.join("\n")}\nCOMMIT\n*filter\n${verdicts.join("\n")}\nCOMMIT\n`;
  const hostCount = number % 6 === 5 ? 130 : 8;
  return { dump, seconds: [...new Set(lists.flatMap(({ seconds }) => seconds))], packets: packetsOf(hostCount, lists[0]!, random) };
}

function ruleOf({ name, side, mask, seconds, hits }: ListShape, index: number, random: Random): string {
  const check = pick(random, ["--rcheck", "--update"]);
  const window = `--seconds ${pick(random, seconds)}`;
  const extra = [random() < 0.15 ? "--reap" : "", random() < 0.2 ? "--rttl" : ""].join(" ");
  const operation = pick(random, [
    "--set",
    "--set",
    "--set",
    "--remove",
    check,
    `${check} ${window} ${extra}`,
    `${check} ${window} --hitcount ${pick(random, hits)} ${extra}`,
    `${check} ${window} --hitcount ${pick(random, hits)}`,
    `${check} --hitcount ${pick(random, hits)}`,
  ]);
  // Sets that lose and regain a key some hundred times a second lose updates: removals are for one port only.
  const port =
    operation === "--remove"
      ? `-p udp -m udp --dport ${ports[2]}`
      : pick(random, ["", "-p udp", `-p udp -m udp --dport ${pick(random, ports)}`]);
  const chain = pick(random, ["PREROUTING", "PREROUTING", "side"]);
  const bit = `0x${(1 << index).toString(16)}`;
  return `-A ${chain} ${port} -m recent ${random() < 0.2 ? "! " : ""}${operation} --name ${name} --mask ${mask} --${side} -j MARK --set-xmark ${bit}/${bit}`.replaceAll(
    / {2,}/gu,
    " ",
  );
}

function packetsOf(hosts: number, { seconds, hits }: ListShape, random: Random): Trial["packets"] {
  const window = seconds[0]!;
  const packets: (Packet & { readonly at: number })[] = [];
  for (let host = 0; host < hosts; host++) {
    let at = random() * (hosts > 10 ? duration / 2 : 0.5);
    while (at < duration && packets.length < ((host + 1) * packetsEach) / hosts) {
      const source = firewall + 4n + BigInt(host);
      const own = {
        time: 0,
        path: "input" as const,
        source,
        destination: firewall,
        ttl: pick(random, [64, 64, 64, 63]),
        protocol: 17,
        sourcePort: 20000 + packets.length,
        destinationPort: pick(random, ports),
        inInterface: "eth0",
        outInterface: "",
        length: 32,
      };
      packets.push({ ...own, at });
      // Bursts, pauses around the windows' ends, anything else. Faster than 20 a second the models count on all the same.
      const choice = random();
      at +=
        choice < 0.6
          ? 0.013 + 0.03 * random()
          : choice < 0.8
            ? window + pick(random, [-0.03, 0.03, -0.015, 0.015])
            : choice < 0.9
              ? window / hits[0]!
              : 1.5 * window * random();
    }
  }
  return packets.sort((a, b) => a.at - b.at);
}

// -------------------------------------------------------------------------------------------------------- comparison

const figures = { rulesets: 0, verdicts: 0, dropped: 0, "after a tie": 0, "iptables differing": 0, "nft differing": 0 };

function modelsFor(dump: string): { readonly models: Models; readonly script: string } {
  const translation = translate(dump, { family: "ipv4", recent: "exact" });
  const [ruleset] = translation.iptables;
  if (translation.script === undefined) throw new Error(translation.diagnostics.map(({ message }) => message).join("\n"));
  return {
    models: modelsOf(ruleset!, translation.nft!.tables[0]!, { listSize: 100, cut: cutRules(ruleset!, translation.diagnostics) }),
    script: translation.script,
  };
}

interface Seen {
  readonly packet: Packet;
  readonly arrival: number;
  readonly fate: Fate;
}

/** What the observer saw, as the models tell it; the mark of a packet that was dropped is gone with it. */
function outcomeOf({ verdict, sighting }: Fate): Outcome {
  const mark = BigInt(sighting?.mark ?? 0);
  return verdict === "accepted" ? { verdict: "accept", logs: [], ...(mark !== 0n && { mark }) } : { verdict: "drop", logs: [] };
}

function withoutMark({ verdict, mark }: Outcome): Outcome {
  return { verdict, logs: [], ...(verdict === "accept" && mark !== undefined && { mark }) };
}

interface Comparison {
  readonly differing: readonly string[];
  readonly tied: number;
}

const phases = 16;

/** The least of what differs over the phases of the kernel's clock. */
function compareSide(
  seen: readonly Seen[],
  send: (packet: Packet) => Outcome,
  reset: () => void,
  seconds: readonly number[],
  hostsAlone: boolean,
): Comparison {
  let best: Comparison | undefined;
  for (let phase = 0; phase < phases; phase++) {
    reset();
    const found = compareAt(phase / phases, seen, send, seconds, hostsAlone);
    if (
      !best ||
      found.differing.length < best.differing.length ||
      (found.differing.length === best.differing.length && found.tied < best.tied)
    )
      best = found;
  }
  return best!;
}

function compareAt(
  phase: number,
  seen: readonly Seen[],
  send: (packet: Packet) => Outcome,
  seconds: readonly number[],
  hostsAlone: boolean,
): Comparison {
  const differing: string[] = [];
  const doubtful = new Set<bigint>();
  const times = new Map<bigint, number[]>();
  let tied = 0;
  for (const { packet, arrival, fate } of seen) {
    const time = Math.floor(arrival * ticksPerSecond + phase) + 1000;
    // Hosts that a list takes for one, or whose fate depends on others, share their ties.
    const host = hostsAlone ? packet.source >> 2n : 0n;
    const before = times.get(host) ?? [];
    const isTie = before.some((other) => seconds.some((window) => Math.abs(time - other - window * ticksPerSecond) <= 2));
    times.set(host, [...before, time]);
    const expected = withoutMark(send({ ...packet, time }));
    const found = outcomeOf(fate);
    if (doubtful.has(host)) tied += 1;
    else if (!sameOutcome(expected, found)) {
      if (!isTie && !before.some((other) => other === time))
        differing.push(`${arrival.toFixed(4)} s ${describePacket(packet, "ipv4")}: model ${say(expected)}, kernel ${say(found)}`);
      else {
        doubtful.add(host);
        tied += 1;
      }
    }
  }
  return { differing, tied };
}

function say({ verdict, mark }: Outcome): string {
  return `${verdict} mark 0x${(mark ?? 0n).toString(16)}`;
}

function inputFor({ dump, packets }: Trial, script: string): ReplayInput {
  const frames = packets.map(({ at, source, destination, destinationPort, sourcePort, ttl }) => ({
    at,
    packet: udp(formatAddress(source, "ipv4"), formatAddress(destination, "ipv4"), destinationPort, { sourcePort, ttl }),
  }));
  return { dumps: { ipv4: dump }, script, frames };
}

function compareBoth({ trial, seen }: Played, { xtables, nft }: Models): Readonly<Record<"iptables" | "nft", Comparison>> {
  const hostsAlone = !/--reap|--rdest/u.test(trial.dump);
  return {
    iptables: compareSide(
      seen.iptables,
      (packet) => xtables.send(packet),
      () => xtables.reset(),
      trial.seconds,
      hostsAlone,
    ),
    nft: compareSide(
      seen.nft,
      (packet) => nft.send(packet),
      () => nft.reset(),
      trial.seconds,
      hostsAlone,
    ),
  };
}

interface Played {
  readonly trial: Trial;
  readonly seen: Readonly<Record<"iptables" | "nft", readonly Seen[]>>;
}

/** What was played, for another comparison. */
const played: Played[] = [];

async function differencesOf(numbers: readonly number[]): Promise<string[]> {
  const trials = numbers.map((number) => {
    const trial = trialOf(number);
    return { number, trial, ...modelsFor(trial.dump) };
  });
  const reports = await replayAll(trials.map(({ trial, script }) => inputFor(trial, script)));
  return reports.flatMap((report, index) => {
    const { number, trial, models } = trials[index]!;
    if (report instanceof ReplayError) return [`${number}: ${report.message}\n${trial.dump}`];
    const seen = (side: "iptables" | "nft"): Seen[] =>
      report.outcomes
        .flatMap((outcome, position) =>
          outcome.arrival === undefined ? [] : [{ packet: trial.packets[position]!, arrival: outcome.arrival, fate: outcome[side] }],
        )
        .sort((a, b) => a.arrival - b.arrival);
    const one: Played = { trial, seen: { iptables: seen("iptables"), nft: seen("nft") } };
    played.push(one);
    const sides = compareBoth(one, models);
    figures.rulesets += 1;
    figures.verdicts += one.seen.iptables.length + one.seen.nft.length;
    figures.dropped += one.seen.iptables.filter(({ fate }) => fate.verdict !== "accepted").length;
    figures["after a tie"] += sides.iptables.tied + sides.nft.tied;
    figures["iptables differing"] += sides.iptables.differing.length;
    figures["nft differing"] += sides.nft.differing.length;
    return Object.entries(sides).flatMap(([side, { differing }]) =>
      differing.length === 0 ? [] : [`ruleset ${number}, ${side}: ${differing.slice(0, 3).join("\n")}\n${trial.dump}`],
    );
  });
}

describeOnKernel("the models on the kernel", () => {
  afterAll(() => {
    console.log(
      Object.entries(figures)
        .map(([name, value]) => `${value} ${name}`)
        .join(", "),
    );
  });

  it(`random rulesets from seed ${seed} on`, { timeout: 30_000 * Math.ceil(rulesets / width) }, async () => {
    const found: string[] = [];
    for (let next = 0; next < rulesets; next += width) {
      found.push(...(await differencesOf(Array.from({ length: Math.min(width, rulesets - next) }, (_, index) => seed + next + index))));
    }
    expect(found).toEqual([]);
    expect(figures["after a tie"]).toBeLessThan(figures.verdicts / 4);
  });

  const slips: readonly (readonly [name: string, slip: (dump: string) => string])[] = [
    ["a hit more", (dump) => dump.replaceAll(/--hitcount (\d+)/gu, (_, hits: string) => `--hitcount ${Number(hits) + 1}`)],
    ["a second more", (dump) => dump.replaceAll(/--seconds (\d+)/gu, (_, seconds: string) => `--seconds ${Number(seconds) + 1}`)],
    ["an `--update` that does not touch", (dump) => dump.replaceAll("--update", "--rcheck")],
  ];
  it.each(slips)("would see models with %s", (_, slip) => {
    const differing = played.map((one) => compareBoth(one, modelsFor(slip(one.trial.dump)).models));
    expect(differing.some(({ iptables }) => iptables.differing.length > 0)).toBe(true);
    expect(differing.some(({ nft }) => nft.differing.length > 0)).toBe(true);
  });
});
