import { expect, it } from "vitest";

import { scale } from "../../src/verify/scale.js";

const check = (seconds: number, hits?: number): string =>
  `-A INPUT -m recent --update --seconds ${seconds}${hits === undefined ? "" : ` --hitcount ${hits}`} --name L -j DROP`;
const windows = (...rules: readonly string[]): string[] =>
  [...scale([rules.join("\n")]).texts[0]!.matchAll(/--seconds (\d+)/gu)].map(([, seconds]) => seconds!);

it("makes windows short and keeps their order", () => {
  expect(windows(check(86400), check(60, 4), check(600, 4), check(60, 3))).toEqual(["3", "1", "2", "1"]);
});

it("leaves room for the hits of a window", () => {
  expect(windows(check(60, 40))).toEqual(["4"]);
});

it("makes no window longer", () => {
  expect(windows(check(1, 100), check(2))).toEqual(["1", "2"]);
});

it("gives both families the same windows", () => {
  const { texts } = scale([check(3600), `${check(60)}\n${check(3600)}`]);
  expect(texts.map((text) => [...text.matchAll(/--seconds (\d+)/gu)].map(([, seconds]) => seconds))).toEqual([["2"], ["1", "2"]]);
});

it("says what it changed, and nothing where it changed nothing", () => {
  expect(scale([check(60)]).notes).toEqual(["--seconds 60 is 1 in both firewalls"]);
  expect(scale([check(1)]).notes).toEqual([]);
});

it("lets limits live of their burst alone", () => {
  const { texts, notes } = scale(["-A INPUT -m limit --limit 3/min --limit-burst 10 -j LOG", "-A INPUT -m limit --limit 10/day -j LOG"]);
  expect(texts).toEqual(["-A INPUT -m limit --limit 3/hour --limit-burst 10 -j LOG", "-A INPUT -m limit --limit 10/day -j LOG"]);
  expect(notes).toHaveLength(1);
});
