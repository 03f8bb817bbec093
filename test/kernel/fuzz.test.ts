import fc from "fast-check";
import { beforeAll, expect, it } from "vitest";

import type { NftScript } from "../../src/nft/ast.js";
import type { KernelPartName } from "../../src/nft/kernel-parts.js";
import { anyDump, builtIn, pieces, places, type Dump } from "../fuzz/hostile-dumps.js";
import { brokenPromises } from "../fuzz/promises.js";
import { lackingParts } from "../../src/verify/kernel-parts.js";
import { loadAllTwice, type LoadResult } from "../../src/verify/load.js";
import { describeOnKernel } from "./requirements.js";

/** `FUZZ_MINUTES=10 FUZZ_SEED=7 npx vitest run test/kernel/fuzz.test.ts` looks longer, elsewhere. */
const minutes = Number(process.env["FUZZ_MINUTES"] ?? 0.1);
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
table inet bystander {
  chain filter_INPUT { }
}
table ip6 bystander {
  chain filter_INPUT { }
}
`;

interface Survivor {
  readonly script: string;
  readonly nft: NftScript;
  readonly input: string;
}

/** What this kernel has not: a script that needs it does not load here. */
let without: readonly KernelPartName[] = [];

function survivor({ sources, options }: Dump): Survivor[] {
  const dump = { sources, options: { ...options, without } };
  const { translation, broken } = brokenPromises(dump);
  expect(broken).toEqual([]);
  const { script, nft } = translation!;
  return script === undefined || nft === undefined
    ? []
    : [{ script, nft, input: `${JSON.stringify(dump.options)}\n${dump.sources.map(({ text }) => text).join("\n")}` }];
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
    if (name !== undefined) rules.set((chain = `${table} ${name}`), 0);
    else if (line === "\t}") chain = undefined;
    else if (chain !== undefined && !line.startsWith("\t\ttype ")) rules.set(chain, rules.get(chain)! + 1);
  }
  return rules;
}

function meantRules({ tables }: NftScript): Map<string, number> {
  return new Map(
    tables.flatMap((table) => [
      [`${table.family} ${table.name}`, 0] as const,
      ...table.chains.map(
        (chain) => [`${table.family} ${table.name} ${chain.name}`, chain.entries.filter(({ kind }) => kind === "rule").length] as const,
      ),
    ]),
  );
}

const bystanderRules = new Map([
  ["ip bystander", 0],
  ["ip bystander filter_INPUT", 1],
  ["inet bystander", 0],
  ["inet bystander filter_INPUT", 0],
  ["ip6 bystander", 0],
  ["ip6 bystander filter_INPUT", 0],
]);

/** What is wrong with the way a script was loaded. */
function complaints({ nft, input }: Survivor, { loaded, messages, first, second }: LoadResult): string[] {
  const wrong: string[] = [];
  if (!loaded || messages !== "") wrong.push(`nft says ${messages}`);
  else {
    if (first !== second) wrong.push("the second load changes something");
    const sorted = (rules: Map<string, number>): string => JSON.stringify([...rules].sort());
    if (sorted(listedRules(first)) !== sorted(new Map([...bystanderRules, ...meantRules(nft)])))
      wrong.push(`the kernel has other rules than meant: ${first}`);
    if (!first.includes("elements = { 192.0.2.1 }") || !first.includes("ip saddr @recent_DEFAULT drop"))
      wrong.push(`the other table was touched: ${first}`);
  }
  return wrong.map((what) => `${what.slice(0, 2_000)}\n--- input\n${input.slice(0, 8_000)}`);
}

async function load(survivors: readonly Survivor[]): Promise<string[]> {
  const results = await loadAllTwice(
    survivors.map(({ script }) => script),
    { before: bystander },
  );
  const suspects = survivors.filter((one, index) => complaints(one, results[index]!).length > 0);
  // A listing may come out empty on a busy machine: what is wrong with a script is wrong again.
  const again = await loadAllTwice(
    suspects.map(({ script }) => script),
    { before: bystander },
  );
  return suspects.flatMap((one, index) => complaints(one, again[index]!));
}

describeOnKernel("the kernel and hostile input", () => {
  beforeAll(async () => {
    without = [...(await lackingParts())];
  });

  it("loads every script twice and touches no other table", { timeout: minutes * 60_000 + 240_000 }, async () => {
    const end = Date.now() + minutes * 60_000;
    let scripts = 0;
    for (let round = 0; round === 0 || Date.now() < end; round++) {
      const survivors = fc.sample(anyDump, { seed: seed + round, numRuns: 3 * batch }).flatMap(survivor);
      scripts += survivors.length;
      expect(await load(survivors), `seed ${seed + round}`).toEqual([]);
    }
    expect(scripts).toBeGreaterThan(batch / 2);
  });

  it("loads every match and every target of the corpus in chains that allow it", { timeout: 300_000 }, async () => {
    const protocols = ["", "-p tcp", "-p udp"];
    const survivors = (["v4", "v6"] as const).flatMap((family) =>
      places.flatMap(({ table, chain }, place) => {
        const dump = (rules: readonly string[]): Dump => ({
          sources: [
            {
              file: "rules",
              family: family === "v4" ? "ipv4" : "ipv6",
              text: [`*${table}`, ...builtIn[table]!.map((name) => `:${name} ACCEPT`), ...rules, "COMMIT", ""].join("\n"),
            },
          ],
          options: {},
        });
        // What `recent` becomes depends on all rules of a list: those are the business of the other tests.
        const bodies = [
          ...pieces[family].matches.filter((match) => !match.startsWith("-m recent")).map((match) => `${match} -j ACCEPT`),
          ...pieces[family].targets.flatMap((target) => protocols.map((protocol) => `${protocol} ${target}`)),
        ];
        // An eighth of them in each place, another in the next.
        const tried = bodies.filter((_, index) => process.env["CORPUS_LOADS"] === "all" || index % 8 === place % 8);
        const valid = tried.map((body) => `-A ${chain} ${body}`).filter((rule) => survivor(dump([rule])).length > 0);
        return survivor(dump(valid));
      }),
    );
    expect(survivors).toHaveLength(2 * places.length);
    expect(await load(survivors)).toEqual([]);
  });

  it("loads rules as long and as deep as iptables takes them", { timeout: 300_000 }, async () => {
    const repeated = (count: number, piece: (index: number) => string): string =>
      Array.from({ length: count }, (_, index) => piece(index)).join(" ");
    const lines = (count: number, line: (index: number) => string): string =>
      Array.from({ length: count }, (_, index) => line(index)).join("\n");
    const rules = [
      `-A INPUT ${repeated(61, (index) => `-m mark --mark ${index}`)} -j DROP`,
      `-A INPUT -p tcp ${repeated(15, (index) => `-m multiport --ports ${index},${index + 100}:${index + 200}`)} -j DROP`,
      `-A INPUT ${repeated(15, () => "-m conntrack --ctstate INVALID,UNTRACKED,SNAT --ctorigsrc 192.0.2.1 -m policy --dir in --pol none")} -j RETURN`,
      `-A INPUT ${repeated(12, (index) => `-m hashlimit --hashlimit-name h${index} --hashlimit-upto 3/s --hashlimit-mode srcip,dstport`)} -p tcp -j DROP`,
      ...[
        "--set",
        "--remove",
        "--rcheck",
        "--update",
        "! --set",
        "! --remove",
        "! --rcheck",
        "! --update",
        "--rcheck --mask 255.255.255.0",
        "--remove --mask 255.0.255.1",
      ].map((operation) => `-A INPUT ${repeated(30, (index) => `-m recent ${operation} --name list${index}`)} -j DROP`),
      ...["--update --seconds 60 --hitcount 5", "! --update --seconds 60 --hitcount 5", "! --rcheck --seconds 5"].flatMap((operation) =>
        [16, 22].flatMap((count) =>
          ["-j DROP", "-j RETURN"].map(
            (target) => `-A INPUT ${repeated(count, (index) => `-m recent ${operation} --name list${index}`)} ${target}`,
          ),
        ),
      ),
      ...["--rcheck --seconds 60 --hitcount 3", "! --update --seconds 60", "--update --seconds 60 --hitcount 9"].map((operation) =>
        lines(30, (index) => `-A INPUT -m recent ${operation} --name list${index} -j RETURN`),
      ),
      ...["--update", "--rcheck", "! --update"].map((operation) =>
        lines(60, (index) => `-A INPUT -p tcp -m recent ${operation} --seconds ${index + 1} --name list -j LOG`),
      ),
      lines(12, (index) => `-A INPUT -p tcp -m recent --update --seconds ${index + 1} --hitcount ${index + 2} --name list -j LOG`),
    ];
    const survivors = (minutes < 1 ? (["auto"] as const) : (["auto", "exact", "limit"] as const)).flatMap((recent) =>
      rules.flatMap((text) => {
        const found = survivor({ sources: [{ file: "rules", text: `*filter\n${text}\nCOMMIT\n`, family: "ipv4" }], options: { recent } });
        expect([text, found.length]).toEqual([text, 1]);
        return found;
      }),
    );
    expect(await load(survivors)).toEqual([]);
  });
});
