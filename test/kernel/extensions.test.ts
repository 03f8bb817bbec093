/** Every match and target a namespace can exercise: the same packets through iptables and through our script. */

import { beforeAll, expect, it } from "vitest";

import { effectOf, translate, type Diagnostic, type Family } from "../../src/index.js";
import { cases, type Case, type Probe } from "./extensions.js";
import { defaultInterfaces, describeDifferences, replayAll, ReplayError, type Frame, type Outcome, type Report, type ReplayInput } from "./lab.js";
import { describeOnKernel } from "./requirements.js";

/** Cases that share one pair of namespaces. */
const batchSize = 60;
const firstHost = 101;
/** Seconds between two packets. */
const spacing = 0.003;

interface Placed { readonly item: Case; readonly host: number; readonly address: string }
interface Batch { readonly placed: readonly Placed[]; readonly input: ReplayInput; readonly frames: readonly (readonly Frame[])[]; readonly diagnostics: readonly (readonly Diagnostic[])[] }

function place(item: Case, index: number): Placed {
  const host = firstHost + index;
  const network = item.family === "ipv4" ? (item.local === true ? "192.0.2." : "198.51.100.") : (item.local === true ? "2001:db8::" : "2001:db8:1::");
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
  for (const table of ["raw", "mangle", "nat", "filter"]) {
    write(`*${table}`);
    placed.forEach(({ item, address }, index) => {
      if (item.family !== family) return;
      for (const [where, rules] of Object.entries(item.rules)) {
        const [name, chain] = where.split(" ");
        if (name !== table) continue;
        for (const rule of rules) write(`-A ${chain} ${item.select ?? `-d ${address}`} ${rule}`, index);
      }
    });
    write("COMMIT");
  }
  return { text: `${lines.join("\n")}\n`, owners };
}

function frameOf(probe: Probe, address: string, at: number): Frame {
  const made = probe(address);
  return "packet" in made ? { ...made, at } : { packet: made, at };
}

function batchOf(items: readonly Case[]): Batch {
  const placed = items.map(place);
  const diagnostics: Diagnostic[][] = items.map(() => []);
  const dumps: Partial<Record<Family, string>> = {};
  let script = "";
  for (const family of ["ipv4", "ipv6"] as const) {
    const { text, owners } = dumpOf(placed, family);
    const translation = translate(text, { family });
    if (translation.script === undefined) throw new Error(translation.diagnostics.map(({ message, span }) => `${span.line}: ${message}`).join("\n"));
    script += translation.script;
    dumps[family] = text;
    for (const diagnostic of translation.diagnostics) {
      const owner = owners[diagnostic.span.line - 1];
      if (owner !== undefined) diagnostics[owner]!.push(diagnostic);
    }
  }
  let at = 0;
  const frames = placed.map(({ item, address }) => [...item.hits, ...item.misses, ...item.others].map((probe) => {
    at += spacing;
    return frameOf(probe, address, at);
  }));
  const prepare = placed.flatMap(({ item, host, address }) => [
    ...(item.local === true ? [`ip address add ${address}/${item.family === "ipv4" ? "32" : "128 nodad"} dev ${defaultInterfaces[0]!.name}`] : []),
    ...(item.prepare === undefined ? [] : [item.prepare.replaceAll("NN", String(host))]),
  ]).join("\n");
  return { placed, input: { dumps, script, frames: frames.flat(), prepare }, frames, diagnostics };
}

const batches = Array.from({ length: Math.ceil(cases.length / batchSize) }, (_, index) => batchOf(cases.slice(index * batchSize, (index + 1) * batchSize)));

function outcomesOf(report: Report, batch: Batch, index: number): readonly Outcome[] {
  const start = batch.frames.slice(0, index).reduce((sum, frames) => sum + frames.length, 0);
  return report.outcomes.slice(start, start + batch.frames[index]!.length);
}

describeOnKernel("extensions on the kernel", () => {
  let reports: readonly (Report | ReplayError)[] = [];

  beforeAll(async () => {
    reports = await replayAll(batches.map(({ input }) => input));
    const outcomes = reports.flatMap((report) => (report instanceof ReplayError ? [] : report.outcomes));
    console.log(`${cases.length} cases, ${outcomes.length} packets, ${outcomes.filter(({ differs }) => differs).length} differing`);
  }, 90_000);

  it.each(cases.map(({ name, family }, index) => ({ name, family, index })))("$family $name", ({ index }) => {
    const batch = batches[Math.floor(index / batchSize)]!;
    const report = reports[Math.floor(index / batchSize)]!;
    if (report instanceof ReplayError) throw report;
    const item = cases[index]!;
    const outcomes = outcomesOf(report, batch, index % batchSize);

    expect(describeDifferences({ ...report, outcomes, differing: outcomes.filter(({ differs }) => differs) })).toBe(`0 of ${outcomes.length} packets differ`);
    const passed = outcomes.map(({ iptables }) => iptables.verdict === "accepted" || iptables.verdict === "forwarded");
    expect(passed.slice(0, item.hits.length + item.misses.length)).toEqual([...item.hits.map(() => false), ...item.misses.map(() => true)]);

    const effects = batch.diagnostics[index % batchSize]!.map(({ code, message }) => ({ effect: effectOf(code), message }));
    expect(effects.filter(({ effect }) => effect === "refused")).toEqual([]);
    expect(effects.some(({ effect }) => effect === "approximated")).toBe(item.approximate);
  });
});
