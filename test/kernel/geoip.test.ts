/**
 * Countries on the kernel. No kernel of Linux has geoip by itself: its rules are compared with those that ask for the same ranges by
 * iprange, and what they become must load with as many ranges as the largest countries have.
 */

import { expect, it } from "vitest";

import { translate, type AddressRange, type Family } from "../../src/index.js";
import { describeDifferences } from "../../src/verify/fate.js";
import { replay } from "../../src/verify/lab.js";
import { loadTwice } from "../../src/verify/load.js";
import { udp } from "../../src/verify/packet.js";
import { describeOnKernel } from "./requirements.js";

/** Last parts of addresses: neighbours, overlaps, single hosts, in no order. */
const countries: Readonly<Record<string, readonly (readonly [from: number, to: number])[]>> = {
  AA: [
    [64, 70],
    [16, 31],
    [71, 71],
  ],
  AB: [
    [32, 35],
    [90, 100],
    [95, 105],
  ],
  AC: [],
};
const hosts = Array.from({ length: 120 }, (_, index) => index + 10);

const network: Readonly<Record<Family, { readonly prefix: string; readonly start: bigint; readonly inside: string }>> = {
  ipv4: { prefix: "203.0.113.", start: 0xcb007100n, inside: "198.51.100.10" },
  ipv6: { prefix: "2001:db8:2::", start: 0x20010db8000200000000000000000000n, inside: "2001:db8:1::10" },
};

/** Each is asked only by packets to its own port. */
const rules = ["--src-cc AA", "! --src-cc AA", "--src-cc AB,AA", "! --src-cc AA,AB", "--src-cc AC", "! --src-cc AC", "--src-cc AC,AB"];
const firstPort = 1000;

const dumpOf = (lines: readonly string[]): string => `*filter\n:FORWARD ACCEPT [0:0]\n${lines.join("\n")}\nCOMMIT\n`;

function byCountry(): string {
  return dumpOf(rules.map((rule, index) => `-A FORWARD -p udp -m udp --dport ${firstPort + index} -m geoip ${rule} -j DROP`));
}

/** The same in rules that iptables knows. */
function byRange(family: Family): string {
  const { prefix } = network[family];
  const host = (last: number): string => prefix + (family === "ipv4" ? String(last) : last.toString(16));
  const lines = rules.flatMap((rule, index) => {
    const inverted = rule.startsWith("!");
    const ranges = rule
      .split(" ")
      .at(-1)!
      .split(",")
      .flatMap((country) => countries[country]!);
    const port = `-p udp -m udp --dport ${firstPort + index}`;
    const inside = ranges.map(
      ([from, to]) => `-A FORWARD ${port} -m iprange --src-range ${host(from)}-${host(to)} -j ${inverted ? "ACCEPT" : "DROP"}`,
    );
    return [...inside, ...(inverted ? [`-A FORWARD ${port} -j DROP`] : [])];
  });
  return dumpOf(lines);
}

const data = (country: string, family: Family): AddressRange[] | undefined =>
  countries[country]?.map(([from, to]) => ({ from: network[family].start + BigInt(from), to: network[family].start + BigInt(to) }));

describeOnKernel("geoip", () => {
  it.each(["ipv4", "ipv6"] as const)("decides %s packets as rules for the same ranges do", { timeout: 60_000 }, async (family) => {
    const { prefix, inside } = network[family];
    const { script, outcome } = translate(byCountry(), { family, geoip: data });
    expect(outcome).toBe("exact");
    const frames = hosts
      .flatMap((host) =>
        rules.map((_, index) => udp(prefix + (family === "ipv4" ? String(host) : host.toString(16)), inside, firstPort + index)),
      )
      .map((packet, index) => ({ at: index * 0.0005, packet }));
    const report = await replay({ dumps: { [family]: byRange(family) }, script: script!, frames });
    expect(report.differing.length, describeDifferences(report)).toBe(0);
    const dropped = report.outcomes.filter(({ iptables }) => iptables.verdict === "dropped").length;
    expect([report.outcomes.length, dropped > 100, dropped < report.outcomes.length - 100]).toEqual([840, true, true]);
  });

  it("loads countries of 60,000 ranges in both families in seconds", { timeout: 120_000 }, async () => {
    const ranges = (start: bigint, step: bigint): AddressRange[] =>
      Array.from({ length: 60_000 }, (_, index) => ({
        from: start + BigInt(index) * step,
        to: start + BigInt(index) * step + 100n + BigInt(index % 50),
      }));
    const all = { ipv4: ranges(0x01000000n, 0x4000n), ipv6: ranges(0x20010db8n << 96n, 1n << 70n) };
    const text = "-A FORWARD -m geoip --src-cc US -j DROP";
    const { script } = translate(
      [
        { file: "rules.v4", text: dumpOf([text]) },
        { file: "rules.v6", text: dumpOf([text]) },
      ],
      { geoip: (_, family) => all[family] },
    );
    const begin = performance.now();
    const { loaded, messages, first, second } = await loadTwice(script!);
    expect([messages, loaded]).toEqual(["", true]);
    expect(second).toBe(first);
    // Two loads and two listings take about 3 s on an idle machine.
    expect(performance.now() - begin).toBeLessThan(60_000);
  });
});
