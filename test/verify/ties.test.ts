import { expect, it } from "vitest";

import { translate } from "../../src/index.js";
import type { Fate, Outcome, Report } from "../../src/verify/fate.js";
import { udp } from "../../src/verify/packet.js";
import { listsOf, tied } from "../../src/verify/ties.js";

const fate: Fate = { verdict: "dropped" };

/** Packets of hosts at moments in seconds. */
function reportOf(...arrivals: readonly (readonly [source: string, arrival: number])[]): Report {
  const outcomes = arrivals.map(
    ([source, arrival]): Outcome => ({
      frame: { at: arrival, packet: udp(source, "192.0.2.1", 53) },
      iptables: fate,
      nft: fate,
      differs: false,
      arrival,
    }),
  );
  return { outcomes, differing: [], lateness: 0, skew: 0, after: { dump: "", ruleset: "" } };
}

function tiedMoments(rule: string, ...arrivals: readonly (readonly [source: string, arrival: number])[]): number[] {
  const lists = listsOf(translate(`*filter\n-A INPUT -m recent ${rule} -s 192.0.2.0/24 -j DROP\nCOMMIT\n`).iptables);
  return [...tied(reportOf(...arrivals), lists)].map(({ at }) => at);
}

const check = "--update --seconds 2 --name L";
const host = "192.0.2.7";

it("finds packets a window apart, and all of their host from there on", () => {
  expect(tiedMoments(check, [host, 0], [host, 1], [host, 2.01], [host, 2.5])).toEqual([2.01, 2.5]);
});

it("passes over distances that are clearly shorter or longer", () => {
  expect(tiedMoments(check, [host, 0], [host, 1.98], [host, 2.02])).toEqual([]);
});

it("keeps hosts apart, as the list's mask does", () => {
  const arrivals = [
    [host, 0],
    ["192.0.2.8", 2],
  ] as const;
  expect(tiedMoments(check, ...arrivals)).toEqual([]);
  expect(tiedMoments(`${check} --mask 255.255.255.0`, ...arrivals)).toEqual([2]);
});

it("goes by destination where the list does", () => {
  expect(tiedMoments(`${check} --rdest`, [host, 0], ["192.0.2.8", 2])).toEqual([2]);
});

it("finds nothing where there is no window", () => {
  expect(tiedMoments("--rcheck --hitcount 3 --name L", [host, 0], [host, 2])).toEqual([]);
});
