import { describe, expect, it } from "vitest";
import { examples } from "../../src/playground/examples.js";
import type { Answer } from "../../src/playground/messages.js";
import { makeLink } from "../../src/playground/link.js";
import { emptyState, type PlaygroundState } from "../../src/playground/state.js";
import { answer, type Bench } from "../../src/playground/work.js";

const bench: Bench = { now: () => performance.now(), version: "test", sha256: () => "0" };

const stateWith = (texts: Partial<PlaygroundState["texts"]>, options: PlaygroundState["options"] = {}): PlaygroundState => ({
  ...emptyState,
  texts: { ...emptyState.texts, ...texts },
  options,
});

function translated(state: PlaygroundState): { first: Extract<Answer, { kind: "translated" }>; links: number[][]; sentences: string[] } {
  const [first, second] = [...answer({ kind: "translate", state }, bench)];
  if (first?.kind !== "translated" || second?.kind !== "linked") throw new Error(JSON.stringify(first));
  const links = Array.from({ length: second.links.length / 3 }, (_, index) => [...second.links.subarray(3 * index, 3 * index + 3)]);
  return { first, links, sentences: second.lists.map(({ sentence }) => sentence) };
}

const dump = (...rules: readonly string[]): string => `*filter\n:INPUT ACCEPT [0:0]\n${rules.join("\n")}\nCOMMIT\n`;

describe("the work of the playground", () => {
  it.each(examples.map(({ title, state }) => [title, state] as const))("translates the example: %s", (_title, state) => {
    const { first } = translated(state);
    expect(first.outcome).toMatch(/^(?:exact|approximated)$/);
    const lines = first.script!.split("\n");
    expect([...first.lineStarts].map((start, index) => first.script!.slice(start, (first.lineStarts[index + 1] ?? Infinity) - 1))).toEqual(
      lines,
    );
  });

  it("links each rule with its lines of the script, for both families", () => {
    const ofIpv6 = dump("-A INPUT -s 2001:db8::1/128 -j DROP");
    const { first, links } = translated(stateWith({ rules: dump("-A INPUT -s 192.0.2.1/32 -j DROP"), second: ofIpv6 }));
    const lines = first.script!.split("\n");
    expect(links.map(([text, line, scriptLine]) => [text, line, lines[scriptLine! - 1]!.trim()])).toEqual([
      [0, 3, "ip saddr 192.0.2.1 counter drop"],
      [1, 3, "ip6 saddr 2001:db8::1 counter drop"],
    ]);
  });

  it("links each rule that a look-up holds with the look-up, and says how many they are", () => {
    const { state } = examples.find(({ state: { options } }) => options.optimize)!;
    const { first, links } = translated(state);
    expect(first.summary).toBe("120 rules: 120 exact, 0 approximated, 0 refused; 120 of them in one look-up");
    const lines = first.script!.split("\n");
    expect(new Set(links.map(([, , scriptLine]) => lines[scriptLine! - 1]!.trim()))).toEqual(
      new Set(["ip saddr @filter_INPUT_saddr drop"]),
    );
    expect(links).toHaveLength(120);
  });

  it("shows what a message blames, however long the line is", () => {
    const rule = `-A INPUT -m comment --comment "${"x".repeat(250)}" -m junk -m comment --comment "\u202e" -j DROP`;
    const { messages } = translated(stateWith({ rules: dump(rule) })).first;
    const { text, excerpt, span } = messages.find(({ code }) => code === "unknown-match")!;
    expect([text, span.line]).toEqual(["rules", 3]);
    expect(excerpt![0]).toMatch(/^…x+" $/);
    expect(excerpt![1]).toMatch(/^-m junk|junk$/);
    expect(excerpt![2]).toContain("\\u{202e}");
  });

  it("sends no more messages than a page can show", () => {
    const rules = Array.from({ length: 400 }, (_, index) => `-A INPUT -s 192.0.2.${index % 256}/32 -m junk -j DROP`);
    const { messages, moreMessages } = translated(stateWith({ rules: dump(...rules) })).first;
    expect(messages.length).toBe(300);
    expect(moreMessages).toBeGreaterThanOrEqual(100);
  });

  it("tells lists in words", () => {
    const { sentences } = translated(examples[1]!.state);
    expect(sentences).toEqual(["SSH: 4 hits in 60 s from one address are dropped"]);
  });

  it("takes sets and countries", () => {
    const rules = dump("-A INPUT -m set --match-set s src -j ACCEPT", "-A INPUT -m geoip --src-cc CN -j DROP");
    const given = { rules, sets: "create s hash:ip\nadd s 192.0.2.7\n", countries: "203.0.113.0,203.0.113.255,CN\n" };
    const { script, outcome } = translated(stateWith(given, { family: "ipv4" })).first;
    expect(outcome).toBe("exact");
    expect(script).toContain("elements = { 203.0.113.0/24 }");
  });

  it.each<[string, PlaygroundState, string]>([
    ["an option", stateWith({ rules: dump() }, { table: "a b" }), '"table" must be the name of a table'],
    ["a table of countries", stateWith({ rules: dump(), countries: "x\n" }), "countries: line 1: "],
  ])("says what is wrong with %s", (_name, state, reason) => {
    expect([...answer({ kind: "translate", state }, bench)]).toEqual([
      { kind: "failed", reason: expect.stringContaining(reason) as string },
    ]);
  });

  it("finds a difference, and shows it", () => {
    const [found] = [...answer({ kind: "search", state: examples[3]!.state, milliseconds: 5000 }, bench)];
    expect(found).toMatchObject({ kind: "searched", verdict: "different", lists: [{ title: "SSH (IPv4)", verdict: "different" }] });
    expect(found?.kind === "searched" && found.lists[0]!.timeline).toContain('<svg class="timeline-picture"');
  });

  it("stops a search when its time is over", () => {
    const begin = performance.now();
    const [found] = [...answer({ kind: "search", state: examples[1]!.state, milliseconds: 300 }, bench)];
    expect(found).toMatchObject({ kind: "searched" });
    expect(performance.now() - begin).toBeLessThan(10_000);
  });

  it("reviews a change", () => {
    const [reviewed] = [...answer({ kind: "review", state: examples.at(-1)!.state }, bench)];
    expect(reviewed).toMatchObject({ kind: "reviewed", headline: "Look: 5 open, 1 closes, 2 accepted." });
  });

  it("packs and unpacks a state", () => {
    const { state } = examples[2]!;
    const [packed] = [...answer({ kind: "pack", state }, bench)];
    expect(packed).toEqual({ kind: "packed", fragment: makeLink(state) });
    expect([...answer({ kind: "unpack", fragment: makeLink(state) }, bench)]).toEqual([{ kind: "unpacked", state }]);
    expect([...answer({ kind: "unpack", fragment: "#1=x" }, bench)]).toEqual([
      { kind: "failed", reason: "the link is damaged, or cut off" },
    ]);
  });
});
