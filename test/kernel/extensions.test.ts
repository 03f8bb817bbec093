/** Every match and target a namespace can exercise: the same packets through iptables and through our script. */

import { beforeAll, expect, it } from "vitest";

import { effectOf, translate, type Diagnostic, type Effect, type Family } from "../../src/index.js";
import { cases as trackedCases, untrackedCases, type Case, type Probe } from "./extensions.js";
import { defaultInterfaces, type Frame } from "../../src/verify/frame.js";
import { describeDifferences, type Outcome, type Report } from "../../src/verify/fate.js";
import { replayAll, ReplayError, type ReplayInput } from "../../src/verify/lab.js";
import { describeOnKernel } from "./requirements.js";

/** Cases that share one pair of namespaces. */
const batchSize = 60;
const firstHost = 101;
const builtInChains = ["PREROUTING", "INPUT", "FORWARD", "OUTPUT", "POSTROUTING"];
/** Seconds between two packets. */
const usualSpacing = 0.003;

interface Placed {
  readonly item: Case;
  readonly host: number;
  readonly address: string;
}
interface Batch {
  readonly placed: readonly Placed[];
  readonly input: ReplayInput;
  readonly frames: readonly (readonly Frame[])[];
  readonly diagnostics: readonly (readonly Diagnostic[])[];
}

function place(item: Case, index: number): Placed {
  const host = firstHost + index;
  const network =
    item.family === "ipv4" ? (item.local === true ? "192.0.2." : "198.51.100.") : item.local === true ? "2001:db8::" : "2001:db8:1::";
  return { item, host, address: `${network}${host}` };
}

/** The dump of one family, and the place in `placed` of the case each of its lines belongs to. */
function dumpOf(placed: readonly Placed[], family: Family): { readonly text: string; readonly owners: readonly (number | undefined)[] } {
  const lines: string[] = [];
  const owners: (number | undefined)[] = [];
  const write = (line: string, owner?: number): void => {
    lines.push(line);
    owners.push(owner);
  };
  for (const table of ["raw", "mangle", "nat", "filter", "security"]) {
    write(`*${table}`);
    const chains = placed.flatMap(({ item, host, address }, index) =>
      item.family !== family
        ? []
        : Object.entries(item.rules).flatMap(([where, rules]) => {
            const [name, chain = ""] = where.split(" ");
            const builtIn = builtInChains.includes(chain);
            const selection = builtIn ? `${item.select?.replace("ADDRESS", address) ?? `-d ${address}`} ` : "";
            const numbered = (text: string): string => text.replaceAll("{n}", String(host));
            return name !== table
              ? []
              : [
                  {
                    index,
                    declared: builtIn ? undefined : numbered(chain),
                    rules: rules.map((rule) => `-A ${numbered(chain)} ${selection}${numbered(rule)}`),
                  },
                ];
          }),
    );
    for (const { declared } of chains) if (declared !== undefined) write(`:${declared} - [0:0]`);
    for (const { index, rules } of chains) for (const rule of rules) write(rule, index);
    write("COMMIT");
  }
  return { text: `${lines.join("\n")}\n`, owners };
}

function frameOf(probe: Probe, address: string, at: number): Frame {
  const made = probe(address);
  return "packet" in made ? { ...made, at } : { packet: made, at };
}

function batchOf(items: readonly Case[], conntrack: boolean): Batch {
  const placed = items.map(place);
  const diagnostics: Diagnostic[][] = items.map(() => []);
  const dumps: Partial<Record<Family, string>> = {};
  let script = "";
  for (const family of ["ipv4", "ipv6"] as const) {
    const { text, owners } = dumpOf(placed, family);
    const translation = translate(text, { family });
    if (translation.script === undefined)
      throw new Error(translation.diagnostics.map(({ message, span }) => `${span.line}: ${message}`).join("\n"));
    script += translation.script;
    dumps[family] = text;
    for (const diagnostic of translation.diagnostics) {
      const owner = owners[diagnostic.span.line - 1];
      if (owner !== undefined) diagnostics[owner]!.push(diagnostic);
    }
  }
  let at = 0;
  const frames = placed.map(({ item, address }) =>
    [...item.hits, ...item.misses, ...item.others].map((probe) => {
      at += item.spacing ?? usualSpacing;
      return frameOf(probe, address, at);
    }),
  );
  const prepare = placed
    .flatMap(({ item, host, address }) => [
      ...(item.local === true
        ? [`ip address add ${address}/${item.family === "ipv4" ? "32" : "128 nodad"} dev ${defaultInterfaces[0]!.name}`]
        : []),
      ...(item.prepare === undefined ? [] : [item.prepare.replaceAll("{n}", String(host))]),
    ])
    .join("\n");
  return { placed, input: { dumps, script, frames: frames.flat(), prepare, conntrack }, frames, diagnostics };
}

function batchesOf(items: readonly Case[], conntrack: boolean): Batch[] {
  return Array.from({ length: Math.ceil(items.length / batchSize) }, (_, index) =>
    batchOf(items.slice(index * batchSize, (index + 1) * batchSize), conntrack),
  );
}

const batches = [...batchesOf(trackedCases, true), ...batchesOf(untrackedCases, false)];
const cases = batches.flatMap((batch, batchIndex) =>
  batch.placed.map(({ item }, index) => ({
    item,
    batch,
    batchIndex,
    index,
    title: `${item.family}${batch.input.conntrack === true ? "" : " untracked"}: ${item.name}`,
  })),
);

function outcomesOf(report: Report, batch: Batch, index: number): readonly Outcome[] {
  const start = batch.frames.slice(0, index).reduce((sum, frames) => sum + frames.length, 0);
  return report.outcomes.slice(start, start + batch.frames[index]!.length);
}

/** Packets counted by the rules of one case: by iptables-save, and by nft where the rules did not move into chains of our own. */
function countsOf(report: Report, { item, address }: Placed): { readonly iptables: number; readonly nft: number | undefined } {
  const wanted = (item.select?.replace("ADDRESS", address) ?? address).replace(/^-[sd] /, "");
  const lines = (text: string): string[] =>
    text.split("\n").filter((line) =>
      line
        .replaceAll(/[^0-9a-f.:]+/g, " ")
        .split(" ")
        .includes(wanted),
    );
  const numbers = (text: string, pattern: RegExp): number[] =>
    lines(text).flatMap((line) => pattern.exec(line)?.slice(1, 2).map(Number) ?? []);
  const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);
  const iptables = numbers(report.after.dump, /^\[([0-9]+):/);
  const nft = numbers(report.after.ruleset, /counter packets ([0-9]+)/);
  return { iptables: sum(iptables), nft: nft.length < iptables.length ? undefined : sum(nft) };
}

describeOnKernel("extensions on the kernel", () => {
  let reports: readonly (Report | ReplayError)[] = [];

  beforeAll(async () => {
    const first = await replayAll(batches.map(({ input }) => input));
    // connlimit's count now and then misses a connection on one side: what is wrong with a translation is wrong again.
    const suspects = first.flatMap((report, index) =>
      report instanceof ReplayError || report.outcomes.some(({ differs }) => differs) ? [index] : [],
    );
    const again = suspects.length === 0 ? [] : await replayAll(suspects.map((index) => batches[index]!.input));
    reports = first.map((report, index) => (suspects.includes(index) ? again[suspects.indexOf(index)]! : report));
    const outcomes = reports.flatMap((report) => (report instanceof ReplayError ? [] : report.outcomes));
    console.log(`${cases.length} cases, ${outcomes.length} packets, ${outcomes.filter(({ differs }) => differs).length} differing`);
  }, 90_000);

  it.each(cases)("$title", ({ item, batch, batchIndex, index }) => {
    const report = reports[batchIndex]!;
    if (report instanceof ReplayError) throw report;
    const outcomes = outcomesOf(report, batch, index);

    expect(describeDifferences({ ...report, outcomes, differing: outcomes.filter(({ differs }) => differs) })).toBe(
      `0 of ${outcomes.length} packets differ`,
    );
    const passed = outcomes.map(({ iptables }) => iptables.verdict === "accepted" || iptables.verdict === "forwarded");
    expect(passed.slice(0, item.hits.length + item.misses.length)).toEqual([...item.hits.map(() => false), ...item.misses.map(() => true)]);

    if (item.dropped) {
      const others = passed.slice(item.hits.length + item.misses.length);
      expect(others.flatMap((pass, place) => (pass ? [] : [place]))).toEqual(item.dropped);
    }

    const counts = countsOf(report, batch.placed[index]!);
    if (counts.nft !== undefined) expect(counts.nft).toBe(counts.iptables);

    const messages = (effect: Effect): string[] =>
      batch.diagnostics[index]!.filter(({ code }) => effectOf(code) === effect).map(({ message }) => message);
    expect(messages("refused")).toEqual([]);
    if (item.approximate) expect(messages("approximated")).not.toEqual([]);
    else expect(messages("approximated")).toEqual([]);
  });
});
