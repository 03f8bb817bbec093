/**
 * The shapes of `recent` whose cost is measured: each as a dump for windows of any length.
 *
 * Verdicts let the packet go on to a chain behind the hook's own that drops everything. A packet dropped at once would save
 * the kernel more than any of these rules costs, and the figures would say nothing.
 */

import type { Family } from "../../src/iptables/ast.js";
import type { RecentForm } from "../../src/rewrite/ruleset.js";

/** How a dump is written in nft. */
export type Form = RecentForm | "plain" | "optimised" | "optimised, no counters";

export interface Shape {
  readonly name: string;
  readonly hits: number;
  readonly family: Family;
  /** Forms that are measured beside xt_recent. */
  readonly forms: readonly Form[];
  /** `seconds` is the length of the window. */
  dump(seconds: number): string;
}

const rule = "-A INPUT -p udp -m udp --dport 53";
const set = "-m recent --set --name list";
const test = (operation: string, seconds: number, hits: number): string =>
  `-m recent ${operation} --seconds ${seconds} --hitcount ${hits} --name list`;

function shape(
  name: string,
  hits: number,
  rules: (seconds: number) => readonly string[],
  { forms = ["exact"], family = "ipv4" }: Partial<Pick<Shape, "forms" | "family">> = {},
): Shape {
  return {
    name: `${name}, ${hits} hits${family === "ipv6" ? ", IPv6" : ""}`,
    hits,
    family,
    forms,
    dump: (seconds) =>
      ["*filter", ":INPUT ACCEPT [0:0]", ":FORWARD ACCEPT [0:0]", ":OUTPUT ACCEPT [0:0]", ...rules(seconds), "COMMIT", ""].join("\n"),
  };
}

export const shapes: readonly Shape[] = [
  ...[2, 3, 4, 10, 20, 100].map((hits) =>
    shape("set, update", hits, (seconds) => [`${rule} ${set}`, `${rule} ${test("--update", seconds, hits)} -j ACCEPT`], {
      forms: [4, 20, 100].includes(hits) ? ["exact", "limit"] : ["exact"],
    }),
  ),
  shape("update, set", 4, (seconds) => [`${rule} ${test("--update", seconds, 4)} -j ACCEPT`, `${rule} ${set}`]),
  shape("update with --rttl, set", 4, (seconds) => [`${rule} ${test("--update", seconds, 4)} --rttl -j ACCEPT`, `${rule} ${set}`]),
  shape("set, rcheck", 4, (seconds) => [`${rule} ${set}`, `${rule} ${test("--rcheck", seconds, 4)} -j ACCEPT`]),
  shape("rcheck, set", 4, (seconds) => [`${rule} ${test("--rcheck", seconds, 4)} -j ACCEPT`, `${rule} ${set}`]),
  shape("set, update and LOG, update", 4, (seconds) => [
    `${rule} ${set}`,
    `${rule} ${test("--update", seconds, 4)} -j LOG --log-prefix "over "`,
    `${rule} ${test("--update", seconds, 4)} -j ACCEPT`,
  ]),
  ...[4, 20].map((hits) =>
    shape("set in a chain, ! rcheck apart", hits, (seconds) => [
      ":RECORD - [0:0]",
      "-A INPUT -j RECORD",
      `${rule} -m length --length 1400:1500 -j ACCEPT`,
      `${rule} ${test("! --rcheck", seconds, hits)} -j ACCEPT`,
      `-A RECORD -p udp -m udp --dport 53 ${set}`,
    ]),
  ),
  ...[4, 20].map((hits) =>
    shape("set in a chain, update apart", hits, (seconds) => [
      ":RECORD - [0:0]",
      "-A INPUT -j RECORD",
      `${rule} -m length --length 1400:1500 -j ACCEPT`,
      `${rule} ${test("--update", seconds, hits)} -j ACCEPT`,
      `-A RECORD -p udp -m udp --dport 53 ${set}`,
    ]),
  ),
  shape("set, update in two windows (and 10)", 4, (seconds) => [
    `${rule} ${set}`,
    `${rule} ${test("--update", seconds, 4)} -j ACCEPT`,
    `${rule} ${test("--update", seconds * 5, 10)} -j ACCEPT`,
  ]),
  ...[4, 20].map((hits) =>
    shape("set, update", hits, (seconds) => [`${rule} ${set}`, `${rule} ${test("--update", seconds, hits)} -j ACCEPT`], { family: "ipv6" }),
  ),
  shape("update, set", 4, (seconds) => [`${rule} ${test("--update", seconds, 4)} -j ACCEPT`, `${rule} ${set}`], { family: "ipv6" }),
];
