import { expect, it } from "vitest";

import { translate } from "../../src/index.js";
import { differs, ownTcpPorts, toleranceFor } from "../../src/verify/compare.js";
import type { Fate, Outcome } from "../../src/verify/fate.js";
import type { Frame } from "../../src/verify/frame.js";
import { tcp, udp } from "../../src/verify/packet.js";

const all = toleranceFor([], true);
const toleranceOf = (table: string, ...rules: readonly string[]): ReturnType<typeof toleranceFor> => {
  const { iptables, diagnostics } = translate(`*${table}\n${rules.join("\n")}\nCOMMIT\n`, { family: "ipv4" });
  expect(diagnostics.filter(({ severity }) => severity === "error")).toEqual([]);
  return toleranceFor(iptables, true);
};
const seen = {
  source: "192.0.2.7",
  destination: "192.0.2.1",
  mark: 0,
  ttl: 64,
  tos: 0,
  sourcePort: 40_000,
  destinationPort: 53,
  connectionState: 8,
};
const accepted = (change: Partial<typeof seen & { maximumSegment: number }> = {}): Fate => ({
  verdict: "accepted",
  hook: "input",
  sighting: { ...seen, ...change },
});
const dropped: Fate = { verdict: "dropped" };

function outcome(iptables: Fate, nft: Fate, frame: Frame = { at: 0, packet: udp("192.0.2.7", "192.0.2.1", 53) }): Outcome {
  return { frame, iptables, nft, differs: false };
}

it.each([
  ["the verdict", dropped],
  ["the mark", accepted({ mark: 7 })],
  ["the TTL", accepted({ ttl: 63 })],
  ["an address", accepted({ source: "192.0.2.8" })],
  ["a port", accepted({ destinationPort: 54 })],
  ["the state of the connection", accepted({ connectionState: 2 })],
  ["the answer", { ...accepted(), reply: "icmp 3/3" }],
  ["the hook", { ...accepted(), hook: "postrouting" }],
] as const)("sees %s", (_, nft) => {
  expect(differs(outcome(accepted(), nft), all)).toBe(true);
  expect(differs(outcome(nft, nft), all)).toBe(false);
});

it("compares ports that translation draws by lot only where they stayed, or not at all", () => {
  const drawn = outcome(accepted({ sourcePort: 1024 }), accepted({ sourcePort: 2048 }));
  const kept = outcome(accepted(), accepted({ sourcePort: 2048 }));
  const seen = (...dump: Parameters<typeof toleranceOf>): boolean[] => [drawn, kept].map((one) => differs(one, toleranceOf(...dump)));
  const comment = '-m comment --comment "--random :1-9"';
  expect(seen("filter", `-A INPUT -p tcp ${comment} -j DROP`)).toEqual([true, true]);
  expect(seen("nat", `-A POSTROUTING -p tcp ${comment} -j MASQUERADE --to-ports 7`)).toEqual([false, true]);
  expect(seen("nat", "-A POSTROUTING -j MASQUERADE --random")).toEqual([false, false]);
  expect(seen("nat", "-A POSTROUTING -p tcp -j SNAT --to-source 192.0.2.1:1000-2000")).toEqual([false, false]);
});

it("passes over what TCPMSS takes a missing option for, and over nothing else of it", () => {
  const tolerance = toleranceOf("mangle", "-A FORWARD -p tcp -m tcp --syn -j TCPMSS --clamp-mss-to-pmtu");
  expect(differs(outcome(accepted({ maximumSegment: 536 }), accepted()), tolerance)).toBe(false);
  expect(differs(outcome(accepted({ maximumSegment: 536 }), accepted()), all)).toBe(true);
  expect(differs(outcome(accepted({ maximumSegment: 1400 }), accepted()), tolerance)).toBe(true);
});

it("leaves what a closing socket says to itself out", () => {
  const own: Frame = { at: 0, own: true, packet: tcp("192.0.2.1", "192.0.2.7", 80, { sourcePort: 30_000 }) };
  const back: Frame = { at: 0.01, packet: tcp("192.0.2.7", "192.0.2.1", 30_000, { sourcePort: 80 }) };
  const one = outcome(accepted(), { ...accepted({ connectionState: 2 }), reply: "tcp reset" }, back);
  expect(differs(one, all)).toBe(true);
  expect(differs(one, all, ownTcpPorts([own, back]))).toBe(false);
  expect(differs({ ...one, nft: dropped }, all, ownTcpPorts([own, back]))).toBe(true);
});

it("says nothing of packets that never arrived on either side", () => {
  expect(differs(outcome({ verdict: "lost" }, { verdict: "lost" }), all)).toBe(false);
  expect(differs(outcome({ verdict: "lost" }, dropped), all)).toBe(true);
});
