/** The result of a comparison for a terminal. */

import { visible } from "../../report/visible.js";
import type { Difference, RuleName, TimelineEntry } from "../differences.js";
import type { VerifyReport } from "../verify.js";

/** Rules and packets listed at most; the JSON report has all. */
const mostMissed = 30;
const mostTimeline = 20;

export function renderText(report: VerifyReport): string {
  return (
    [
      headline(report),
      ...report.differences.flatMap((difference, index) => differenceLines(difference, index + 1)),
      ...counterLines(report),
      ...announcedLines(report),
      ...coverageLines(report),
      ...report.leftOut.map(
        ({ file, line, text, reason }) => `left out of both firewalls: ${visible(file)}:${line} ${visible(text)}\n    ${visible(reason)}`,
      ),
      ...report.notes.map((note) => `note: ${visible(note)}`),
      ...noiseLines(report),
    ].join("\n") + "\n"
  );
}

function headline(report: VerifyReport): string {
  const { equal, packets, verdicts, differing, counters, seconds, runs } = report;
  const fates = Object.entries(verdicts)
    .filter(([, count]) => count > 0)
    .map(([verdict, count]) => `${count} ${verdict}`)
    .join(", ");
  const result = equal
    ? `equal: ${packets} packets met the same fate under iptables and nft`
    : `different: ${differing} of ${packets} packets met another ` +
      `fate${counters.differing.length > 0 ? `, ${counters.differing.length} rules counted otherwise` : ""}`;
  return `${result} (${fates}; ${runs === 1 ? "1 run" : `${runs} runs`}, ${seconds.toFixed(0)} s)`;
}

function differenceLines({ packet, iptables, nft, count, timeline, rules, announced }: Difference, number: number): string[] {
  const shown = timeline.slice(-mostTimeline);
  return [
    "",
    `difference ${number}: ${visible(packet)}${count > 1 ? `, and ${count - 1} more in this way` : ""}`,
    `    iptables: ${visible(iptables)}`,
    `    nft:      ${visible(nft)}`,
    ...(announced === undefined ? [] : [`    announced by the translation: ${visible(announced)}`]),
    ...(rules === undefined
      ? []
      : [...ruleLines("matched under iptables", rules.iptables), ...(rules.nft ? ruleLines("matched under nft", rules.nft) : [])]),
    ...(timeline.length < 2
      ? ["    this packet alone shows it"]
      : [`    the last ${shown.length} of the ${timeline.length} packets that show it, in seconds:`, ...shown.map(timelineLine)]),
  ];
}

function ruleLines(title: string, rules: readonly RuleName[]): string[] {
  if (rules.length === 0) return [`    ${title}: no rule`];
  return [`    ${title}:`, ...rules.map(({ file, line, rule }) => `        ${visible(file)}:${line} ${visible(rule)}`)];
}

function timelineLine({ at, packet, iptables, nft, differs }: TimelineEntry): string {
  const fates = differs ? `iptables: ${briefly(iptables)}, nft: ${briefly(nft)}   <-- differs` : briefly(iptables);
  return `    ${at.toFixed(3).padStart(9)}  ${visible(packet)}: ${fates}`;
}

/** The verdict and the reply. */
function briefly(fate: string): string {
  return visible(/^\S+(?: \([^)]*\))?/u.exec(fate)?.[0] ?? fate);
}

function counterLines({ counters: { differing } }: VerifyReport): string[] {
  if (differing.length === 0) return [];
  return [
    "",
    "counters that differ:",
    ...differing.map(
      ({ file, line, rule, iptables, nft }) =>
        `    ${visible(file)}:${line} ${visible(rule)}\n        ${iptables} packets under iptables, ${nft} under nft`,
    ),
  ];
}

function announcedLines({ announced }: VerifyReport): string[] {
  if (announced.length === 0) return [];
  return [
    "the translation announces differences (--leave-out leaves their rules out):",
    ...announced.map(({ file, line, code, message }) => `    ${visible(file)}:${line}: ${visible(message)} [${code}]`),
  ];
}

function coverageLines({ coverage: { rules, hit, missed }, counters, ownScript }: VerifyReport): string[] {
  const compared = ownScript ? `; counters of ${counters.compared} rules compared` : "; a script from elsewhere tells no counters per rule";
  const lines = [`rules: ${hit} of ${rules} were hit${compared}`];
  for (const { file, line, rule, reason } of missed.slice(0, mostMissed))
    lines.push(`    not hit: ${visible(file)}:${line} ${visible(rule)}\n        ${visible(reason)}`);
  if (missed.length > mostMissed) lines.push(`    … and ${missed.length - mostMissed} more (--json lists all)`);
  return lines;
}

function noiseLines({ unconfirmed, counters, lateness }: VerifyReport): string[] {
  if (unconfirmed === 0 && counters.unconfirmed === 0) return [];
  return [
    `noise: ${unconfirmed} packets and ${counters.unconfirmed} counters differed in one of two runs and do not count (packets were up ` +
      `to ${(lateness * 1000).toFixed(0)} ms late)`,
  ];
}
