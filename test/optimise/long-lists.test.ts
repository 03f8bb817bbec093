/** The note about lists that `--optimize` would bring together: where it is said, and that it is true. */

import { describe, expect, it } from "vitest";

import { seededRandom } from "../../src/random.js";
import { translateByShapes } from "../../src/shapes/translate-by-shapes.js";
import { translate, type TranslateOptions } from "../../src/translate.js";

const dump = (...rules: readonly string[]): string =>
  ["*filter", ":INPUT ACCEPT [0:0]", ":FORWARD ACCEPT [0:0]", ":OUTPUT ACCEPT [0:0]", ...rules, "COMMIT", ""].join("\n");
const rules = (count: number, of: (index: number) => string): string[] =>
  Array.from({ length: count }, (_, index) => `-A INPUT ${of(index)}`);
const host = (index: number): string => `10.0.${index >> 8}.${index & 255}`;

function told(text: string, options: TranslateOptions = {}): string[] {
  const { diagnostics } = translate(text, { family: "ipv4", ...options });
  return diagnostics.flatMap(({ code, span, message }) =>
    code === "long-list" ? [`${span.line}: ${/^from here to .* alone/.exec(message)![0]}`] : [],
  );
}

/** Lists that are told, each of so many rules. */
const lists: readonly (readonly [name: string, count: number, of: (index: number) => string])[] = [
  ["addresses", 101, (index) => `-s ${host(index)}/32 -j DROP`],
  ["addresses of a service", 101, (index) => `-s ${host(index)}/32 -p tcp -m tcp --dport 22 -j REJECT --reject-with tcp-reset`],
  ["networks", 151, (index) => `-d 10.${index}.0.0/16 -j ACCEPT`],
  ["ports", 101, (index) => `-p udp -m udp --dport ${1000 + index} -j ACCEPT`],
  ["ranges of ports", 151, (index) => `-p tcp -m tcp --dport ${1000 + 10 * index}:${1005 + 10 * index} -j ACCEPT`],
  ["interfaces", 101, (index) => `-i veth${index} -j RETURN`],
  ["addresses with one mark", 101, (index) => `-s ${host(index)}/32 -j CONNMARK --set-xmark 0x1/0xffffffff`],
  ["addresses with a part of a mark", 101, (index) => `-s ${host(index)}/32 -p tcp -m tcp --dport 80 -j CONNMARK --set-xmark 0x100/0xff00`],
];

describe("a long list", () => {
  it.each(lists)("of %s is told, and --optimize brings it together", (_, count, of) => {
    const text = dump(...rules(count, of));
    expect(told(text)).toEqual([expect.stringContaining(`5: from here to line ${count + 4} ${count} rules differ in their`)]);
    expect(told(text, { optimize: true })).toEqual([]);
    const { merges = [] } = translate(text, { family: "ipv4", optimize: true });
    expect(merges.map((merge) => merge.rules.length)).toEqual([count]);
  });

  it.each(lists)("of %s is told with --keep-sets where it is brought together there", (_, count, of) => {
    const text = dump(...rules(count, of));
    for (const counters of [true, false]) {
      const { merges = [] } = translate(text, { family: "ipv4", optimize: true, keepSets: true, counters });
      expect(told(text, { keepSets: true, counters })).toHaveLength(merges.length);
    }
  });

  it("is told for each of several", () => {
    const drop = rules(101, (index) => `-s ${host(index)}/32 -j DROP`);
    const ports = rules(101, (index) => `-p tcp -m tcp --dport ${index + 1} -j ACCEPT`);
    expect(told(dump(...drop, ...ports))).toEqual([
      "5: from here to line 105 101 rules differ in their source alone",
      "106: from here to line 206 101 rules differ in their destination port alone",
    ]);
  });

  it.each<[reason: string, rules: string[]]>([
    ["is short", rules(100, (index) => `-s ${host(index)}/32 -j DROP`)],
    ["has few networks", rules(150, (index) => `-s 10.${index}.0.0/16 -j DROP`)],
    ["logs", rules(120, (index) => `-s ${host(index)}/32 -j LOG`)],
    ["counts", rules(120, (index) => `-s ${host(index)}/32 -m limit --limit 1/sec -j DROP`)],
    ["marks networks, which may overlap", rules(160, (index) => `-s 10.${index}.0.0/16 -j CONNMARK --set-xmark 0x1/0xffffffff`)],
    ["copies a mark", rules(120, (index) => `-s ${host(index)}/32 -j CONNMARK --save-mark`)],
    ["calls", rules(120, (index) => `-s ${host(index)}/32 -j OTHER`)],
    ["asks for anything but", rules(120, (index) => `! -s ${host(index)}/32 -j DROP`)],
    ["asks for beginnings", rules(120, (index) => `-i veth${index}+ -j DROP`)],
    ["does two things in turns", rules(120, (index) => `-s ${host(index)}/32 -j ${index % 2 ? "DROP" : "ACCEPT"}`)],
    ["has a rule in its middle", rules(120, (index) => (index === 60 ? "-p icmp -j ACCEPT" : `-s ${host(index)}/32 -j DROP`))],
  ])("is none where it %s", (_, all) => {
    expect(told(dump(":OTHER - [0:0]", ...all))).toEqual([]);
  });

  it("is told alike by the quick way", () => {
    const odd = "-A INPUT -m recent --name seen --set";
    const drop = (from: number): string[] => rules(400, (index) => `-s ${host(from + index)}/32 -j DROP`);
    const text = dump(...drop(0), odd, ...drop(400), ...rules(300, (index) => `-p udp -m udp --dport ${index + 1} -j ACCEPT`), odd);
    const quick = translateByShapes([{ file: "rules", text, family: "ipv4" }], {});
    if ("reason" in quick) throw new Error(quick.reason);
    const whole = translate([{ file: "rules", text, family: "ipv4" }], {});
    expect(quick.translation.diagnostics).toEqual(whole.diagnostics);
    expect(whole.diagnostics.filter(({ code }) => code === "long-list")).toHaveLength(3);
  });

  it("is told by the quick way as by the whole translation, whatever stands between", { timeout: 60_000 }, () => {
    const random = seededRandom(4);
    const below = (limit: number): number => Math.floor(random() * limit);
    const kinds = [
      () => `-s ${host(below(60_000))}/32 -j DROP`,
      () => `-s ${host(below(3))}/32 -j DROP`,
      () => `-s 10.${below(200)}.0.0/16 -j DROP`,
      () => `-s ${host(7)}/32 -p tcp -m tcp --dport ${1 + below(2)} -j DROP`,
      () => `-p tcp -m tcp --dport ${1 + below(60_000)} -j ACCEPT`,
      () => `-p tcp -m tcp --dport ${1 + below(60_000)} -j DROP`,
    ];
    let lists = 0;
    for (let round = 0; round < 60; round++) {
      const odd = String.raw`-A INPUT -s 192.0.2.1/32 -m comment --comment "a \"b\"" -j DROP`;
      const lines = Array.from({ length: 1 + below(6) }, () => kinds[below(kinds.length)]!).flatMap((kind) =>
        Array.from({ length: below(180) }, () => {
          const noise = random();
          if (noise < 0.002) return odd;
          return `${noise > 0.5 && round % 2 === 0 ? `[${1 + below(9)}:${1 + below(99)}] ` : ""}-A INPUT ${kind()}`;
        }),
      );
      const sources = [{ file: "rules", text: dump(...lines), family: "ipv4" as const }];
      const quick = translateByShapes(sources, {}, { leastShare: 0, leastLength: 0 });
      if ("reason" in quick) continue;
      const whole = translate(sources, {});
      expect(quick.translation.diagnostics, sources[0]!.text).toEqual(whole.diagnostics);
      lists += whole.diagnostics.filter(({ code }) => code === "long-list").length;
    }
    expect(lists).toBeGreaterThan(20);
  });

  it("is not continued by rules that differ in another value", () => {
    const twice = "-A INPUT -s 10.0.0.7/32 -d 126.0.0.0/8 -j DROP";
    const others = rules(110, (index) => `-s 10.0.1.${index}/32 -d 126.0.0.0/8 -j DROP`);
    const text = dump("-A INPUT -s 10.0.0.7/32 -d 127.0.0.0/8 -j DROP", twice, twice, ...others);
    const quick = translateByShapes([{ file: "<input>", text, family: "ipv4" }], {}, { leastShare: 0, leastLength: 0 });
    if ("reason" in quick) throw new Error(quick.reason);
    expect(quick.translation.diagnostics).toEqual(translate(text, { family: "ipv4" }).diagnostics);
    expect(told(text)).toEqual(["7: from here to line 117 111 rules differ in their source alone"]);
  });
});
