import { expect, it } from "vitest";

import { renderJson } from "../../../src/verify/report/json.js";
import { reproductionFiles } from "../../../src/verify/report/reproduction.js";
import { renderText } from "../../../src/verify/report/text.js";
import { udp } from "../../../src/verify/packet.js";
import type { Difference, VerifyReport } from "../../../src/verify/verify.js";

const equal: VerifyReport = {
  equal: true,
  packets: 20,
  verdicts: { accepted: 12, forwarded: 0, sent: 0, rejected: 0, dropped: 8, lost: 0 },
  differing: 0,
  differences: [],
  unconfirmed: 0,
  counters: { compared: 2, differing: [], unconfirmed: 0 },
  coverage: { rules: 2, hit: 2, missed: [] },
  leftOut: [],
  announced: [],
  notes: [],
  ownScript: true,
  runs: 1,
  seconds: 2.2,
  lateness: 0.004,
  loaded: { dumps: { ipv4: "*filter\nCOMMIT\n" }, script: "table ip x {\n}\n" },
};
const packet = udp("192.0.2.7", "192.0.2.1", 53);
const difference: Difference = {
  family: "ipv4",
  packet: "udp 192.0.2.7:40000 → 192.0.2.1:53",
  iptables: "dropped",
  nft: "accepted at input mark=0",
  count: 3,
  timeline: [
    {
      at: 0,
      packet: "udp 192.0.2.7:39999 → 192.0.2.1:53",
      iptables: "accepted (icmp 3/3) at input",
      nft: "accepted (icmp 3/3) at input",
      differs: false,
    },
    { at: 0.5, packet: "udp 192.0.2.7:40000 → 192.0.2.1:53", iptables: "dropped", nft: "accepted at input mark=0", differs: true },
  ],
  rules: { iptables: [{ file: "rules.v4", line: 3, rule: '-A INPUT -m comment --comment "\u001b[31m" -j DROP' }], nft: [] },
  replay: {
    frames: [
      { at: 1, packet },
      { at: 1.5, packet },
    ],
  },
};
const different: VerifyReport = { ...equal, equal: false, differing: 3, differences: [difference] };

it("is short where nothing differs", () => {
  expect(renderText(equal)).toBe(`equal: 20 packets met the same fate under iptables and nft (12 accepted, 8 dropped; 1 run, 2 s)
rules: 2 of 2 were hit; counters of 2 rules compared
`);
});

it("shows a difference with the packets that lead to it", () => {
  expect(renderText(different)).toBe(`different: 3 of 20 packets met another fate (12 accepted, 8 dropped; 1 run, 2 s)

difference 1: udp 192.0.2.7:40000 → 192.0.2.1:53, and 2 more in this way
    iptables: dropped
    nft:      accepted at input mark=0
    matched under iptables:
        rules.v4:3 -A INPUT -m comment --comment "\\x1b[31m" -j DROP
    matched under nft: no rule
    the last 2 of the 2 packets that show it, in seconds:
        0.000  udp 192.0.2.7:39999 → 192.0.2.1:53: accepted (icmp 3/3)
        0.500  udp 192.0.2.7:40000 → 192.0.2.1:53: iptables: dropped, nft: accepted   <-- differs
rules: 2 of 2 were hit; counters of 2 rules compared
`);
});

it("lists what was not hit, left out, changed, announced or noise", () => {
  const text = renderText({
    ...equal,
    unconfirmed: 1,
    notes: ["--seconds 60 is 1 in both firewalls"],
    coverage: {
      rules: 2,
      hit: 1,
      missed: [
        {
          file: "rules.v4",
          line: 5,
          rule: "-A INPUT -j DROP",
          reason: "the rule of line 4 takes every packet found for it before",
          unreachable: true,
        },
      ],
    },
    leftOut: [{ file: "rules.v4", line: 6, text: "-A INPUT -m time", reason: "it asks for the time of day" }],
    announced: [{ file: "rules.v4", line: 7, code: "recent-rttl", message: "stricter" }],
  });
  for (const part of [
    "not hit: rules.v4:5",
    "takes every packet",
    "left out of both firewalls: rules.v4:6",
    "rules.v4:7: stricter [recent-rttl]",
    "note: --seconds 60",
    "noise: 1 packets",
  ])
    expect(text).toContain(part);
});

it("says the same to programs, without control characters", () => {
  const json = renderJson(different);
  expect(json).not.toContain("\u001b");
  expect(JSON.parse(json)).toMatchObject({
    equal: false,
    differing: 3,
    differences: [{ packet: difference.packet, rules: difference.rules }],
  });
});

it("writes a capture and a description that play a difference again", () => {
  const [description, capture] = reproductionFiles("found/difference", different);
  expect([description!.name, capture!.name]).toEqual(["found/difference.json", "found/difference-1.pcap"]);
  expect(JSON.parse(description!.content as string)).toMatchObject({
    dumps: { ipv4: "*filter\nCOMMIT\n" },
    script: "table ip x {\n}\n",
    differences: [{ capture: "found/difference-1.pcap", schedule: [{ at: 0 }, { at: 0.5, interface: "eth0" }] }],
  });
  // The header, and for each frame a record header, Ethernet, IPv4, UDP and four bytes.
  expect(capture!.content).toHaveLength(24 + 2 * (16 + 14 + 20 + 8 + 4));
});
