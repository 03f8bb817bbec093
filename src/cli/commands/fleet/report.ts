/** What became of a fleet, as text and as JSON. */

import { effectOf, type Diagnostic, type Span } from "../../../diagnostic.js";
import { jsonDiagnostic, type JsonMessage } from "../../../report/json.js";
import { painter } from "../../../report/paint.js";
import type { Tally } from "../../../report/tally.js";
import { visible, visibleJson, visibleLines } from "../../../report/visible.js";
import type { MachineFiles } from "./machines.js";
import type { GroupResult } from "./task.js";

export interface FleetReport {
  /** In the order of the first machines' names. */
  readonly results: readonly GroupResult[];
  /** What concerns no machine alone. */
  readonly messages: readonly JsonMessage[];
  /** Seconds from start to end. */
  readonly seconds: number;
  /** Beside the first one. */
  readonly threads: number;
}

type Outcome = GroupResult["outcome"];

/** Why nothing was made for a machine, or undefined. */
function failureOf({ outcome, diagnostics, messages, unwritten }: GroupResult, machine: MachineFiles): string | undefined {
  const reason = unwritten[machine.name];
  if (reason !== undefined) return reason;
  if (outcome === "failed") return messages.find(({ severity }) => severity === "error")?.message;
  if (outcome !== "invalid") return undefined;
  const errors = diagnostics.filter(({ code }) => effectOf(code) === "invalid");
  const [first] = errors;
  if (!first) return "nothing was translated";
  return `${placeOf(first.span)}: ${first.message}${errors.length > 1 ? `, and ${errors.length - 1} more` : ""}`;
}

const outcomeFor = (result: GroupResult, { name }: MachineFiles): Outcome =>
  result.unwritten[name] === undefined ? result.outcome : "failed";

/** The worst that became of a machine: what the exit status says. */
export function worstOutcome({ results, messages }: FleetReport): Outcome {
  const order: readonly Outcome[] = ["exact", "approximated", "refused", "invalid", "failed"];
  const outcomes = results.flatMap((result) => result.group.machines.map((machine) => outcomeFor(result, machine)));
  if (messages.some(({ severity }) => severity === "error")) outcomes.push("failed");
  return order[Math.max(0, ...outcomes.map((outcome) => order.indexOf(outcome)))]!;
}

/** Machines that are named one by one, and kinds of what is said about rules. */
const mostMachines = 50;
const mostKinds = 50;
/** Places of one kind that are named. */
const mostPlaces = 3;

const styles = { bold: "1", error: "1;31", warning: "1;35", help: "1;32" } as const;

/** What went wrong, what is said about rules of all machines together, and numbers. */
export function renderFleetText(report: FleetReport, color: boolean): string {
  const paint = painter(color, styles);
  const { results, messages, seconds, threads } = report;
  const lines: string[] = [];
  const failures = results.flatMap((result) =>
    result.group.machines.flatMap((machine) => {
      const reason = failureOf(result, machine);
      return reason === undefined ? [] : [`${paint("error:", "error")} ${paint(visible(machine.name), "bold")}: ${visibleLines(reason)}`];
    }),
  );
  lines.push(...failures.slice(0, mostMachines));
  if (failures.length > mostMachines)
    lines.push(`${failures.length - mostMachines} more machines have no new script; --format json names them`);
  for (const { severity, message } of messages)
    lines.push(severity === "error" ? `${paint("error:", "error")} ${visibleLines(message)}` : `note: ${visibleLines(message)}`);

  const kinds = kindsOf(results);
  for (const { diagnostic, places, machines } of kinds.slice(0, mostKinds)) {
    lines.push(`${paint("warning:", "warning")} ${paint(visible(diagnostic.message), "bold")} [${diagnostic.code}]`);
    const named = places.slice(0, mostPlaces).map((span) => visible(placeOf(span)));
    const more = places.length > mostPlaces ? ", …" : "";
    lines.push(`  on ${counted(machines, "machine")}: ${named.join(", ")}${more}`);
    if (diagnostic.help !== undefined) lines.push(`  ${paint("help:", "help")} ${visible(diagnostic.help)}`);
  }
  if (kinds.length > mostKinds) lines.push(`${kinds.length - mostKinds} more kinds of warnings; --format json has them all`);
  const notes = results.reduce((sum, { diagnostics }) => sum + diagnostics.filter(({ severity }) => severity === "note").length, 0);
  if (notes > 0) lines.push(`${counted(notes, "note")} about rules; --format json has them`);

  const all = results.flatMap((result) => result.group.machines.map((machine) => outcomeFor(result, machine)));
  const number = (...wanted: readonly Outcome[]): string =>
    all.filter((outcome) => wanted.includes(outcome)).length.toLocaleString("en-US");
  const rules = sumOf(results);
  const took = `${seconds.toFixed(1)} s${threads > 0 ? ` on ${threads} threads` : ""}`;
  const machines =
    `${number("exact")} exact, ${number("approximated")} approximated, ${number("refused")} with rules refused, ` +
    `${number("invalid", "failed")} without a new script (${took})`;
  lines.push(
    `${counted(rules.exact + rules.approximated + rules.refused, "rule")}: ${rules.exact.toLocaleString("en-US")} exact, ` +
      `${rules.approximated.toLocaleString("en-US")} approximated, ${rules.refused.toLocaleString("en-US")} refused`,
    `${counted(all.length, "machine")}, ${counted(differentDumps(results), "different dump")}: ${machines}`,
  );
  return lines.map((line) => `${line}\n`).join("");
}

interface Kind {
  readonly diagnostic: Diagnostic;
  /** In the first machines of the groups. */
  readonly places: Span[];
  machines: number;
}

/** Warnings that say the same; what most machines have comes first. */
function kindsOf(results: readonly GroupResult[]): Kind[] {
  const kinds = new Map<string, Kind>();
  for (const { diagnostics, group } of results) {
    const counted = new Set<Kind>();
    for (const diagnostic of diagnostics) {
      if (diagnostic.severity !== "warning") continue;
      const key = [diagnostic.code, diagnostic.message, diagnostic.help ?? ""].join("\0");
      const kind = kinds.get(key) ?? { diagnostic, places: [], machines: 0 };
      kinds.set(key, kind);
      kind.places.push(diagnostic.span);
      if (!counted.has(kind)) kind.machines += group.machines.length;
      counted.add(kind);
    }
  }
  return [...kinds.values()].sort((a, b) => b.machines - a.machines);
}

/** Of all machines that have a script. */
function sumOf(results: readonly GroupResult[]): Tally {
  const sum = { exact: 0, approximated: 0, refused: 0 };
  for (const { rules, group } of results) {
    if (!rules) continue;
    sum.exact += rules.exact * group.machines.length;
    sum.approximated += rules.approximated * group.machines.length;
    sum.refused += rules.refused * group.machines.length;
  }
  return sum;
}

/** Those that could be read. */
function differentDumps(results: readonly GroupResult[]): number {
  return results.filter(({ group }) => group.fingerprint !== "").length;
}

const placeOf = ({ file, line, column }: Span): string => `${file}:${line}:${column}`;

function counted(count: number, what: string): string {
  return `${count.toLocaleString("en-US")} ${what}${count === 1 ? "" : "s"}`;
}

/** One document: the machines by name, with diagnostics at the first of those that are equal. */
export function renderFleetJson(report: FleetReport): string {
  const machines = report.results.flatMap((result) => {
    const { group, rules, diagnostics, messages } = result;
    const [first] = group.machines;
    return group.machines.map((machine) => {
      const failure = failureOf(result, machine);
      return {
        name: machine.name,
        files: [...machine.sources, ...(machine.ipsets === undefined ? [] : [machine.ipsets])],
        script: machine.script,
        outcome: outcomeFor(result, machine),
        ...(failure !== undefined && { failure }),
        ...(rules && { rules }),
        ...(machine === first ? { diagnostics: diagnostics.map(jsonDiagnostic), messages } : { sameAs: first.name }),
      };
    });
  });
  const document = {
    version: 1,
    outcome: worstOutcome(report),
    rules: sumOf(report.results),
    differentDumps: differentDumps(report.results),
    machines: machines.sort((a, b) => (a.name < b.name ? -1 : 1)),
    messages: report.messages,
  };
  return `${visibleJson(JSON.stringify(document, undefined, 2))}\n`;
}
