import { describe, expect, it } from "vitest";

import type { PacketState } from "../../../src/extensions/values/connection-state.js";
import { stateBits } from "../../../src/review/packets/box.js";
import { packetWords } from "../../../src/review/packets/words.js";

describe("packetWords", () => {
  const inStates = (...states: PacketState[]): string => packetWords({ protocol: [[6n, 6n]], state: stateBits(states) }, "ipv4");

  it.each<readonly [readonly PacketState[], string]>([
    [["new"], "new TCP connections"],
    [["new", "untracked"], "new TCP connections"],
    [["new", "untracked", "invalid"], "new TCP connections"],
    [["new", "related"], "TCP in state NEW or RELATED"],
    [["new", "invalid"], "TCP in state INVALID or NEW"],
    [["new", "related", "untracked", "invalid"], "TCP but those in state ESTABLISHED"],
    [["new", "established", "related"], "TCP but those in state INVALID or UNTRACKED"],
    [["established", "related"], "TCP of connections that are known"],
  ])("names packets in states %j", (states, words) => {
    expect(inStates(...states)).toContain(words);
  });

  it("tells states that a rule may be changed between from each other", () => {
    const rules = [["new"], ["new", "related"], ["new", "established"], ["new", "invalid"]] as const;
    expect(new Set(rules.map((states) => inStates(...states))).size).toBe(rules.length);
  });
});
