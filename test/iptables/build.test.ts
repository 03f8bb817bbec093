import { describe, expect, test } from "vitest";
import fc from "fast-check";
import type { Family, IptablesChain, IptablesRule } from "../../src/iptables/ast.js";
import { build } from "../../src/iptables/build.js";
import { findChainLoops } from "../../src/iptables/chain-loops.js";
import { effectOf } from "../../src/diagnostic.js";
import { defineMatch, defineTarget } from "../../src/extensions/extension.js";
import { integer } from "../../src/extensions/values/number.js";
import { text as freeText } from "../../src/extensions/values/text.js";
import { tcp } from "../../src/extensions/matches/tcp.js";
import type { Registry } from "../../src/iptables/rule-reader.js";

// Extensions made for these tests, so that they hold whatever the real ones look like.
const translate = (): { statements: [] } => ({ statements: [] });
const facts = { reads: [], condition: [], played: true } as const;
const matches = [
  tcp,
  defineMatch({
    name: "udp",
    protocols: [17],
    options: { "destination-port": { aliases: ["dport"], value: integer(0, 65535), invertible: true } },
    facts,
    translate,
  }),
  defineMatch({ name: "comment", options: { comment: { value: freeText(255), required: true } }, facts, translate }),
  defineMatch({
    name: "recent",
    options: {
      set: { invertible: true, excludes: ["rcheck"] },
      rcheck: { invertible: true, excludes: ["set"] },
      seconds: { value: integer(1, 1000), excludes: ["set"] },
      name: { value: freeText(199) },
      reap: {},
    },
    facts,
    translate,
  }),
  defineMatch({ name: "mark", options: { mark: { value: integer(0, 255), invertible: true, required: true } }, facts, translate }),
  defineMatch({ name: "connmark", options: { mark: { value: integer(0, 255), invertible: true, required: true } }, facts, translate }),
  defineMatch({
    name: "icmp6",
    aliases: ["icmpv6"],
    family: "ipv6",
    protocols: [58],
    options: { "icmpv6-type": { value: integer(0, 255) } },
    facts,
    translate,
  }),
];
const targetFacts = { way: "continue", effects: [], played: true, words: { does: "does", done: "done" } } as const;
const targets = [
  ...["ACCEPT", "DROP", "RETURN"].map((name) => defineTarget({ name, options: {}, facts: targetFacts, translate })),
  defineTarget({
    name: "LOG",
    options: { "log-prefix": { value: freeText(29) }, "log-level": { value: integer(0, 7) } },
    facts: targetFacts,
    translate,
  }),
];
const registry: Registry = {
  findMatch: (name) => matches.find((match) => match.name === name || match.aliases?.includes(name)),
  findTarget: (name) => targets.find((target) => target.name === name),
};

function read(text: string, family?: Family): ReturnType<typeof build> {
  return build({ file: "x", text }, family === undefined ? { registry } : { registry, family });
}

/** What is wrong with the lines of a filter table that has the chain `mine`: `line:column+length code`. */
function complaints(lines: string, family: Family = "ipv4", table = "filter"): string[] {
  const { diagnostics } = read(`*${table}\n:mine - [0:0]\n${lines}\nCOMMIT\n`, family);
  return diagnostics.map(({ span, code }) => `${span.line - 2}:${span.column}+${span.length} ${code}`);
}

function chainsOf(lines: string, family: Family = "ipv4", table = "filter"): readonly IptablesChain[] {
  const { rulesets, diagnostics } = read(`*${table}\n:mine - [0:0]\n${lines}\nCOMMIT\n`, family);
  expect(diagnostics).toEqual([]);
  return rulesets[0]?.tables[0]?.chains ?? [];
}

function rulesOf(lines: string, family: Family = "ipv4"): readonly IptablesRule[] {
  return chainsOf(lines, family).flatMap((chain) => chain.rules);
}

function ruleOf(line: string, family: Family = "ipv4"): IptablesRule {
  const [rule, ...others] = rulesOf(line, family);
  expect(others).toEqual([]);
  return rule!;
}

/** The matches of a rule, each as its name and `option=text` for each option. */
function matchesOf(rule: IptablesRule): string[] {
  return rule.matches.map(({ extension, options }) =>
    [extension, ...Object.values(options).map(({ name, text, inverted }) => `${inverted ? "!" : ""}${name}=${text}`)].join(" "),
  );
}

describe("a rule", () => {
  test("holds what its line says", () => {
    const rule = ruleOf(
      '[7:9] -A INPUT ! -s 192.0.2.7/24 -i eth+ -p tcp -m tcp --dport 22 -m comment --comment "a b" -j LOG --log-prefix x: ',
    );
    expect(rule).toMatchObject({
      text: '-A INPUT ! -s 192.0.2.7/24 -i eth+ -p tcp -m tcp --dport 22 -m comment --comment "a b" -j LOG --log-prefix x:',
      counters: { packets: 7n, bytes: 9n },
      source: { value: { family: "ipv4", address: 0xc0000200n, mask: 0xffffff00n }, text: "192.0.2.7/24", inverted: true },
      inInterface: { value: "eth+", inverted: false },
      protocol: { value: 6 },
      target: { kind: "extension", extension: "LOG", options: { "log-prefix": { value: "x:" } } },
    });
    expect(rule.destination).toBeUndefined();
    expect(matchesOf(rule)).toEqual(["tcp destination-port=22", "comment comment=a b"]);
    expect(rule.span).toEqual({ file: "x", line: 3, column: 7, length: rule.text.length });
    expect(rule.matches[0]).toMatchObject({
      span: { column: 49, length: 17 },
      options: { "destination-port": { span: { column: 56, length: 10 } } },
    });
  });

  test.each([
    ["-A INPUT -p tcp --dport 22", ["tcp destination-port=22"]],
    ["-A INPUT -p 6 --syn -m recent --set --sport 1", ["tcp syn= source-port=1", "recent set="]],
    ["-A INPUT -p tcp -m recent --set --dport 22", ["recent set=", "tcp destination-port=22"]],
    ["-A INPUT -p tcp --dport 22 -m tcp --sport 23", ["tcp destination-port=22", "tcp source-port=23"]],
    ["-A INPUT -p tcp --dport=22 --tcp-flags SYN,ACK SYN", ["tcp destination-port=22 tcp-flags=SYN,ACK SYN"]],
    ["-A INPUT -p tcp ! --dport 22", ["tcp !destination-port=22"]],
    ["-A INPUT -p tcp --dport ! 22", ["tcp !destination-port=22"]],
    ["-A INPUT -m recent --rc --sec 5 -m recent --set --name b", ["recent rcheck= seconds=5", "recent set= name=b"]],
    ["-A INPUT -m recent --set -m recent --rcheck --sec 5", ["recent set=", "recent rcheck= seconds=5"]],
    ["-A INPUT -m mark --mark 1 -m connmark --mark 2", ["mark mark=1", "connmark mark=2"]],
    ["-A INPUT -m comment --comment --comment", ["comment comment=--comment"]],
    ["-A INPUT -m comment --comment !", ["comment comment=!"]],
  ])("%s binds its options in order", (line, expected) => {
    expect(matchesOf(ruleOf(line))).toEqual(expected);
  });

  test.each([
    ["-AINPUT -s192.0.2.1 -jDROP"],
    ["--append INPUT --src 192.0.2.1 --jump DROP"],
    ["--append=INPUT --source=192.0.2.1 --jump=DROP"],
    ["-s 192.0.2.1 -j DROP -A INPUT"],
    ['"-A" INPUT "-s" 192.0.2.1 -v -j DROP --'],
    ["--app INPUT --so 192.0.2.1/32 --j DROP"],
    ["-4 -A INPUT -s 192.0.2.1 -j DROP"],
    ["-I INPUT -s 192.0.2.1 -j DROP"],
  ])("%s is read like any other spelling", (line) => {
    expect(ruleOf(line)).toMatchObject({ source: { value: { address: 0xc0000201n } }, target: { extension: "DROP" } });
  });

  test("without a test for what every packet has", () => {
    const rule = ruleOf("-A FORWARD -s 0/0 -d any/0 -p all -i + -o + -j ACCEPT");
    expect(rule).toMatchObject({ matches: [] });
    expect(Object.keys(rule).sort()).toEqual(["matches", "span", "target", "text"]);
  });

  test("keeps a test that no packet passes", () => {
    expect(ruleOf("-A FORWARD ! -s 0.0.0.0/0 ! -i + -j ACCEPT")).toMatchObject({
      source: { inverted: true, value: { mask: 0n } },
      inInterface: { inverted: true, value: "+" },
    });
  });

  test("is made for each combination of the addresses given, sources changing slowest", () => {
    const pairs = (line: string): string[] => rulesOf(line).map((rule) => `${rule.source?.text} ${rule.destination?.text}`);
    const addresses = "-s 192.0.2.1,192.0.2.2 -d 198.51.100.1,198.51.100.2";
    const expected = ["192.0.2.1 198.51.100.1", "192.0.2.1 198.51.100.2", "192.0.2.2 198.51.100.1", "192.0.2.2 198.51.100.2"];
    expect(pairs(`-A INPUT ${addresses}`)).toEqual(expected);
    expect(pairs(`-I INPUT ${addresses}`)).toEqual(expected.reverse());
    expect(pairs("-A INPUT -s 192.0.2.1,0/0")).toEqual(["192.0.2.1 undefined", "undefined undefined"]);
  });

  test("with a match or target that is not known is kept, and its options are passed over", () => {
    const rule = ruleOf('-A INPUT -m geoip --src-cc CN,DE --any "-x y" -p tcp --dport 22 -m mark --mark 1 -j FOO --bar 1 2 ! --baz');
    expect(rule.matches).toMatchObject([{ extension: "geoip", unknown: true, span: { column: 10 } }, { extension: "mark" }]);
    expect(rule.target).toMatchObject({ extension: "FOO", unknown: true });
    expect(rule.protocol?.value).toBe(6);
  });

  test("jumps and goes to chains", () => {
    expect(ruleOf("-A INPUT -j mine").target).toMatchObject({ kind: "chain", chain: "mine", goto: false });
    expect(ruleOf("-A INPUT -g mine").target).toMatchObject({ kind: "chain", chain: "mine", goto: true });
    // A chain goes before a target of its name.
    expect(rulesOf(":LOG - [0:0]\n-A INPUT -j LOG")[0]?.target).toMatchObject({ kind: "chain", chain: "LOG" });
  });
});

describe("errors blame the option", () => {
  test.each([
    ["-A INPUT -p tcp --dport 70000", "1:17+13 invalid-value"],
    ["-A INPUT -p tcp --dport", "1:17+7 missing-argument"],
    ["-A INPUT -p tcp --tcp-flags SYN --dport 5", "1:17+15 missing-argument"],
    ["-A INPUT --dport 22 -p tcp", "1:10+7 unknown-option"],
    ["-A INPUT -b", "1:10+2 unknown-option"],
    ["-A INPUT --d 192.0.2.1", "1:10+3 ambiguous-option"],
    ["-A INPUT --in eth0", "1:10+4 ambiguous-option"],
    ["-A INPUT -m mark -m connmark --mark 2 --mark 1", "1:39+8 repeated-option"],
    ["-A INPUT -i eth0 -i eth1", "1:18+7 repeated-option"],
    ["-A INPUT -j ACCEPT -j DROP", "1:20+7 repeated-option"],
    ["-A INPUT -j ACCEPT DROP", "1:20+4 unexpected-argument"],
    ["-A INPUT -j ACCEPT -- DROP", "1:23+4 unexpected-argument"],
    ["-A INPUT -p tcp --syn=1", "1:17+7 unexpected-argument"],
    ["-A INPUT ! -j ACCEPT", "1:12+9 not-invertible"],
    ["-A INPUT -m recent ! --seconds 5", "1:22+11 not-invertible"],
    ["-A INPUT ! -s 192.0.2.1,192.0.2.2", "1:12+22 not-invertible"],
    ["-A INPUT ! -s 192.0.2.1 -d 192.0.2.1,192.0.2.2", "1:25+22 not-invertible"],
    ["-A INPUT -j ACCEPT !", "1:20+1 unexpected-argument"],
    ["-A INPUT ! ! -s 192.0.2.1", "1:12+1 unexpected-argument"],
    ["-A INPUT ! -p all", "1:12+6 invalid-value"],
    ["-A INPUT -s 2001:db8::1", "1:10+14 mixed-families"],
    ["-A INPUT -s host.example", "1:10+15 invalid-value"],
    ["-A INPUT -s 192.0.2.1,", "1:10+13 invalid-value"],
    ["-A INPUT -p nonesuch", "1:10+11 invalid-value"],
    ['-A INPUT -i ""', "1:10+5 invalid-value"],
    ["-A INPUT -i abcdefghijklmnop", "1:10+19 invalid-value"],
    ["-A INPUT -o eth0", "1:10+7 invalid-placement"],
    ["-A OUTPUT -i eth0", "1:11+7 invalid-placement"],
    ["-A INPUT -m tcp --dport 22", "1:10+17 invalid-placement"],
    ["-A INPUT ! -p tcp --dport 22", "1:19+10 invalid-placement"],
    ["-A INPUT -m icmp6 --icmpv6-type 1", "1:10+24 invalid-placement"],
    ["-A INPUT -m comment", "1:10+10 missing-option"],
    ["-A INPUT -m recent --set --rcheck", "1:26+8 conflicting-options"],
    ["-A INPUT -m recent --seconds 5 --set", "1:32+5 conflicting-options"],
    ["-A INPUT -n", "1:10+2 conflicting-options"],
    ["-t filter -A INPUT", "1:1+9 invalid-command"],
    ["-w -A INPUT", "1:1+2 invalid-command"],
    ["-s 192.0.2.1", "1:1+12 invalid-command"],
    ["-A INPUT -A OUTPUT", "1:10+9 invalid-command"],
    ["COMMIT now", "1:1+6 unexpected-argument"],
    ["-A nowhere -j ACCEPT", "1:4+7 undeclared-chain"],
    ["-A INPUT -j nowhere", "1:10+10 undeclared-chain"],
    ["-A INPUT -g NOWHERE", "1:10+10 undeclared-chain"],
    ["-A INPUT -j OUTPUT", "1:10+9 invalid-placement"],
    ["-A INPUT -m !", "1:10+4 invalid-value"],
    ["-A INPUT -c 1", "1:10+4 missing-argument"],
    ["-A INPUT -c x y", "1:10+6 invalid-counters"],
    ["-I INPUT 2", "1:1+10 invalid-value"],
    ["-I INPUT x", "1:10+1 invalid-value"],
    ["-D INPUT -s 192.0.2.1", "1:1+8 invalid-value"],
    ["-F nowhere", "1:4+7 undeclared-chain"],
    ["-X INPUT", "1:1+8 invalid-command"],
    ["-N mine", "1:4+4 duplicate-chain"],
    [":mine - [0:0]", "1:2+4 duplicate-chain"],
    ["-N -x", "1:4+2 invalid-chain-name"],
    [":ACCEPT - [0:0]", "1:2+6 invalid-chain-name"],
    [":abcdefghijklmnopqrstuvwxyz123 -", "1:2+29 invalid-chain-name"],
    [":INPUT RETURN", "1:8+6 invalid-policy"],
    [":other ACCEPT", "1:8+6 invalid-policy"],
    ["-P INPUT QUEUE", "1:1+14 invalid-policy"],
  ])("%s", (line, expected) => {
    expect(complaints(line).join("|")).toBe(expected);
  });

  test("in IPv6", () => {
    expect(complaints("-A INPUT -f", "ipv6")).toEqual(["1:10+2 invalid-placement"]);
    expect(complaints("-A INPUT -p icmpv6 --icmpv6-type 1\n-A INPUT -p 58 -m icmpv6 --icmpv6-type 1", "ipv6")).toEqual([]);
  });

  test("in the nat table, where nothing is dropped", () => {
    expect(complaints("-A PREROUTING -j DROP", "ipv4", "nat")).toEqual(["1:15+7 invalid-placement"]);
    expect(complaints("-P PREROUTING DROP", "ipv4", "nat")).toEqual(["1:1+18 invalid-policy"]);
    expect(complaints(":PREROUTING DROP [0:0]", "ipv4", "nat")).toEqual([]);
  });

  test("as many as there are", () => {
    expect(complaints('-A INPUT -p tcp --dport x --sport y\n-A x\n"\n-A INPUT -j ACCEPT')).toEqual([
      "1:17+9 invalid-value",
      "1:27+9 invalid-value",
      "2:4+1 undeclared-chain",
      "3:1+1 unclosed-quote",
    ]);
  });

  test("lines of the other family are skipped with a note", () => {
    expect(complaints("-6 -A INPUT -s 2001:db8::1 -j ACCEPT")).toEqual(["1:1+2 option-without-effect"]);
  });
});

describe("commands", () => {
  const order = (lines: string): string =>
    chainsOf(lines)
      .map(
        (chain) =>
          `${chain.name}: ${chain.rules.map((rule) => rule.source?.value.address.toString(16).slice(-1) ?? (rule.target?.kind === "chain" ? rule.target.chain : "?")).join("")}`,
      )
      .join("; ");

  test.each([
    [
      "-A INPUT -s 192.0.2.1\n-I INPUT -s 192.0.2.2\n-I INPUT -s 192.0.2.3\n-A INPUT -s 192.0.2.4\n-I INPUT 2 -s 192.0.2.5",
      "INPUT: 35214; mine: ",
    ],
    ["-A INPUT -s 192.0.2.1\n-I INPUT 2 -s 192.0.2.2\n-R INPUT 1 -s 192.0.2.3\n-D INPUT 2", "INPUT: 3; mine: "],
    ["-A INPUT -s 192.0.2.1\n-A INPUT -s 192.0.2.2\n-A INPUT -s 192.0.2.1\n-D INPUT -s 192.0.2.1/32", "INPUT: 21; mine: "],
    ["-A INPUT -s 192.0.2.1\n-F INPUT\n-A mine -s 192.0.2.2\n-F\n-A OUTPUT -s 192.0.2.3", "INPUT: ; OUTPUT: 3; mine: "],
    ["-N other\n-A other -s 192.0.2.1\n-X mine", "other: 1"],
    ["-A INPUT -j mine\n-E mine other\n-A other -s 192.0.2.1", "INPUT: other; other: 1"],
    ["-L\n-S INPUT 1\n-Z\n-A mine -s 192.0.2.1\n-C mine -s 192.0.2.1", "mine: 1"],
  ])("%j", (lines, expected) => {
    expect(order(lines)).toBe(expected);
  });

  test("chains are deleted only when they are empty and nobody jumps there", () => {
    expect(complaints("-A INPUT -j mine\n-X mine\n-D INPUT 1\n-A mine\n-X")).toEqual(["2:1+7 invalid-command", "5:1+2 invalid-command"]);
  });

  test("policies and counters", () => {
    expect(chainsOf(":FORWARD DROP [1:2]\n-P INPUT DROP\n[3:4] -A OUTPUT\n-A OUTPUT -c 5 6\n-A OUTPUT -c 7,8")).toMatchObject([
      { name: "INPUT", policy: "DROP" },
      { name: "FORWARD", policy: "DROP", counters: { packets: 1n, bytes: 2n } },
      {
        name: "OUTPUT",
        policy: "ACCEPT",
        rules: [{ counters: { packets: 3n } }, { counters: { bytes: 6n } }, { counters: { bytes: 8n } }],
      },
      { name: "mine" },
    ]);
  });
});

describe("chains that jump in a circle", () => {
  test.each([
    ["-A mine -j other\n-A other -j mine", []],
    ["-A mine -j other\n-A other -j mine\n-A INPUT -j mine", ["3:10+7 chain-loop"]],
    ["-A mine -g other\n-A other -g mine\n-A INPUT -j mine", ["3:10+7 chain-loop"]],
    ["-A mine -j mine\n-A INPUT -s 192.0.2.1 -j mine", ["2:9+7 chain-loop"]],
    ["-A mine -j other\n-A other -j ACCEPT\n-A other -j mine\n-A INPUT -j mine", []],
    ["-A mine -j other\n-A other -j mine\n-A INPUT -j ACCEPT\n-A INPUT -j mine", []],
  ])("%j", (lines, expected) => {
    expect(complaints(`:other - [0:0]\n${lines}`)).toEqual(expected);
  });

  test("behind a verdict that ends the chain are found on demand", () => {
    const { rulesets } = read("*filter\n:mine - [0:0]\n-A mine -j ACCEPT\n-A mine -j mine\n-A INPUT -j mine\nCOMMIT\n", "ipv4");
    const table = rulesets[0]!.tables[0]!;
    expect(findChainLoops(table)).toEqual([]);
    expect(findChainLoops(table, true)).toMatchObject([{ rule: { text: "-A mine -j mine" }, chains: ["mine"] }]);
  });

  test("are found however deep", () => {
    const count = 20_000;
    const chains = Array.from({ length: count }, (_, index) => `:c${index} - [0:0]`);
    const rules = chains.map((_, index) => `-A c${index} -j c${(index + 1) % count}`);
    expect(complaints([...chains, ...rules, "-A INPUT -j c0"].join("\n"))).toHaveLength(1);
  });
});

describe("tables", () => {
  const codes = (text: string, family?: Family): string[] =>
    read(text, family).diagnostics.map(({ span, code }) => `${span.line}:${span.column} ${code}`);

  test.each([
    ["", ["1:1 no-table"]],
    ["# only a comment\n", ["1:1 no-table"]],
    ["*filter\n", ["1:2 missing-commit"]],
    ["*filter\n*nat\nCOMMIT\n", ["1:2 missing-commit"]],
    ["*bogus\n-A x\nCOMMIT\n", ["1:2 unknown-table"]],
    ["-A INPUT\n*filter\nCOMMIT\nCOMMIT\n:x -\n", ["1:1 outside-table", "4:1 outside-table", "5:2 outside-table"]],
    ["*raw\n:INPUT ACCEPT\nCOMMIT\n", ["2:8 invalid-policy"]],
  ])("%j", (text, expected) => {
    expect(codes(text, "ipv4")).toEqual(expected);
  });

  test("stand in the order of their COMMITs, one given twice as given last", () => {
    const { rulesets, diagnostics } = read(
      "*filter\n:INPUT DROP\n:FORWARD DROP\n:mine -\n-A INPUT -j mine\nCOMMIT\n*nat\nCOMMIT\n*filter\n:INPUT ACCEPT\n-A OUTPUT -s 192.0.2.1\nCOMMIT\n",
      "ipv4",
    );
    expect(rulesets[0]?.tables.map((table) => table.name)).toEqual(["nat", "filter"]);
    // The chains of the first are gone, but its policies stay.
    expect(rulesets[0]?.tables[1]?.chains).toMatchObject([
      { name: "INPUT", policy: "ACCEPT", rules: [] },
      { name: "FORWARD", policy: "DROP" },
      { name: "OUTPUT", policy: "ACCEPT", rules: [{}] },
    ]);
    expect(diagnostics.map(({ code, message }) => `${code}: ${message}`)).toEqual([expect.stringMatching(/^repeated-table: .* 1 rules/)]);
  });

  test("leave out built-in chains that nobody names", () => {
    expect(chainsOf("-A mine").map((chain) => chain.name)).toEqual(["mine"]);
  });
});

describe("the family", () => {
  const families = (text: string): string => {
    const { rulesets, diagnostics } = read(text);
    return [
      ...rulesets.map(({ family, tables }) => `${family} ${tables.map(({ name }) => name).join()}`),
      ...diagnostics.map(({ code }) => code),
    ].join("; ");
  };
  const table = (line: string, name = "filter"): string => `*${name}\n${line}\nCOMMIT\n`;

  test.each([
    ["# Generated by iptables-save v1.8.9 on Mon\n", "-A INPUT", "ipv4 filter"],
    ["# Generated by ip6tables-save v1.8.9 on Mon\n", "-A INPUT", "ipv6 filter"],
    ["# Generated by ip6tables-nft-save v1.8.9\n", "-A INPUT", "ipv6 filter"],
    ["# Generated by xtables-save v1.8.2\n", "-A INPUT -s 2001:db8::/32", "ipv6 filter"],
    ["", "-A INPUT -s 192.0.2.1", "ipv4 filter"],
    ["", "-A INPUT -s 2001:db8:0:0:0:0:0:1", "ipv6 filter"],
    ["", "-A INPUT -p icmpv6", "ipv6 filter"],
    ["", "-A INPUT -p icmp", "ipv4 filter"],
    ["", '-A INPUT -m comment --comment "at 2001:db8::1" -s 192.0.2.1', "ipv4 filter"],
    ["", "-A INPUT -m comment --comment a::b -s 192.0.2.1", "ipv4 filter"],
    ["", "-A INPUT -j ACCEPT", "ipv4 filter; family-assumed"],
    ["", "-A INPUT -6 -s 2001:db8::1", "ipv4 filter; family-assumed; option-without-effect"],
  ])("%j with %j", (comment, line, expected) => {
    expect(families(comment + table(line))).toBe(expected);
  });

  test("may differ from table to table", () => {
    expect(
      families(`# Generated by iptables-save\n${table("-A INPUT")}# Generated by ip6tables-save\n${table("-A INPUT")}${table("", "raw")}`),
    ).toBe("ipv4 filter; ipv6 filter,raw");
    expect(families(table("-A INPUT -s 192.0.2.1") + table("-A INPUT -s 2001:db8::1") + table("", "nat"))).toBe(
      "ipv4 filter; ipv6 filter,nat",
    );
    expect(families(table("", "nat") + table("-A INPUT -s 2001:db8::1"))).toBe("ipv6 nat,filter");
  });
});

describe("whatever the input", () => {
  const line = fc
    .array(
      fc.constantFrom(
        "-A",
        "INPUT",
        "mine",
        "-I",
        "1",
        "-D",
        "-R",
        "-E",
        "-X",
        "-F",
        "-N",
        "-P",
        "-Z",
        "ACCEPT",
        "DROP",
        "-j",
        "-g",
        "-m",
        "tcp",
        "recent",
        "geoip",
        "comment",
        "--set",
        "--s",
        "--name",
        "--dport",
        "22",
        "!",
        "--",
        "-",
        "-p",
        "-s",
        "192.0.2.1",
        "192.0.2.1,192.0.2.2",
        "2001:db8::1",
        "0/0",
        '"',
        '"a b"',
        "-4",
        "-6",
        "-c",
        "[0:0]",
        "*filter",
        "*nat",
        "*",
        ":mine",
        ":INPUT",
        "COMMIT",
        "__proto__",
        "constructor",
        "--constructor",
        "--__proto__",
        "--=",
        "-xyz",
        "\\",
        "\u0000",
      ),
      { maxLength: 12 },
    )
    .map((words) => words.join(" "));

  test("reading ends without an exception", () => {
    fc.assert(
      fc.property(fc.array(line, { maxLength: 12 }), fc.constantFrom<Family | undefined>("ipv4", "ipv6", undefined), (lines, family) => {
        read(lines.join("\n"), family);
        read(`*filter\n:mine -\n${lines.join("\n")}\nCOMMIT\n`, family);
        build({ file: "x", text: `*filter\n:mine -\n${lines.join("\n")}\nCOMMIT\n` });
      }),
      { numRuns: 500 },
    );
  });

  test("address lists cannot fill the memory", () => {
    const list = Array.from({ length: 250 }, () => "1/8").join();
    const { diagnostics } = read(
      `*filter\n${Array.from({ length: 20 }, () => `-A INPUT -s ${list} -d ${list}`).join("\n")}\nCOMMIT\n`,
      "ipv4",
    );
    expect(diagnostics.filter(({ code }) => effectOf(code) === "invalid").length).toBeGreaterThan(10);
  });
});
