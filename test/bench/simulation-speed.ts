/** How fast the models of `simulate` are: packets sent to both, and virtual time passed, in a second of real time. */

import { translate } from "../../src/index.js";
import { modelsOf } from "../../src/simulate/models.js";
import type { Packet } from "../../src/simulate/packet.js";
import { ticksPerSecond } from "../../src/simulate/packet.js";
import { searchLists } from "../../src/simulate/search.js";

const packet: Packet = {
  time: 0,
  path: "input",
  source: 0xc000_0207n,
  destination: 0xc633_6401n,
  ttl: 64,
  protocol: 6,
  sourcePort: 40000,
  destinationPort: 22,
  inInterface: "eth0",
  outInterface: "",
};

/** Packets of one run. */
const packets = 200_000;
const hosts = 50n;
const turns = 5;

interface Shape {
  readonly name: string;
  readonly dump: string;
  readonly recent?: "exact" | "limit";
}

function throttle(rules: readonly string[]): string {
  return `*filter\n:INPUT ACCEPT [0:0]\n${rules.map((rule) => `-A INPUT ${rule}\n`).join("")}COMMIT\n`;
}

const ssh = "-p tcp -m tcp --dport 22 -m recent";
const shapes: readonly Shape[] = [
  {
    name: "set, update: 4 in 60 s",
    dump: throttle([`${ssh} --set --name L`, `${ssh} --update --seconds 60 --hitcount 4 --name L -j DROP`]),
  },
  {
    name: "set, update: 20 in 60 s",
    dump: throttle([`${ssh} --set --name L`, `${ssh} --update --seconds 60 --hitcount 20 --name L -j DROP`]),
  },
  {
    name: "set, update: 100 in 60 s",
    dump: throttle([`${ssh} --set --name L`, `${ssh} --update --seconds 60 --hitcount 100 --name L -j DROP`]),
  },
  { name: "set, rcheck: no hit count", dump: throttle([`${ssh} --set --name L`, `${ssh} --rcheck --seconds 60 --name L -j DROP`]) },
  {
    name: "set, update as a limit",
    dump: throttle([`${ssh} --set --name L`, `${ssh} --update --seconds 60 --hitcount 4 --name L -j DROP`]),
    recent: "limit",
  },
  {
    name: "set, update behind 100 rules",
    dump: throttle([
      ...Array.from({ length: 100 }, (_, index) => `-s 203.0.113.${index}/32 -p udp -m udp --dport ${1000 + index} -j DROP`),
      `${ssh} --set --name L`,
      `${ssh} --update --seconds 60 --hitcount 4 --name L -j DROP`,
    ]),
  },
];

/** Returns a table as Markdown. */
export function measureSimulation(): string {
  const lines = [
    "| rules | packets a second, both models | a day of one packet a second | search, schedules a second |",
    "|---|---|---|---|",
  ];
  for (const shape of shapes) {
    const { perSecond, searched } = measure(shape);
    lines.push(
      `| ${shape.name} | ${grouped(perSecond)} | ${((86_400 / perSecond) * 1000).toFixed(0)} ms | ${searched === 0 ? "ends at a difference" : grouped(searched)} |`,
    );
  }
  return lines.join("\n");
}

function measure({ dump, recent = "exact" }: Shape): { readonly perSecond: number; readonly searched: number } {
  const translation = translate(dump, { recent });
  const { xtables, nft } = modelsOf(translation.iptables[0]!, translation.nft!.tables[0]!);
  const times = Array.from({ length: turns }, () => {
    xtables.reset();
    nft.reset();
    return seconds(() => {
      for (let index = 0; index < packets; index++) {
        const sent = { ...packet, source: packet.source + (BigInt(index) % hosts), time: index * ticksPerSecond };
        xtables.send(sent);
        nft.send(sent);
      }
    });
  });
  let schedules = 0;
  const searching = seconds(() => {
    for (const { result, counterexample } of searchLists(translation))
      if (result.kind === "searched" && !counterexample) schedules += result.effort.schedules;
  });
  return { perSecond: Math.round(packets / Math.min(...times)), searched: Math.round(schedules / searching) };
}

function seconds(run: () => void): number {
  const start = performance.now();
  run();
  return (performance.now() - start) / 1000;
}

function grouped(count: number): string {
  return count.toLocaleString("en");
}
