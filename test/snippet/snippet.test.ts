import { describe, expect, it } from "vitest";

import { snippet, type SnippetRequest } from "../../src/snippet/snippet.js";
import { matchFault } from "../../src/snippet/match.js";
import { execute } from "../cli/execute.js";

const request: SnippetRequest = {
  name: "ssh",
  seconds: 60,
  hits: 4,
  match: "tcp dport 22 ct state new",
  table: { family: "inet", name: "filter" },
  chain: "input",
  form: "ban",
  verdict: "drop",
};
const linesOf = (changes: Partial<SnippetRequest> = {}): string[] => snippet({ ...request, ...changes }).split("\n");
const named = (kind: "set" | "chain", lines: readonly string[]): string[] =>
  lines.flatMap((line) => new RegExp(`^\t${kind} (\\S+) \\{`, "u").exec(line)?.[1] ?? []);

describe("a snippet", () => {
  it("is a block of the table, and brings all that it names", () => {
    const lines = linesOf();
    const block = lines.filter((line) => !line.startsWith("#"));
    expect([block[0], ...block.slice(-4)]).toEqual(["table inet filter {", "\t\ttcp dport 22 ct state new jump ssh", "\t}", "}", ""]);
    const chains = named("chain", lines);
    expect(new Set(chains).size).toBe(chains.length);
    const text = block.join("\n");
    expect([...text.matchAll(/(?:jump|goto) (\w+)/gu)].filter(([, name]) => !chains.includes(name!))).toEqual([]);
    expect([...text.matchAll(/@(\w+)/gu)].filter(([, name]) => !named("set", lines).includes(name!))).toEqual([]);
  });

  it("has no base chain, and nothing of iptables but the line that says so", () => {
    const lines = linesOf({ form: "exact" });
    expect(lines.filter((line) => /hook|policy|window\b.*\{|filter_/u.test(line) && !line.startsWith("#"))).toEqual([]);
    expect(lines.filter((line) => line.includes("-m recent"))).toHaveLength(1);
  });

  it("tells the families apart in a table of both only", () => {
    expect(named("chain", linesOf())).toEqual(expect.arrayContaining(["ssh", "ssh_ipv4", "ssh_ipv6", "ssh_hits", "ssh_hits_v6"]));
    const four = linesOf({ table: { family: "ip", name: "fw" } });
    expect([four.includes("table ip fw {"), four.filter((line) => /ip6|ipv6|nfproto/u.test(line))]).toEqual([true, []]);
    const six = linesOf({ table: { family: "ip6", name: "fw" } });
    expect(six.filter((line) => /ip saddr|ipv4/u.test(line))).toEqual([]);
  });

  it("says what each form does, with numbers", () => {
    expect(linesOf({ form: "exact" }).join("\n")).toContain("# Exactly: 3 packets pass in any 60 s.");
    expect(linesOf({ form: "ban" }).join("\n")).toContain("# The short form: 3 may pass");
    expect(linesOf({ form: "limit" }).join("\n")).toContain("up to 7 packets of a source can pass");
    expect(linesOf({ setSize: 1000 }).join("\n")).toContain("While 1000 sources are known, new ones are not counted, and pass.");
  });

  it.each<[string, Partial<SnippetRequest>, string]>([
    ["a name that is a word of nft", { name: "accept" }, 'name "accept": it is a word of the nft language'],
    [
      "a name with syntax in it",
      { name: "a;flush ruleset" },
      'name "a;flush ruleset": a name has letters, digits and _, and begins with no digit',
    ],
    ["a chain that is the snippet's own", { chain: "ssh" }, 'chain "ssh": it asks the chain of that name, and cannot be it'],
    ["a match that is more than a match", { match: "tcp dport 22 accept" }, '"accept" does more than ask'],
    ["what is no number", { hits: NaN }, "hits null: a whole number from 2 to 65535"],
    ["a form that there is not", { form: "junk" as "exact" }, 'form "junk": it must be one of exact, ban, limit'],
    ["a window that the form cannot hold", { form: "exact", hits: 300 }, "255"],
  ])("refuses %s", (_, changes, words) => {
    expect(() => snippet({ ...request, ...changes })).toThrow(RangeError);
    expect(() => snippet({ ...request, ...changes })).toThrow(words);
  });

  it("counts every packet where no match is given", () => {
    expect(linesOf({ match: " " })).toContain("\t\tjump ssh");
  });
});

describe("a match", () => {
  it.each([
    "tcp dport { 22, 2222 } ct state new",
    'iifname "eth0" ip saddr != 192.0.2.0/24 udp dport 53',
    "tcp flags & (syn | ack) == syn",
    'iifname "drop"',
    "ip saddr @known",
    "",
  ])("may be %s", (text) => {
    expect(matchFault(text)).toBeUndefined();
  });

  it.each([
    "tcp dport 22; drop",
    "tcp dport 22 }\n}\nflush ruleset",
    "tcp dport 22 } chain x {",
    "tcp dport { 22",
    'iifname "eth0',
    "tcp dport 22 # and",
    "tcp dport vmap { 22 : drop }",
    "meta mark set 5",
    "tcp dport 22 log",
    "tcp dport $ssh",
    "tcp dport 2\u00a02",
    `tcp dport { ${"1, ".repeat(300)}2 }`,
  ])("is not %j", (text) => {
    expect(matchFault(text)).toEqual(expect.any(String));
  });
});

describe("ipt2nft-recent snippet", () => {
  const words = ["snippet", "--name", "ssh", "--seconds", "60", "--hitcount", "4"];

  it("prints the snippet and nothing else", async () => {
    const { status, output, error } = await execute([...words, "--ban", "tcp dport 22 ct state new"]);
    expect([status, output, error]).toEqual([0, snippet(request), ""]);
  });

  it.each([
    [["snippet", "--name", "ssh"], "--seconds"],
    [[...words, "tcp", "dport", "22"], "argument"],
    [[...words, "--table", "filter"], "family and a name"],
    [[...words, "--limit", "--ban"], "cannot be used with"],
    [[...words, "tcp dport 22 accept"], "does more than ask"],
  ])("says what is wrong with %j", async (given, complaint) => {
    const { status, output, error } = await execute(given);
    expect([status, output]).toEqual([2, ""]);
    expect(error).toContain(complaint);
  });
});
