import { describe, expect, it } from "vitest";

import { translate, type TranslateOptions } from "../../src/translate.js";
import { dumpOf } from "./phases.js";

function linesOf(rules: readonly string[], options: TranslateOptions = {}): string[] {
  const { script } = translate(dumpOf("filter", ...rules), { family: "ipv4", ...options });
  // What needs which nft stands at the top, and changes with what is used first.
  return script!.split("\n").filter((line) => !line.startsWith("#"));
}

/** Lines that only one of the two scripts has. */
function difference(before: readonly string[], after: readonly string[]): { readonly gone: string[]; readonly come: string[] } {
  const without = (all: readonly string[], others: readonly string[]): string[] => {
    const left = [...others];
    return all.filter((line) => {
      const found = left.indexOf(line);
      if (found >= 0) left.splice(found, 1);
      return found < 0;
    });
  };
  return { gone: without(before, after), come: without(after, before) };
}

const namesIn = (lines: readonly string[]): string[] => lines.flatMap((line) => /^\t(?:set|chain) (\S+)/.exec(line)?.[1] ?? []).sort();

const throttle = ["INPUT -m recent --name ssh --set", "INPUT -m recent --name ssh --update --seconds 60 --hitcount 4 -j DROP"];
const apart = [throttle[0]!, "INPUT -p tcp -j ACCEPT", throttle[1]!];
const windows = [throttle[0]!, throttle[1]!, "INPUT -m recent --name ssh --update --seconds 3600 --hitcount 10 -j DROP"];
const chained = [
  "INPUT -m recent --name ssh ! --rcheck --seconds 60 --hitcount 4 -g rest",
  "rest -j LOG",
  "INPUT -m recent --name ssh --set",
];
const others = [
  "INPUT -p tcp -m connlimit --connlimit-above 3 -j DROP",
  "INPUT -p tcp -j CONNMARK --restore-mark --nfmask 0xff --ctmask 0xf",
];
const everything = [...windows, ...others, "INPUT -m recent --name bad --rcheck --seconds 9 -j DROP", "INPUT -m recent --name bad --set"];

describe("names in the script", () => {
  it.each([
    ["set and check side by side", throttle],
    ["set and check apart", apart],
    ["two windows", windows],
    ["a rule whose rest goes to another chain", chained],
    ["all kinds", everything],
  ])("stay where seconds change: %s", (_, rules) => {
    const [before, after] = [linesOf(rules), linesOf(rules.map((rule) => rule.replace("--seconds 60", "--seconds 90")))];
    expect(namesIn(after)).toEqual(namesIn(before));
    const { gone, come } = difference(before, after);
    expect(gone).toHaveLength(come.length);
    // Sets with their times, what says the window in words, the rule itself, and the rate of what may pass.
    for (const line of [...gone, ...come]) expect(line).toMatch(/^\t(?:set ssh_|\t?# |\tupdate @ssh_(?:[0-9]_)?pass )/);
  });

  it("stay where a hit count changes, but for the slots that come or go", () => {
    const names = namesIn(linesOf(windows));
    const changed = namesIn(linesOf(windows.map((rule) => rule.replace("--hitcount 4", "--hitcount 5"))));
    expect(names.filter((name) => !changed.includes(name) && !name.includes("_turns_"))).toEqual([]);
  });

  it.each([
    ["one that has nothing to do with them", "INPUT -s 192.0.2.1/32 -j DROP"],
    ["one that needs a chain of its own", "INPUT -m recent --name other ! --update --seconds 5 -g rest"],
    ["one more of the same list", "INPUT -s 192.0.2.2/32 -m recent --name bad --rcheck --seconds 9 -j REJECT"],
    ["one that needs a set of its own", "INPUT -p udp -m connlimit --connlimit-above 3 -j DROP"],
  ])("and all other lines stay where a rule is inserted: %s", (_, rule) => {
    const rules = [...everything, "rest -j LOG"];
    const { gone } = difference(linesOf(rules), linesOf([rule, ...rules]));
    expect(gone).toEqual([]);
  });

  it("tell a list's second window from its first by a number", () => {
    const names = namesIn(linesOf(windows));
    expect(names).toEqual(expect.arrayContaining(["ssh_hit_0", "ssh_2_hit_0", "ssh_touch_hits", "ssh_2_touch_hits"]));
    expect(linesOf(windows)).toContain(
      '\t# list "ssh": exact window of 4 hits in 60 s (ssh_…), exact window of 10 hits in 3600 s (ssh_2_…)',
    );
  });

  it("tell apart rules that are equal, and lists whose names look alike in nft", () => {
    const equal = "INPUT -s 192.0.2.0/24 -m recent --name ssh --rcheck --seconds 60 --hitcount 4 -j DROP";
    expect(namesIn(linesOf([throttle[0]!, equal, equal])).filter((name) => /_over/.test(name))).toEqual([
      expect.stringMatching(/^filter_INPUT_ssh_[0-9a-f]{6}_over$/),
      expect.stringMatching(/^filter_INPUT_ssh_[0-9a-f]{6}_over_2$/),
    ]);
    const alike = ["a+b", "a_b"].map((name) => `INPUT -m recent --name ${name} --set`);
    expect(namesIn(linesOf(alike)).filter((name) => name.startsWith("a_b"))).toEqual(["a_b_2_seen", "a_b_seen"]);
  });

  it("hold the window under --keep-sets, where elements have that of the script before", () => {
    const names = (hits: number, seconds: number): string[] =>
      linesOf([throttle[0]!, throttle[1]!.replace("60", String(seconds)).replace("4", String(hits))], { keepSets: true }).flatMap(
        (line) => /^add set \S+ \S+ (\S+)/.exec(line)?.[1] ?? [],
      );
    for (const [one, other] of [
      [names(4, 60), names(4, 90)],
      [names(4, 60), names(5, 60)],
      [names(3, 60), names(4, 60)],
    ] as const)
      expect(one.filter((name) => other.includes(name))).toEqual([]);
    expect(names(4, 60)).toContain("ssh_4_in_60s_hit_0");
  });
});
