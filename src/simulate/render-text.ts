/** A simulation as text for a terminal. */

import { greatest } from "../append.js";
import { painter, type Paint as PaintWith } from "../report/paint.js";
import { visible } from "../report/visible.js";
import { renderPlot } from "./plot.js";
import type { PlayedPacket } from "./replay.js";
import type { SimulationReport, TrafficReport } from "./report.js";
import type { LimitComparison, ScenarioResult } from "./scenarios.js";
import type { ListSearch } from "./search.js";
import type { Timeline, TimelineEvent } from "./timeline.js";

export interface RenderOptions {
  readonly color: boolean;
  /** Terminal columns; 100 unless told. */
  readonly width?: number;
}

const styles = { bold: "1", equal: "1;32", different: "1;31", unknown: "1;33", dim: "2" } as const;
type Paint = PaintWith<keyof typeof styles>;

const usualWidth = 100;
const leastWidth = 50;

export function renderSimulation(report: SimulationReport, { color, width = usualWidth }: RenderOptions): string {
  const paint = painter(color, styles);
  const columns = Math.max(leastWidth, width);
  return [
    ...report.lists.map((list) => renderList(list, paint, columns)),
    ...report.limits.map((limit) => renderLimit(limit, paint, columns)),
    ...(report.traffic ? [renderTraffic(report.traffic, paint, columns)] : []),
    renderVerdict(report, paint),
  ].join("\n");
}

function renderVerdict({ verdict, lists, traffic }: SimulationReport, paint: Paint): string {
  if (lists.length === 0 && !traffic) return "no list of -m recent to search\n";
  const schedules = lists.reduce((sum, { result }) => sum + (result.kind === "searched" ? result.effort.schedules : 0), 0);
  const packets = lists.reduce((sum, { result }) => sum + (result.kind === "searched" ? result.effort.packets : 0), 0);
  const different = lists.filter(({ counterexample }) => counterexample).length;
  const notSearched = lists.filter(({ result }) => result.kind === "not-searched").length;
  const partly = lists.filter(({ result, leftOut }) => result.kind === "searched" && leftOut.length > 0).length;
  const words = [
    ...(lists.length > 0 ? [`${lists.length} ${plural(lists.length, "list")}`, `${different} different`] : []),
    ...(notSearched > 0 ? [`${notSearched} not searched`] : []),
    ...(partly > 0 ? [`${partly} with rules left out`] : []),
    ...(lists.length > 0 ? [`${grouped(schedules)} schedules`, `${grouped(packets)} packets`] : []),
    ...(traffic
      ? [`${grouped(traffic.families.reduce((sum, { differing }) => sum + differing, 0))} packets of the traffic different`]
      : []),
  ];
  return (
    `${paint({ equal: "no difference", different: "different", unknown: "not all could be compared" }[verdict], verdict)}: ` +
    `${words.join(", ")}\n`
  );
}

// ------------------------------------------------------------------------------------------------------------ lists

function renderList(search: ListSearch, paint: Paint, width: number): string {
  const { list, family, rules, result, counterexample, announced, leftOut, known } = search;
  const where = `${family === "ipv4" ? "IPv4" : "IPv6"}, ${linesOf(rules.map(({ line }) => line))}`;
  const head = `${paint(`list "${visible(list)}"`, "bold")} (${where}): `;
  const notes = (text: string): string => wrapped(text, width, "    ");
  const tail = [
    ...leftOut.map((text) => notes(`left out: ${text}`)),
    ...announced.map((text) => notes(`the translator warned: ${text}`)),
    ...known.map((text) => notes(`stated: ${text}`)),
  ].join("");
  if (result.kind === "not-searched") return `${head}${paint("not searched", "unknown")}: ${visible(result.reason)}\n${tail}`;
  const effort = notes(effortOf(result.effort));
  if (!counterexample) return `${head}${paint("no difference", "equal")}\n${effort}${tail}`;
  return `${head}${paint("different", "different")}\n${effort}${renderTimeline(counterexample, paint, width)}${tail}`;
}

/** Lines of rules that are named one by one. */
const mostLines = 8;

function linesOf(numbers: readonly number[]): string {
  const lines = [...new Set(numbers)];
  if (lines.length > mostLines) return `${lines.length} rules, lines ${lines.reduce((a, b) => Math.min(a, b))} to ${greatest(lines, 0)}`;
  return `${plural(lines.length, "line")} ${lines.join(", ")}`;
}

/** What a search has tried, in words. */
export function effortOf({
  schedules,
  exhaustiveMoves,
  hits,
  classes,
}: Extract<ListSearch["result"], { kind: "searched" }>["effort"]): string {
  const all =
    exhaustiveMoves === Infinity
      ? "all there are"
      : exhaustiveMoves === 0
        ? ""
        : `all of up to ${exhaustiveMoves} ${plural(exhaustiveMoves, "move")}`;
  return [
    `${grouped(schedules)} schedules`,
    ...(all === "" ? [] : [all]),
    `up to ${hits} packets`,
    `${classes} ${plural(classes, "kind")} of packets`,
  ].join(", ");
}

/** Packets of a timeline that are shown at its beginning and its end. */
const shownFirst = 3;
const shownLast = 12;

function renderTimeline({ events }: Timeline, paint: Paint, width: number): string {
  const left = events.length - shownFirst - shownLast;
  const lines = events.map((event, index) => renderEvent(event, index === events.length - 1, paint, width));
  if (left <= 1) return lines.join("");
  return [...lines.slice(0, shownFirst), `${" ".repeat(14)}… ${grouped(left)} more packets\n`, ...lines.slice(-shownLast)].join("");
}

function renderEvent({ at, host, packet = host, iptables, nft, why }: TimelineEvent, isLast: boolean, paint: Paint, width: number): string {
  const verdicts = iptables === nft ? `both ${iptables}` : `iptables ${iptables}, nft ${nft}`;
  const line = `  ${`+${at.toFixed(3)} s`.padStart(12)}  ${visible(packet)}: `;
  return `${line}${isLast ? paint(verdicts, "different") : verdicts}\n${why === undefined ? "" : wrapped(why, width, " ".repeat(16))}`;
}

// ----------------------------------------------------------------------------------------------------------- limits

function renderLimit({ list, hits, seconds, scenarios, leftOut }: LimitComparison, paint: Paint, width: number): string {
  const rows = scenarios.map((one) => [
    one.name,
    String(one.sent),
    String(one.passed.iptables),
    String(one.passed.nft),
    String(one.onlyNft),
    String(one.onlyIptables),
    `${time(one.banAfter.iptables)} / ${time(one.banAfter.nft)}`,
    `${time(one.releaseAfter.iptables)} / ${time(one.releaseAfter.nft)}`,
  ]);
  const heads = ["sender", "sent", "iptables", "nft", "nft alone", "iptables alone", "first drop", "release"];
  const title = `${paint(`list "${visible(list)}"`, "bold")} as a limit, ${hits} hits in ${seconds} s`;
  if (scenarios.length === 0) return `${title}: not compared: ${leftOut ?? "no sender"}\n`;
  return [
    `${title}: packets let through, and seconds (iptables / nft)\n`,
    table([heads, ...rows], width),
    ...(leftOut === undefined ? [] : [`  not all senders: ${leftOut}\n`]),
    ...scenarios.map((one) => `\n  ${paint(one.name, "bold")}: ${one.description}\n${plotOf(one, width)}`),
  ].join("");
}

function plotOf({ curve }: ScenarioResult, width: number): string {
  return renderPlot(
    [
      { name: "sent", points: curve.map(({ at, sent }) => [at, sent]) },
      { name: "iptables", points: curve.map(({ at, iptables }) => [at, iptables]) },
      { name: "nft", points: curve.map(({ at, nft }) => [at, nft]) },
    ],
    width,
  );
}

function time(seconds: number | undefined): string {
  return seconds === undefined ? "–" : seconds < 10 ? seconds.toFixed(2) : seconds.toFixed(1);
}

/** Columns as wide as they need; the first is to the left, the others to the right. */
function table(rows: readonly (readonly string[])[], width: number): string {
  const widths = rows[0]!.map((_, column) => Math.max(...rows.map((row) => row[column]!.length)));
  const lines = rows.map(
    (row) => `  ${row.map((cell, column) => (column === 0 ? cell.padEnd(widths[column]!) : cell.padStart(widths[column]!))).join("  ")}`,
  );
  if (lines[0]!.length <= width) return `${lines.join("\n")}\n`;
  // Too narrow for columns: one line a value.
  const [heads, ...rest] = rows;
  return rest
    .map(
      (row) =>
        `  ${row[0]!}\n${row
          .slice(1)
          .map((cell, column) => `    ${heads![column + 1]!}: ${cell}\n`)
          .join("")}`,
    )
    .join("");
}

// ---------------------------------------------------------------------------------------------------------- traffic

function renderTraffic({ file, skipped, families }: TrafficReport, paint: Paint, width: number): string {
  const lines = families.map(({ family, sent, passed, differing, first, notPlayed, forgotten, leftOut, packets = [] }) => {
    const head = `${paint(`traffic of ${visible(file)}`, "bold")} (${family === "ipv4" ? "IPv4" : "IPv6"}): `;
    if (notPlayed !== undefined) return `${head}${paint("not played", "unknown")}: ${visible(notPlayed)}\n`;
    const counts = `${grouped(sent)} packets, iptables lets ${grouped(passed.iptables)} through, nft ${grouped(passed.nft)}`;
    const each = packets.map((packet) => renderPlayed(packet, paint)).join("");
    const rest =
      leftOut === 0 ? "" : `  left out on both sides: ${leftOut} ${plural(leftOut, "rule")} that the script has not, or only in part\n`;
    if (differing === 0) return `${head}${paint("no difference", leftOut === 0 ? "equal" : "unknown")}: ${counts}\n${each}${rest}`;
    const why = `${grouped(forgotten)} of these because iptables forgets all but the last 100 hosts of a list, and the script does not`;
    return [
      `${head}${paint("different", "different")} in ${grouped(differing)} of ${counts}\n`,
      each,
      forgotten === 0 ? "" : wrapped(why, width, "    "),
      first ? renderTimeline(first, paint, width) : "",
      rest,
    ].join("");
  });
  return [...lines, ...skipped.map((text) => `  left out: ${visible(text)}\n`)].join("");
}

function renderPlayed({ at, packet, iptables, nft, line }: PlayedPacket, paint: Paint): string {
  const differs = iptables !== nft;
  const verdicts = differs ? paint(`iptables ${iptables}, nft ${nft}`, "different") : `both ${iptables}`;
  return `  ${`+${at.toFixed(3)} s`.padStart(12)}  ${visible(packet)}: ${verdicts}${line === undefined ? "" : ` (line ${line})`}\n`;
}

// ------------------------------------------------------------------------------------------------------------ words

function wrapped(text: string, width: number, indent: string): string {
  const lines: string[] = [];
  let line = "";
  for (const word of visible(text).split(" ")) {
    if (line !== "" && indent.length + line.length + 1 + word.length > width) {
      lines.push(line);
      line = word;
    } else {
      line = line === "" ? word : `${line} ${word}`;
    }
  }
  return [...lines, line].map((one) => `${indent}${one}\n`).join("");
}

function plural(count: number, word: string): string {
  return count === 1 ? word : `${word}s`;
}

function grouped(count: number): string {
  return String(count).replace(/\B(?=(\d{3})+$)/g, ",");
}
