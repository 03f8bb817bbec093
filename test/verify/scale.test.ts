import { expect, it } from "vitest";

import { translate, type Source } from "../../src/index.js";
import { scale } from "../../src/verify/scale.js";

const check = (seconds: number, hits?: number): string =>
  `-A INPUT -m recent --update --seconds ${seconds}${hits === undefined ? "" : ` --hitcount ${hits}`} --name L -j DROP`;

const dump = (...rules: readonly string[]): string => `*filter\n${rules.join("\n")}\nCOMMIT\n`;

/** The rules of each dump as they are played, and what is said of them. */
function scaled(...dumps: readonly string[]): { readonly rules: readonly (readonly string[])[]; readonly notes: readonly string[] } {
  const families = ["ipv4", "ipv6"] as const;
  const sources: Source[] = dumps.map((text, index) => ({ file: `rules.${index}`, text, family: families[index]! }));
  const { iptables, diagnostics } = translate(sources);
  expect(diagnostics.filter(({ severity }) => severity === "error")).toEqual([]);
  const result = scale(sources, iptables);
  return { rules: result.sources.map(({ text }) => text.split("\n").slice(1, -2)), notes: result.notes };
}
const windows = (...rules: readonly string[]): string[] =>
  scaled(dump(...rules)).rules[0]!.flatMap((rule) => [...rule.matchAll(/--seconds (\d+)/gu)].map(([, seconds]) => seconds!));
const played = (rule: string): string => scaled(dump(rule)).rules[0]![0]!;

it("makes windows short and keeps their order", () => {
  expect(windows(check(86400), check(60, 4), check(600, 4), check(60, 3))).toEqual(["3", "1", "2", "1"]);
});

it("leaves room for the hits of a window", () => {
  expect(windows(check(60, 40))).toEqual(["4"]);
  expect(windows("-A INPUT -m recent --update --hitcount 40 --seconds 60 --name L -j DROP")).toEqual(["4"]);
});

it("makes no window longer", () => {
  expect(windows(check(1, 100), check(2))).toEqual(["1", "2"]);
});

it("gives both families the same windows", () => {
  const { rules } = scaled(dump(check(3600)), dump(check(60), check(3600)));
  expect(rules.map((some) => some.map((rule) => /--seconds (\d+)/u.exec(rule)?.[1]))).toEqual([["2"], ["1", "2"]]);
});

it("says what it changed, and nothing where it changed nothing", () => {
  expect(scaled(dump(check(60))).notes).toEqual(["--seconds 60 is 1 in both firewalls"]);
  expect(scaled(dump(check(1))).notes).toEqual([]);
});

it("lets limits live of their burst alone", () => {
  const { rules, notes } = scaled(
    dump("-A INPUT -m limit --limit 3/min --limit-burst 10 -j LOG", "-A INPUT -m limit --limit 10/day -j LOG", "-A INPUT -m limit -j LOG"),
  );
  expect(rules[0]).toEqual([
    "-A INPUT -m limit --limit 3/hour --limit-burst 10 -j LOG",
    "-A INPUT -m limit --limit 10/day -j LOG",
    "-A INPUT -m limit -j LOG",
  ]);
  expect(notes).toHaveLength(1);
});

it.each([
  ["shortened", "-A INPUT -m recent --rcheck --sec 600 -j DROP", "-A INPUT -m recent --rcheck --seconds 1 -j DROP"],
  ["joined to its argument", "-A INPUT -m recent --rcheck --seconds=600 -j DROP", "-A INPUT -m recent --rcheck --seconds 1 -j DROP"],
  ["quoted", '-A INPUT -m recent --rcheck "--seconds" "600" -j DROP', "-A INPUT -m recent --rcheck --seconds 1 -j DROP"],
  ["of a limit without a slash for its unit", "-A INPUT -m limit --limit=5 -j ACCEPT", "-A INPUT -m limit --limit 5/hour -j ACCEPT"],
  [
    "of a hash limit under its old name, inverted",
    "-A INPUT -m hashlimit ! --hashlimit 5/s --hashlimit-name h -j DROP",
    "-A INPUT -m hashlimit ! --hashlimit-upto 5/hour --hashlimit-name h -j DROP",
  ],
  [
    "of a hash limit, inverted behind the option",
    "-A INPUT -m hashlimit --hashlimit-upto ! 5/min --hashlimit-name h -j DROP",
    "-A INPUT -m hashlimit --hashlimit-upto ! 5/hour --hashlimit-name h -j DROP",
  ],
  [
    "of a hash limit of bytes, which stays",
    "-A INPUT -m hashlimit --hashlimit-above 512kb/s --hashlimit-name h -j DROP",
    "-A INPUT -m hashlimit --hashlimit-above 512kb/s --hashlimit-name h -j DROP",
  ],
])("finds an option that is %s", (_, rule, expected) => {
  expect(played(rule)).toBe(expected);
});

it("finds every option of a line, and of a line that stands for several rules", () => {
  expect(
    played(
      "[5:300] -A INPUT -s 192.0.2.1,192.0.2.2 -m recent --rcheck --seconds 60 --name a -m limit --limit 7/min -m recent --update --seconds 600 --name b -j DROP",
    ),
  ).toBe(
    "[5:300] -A INPUT -s 192.0.2.1,192.0.2.2 -m recent --rcheck --seconds 1 --name a -m limit --limit 7/hour -m recent --update --seconds 2 --name b -j DROP",
  );
});

it("leaves text alone that only looks like an option", () => {
  const rule =
    '-A INPUT -m comment --comment "--seconds 60 --limit 3/min" -m recent --rcheck --seconds 600 --name "--seconds 60" -j LOG --log-prefix "--seconds 60 "';
  expect(played(rule)).toBe(rule.replace("--rcheck --seconds 600", "--rcheck --seconds 1"));
  const comment = '-A INPUT -m comment --comment "--seconds 60" -j DROP';
  expect(scaled(dump(comment))).toEqual({ rules: [[comment]], notes: [] });
});
