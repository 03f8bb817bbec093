import { expect, test } from "vitest";

import { translate, type TranslateOptions } from "../../src/index.js";
import { replayTraffic, type FamilyReplay } from "../../src/simulate/replay.js";
import { readTraffic } from "../../src/simulate/traffic.js";

/** Rows of time and source, each a new connection to port 22, before a throttle of 4 in 60 s. */
function replay(rows: readonly (readonly [time: number, source: string])[], options: TranslateOptions = {}): FamilyReplay {
  const rule = "-A INPUT -p tcp -m tcp --dport 22 -m recent";
  const translation = translate(
    `*filter\n${rule} --set --name SSH\n${rule} --update --seconds 60 --hitcount 4 --name SSH -j DROP\nCOMMIT\n`,
    { family: "ipv4", ...options },
  );
  const csv = `time,source,dport\n${rows.map(([time, source]) => `${time},${source},22\n`).join("")}`;
  return replayTraffic(translation, readTraffic(new TextEncoder().encode(csv)))[0]!;
}

test("both sides count what they let through", () => {
  expect(replay([0, 1, 2, 3, 4].map((time) => [time, "192.0.2.1"]))).toEqual({
    family: "ipv4",
    sent: 5,
    passed: { iptables: 3, nft: 3 },
    differing: 0,
    forgotten: 0,
    leftOut: 0,
  });
});

test("the first difference is told without packets it does not need", () => {
  const result = replay(
    [
      [0, "192.0.2.1"],
      [5, "203.0.113.1"],
      [20, "192.0.2.1"],
      [25, "192.0.2.1"],
      [30, "192.0.2.1"],
    ],
    { recent: "limit" },
  );
  expect(result).toMatchObject({ sent: 5, passed: { iptables: 4, nft: 5 }, differing: 1, forgotten: 0 });
  expect(result.first!.events.map(({ at, host }) => [at, host])).toEqual([
    [0, "192.0.2.1"],
    [20, "192.0.2.1"],
    [25, "192.0.2.1"],
    [30, "192.0.2.1"],
  ]);
});

test("what differs because iptables forgets hosts is counted apart", () => {
  const others = Array.from({ length: 110 }, (_, index): readonly [number, string] => [3 + index / 10, `203.0.113.${index}`]);
  const result = replay([[0, "192.0.2.1"], [1, "192.0.2.1"], [2, "192.0.2.1"], ...others, [20, "192.0.2.1"]]);
  expect(result).toMatchObject({ sent: 114, differing: 1, forgotten: 1 });
  expect(result.first!.events.at(-1)).toMatchObject({ host: "192.0.2.1", iptables: "accept", nft: "drop" });
});
