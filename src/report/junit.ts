/**
 * Test results as JUnit XML, in the form that GitLab, Jenkins, Azure and GitHub's test reporters read:
 *
 *     <testsuites name="corpus" tests="2" failures="1" errors="0" skipped="0" time="0.012">
 *       <testsuite name="web" tests="2" failures="1" errors="0" skipped="0" time="0.012">
 *         <testcase name="rules" classname="web" time="0.004"/>
 *         <testcase name="other" classname="web" file="web/other.v4" line="3" time="0.008">
 *           <failure message="the script differs" type="script">- …</failure>
 */

import { append } from "../append.js";
import { visibleScript } from "./visible.js";

export interface JunitReport {
  readonly name: string;
  readonly suites: readonly JunitSuite[];
}

export interface JunitSuite {
  readonly name: string;
  readonly cases: readonly JunitCase[];
}

export interface JunitCase {
  readonly name: string;
  /** What dashboards group by; the suite's name unless told. */
  readonly className?: string;
  /** Path as the reader of the report knows it. */
  readonly file?: string;
  /** From 1. */
  readonly line?: number;
  /** Seconds; 0 unless told. */
  readonly time?: number;
  /** Absent if it passed. A failure is the subject's fault, an error the tool's. Several may be given; some readers show the first only. */
  readonly problems?: readonly JunitProblem[];
  /** Why it was not run. */
  readonly skipped?: string;
  /** More to read, shown for passed cases, too. */
  readonly output?: string;
}

export interface JunitProblem {
  readonly kind: "failure" | "error";
  /** One line. */
  readonly message: string;
  /** A code to group by, such as `unreachable-rule`. */
  readonly type: string;
  /** Several lines. */
  readonly text: string;
}

/** Renders one XML document with a newline at its end; any text may stand in the report. */
export function renderJunit({ name, suites }: JunitReport): string {
  const lines = ['<?xml version="1.0" encoding="UTF-8"?>'];
  lines.push(`<testsuites${attributes({ name, ...totals(suites.flatMap(({ cases }) => cases)) })}>`);
  for (const suite of suites) {
    lines.push(`  <testsuite${attributes({ name: suite.name, ...totals(suite.cases) })}>`);
    for (const one of suite.cases) append(lines, testCase(one, suite.name));
    lines.push("  </testsuite>");
  }
  lines.push("</testsuites>");
  return `${lines.join("\n")}\n`;
}

function totals(cases: readonly JunitCase[]): Attributes {
  const having = (kind: JunitProblem["kind"]): number => cases.filter((one) => kindOf(one) === kind).length;
  return {
    tests: cases.length,
    failures: having("failure"),
    errors: having("error"),
    skipped: cases.filter(({ skipped }) => skipped !== undefined).length,
    time: seconds(cases.reduce((sum, { time = 0 }) => sum + time, 0)),
  };
}

/** Every case counts once, by the worst in it. */
function kindOf({ problems = [] }: JunitCase): JunitProblem["kind"] | undefined {
  return problems.find(({ kind }) => kind === "error")?.kind ?? problems[0]?.kind;
}

function testCase({ name, className, file, line, time = 0, problems = [], skipped, output }: JunitCase, suite: string): string[] {
  const opening = `    <testcase${attributes({ name, classname: className ?? suite, file, line, time: seconds(time) })}`;
  const inside = [
    ...(skipped === undefined ? [] : [`      <skipped${attributes({ message: skipped })}/>`]),
    ...problems.map(({ kind, message, type, text }) => `      <${kind}${attributes({ message, type })}>${content(text)}</${kind}>`),
    ...(output === undefined ? [] : [`      <system-out>${content(output)}</system-out>`]),
  ];
  return inside.length === 0 ? [`${opening}/>`] : [`${opening}>`, ...inside, "    </testcase>"];
}

type Attributes = Readonly<Record<string, string | number | undefined>>;

function attributes(values: Attributes): string {
  return Object.entries(values)
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) => ` ${name}="${attribute(String(value))}"`)
    .join("");
}

function seconds(time: number): string {
  return time.toFixed(3);
}

/** A reader makes a blank of a line break or a tab that is not written as a reference. */
function attribute(text: string): string {
  return content(text).replaceAll('"', "&quot;").replaceAll("\n", "&#10;").replaceAll("\t", "&#9;");
}

const references: Readonly<Record<string, string>> = { "&": "&amp;", "<": "&lt;", ">": "&gt;" };

/** XML cannot hold most control characters, not even by reference: they are written as a terminal would be shown them. */
function content(text: string): string {
  const shown = visibleScript(text.replaceAll("\r\n", "\n"));
  return shown
    .replace(/[\ufffe\uffff]/g, (character) => `\\u{${character.charCodeAt(0).toString(16)}}`)
    .replace(/[&<>]/g, (character) => references[character]!);
}
