/**
 * Faults made on purpose in the optimiser, each of which merges, moves or counts wrongly: the comparison with the plain table finds all.
 *
 * Every fourth here; `OPTIMISE_MUTANTS=all npx vitest run --project unit test/optimise/mutants` tries all.
 */

import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { build } from "esbuild";
import fc from "fast-check";
import { afterAll, describe, expect, it } from "vitest";

import type { NftTable } from "../../src/nft/ast.js";
import type { optimise } from "../../src/optimise/optimise.js";
import type { Packet } from "../../src/simulate/packet.js";
import { translate } from "../../src/translate.js";
import { numberCounters } from "../../src/verify/counters.js";
import { always, disagreement } from "./equality.js";
import { drawnPackets, temptingDump, temptingBoxes, temptingRules, temptingTranslations, translationDump } from "./tempting.js";

interface Mutant {
  readonly name: string;
  readonly file: string;
  /** Stands once in the file. */
  readonly text: string;
  readonly mutated: string;
}

const mutants: readonly Mutant[] = [
  { name: "negations are taken for tests", file: "optimise/read-rule.ts", text: 'if (operator !== "==") return undefined;', mutated: "" },
  {
    name: "what follows the tests is never looked at",
    file: "optimise/read-rule.ts",
    text: "index === statements.length - 1 && isPlainEnd(end)",
    mutated: "isPlainEnd(statements.at(-1)!)",
  },
  {
    name: "all statements end a rule",
    file: "optimise/read-rule.ts",
    text: "default:\n      return false;\n  }\n}\n\nexport function isMapped",
    mutated: "default:\n      return true;\n  }\n}\n\nexport function isMapped",
  },
  {
    name: "a range holds its first port alone",
    file: "optimise/read-rule.ts",
    text: 'return from && to && [from[0], to[0]];\n  }\n  if (expression.kind !== "number")',
    mutated: 'return from && to && [from[0], from[0]];\n  }\n  if (expression.kind !== "number")',
  },
  {
    name: "a network is one address too short",
    file: "optimise/fields.ts",
    text: "return [from, from + size - 1n];",
    mutated: "return [from, from + size - 2n];",
  },
  {
    name: "ends of intervals do not meet",
    file: "optimise/fields.ts",
    text: "from <= last && first <= to",
    mutated: "from < last && first < to",
  },
  {
    name: "a beginning meets no name",
    file: "optimise/fields.ts",
    text: 'if (b.kind === "name") return b.name.startsWith(a.beginning);',
    mutated: 'if (b.kind === "name") return false;',
  },
  { name: "other tests are not compared", file: "optimise/shapes.ts", text: "...others.map(emitStatement)]", mutated: "]" },
  {
    name: "other fields are not compared",
    file: "optimise/shapes.ts",
    text: "[field, ...rest, common]",
    mutated: "[field, ...texts.map(([other]) => other), common]",
  },
  {
    name: "other verdicts are not told apart",
    file: "optimise/merge.ts",
    text: "const mapped = ends.size > 1;",
    mutated: "const mapped = false;",
  },
  {
    name: "rules move over all others",
    file: "optimise/arrange.ts",
    text: "if (units.length - position - 1 > mostPassed) return false;",
    mutated: "return true;",
  },
  {
    name: "rules move over single ones",
    file: "optimise/arrange.ts",
    text: "return !passed || areApart(passed.selectors, read.selectors);",
    mutated: "return true;",
  },
  { name: "rules move over groups", file: "optimise/arrange.ts", text: "!unit.asked.isApartFrom(read.selectors)", mutated: "false" },
  {
    name: "what is called may be overlapped",
    file: "optimise/arrange.ts",
    text: "return group.goingOn.meeting(selectors.get(field)!)?.size === 0;",
    mutated: "return true;",
  },
  {
    name: "what is called may be overlapped, by combinations",
    file: "optimise/arrange.ts",
    text: ".every((points) => !group.combinations.get(combinationText(points)))",
    mutated: ".every(() => true)",
  },
  { name: "the last rule has what two want", file: "optimise/merge.ts", text: "if (!found.has(text)) found.set", mutated: "found.set" },
  {
    name: "the last rule has what two intervals share",
    file: "optimise/cut.ts",
    text: "heap[parent]!.member > running.member",
    mutated: "heap[parent]!.member < running.member",
  },
  {
    name: "what rules share is not asked",
    file: "optimise/merge.ts",
    text: "...inOrderOfCost(sharedTests(first, fields)),",
    mutated: "",
  },
  { name: "what is no selector is not asked", file: "optimise/merge.ts", text: "statement)), ...others];", mutated: "statement))];" },
  {
    name: "ports are asked of every protocol",
    file: "optimise/merge.ts",
    text: '(headerOf(protocol.intervals[0]![0]) ?? "th")',
    mutated: '"th"',
  },
  {
    name: "ports of several protocols keep the first one's name",
    file: "optimise/merge.ts",
    text: 'if (!differ.includes("protocol")) return differ;',
    mutated: "return differ;",
  },
  {
    name: "the look-up counts before other tests",
    file: "optimise/merge.ts",
    text: "...inOrderOfCost(sharedTests(first, fields)),",
    mutated: "...(mapped ? inOrderOfCost(sharedTests(first, fields)) : [match(key, looked), ...sharedTests(first, fields)]),",
  },
  { name: "a rule with other tests covers", file: "optimise/unreachable.ts", text: "read.plain.others.length === 0 && ", mutated: "" },
  {
    name: "what is wanted of an interface is idle, too",
    file: "optimise/excluded-interfaces.ts",
    text: ' || statement.operator !== "!="',
    mutated: "",
  },
  { name: "a call keeps an interface away", file: "optimise/excluded-interfaces.ts", text: " || goesOn(plain.end)", mutated: "" },
  { name: "other tests keep no interface", file: "optimise/excluded-interfaces.ts", text: "plain.others.length > 0 || ", mutated: "" },
  { name: "part of an interface's packets is all", file: "optimise/excluded-interfaces.ts", text: "selectors.size !== 1 || ", mutated: "" },
  {
    name: "a beginning is kept away with one name",
    file: "optimise/excluded-interfaces.ts",
    text: 'return names.kind === "name" && names.name === others.name;',
    mutated: 'return names.kind !== "beginning" || others.name.startsWith(names.beginning);',
  },
  {
    name: "a packet that is marked goes no further",
    file: "optimise/read-rule.ts",
    text: ' || end.kind === "assignment";',
    mutated: ";",
  },
  {
    name: "all elements give the first rule's value",
    file: "optimise/merge.ts",
    text: "data: givenBy(own)!.value",
    mutated: "data: given.value",
  },
  {
    name: "other marks are of one map",
    file: "optimise/read-rule.ts",
    text: "kind: emitStatement({ ...end, value: zero })",
    mutated: 'kind: "mark"',
  },
  {
    name: "ports of this machine are of one map with new addresses",
    file: "optimise/read-rule.ts",
    text: "return port && { kind: type,",
    mutated: 'return port && { kind: "dnat ipv4_addr",',
  },
  {
    name: "boxes overlap",
    file: "optimise/arrange.ts",
    text: "left = boxesWithout(left, group.boxes[member]!);",
    mutated: "",
  },
  { name: "pieces of boxes share an end", file: "optimise/boxes.ts", text: "first - 1n", mutated: "first" },
  {
    name: "pieces of boxes are one too short",
    file: "optimise/boxes.ts",
    text: "piece([last + 1n, to])",
    mutated: "piece([last + 2n, to])",
  },
  {
    name: "packets that go on behind a box are in another",
    file: "optimise/arrange.ts",
    text: "if (!meeting || (meeting.length > 0 && (goesOn(plain!.end) || meeting.some((member) => group.going.has(member))))) return undefined;",
    mutated: "if (!meeting) return undefined;",
  },
  {
    name: "parts of a field that all boxes have are left out",
    file: "optimise/merge.ts",
    text: 'if (inParts && values.kind === "numbers" && values.intervals.length > 1) return true;',
    mutated: "",
  },
  {
    name: "an interval begins before nothing that it meets",
    file: "optimise/sorted-intervals.ts",
    text: "const earliest = from - this.longest;",
    mutated: "const earliest = from;",
  },
  {
    name: "rules that return stand behind shared tests",
    file: "optimise/shared-tests.ts",
    text: '!(statement.kind === "verdict" && statement.verdict === "return") &&',
    mutated: "",
  },
  {
    name: "rules that go elsewhere stand behind shared tests",
    file: "optimise/shared-tests.ts",
    text: '!(statement.kind === "jump" && statement.goto),',
    mutated: "true,",
  },
  {
    name: "tests that some ask are shared by all",
    file: "optimise/shared-tests.ts",
    text: "some.every((one) => one.has(text))",
    mutated: "some.some((one) => one.has(text))",
  },
  {
    name: "ports need no protocol behind any test",
    file: "optimise/shared-tests.ts",
    text: " || !tests.has(emitStatement(protocolTest(single)))",
    mutated: "",
  },
  {
    name: "tests of marks are shared",
    file: "optimise/shared-tests.ts",
    text: "tests = testsOf(rule).filter(isLasting)",
    mutated: "tests = testsOf(rule)",
  },
  { name: "a call covers", file: "optimise/unreachable.ts", text: "!goesOn(read.plain.end) && ", mutated: "" },
  {
    name: "a rule with more tests covers",
    file: "optimise/unreachable.ts",
    text: 'const key = tests.join("\\n");',
    mutated: 'const key = tests.slice(0, 1).join("\\n");',
  },
];

const all = process.env["OPTIMISE_MUTANTS"] === "all";
const tried = mutants.filter((_, index) => all || index % 4 === 0);

const folder = mkdtempSync(join(tmpdir(), "optimiser-"));
afterAll(() => rmSync(folder, { recursive: true }));

async function load({ file, text, mutated }: Mutant, number: number): Promise<typeof optimise> {
  const path = join(process.cwd(), "src", file);
  const source = readFileSync(path, "utf8");
  expect(source.split(text), text).toHaveLength(2);
  const outfile = join(folder, `${number}.mjs`);
  await build({
    entryPoints: ["src/optimise/optimise.ts"],
    bundle: true,
    platform: "node",
    format: "esm",
    outfile,
    logLevel: "silent",
    plugins: [
      {
        name: "mutant",
        setup: ({ onLoad }) =>
          onLoad({ filter: /\.ts$/ }, ({ path: loaded }) =>
            loaded === path ? { contents: source.replace(text, () => mutated), loader: "ts" } : undefined,
          ),
      },
    ],
  });
  return ((await import(/* @vite-ignore */ pathToFileURL(outfile).href)) as { readonly optimise: typeof optimise }).optimise;
}

const temptingRulesets = 2000;

const tableOf = (dump: string): NftTable => numberCounters(translate(dump, { family: "ipv4" }).nft!).tables[0]!;
const drawn = { seed: 1, numRuns: temptingRulesets / 10 };

/** Rulesets and packets: of address translation and of boxes first, of which there are few. */
const samples: readonly { readonly dump: string; readonly packets: readonly Packet[] }[] = [
  ...fc.sample(fc.tuple(temptingTranslations, drawnPackets), drawn).map(([rules, packets]) => ({
    dump: translationDump(rules),
    packets: packets.map((packet) => ({ ...packet, state: "new" as const })),
  })),
  ...fc.sample(fc.tuple(temptingBoxes, drawnPackets), drawn).map(([rules, packets]) => ({ dump: temptingDump(rules), packets })),
  ...fc
    .sample(fc.tuple(temptingRules, drawnPackets), { seed: 1, numRuns: temptingRulesets })
    .map(([rules, packets]) => ({ dump: temptingDump(rules), packets })),
];
/** Translated once for all mutants, and only as far as they need it. */
const translated: NftTable[] = [];

/** The first ruleset that shows the fault; -1 if none does. */
function finding(spoiled: typeof optimise, rulesets = samples.length): number {
  return samples.slice(0, rulesets).findIndex(({ dump, packets }, index) => {
    const table = (translated[index] ??= tableOf(dump));
    try {
      const { table: optimised } = spoiled(table, always);
      const script = { header: [], tables: [optimised], keepSets: false };
      return disagreement(table, numberCounters(script).tables[0]!, packets) !== "";
    } catch {
      return true;
    }
  });
}

describe("a mutant is found", () => {
  it.each(tried.map((mutant, number) => [mutant.name, mutant, number] as const))("%s", async (_, mutant, number) => {
    expect(finding(await load(mutant, number))).toBeGreaterThanOrEqual(0);
  });

  it("and the optimiser itself is not", async () => {
    const { optimise: sound } = await import("../../src/optimise/optimise.js");
    expect(finding(sound, 500)).toBe(-1);
  });
});
