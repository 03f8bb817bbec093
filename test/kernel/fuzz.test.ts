import fc from "fast-check";
import { expect, it } from "vitest";

import type { NftScript } from "../../src/nft/ast.js";
import { anyDump, builtIn, pieces, places, type Dump } from "../fuzz/hostile-dumps.js";
import { brokenPromises } from "../fuzz/promises.js";
import { loadAllTwice, type LoadResult } from "./load.js";
import { describeOnKernel } from "./requirements.js";

/** `FUZZ_MINUTES=10 FUZZ_SEED=7 npx vitest run test/kernel/fuzz.test.ts` looks longer, elsewhere. */
const minutes = Number(process.env["FUZZ_MINUTES"] ?? 0.25);
const seed = Number(process.env["FUZZ_SEED"] ?? 20240229);
const batch = 100;

/** Has a chain at a hook, a set with contents and the names that our tables have. */
const bystander = `table ip bystander {
  set recent_DEFAULT { type ipv4_addr; elements = { 192.0.2.1 } }
  chain filter_INPUT {
    type filter hook input priority 0; policy accept;
    ip saddr @recent_DEFAULT drop
  }
}
table inet ipt2nft {
  chain filter_INPUT { }
}
table ip6 bystander {
  chain filter_INPUT { }
}
`;

interface Survivor { readonly script: string; readonly nft: NftScript; readonly input: string }

function survivor(dump: Dump): Survivor[] {
  const { translation, broken } = brokenPromises(dump);
  expect(broken).toEqual([]);
  const { script, nft } = translation!;
  return script === undefined || nft === undefined ? [] : [{ script, nft, input: `${JSON.stringify(dump.options)}\n${dump.sources.map(({ text }) => text).join("\n")}` }];
}

/** Numbers of rules by table and chain, from `nft list ruleset`, which writes each rule on one line. */
function listedRules(listing: string): Map<string, number> {
  const rules = new Map<string, number>();
  let table = "";
  let chain: string | undefined;
  for (const line of listing.split("\n")) {
    const start = /^table (\S+ \S+) \{$/.exec(line);
    if (start) {
      table = start[1]!;
      rules.set(table, 0);
    }
    const name = /^\tchain (\S+) \{$/.exec(line)?.[1];
    if (name !== undefined) rules.set(chain = `${table} ${name}`, 0);
    else if (line === "\t}") chain = undefined;
    else if (chain !== undefined && !line.startsWith("\t\ttype ")) rules.set(chain, rules.get(chain)! + 1);
  }
  return rules;
}

function meantRules({ tables }: NftScript): Map<string, number> {
  return new Map(tables.flatMap((table) => [
    [`${table.family} ${table.name}`, 0] as const,
    ...table.chains.map((chain) => [`${table.family} ${table.name} ${chain.name}`, chain.entries.filter(({ kind }) => kind === "rule").length] as const),
  ]));
}

const bystanderRules = new Map([
  ["ip bystander", 0], ["ip bystander filter_INPUT", 1], ["inet ipt2nft", 0], ["inet ipt2nft filter_INPUT", 0], ["ip6 bystander", 0], ["ip6 bystander filter_INPUT", 0],
]);

/** What is wrong with the way a script was loaded. */
function complaints({ nft, input }: Survivor, { loaded, messages, first, second }: LoadResult): string[] {
  const wrong: string[] = [];
  if (!loaded || messages !== "") wrong.push(`nft says ${messages}`);
  else {
    if (first !== second) wrong.push("the second load changes something");
    const sorted = (rules: Map<string, number>): string => JSON.stringify([...rules].sort());
    if (sorted(listedRules(first)) !== sorted(new Map([...bystanderRules, ...meantRules(nft)]))) wrong.push(`the kernel has other rules than meant: ${first}`);
    if (!first.includes("elements = { 192.0.2.1 }") || !first.includes("ip saddr @recent_DEFAULT drop")) wrong.push(`the other table was touched: ${first}`);
  }
  return wrong.map((what) => `${what.slice(0, 2_000)}\n--- input\n${input.slice(0, 8_000)}`);
}

async function load(survivors: readonly Survivor[]): Promise<string[]> {
  const results = await loadAllTwice(survivors.map(({ script }) => script), { before: bystander });
  return survivors.flatMap((one, index) => complaints(one, results[index]!));
}

describeOnKernel("the kernel and hostile input", () => {
  it("loads every script twice and touches no other table", { timeout: minutes * 60_000 + 120_000 }, async () => {
    const end = Date.now() + minutes * 60_000;
    let scripts = 0;
    for (let round = 0; round === 0 || Date.now() < end; round++) {
      const survivors = fc.sample(anyDump, { seed: seed + round, numRuns: 3 * batch }).flatMap(survivor);
      scripts += survivors.length;
      expect(await load(survivors), `seed ${seed + round}`).toEqual([]);
    }
    expect(scripts).toBeGreaterThan(batch / 2);
  });

  it("loads every match and every target of the corpus in every chain that allows it", { timeout: 300_000 }, async () => {
    const protocols = ["", "-p tcp", "-p udp", "-p icmp"];
    const survivors = (["v4", "v6"] as const).flatMap((family) => places.flatMap(({ table, chain }) => {
      const dump = (rules: readonly string[]): Dump => ({
        sources: [{ file: "rules", family: family === "v4" ? "ipv4" : "ipv6", text: [`*${table}`, ...builtIn[table]!.map((name) => `:${name} ACCEPT`), ...rules, "COMMIT", ""].join("\n") }],
        options: {},
      });
      const bodies = [
        ...pieces[family].matches.map((match) => `${match} -j ACCEPT`),
        ...pieces[family].targets.flatMap((target) => protocols.map((protocol) => `${protocol} ${target}`)),
      ];
      // A list has one ring, so that rules with different hit counts stand in different scripts.
      const valid = bodies.map((body) => `-A ${chain} ${body}`).filter((rule) => survivor(dump([rule])).length > 0);
      const [recent, other] = [valid.filter((rule) => rule.includes("-m recent")), valid.filter((rule) => !rule.includes("-m recent"))];
      return [other, ...Array.from({ length: Math.ceil(recent.length / 20) }, (_, index) => recent.slice(index * 20, index * 20 + 20))]
        .flatMap((rules) => survivor(dump(rules)));
    }));
    expect(survivors.length).toBeGreaterThan(places.length);
    expect(await load(survivors)).toEqual([]);
  });
});
