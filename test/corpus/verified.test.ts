import { describe, expect, it } from "vitest";
import { verifiedResult, verifyProblems } from "../../src/corpus/verified.js";
import type { VerifyReport } from "../../src/verify/verify.js";

const noCounters: VerifyReport["counters"] = { compared: 3, differing: [], unconfirmed: 0 };

const entry = (at: number): VerifyReport["differences"][number]["timeline"][number] => ({
  at,
  packet: `packet ${at}`,
  iptables: "dropped",
  nft: "accepted",
  differs: true,
});
const difference = (announced?: string): VerifyReport["differences"][number] => ({
  family: "ipv4",
  packet: "packet 12",
  iptables: "dropped",
  nft: "accepted",
  count: 2,
  timeline: Array.from({ length: 13 }, (_, at) => entry(at)),
  rules: { iptables: [{ file: "rules.v4", line: 3, rule: "-A INPUT -j DROP" }], nft: [] },
  replay: { frames: [] },
  ...(announced !== undefined && { announced }),
});

describe("verifyProblems", () => {
  it("finds none where nothing differs", () => {
    expect(verifyProblems({ differences: [], counters: noCounters })).toEqual([]);
  });

  it("shows a difference with the last packets before it, unless it is announced", () => {
    const problems = verifyProblems({ differences: [difference(), difference("recent-rttl")], counters: noCounters });
    expect(problems).toMatchObject([
      { kind: "verify", message: "2 packets are decided otherwise on the kernel: iptables dropped, nft accepted" },
    ]);
    const lines = problems[0]!.detail.trimEnd().split("\n");
    expect([lines.length, lines[0], lines[1], lines.at(-1)]).toEqual([
      12,
      "after 3 other packets",
      "+3.000 s  packet 3: iptables dropped, nft accepted",
      "iptables matches rules.v4:3: -A INPUT -j DROP",
    ]);
  });

  it("shows a rule that counts otherwise", () => {
    const differing = [{ file: "rules.v4", line: 4, rule: "-A INPUT -j ACCEPT", iptables: 2, nft: 3 }];
    expect(verifyProblems({ differences: [], counters: { ...noCounters, differing } })).toEqual([
      { kind: "verify", message: "rules.v4:4: the rule counts otherwise on the kernel: iptables 2, nft 3", detail: "-A INPUT -j ACCEPT\n" },
    ]);
  });
});

it("verifiedResult keeps the measures and the notes", () => {
  expect(
    verifiedResult({
      packets: 120,
      coverage: { rules: 3, hit: 2, missed: [] },
      leftOut: [],
      notes: ["--seconds 60 is 1 in both firewalls"],
    }),
  ).toEqual({ verified: { packets: 120, rules: 3, hit: 2, leftOut: 0 }, notes: ["--seconds 60 is 1 in both firewalls"] });
});
