/**
 * Lists that are asked with `--rttl`, each as a small dump and as packets of senders that change their TTL: never, now and then, to and
 * fro, or at random, never more than ten times in a second.
 */

import type { Family } from "../../src/iptables/ast.js";
import { seededRandom, type Random } from "../../src/random.js";
import type { Frame } from "../../src/verify/frame.js";
import { udp } from "../../src/verify/packet.js";
import { momentsOf, senderCount, type Limit } from "../../src/verify/rhythm.js";

interface Ends {
  readonly source: string;
  readonly destination: string;
}

export interface TtlProgram {
  readonly name: string;
  readonly family: Family;
  readonly dump: string;
  readonly limit: Limit;
  /** Where a packet goes from and to; one host of the list for each sender. */
  readonly ends: (sender: number, random: Random) => Ends;
  /** Destination ports, each as often as it is named. */
  readonly ports: readonly number[];
  readonly ttls: readonly number[];
  /** The nft that the script is made for; any if absent. */
  readonly targetNft?: string;
}

/** Changes of a sender's TTL within a second. */
const mostChanges = 10;

/** Seconds that each program is played. */
const duration = 8;

/** The frames of all senders of a program; the same for the same seed. */
export function framesOf({ limit, ends, ports, ttls }: TtlProgram, seed: number): Frame[] {
  return Array.from({ length: senderCount }, (_, sender) => {
    const random = seededRandom(seed * 1000 + sender);
    const pick = <Value>(values: readonly Value[]): Value => values[Math.floor(random() * values.length)]!;
    const changes: number[] = [];
    let [ttl, other] = [pick(ttls), pick(ttls)];
    return momentsOf(sender, limit, duration, random).map((at): Frame => {
      const { source, destination } = ends(sender, random);
      const habit = (sender + seed) % 4;
      const wishes = habit === 1 ? random() < 0.1 : habit > 1 && random() < 0.8;
      // The first hit writes a TTL too, and rules may write one in between.
      if (wishes && changes.filter((change) => at - change < 1.1).length < mostChanges) {
        [ttl, other] = habit === 2 ? [other, ttl] : [pick(ttls), ttl];
        changes.push(at);
      }
      return {
        at,
        packet: udp(source, destination, pick(ports), { sourcePort: 1024 + Math.floor(random() * 60_000), ttl }),
      };
    });
  }).flat();
}

// ---------------------------------------------------------------------------------------------------- the packets

/** The firewall itself. */
export const hereOf: Readonly<Record<Family, string>> = { ipv4: "192.0.2.1", ipv6: "2001:db8::1" };
const behind: Readonly<Record<Family, string>> = { ipv4: "198.51.100.10", ipv6: "2001:db8:1::10" };

const sourceOf = (sender: number, family: Family): string =>
  family === "ipv4" ? `203.0.113.${10 + sender}` : `2001:db8:2::${(10 + sender).toString(16)}`;

const toHere =
  (family: Family): TtlProgram["ends"] =>
  (sender) => ({ source: sourceOf(sender, family), destination: hereOf[family] });
const through =
  (family: Family): TtlProgram["ends"] =>
  (sender) => ({ source: sourceOf(sender, family), destination: behind[family] });
const either =
  (family: Family): TtlProgram["ends"] =>
  (sender, random) => ({
    source: sourceOf(sender, family),
    destination: random() < 0.5 ? hereOf[family] : behind[family],
  });
/** Many senders, and a destination for each of them. */
const toOneOfMany: TtlProgram["ends"] = (sender, random) => ({
  source: `203.0.113.${1 + Math.floor(random() * 200)}`,
  destination: `198.51.100.${20 + sender}`,
});
/** Networks in the place of hosts. */
const fromNetwork =
  (family: Family, destination: (random: Random) => string): TtlProgram["ends"] =>
  (sender, random) => {
    const host = 1 + Math.floor(random() * 250);
    return {
      source: family === "ipv4" ? `203.0.${sender}.${host}` : `2001:db8:${sender}::${host.toString(16)}`,
      destination: destination(random),
    };
  };

// ------------------------------------------------------------------------------------------------------ the dumps

function table(name: string, chains: readonly string[], rules: readonly string[]): string {
  return [`*${name}`, ...chains.map((chain) => `:${chain} [0:0]`), ...rules.map((rule) => `-A ${rule}`), "COMMIT", ""].join("\n");
}

function filter(rules: readonly string[], { input = "ACCEPT", chains = [] as readonly string[] } = {}): string {
  return table("filter", [`INPUT ${input}`, "FORWARD ACCEPT", "OUTPUT ACCEPT", ...chains.map((chain) => `${chain} -`)], rules);
}

const port = (number: number): string => `-p udp -m udp --dport ${number}`;

/** A rule's recent match for port 7. */
const recent = (chain: string, operation: string, more = ""): string =>
  `${chain} ${port(7)} -m recent ${operation} --name L ${more}`.trim();

const alone = [7];
const inputTtls = [64, 63, 128, 255, 49, 1];
const routedTtls = [64, 63, 128, 255, 49, 2, 65];

const usual = { family: "ipv4", limit: { windows: [1], hits: 4 }, ends: toHere("ipv4"), ports: alone, ttls: inputTtls } as const;
const six = { ...usual, family: "ipv6", ends: toHere("ipv6") } as const;
const network24 = "--mask 255.255.255.0";
const network48 = "--mask ffff:ffff:ffff::";

export const programs: readonly TtlProgram[] = [
  {
    ...usual,
    name: "update above set",
    dump: filter([recent("INPUT", "--update --seconds 1 --hitcount 4 --rttl", "-j DROP"), recent("INPUT", "--set")]),
  },
  {
    ...usual,
    name: "update above set, for nft 0.9.8",
    dump: filter([recent("INPUT", "--update --seconds 1 --hitcount 4 --rttl", "-j DROP"), recent("INPUT", "--set")]),
    targetNft: "0.9.8",
  },
  {
    ...usual,
    name: "update above set, with TTL 0",
    ttls: [0, 64, 63, 64, 63],
    dump: filter([recent("INPUT", "--update --seconds 1 --hitcount 4 --rttl", "-j DROP"), recent("INPUT", "--set")]),
  },
  {
    ...usual,
    name: "rcheck above set",
    limit: { windows: [2], hits: 3 },
    dump: filter([recent("INPUT", "--rcheck --seconds 2 --hitcount 3 --rttl", "-j DROP"), recent("INPUT", "--set")]),
  },
  {
    ...usual,
    name: "whoever has come lately, update above set",
    limit: { windows: [1], hits: 2 },
    dump: filter([recent("INPUT", "--update --seconds 1 --rttl", "-j DROP"), recent("INPUT", "--set")]),
  },
  {
    ...usual,
    name: "20 hits, update above set",
    limit: { windows: [1], hits: 20 },
    dump: filter([recent("INPUT", "--update --seconds 1 --hitcount 20 --rttl", "-j DROP"), recent("INPUT", "--set")]),
  },
  {
    ...usual,
    name: "set above update",
    dump: filter([recent("INPUT", "--set"), recent("INPUT", "--update --seconds 1 --hitcount 4 --rttl", "-j DROP")]),
  },
  {
    ...usual,
    name: "set, LOG and DROP that both update",
    dump: filter([
      recent("INPUT", "--set"),
      recent("INPUT", "--update --seconds 1 --hitcount 4 --rttl", "-j LOG"),
      recent("INPUT", "--update --seconds 1 --hitcount 4 --rttl", "-j DROP"),
    ]),
  },
  {
    ...usual,
    name: "set, and a check under fewer conditions",
    ports: [7, 7, 8],
    dump: filter([recent("INPUT", "--set"), "INPUT -p udp -m recent --rcheck --seconds 1 --hitcount 4 --rttl --name L -j DROP"]),
  },
  {
    ...usual,
    name: "an update without --rttl in between",
    ports: [7, 7, 7, 8],
    dump: filter([
      `INPUT ${port(8)} -m recent --update --seconds 1 --hitcount 2 --name L`,
      recent("INPUT", "--rcheck --seconds 1 --hitcount 4 --rttl", "-j DROP"),
      recent("INPUT", "--set"),
    ]),
  },
  {
    ...usual,
    name: "two windows",
    limit: { windows: [1, 3], hits: 4 },
    dump: filter([
      recent("INPUT", "--rcheck --seconds 1 --hitcount 4 --rttl", "-j DROP"),
      recent("INPUT", "--update --seconds 3 --hitcount 10 --rttl", "-j DROP"),
      recent("INPUT", "--set"),
    ]),
  },
  {
    ...usual,
    name: "accepted while not over the limit",
    ports: [7, 7, 8],
    dump: filter(
      [recent("INPUT", "! --rcheck --seconds 1 --hitcount 3 --rttl", "-j ACCEPT"), "INPUT -p udp -m recent --set --name L -j DROP"],
      {
        input: "DROP",
      },
    ),
  },
  {
    ...usual,
    name: "accepted while not over the limit, by update",
    ports: [7, 7, 8],
    dump: filter(
      [recent("INPUT", "! --update --seconds 1 --hitcount 3 --rttl", "-j ACCEPT"), `INPUT ${port(8)} -m recent --set --name L`],
      { input: "DROP" },
    ),
  },
  {
    ...usual,
    name: "accepted when not come lately, by update",
    limit: { windows: [1], hits: 2 },
    ports: [7, 7, 8],
    dump: filter([recent("INPUT", "! --update --seconds 1 --rttl", "-j ACCEPT"), `INPUT ${port(8)} -m recent --set --name L`], {
      input: "DROP",
    }),
  },
  {
    ...usual,
    name: "hits ever, with a removal",
    ports: [7, 7, 7, 7, 7, 7, 9],
    dump: filter([
      `INPUT ${port(9)} -m recent --remove --name L`,
      recent("INPUT", "--update --hitcount 4 --rttl", "-j DROP"),
      recent("INPUT", "--set"),
    ]),
  },
  {
    ...usual,
    name: "ever seen, with a removal",
    ports: [7, 7, 7, 8, 9],
    dump: filter([
      `INPUT ${port(9)} -m recent --remove --name L`,
      recent("INPUT", "--rcheck --rttl", "-j DROP"),
      `INPUT ${port(8)} -m recent --set --name L`,
    ]),
  },
  {
    ...usual,
    name: "update above set, with a removal",
    ports: [7, 7, 7, 7, 7, 7, 7, 9],
    dump: filter([
      `INPUT ${port(9)} -m recent --remove --name L -j DROP`,
      recent("INPUT", "--update --seconds 1 --hitcount 3 --rttl", "-j DROP"),
      recent("INPUT", "--set"),
    ]),
  },
  {
    ...usual,
    name: "destinations",
    ends: toOneOfMany,
    ttls: routedTtls,
    dump: filter([recent("FORWARD", "--update --seconds 1 --hitcount 4 --rttl", "--rdest -j DROP"), recent("FORWARD", "--set", "--rdest")]),
  },
  {
    ...usual,
    name: "networks",
    ends: fromNetwork("ipv4", () => hereOf.ipv4),
    dump: filter([
      recent("INPUT", "--update --seconds 1 --hitcount 4 --rttl", `${network24} -j DROP`),
      recent("INPUT", "--set", network24),
    ]),
  },
  {
    ...usual,
    name: "INPUT and FORWARD",
    ends: either("ipv4"),
    ttls: routedTtls,
    dump: filter(
      ["INPUT", "FORWARD"].flatMap((chain) => [
        recent(chain, "--update --seconds 1 --hitcount 4 --rttl", "-j DROP"),
        recent(chain, "--set"),
      ]),
    ),
  },
  {
    ...usual,
    name: "one chain for INPUT and FORWARD, networks",
    ends: fromNetwork("ipv4", (random) => (random() < 0.5 ? hereOf.ipv4 : behind.ipv4)),
    ttls: routedTtls,
    ports: [7, 7, 7, 8],
    dump: filter(
      [
        "INPUT -j BOTH",
        "FORWARD -j BOTH",
        `BOTH ${port(8)} -m recent --set --name L ${network24}`,
        recent("BOTH", "! --update --seconds 1 --hitcount 3 --rttl", `${network24} -j RETURN`),
        `BOTH ${port(7)} -j DROP`,
      ],
      { chains: ["BOTH"] },
    ),
  },
  {
    ...usual,
    name: "recorded in PREROUTING, checked in FORWARD",
    ends: through("ipv4"),
    ttls: routedTtls,
    ports: [7, 8],
    dump:
      table("raw", ["PREROUTING ACCEPT", "OUTPUT ACCEPT"], [`PREROUTING ${port(8)} -m recent --set --name L`]) +
      filter([recent("FORWARD", "--rcheck --seconds 1 --hitcount 2 --rttl", "-j DROP")]),
  },
  {
    ...usual,
    name: "recorded in POSTROUTING, checked in PREROUTING",
    ends: through("ipv4"),
    ttls: routedTtls,
    dump: table(
      "mangle",
      ["PREROUTING ACCEPT", "INPUT ACCEPT", "FORWARD ACCEPT", "OUTPUT ACCEPT", "POSTROUTING ACCEPT"],
      [recent("PREROUTING", "--update --seconds 1 --hitcount 4 --rttl", "-j DROP"), recent("POSTROUTING", "--set")],
    ),
  },
  {
    ...usual,
    name: "a TTL that is changed between set and check",
    ttls: [64, 64, 60],
    dump: table(
      "mangle",
      ["PREROUTING ACCEPT", "INPUT ACCEPT", "FORWARD ACCEPT", "OUTPUT ACCEPT", "POSTROUTING ACCEPT"],
      [
        recent("PREROUTING", "--set"),
        `PREROUTING ${port(7)} -m ttl --ttl-eq 64 -j TTL --ttl-set 63`,
        recent("PREROUTING", "--rcheck --seconds 1 --hitcount 2 --rttl", "-j DROP"),
      ],
    ),
  },
  {
    ...six,
    name: "IPv6, update above set",
    dump: filter([recent("INPUT", "--update --seconds 1 --hitcount 4 --rttl", "-j DROP"), recent("INPUT", "--set")]),
  },
  {
    ...six,
    name: "IPv6, networks in INPUT and FORWARD",
    ends: fromNetwork("ipv6", (random) => (random() < 0.5 ? hereOf.ipv6 : behind.ipv6)),
    ttls: routedTtls,
    dump: filter(
      ["INPUT", "FORWARD"].flatMap((chain) => [
        recent(chain, "--update --seconds 1 --hitcount 4 --rttl", `${network48} -j DROP`),
        recent(chain, "--set", network48),
      ]),
    ),
  },
  {
    ...six,
    name: "IPv6, accepted while not over the limit, by update, with a removal",
    ports: [7, 7, 7, 8, 8, 9],
    dump: filter(
      [
        `INPUT ${port(9)} -m recent --remove --name L`,
        recent("INPUT", "! --update --seconds 1 --hitcount 3 --rttl", "-j ACCEPT"),
        `INPUT ${port(8)} -m recent --set --name L`,
      ],
      { input: "DROP" },
    ),
  },
];
