/** Dumps of many chains that call each other: the quick way leaves out chains, and gives what the slow one gives. */

import { expect, it } from "vitest";

import { seededRandom, type Random } from "../../src/random.js";
import { translateByShapes } from "../../src/shapes/translate-by-shapes.js";
import { translate, type TranslateOptions } from "../../src/translate.js";
import { bigRuleset } from "../bench/big-ruleset.js";
import { kubeProxy, kubeServices } from "../generators/kube-proxy.js";
import { compared } from "./compared.js";

const below = (limit: number, random: Random): number => Math.floor(random() * limit);

function pick<Value>(values: readonly Value[], random: Random): Value {
  return values[below(values.length, random)]!;
}

const host = (random: Random): string => `198.18.${below(256, random)}.${1 + below(254, random)}/32`;
const port = (random: Random): string => String(1 + below(65_535, random));

/** What stands before a target. */
const conditions: readonly ((random: Random) => string)[] = [
  (random) => `-s ${host(random)}`,
  (random) => `-d ${host(random)} -p tcp -m tcp --dport ${port(random)}`,
  (random) => `-d ${host(random)} -p tcp -m comment --comment "ns/web-${port(random)}:http -> cluster IP" -m tcp --dport ${port(random)}`,
  (random) => `-i eth${below(2, random)} -p udp -m udp --sport ${port(random)}`,
];

/** Names that nft takes, that it does not, and that look alike in it. */
function nameOf(index: number, random: Random): string {
  const odd = ["a+b", "a_b", "a.b", "SSH", "SSH_hits", "INPUT_SSH", "filter", "web", "web-", "web-1", "jump"];
  return random() < 0.1 && index < odd.length ? odd[index]! : `${pick(["web", "KUBE-SVC", "tenant", "x"], random)}-${index}`;
}

/** A table with chains that call such as stand behind them, and now and then such as do not. */
function chained(random: Random): string {
  const table = pick(["filter", "mangle", "mangle"], random);
  const builtIn = table === "filter" ? ["INPUT", "FORWARD", "OUTPUT"] : ["PREROUTING", "FORWARD"];
  const names = Array.from({ length: 2 + below(30, random) }, (_, index) => nameOf(index, random));
  const chains = [...builtIn, ...names];
  const [hasList, hasOdd, hasCircle, isDeep] = [random() < 0.4, random() < 0.3, random() < 0.05, random() < 0.15];
  const goesTo = random() < 0.2;
  const [rttl, changes] = [random() < 0.5 ? " --rttl" : "", random() < 0.5];
  const rules = chains.flatMap((chain, index) => {
    const counted = random() < 0.2;
    const called = (): string => {
      if (hasCircle && random() < 0.05) return pick(names, random);
      const first = Math.max(builtIn.length, index + 1);
      const last = isDeep ? Math.min(first + 2, chains.length) : chains.length;
      return chains[first + below(last - first, random)] ?? "RETURN";
    };
    return Array.from({ length: below(12, random) }, () => {
      const start = `${counted ? `[${1 + below(99, random)}:${1 + below(999, random)}] ` : ""}-A ${chain}`;
      const condition = pick(conditions, random)(random);
      if (hasList && random() < 0.05) return `${start} -p tcp -m recent --name SSH --set`;
      if (hasList && random() < 0.05) return `${start} -p tcp -m recent --name SSH --update --seconds 60 --hitcount 4${rttl} -j DROP`;
      if (changes && random() < 0.1) return `${start} ${condition} -j MARK --set-xmark 0x1/0xffffffff`;
      if (hasOdd && random() < 0.03) return `${start} -m comment --comment "a \\"b\\"" -j ${called()}`;
      if (random() < 0.5) return `${start} ${condition} -j ${pick(["ACCEPT", "DROP", "RETURN"], random)}`;
      return `${start} ${condition} ${goesTo && random() < 0.3 ? "-g" : "-j"} ${called()}`.replace("-g RETURN", "-j RETURN");
    });
  });
  const declared = [...builtIn.map((name) => `:${name} ACCEPT [0:0]`), ...names.map((name) => `:${name} - [0:0]`)];
  return [`*${table}`, ...declared, ...rules, "COMMIT", ""].join("\n");
}

const optionSets: readonly TranslateOptions[] = [{}, {}, { counters: false }, { keepSets: true }, { targetNft: "0.9.8" }];

const rounds = Number(process.env["SHAPES_ROUNDS"] ?? 400);
const seed = Number(process.env["SHAPES_SEED"] ?? 1);

it(
  `gives what the slow way gives for ${rounds} dumps of chains that call each other (seed ${seed})`,
  { timeout: 60_000 + rounds * 500 },
  () => {
    const random = seededRandom(seed);
    let taken = 0;
    for (let round = 0; round < rounds; round++) {
      const text = chained(random);
      const options = pick(optionSets, random);
      try {
        if (compared({ file: "rules.v4", text }, options)) taken++;
      } catch (error) {
        throw new Error(`${JSON.stringify(options)}, round ${round}\n${text}`, { cause: error });
      }
    }
    expect(taken).toBeGreaterThan(rounds / 3);
  },
);

it.each([
  ["kube-proxy", kubeProxy(kubeServices().map((service) => ({ ...service, affinity: false }))), 2_300],
  ["kube-proxy, of whose services some keep clients", kubeProxy(), 1_700],
  ["chains of a hundred tenants", bigRuleset(4_000), 3_600],
] as const)("leaves out most of %s", { timeout: 60_000 }, (_, text, leastLeftOut) => {
  const sources = [{ file: "rules.v4", text }];
  const quick = translateByShapes(sources, {}, { leastShare: 0 });
  if ("reason" in quick) throw new Error(quick.reason);
  const slow = translate(sources);
  expect(quick.script()).toBe(slow.script);
  expect(quick.translation.diagnostics).toEqual(slow.diagnostics);
  expect(quick.leftOut).toBeGreaterThan(leastLeftOut);
});

const called = (names: readonly string[], lines: (name: string, index: number) => readonly string[]): string =>
  [
    "*filter",
    ":INPUT DROP [0:0]",
    ...names.map((name) => `:${name} - [0:0]`),
    ...names.map((name, index) => `-A INPUT -s 198.18.0.${index + 1}/32 -j ${name}`),
    ...names.flatMap((name, index) => lines(name, index).map((rule) => `-A ${name} ${rule}`)),
    "COMMIT",
    "",
  ].join("\n");

const many = Array.from({ length: 20 }, (_, index) => `chain-${index}`);

it("keeps the names that chains have", () => {
  const drop = (_: string, index: number): string[] => [`-d 198.19.0.${index + 1}/32 -j DROP`];
  expect(compared({ file: "rules.v4", text: called([...many, "a+b", "a_b", "a-b"], drop) })).toBe(true);
  expect(compared({ file: "rules.v4", text: called(["a", "b", "c", "x+1", "y.2", "last"], drop) })).toBe(true);
  // A set of the list has the name that a chain would have.
  const list = "-A INPUT -m recent --name filter --set\n-A INPUT -m recent --name filter --update --seconds 60 --hitcount 3 -j DROP\n";
  const sets = [...translate(called([], drop).replace("COMMIT", `${list}COMMIT`)).script!.matchAll(/set filter_(\S+)/g)].map(
    ([, name]) => name!,
  );
  expect(sets).not.toEqual([]);
  expect(compared({ file: "rules.v4", text: called([...sets, ...many], drop).replace("COMMIT", `${list}COMMIT`) })).toBe(true);
});

it("takes away the chains of an earlier script, and no others", () => {
  const text = called(many, (_, index) => [`-d 198.19.0.${index + 1}/32 -j DROP`]);
  const replaces = translate(text.replaceAll("chain-7", "gone")).script!;
  const options = { keepSets: true, replaces };
  expect(compared({ file: "rules.v4", text }, options)).toBe(true);
  expect(translate(text, options).script).toContain("delete chain ip ipt2nft filter_gone\n");
});

it("knows the programs by the chains that rules call", () => {
  const names = ["DOCKER", ...many, "DOCKER-ISOLATION-STAGE-1"];
  const text = called(names, (_, index) => [`-d 198.19.0.${index + 1}/32 -j DROP`]);
  expect(compared({ file: "rules.v4", text })).toBe(true);
  expect(translate(text).diagnostics.map(({ code }) => code)).toContain("program-rules");
});

it("does not mistake a comment for the chain that is called", () => {
  // So long a comment is no value that rules of one shape differ by.
  const comment = `${"x".repeat(105)} filter_chain-19`;
  const text = called(many, (_, index) => [
    ...(index < 18 ? [`-d 198.19.0.1/32 -m comment --comment "${comment}" -j chain-${index % 3 === 2 ? 18 : 19}`] : []),
    ...[1, 2, 3].map((number) => `-s 198.19.${index}.${number}/32 -j DROP`),
  ]);
  expect(compared({ file: "rules.v4", text })).toBe(true);
  expect(translate(text).script).toContain(`jump filter_chain-18 comment "${comment}"`);
});

it.each([
  ":chain-9 - -A",
  `:${"c".repeat(29)} - [0:0]`,
  ":chain-9 ACCEPT [0:0]",
  ":chain-9 - [0:0] [0:0]",
  ":chain-9 - [9999999999999999999999:0]",
])("does not leave out what is wrong with a declaration: %s", (declaration) => {
  const text = called(many, (_, index) => [`-d 198.19.0.${index + 1}/32 -j DROP`]);
  const name = declaration.slice(1).split(" ")[0]!;
  const wrong = text.replace(":chain-9 - [0:0]", declaration).replaceAll("chain-9\n", `${name}\n`).replaceAll("-A chain-9 ", `-A ${name} `);
  const quick = translateByShapes([{ file: "<input>", text: wrong, family: "ipv4" }], {}, { leastShare: 0, leastLength: 0 });
  const slow = translate(wrong, { family: "ipv4" });
  expect("reason" in quick || quick.translation.outcome).toBe(slow.outcome === "invalid" ? true : slow.outcome);
});

it.each(["INPUT", "FORWARD", "LOG", "NFQUEUE", "nowhere", "-j chain-3"])("does not leave out what is wrong with a call of %s", (target) => {
  const text = called(many, (_, index) => [`-d 198.19.0.${index + 1}/32 -j ${index === 7 ? target : "chain-19"}`])
    .replace(":INPUT", ":FORWARD ACCEPT [0:0]\n:INPUT")
    .replace(/^-A chain-19 .*\n/m, "");
  const quick = translateByShapes([{ file: "<input>", text, family: "ipv4" }], {}, { leastShare: 0, leastLength: 0 });
  const slow = translate(text, { family: "ipv4" });
  expect("reason" in quick || quick.translation.outcome).toBe(slow.outcome === "invalid" ? true : slow.outcome);
});

it("is taken beside calls that it cannot read", () => {
  const odd = String.raw`-A INPUT -m comment --comment "the \"third\"" -j chain-9`;
  const text = called(many, (_, index) => [`-d 198.19.0.${index + 1}/32 -j DROP`]).replace("COMMIT", `${odd}\nCOMMIT`);
  expect(compared({ file: "rules.v4", text })).toBe(true);
});

it("knows what a packet meets between a hit and the check of its TTL", () => {
  const marks = ["one", "two", "three"].map((name) => `-A ${name} -s 198.18.0.9/32 -j MARK --set-xmark 0x1/0xffffffff`);
  const text = (between: readonly string[]): string =>
    [
      ...["*mangle", ":PREROUTING ACCEPT [0:0]", ":harmless - [0:0]", ":one - [0:0]", ":two - [0:0]", ":three - [0:0]", ":last - [0:0]"],
      ...[1, 2, 3, 4].flatMap((host) => [
        ...["harmless", "one", "two", "three"].map((name) => `-A PREROUTING -s 198.18.1.${host}/32 -j ${name}`),
        `-A PREROUTING -s 198.18.2.${host}/32 -j MARK --set-xmark 0x1/0xffffffff`,
        `-A harmless -s 198.18.3.${host}/32 -j ACCEPT`,
      ]),
      "-A PREROUTING -p tcp -m recent --name SSH --set",
      ...[1, 2].map((host) => `-A PREROUTING -s 198.18.4.${host}/32 -j ACCEPT`),
      ...between,
      ...[3, 4].map((host) => `-A PREROUTING -s 198.18.4.${host}/32 -j ACCEPT`),
      "-A PREROUTING -p tcp -m recent --name SSH --rcheck --seconds 60 --hitcount 3 --rttl -j DROP",
      ...marks,
      "COMMIT",
      "",
    ].join("\n");
  const rest = "-s 198.18.5.1/32";
  const rows = [[], [`-A PREROUTING ${rest} -j harmless`], [`-A PREROUTING ${rest} -j three`]];
  const scripts = [...rows, [`-A PREROUTING ${rest} -j MARK --set-xmark 0x1/0xffffffff`]].map((between) => {
    expect(compared({ file: "rules.v4", text: text(between) })).toBe(true);
    return translate(text(between)).script!.includes("ip ttl");
  });
  expect(scripts).toEqual([false, false, true, true]);
});

it.each([13, 14, 15, 16, 17])("counts %d levels of calls", (levels) => {
  const chain = (line: number, level: number): string => `c-${line}-${level}`;
  const lines = Array.from({ length: 6 }, (_, line) => line);
  const depth = Array.from({ length: levels }, (_, level) => level);
  const text = [
    "*filter",
    ":INPUT DROP [0:0]",
    ...lines.flatMap((line) => depth.map((level) => `:${chain(line, level)} - [0:0]`)),
    ...lines.map((line) => `-A INPUT -s 198.18.0.${line + 1}/32 -j ${chain(line, 0)}`),
    ...lines.flatMap((line) =>
      depth.flatMap((level) => [
        ...(level + 1 < levels ? [`-A ${chain(line, level)} -d 198.18.${level}.${line + 1}/32 -j ${chain(line, level + 1)}`] : []),
        `-A ${chain(line, level)} -s 198.18.${level}.${line + 1}/32 -j DROP`,
      ]),
    ),
    "COMMIT",
    "",
  ].join("\n");
  expect(compared({ file: "rules.v4", text })).toBe(true);
});
