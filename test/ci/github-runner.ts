/** Runs the steps of a composite action as GitHub's runner does: a file for each step, bash, and files for outputs and the summary. */

import { spawnSync } from "node:child_process";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parse } from "yaml";

interface Step {
  readonly id?: string;
  readonly name?: string;
  readonly uses?: string;
  readonly with?: Readonly<Record<string, unknown>>;
  readonly shell?: string;
  readonly run?: string;
  readonly env?: Readonly<Record<string, string>>;
}

export interface Action {
  readonly inputs: Readonly<Record<string, { readonly required?: boolean; readonly default?: string }>>;
  readonly outputs: Readonly<Record<string, { readonly value: string }>>;
  readonly runs: { readonly using: string; readonly steps: readonly Step[] };
}

export interface Workflow {
  readonly on: { readonly workflow_call?: { readonly inputs: Readonly<Record<string, { readonly default?: string }>> } };
  readonly jobs: Readonly<
    Record<string, { readonly uses?: string; readonly with?: Readonly<Record<string, string>>; readonly steps?: readonly Step[] }>
  >;
}

export function readYaml<Document>(path: string): Document {
  return parse(readFileSync(new URL(`../../${path}`, import.meta.url), "utf8")) as Document;
}

/** Puts in what stands between `${{` and `}}`; throws for anything but a plain name that is known. */
export function evaluate(text: string, context: Readonly<Record<string, string>>): string {
  return text.replace(/\$\{\{\s*(.*?)\s*\}\}/g, (_, name: string) => {
    const value = context[name];
    if (value === undefined) throw new Error(`unknown expression: ${name}`);
    return value;
  });
}

export interface ActionRun {
  readonly status: number;
  /** What the steps print, in which the runner looks for commands. */
  readonly log: string;
  readonly error: string;
  /** Markdown for the page of the job. */
  readonly summary: string;
  readonly outputs: Readonly<Record<string, string>>;
}

export interface Runner {
  /** Where the action is checked out. */
  readonly actionPath: string;
  readonly workspace: string;
  /** An empty folder. */
  readonly temporary: string;
  /** Variables besides those that every step has. */
  readonly environment?: Readonly<Record<string, string>>;
}

/** Runs the action; the steps behind one that fails are left out. */
export function runAction(action: Action, inputs: Readonly<Record<string, string>>, runner: Runner): ActionRun {
  for (const [name, { required, default: ours }] of Object.entries(action.inputs)) {
    if (required && inputs[name] === undefined) throw new Error(`input ${name} is missing`);
    if (!required && ours === undefined) throw new Error(`input ${name} has no default`);
  }
  for (const name of Object.keys(inputs)) if (!(name in action.inputs)) throw new Error(`no input ${name}`);
  const context: Record<string, string> = Object.fromEntries(
    Object.entries(action.inputs).map(([name, { default: ours = "" }]) => [`inputs.${name}`, inputs[name] ?? ours]),
  );
  mkdirSync(runner.temporary, { recursive: true });
  const run = { status: 0, log: "", error: "", summary: "" };
  for (const [index, step] of action.runs.steps.entries()) {
    const done = runStep(step, index, context, runner);
    run.status = done.status;
    run.log += done.log;
    run.error += done.error;
    run.summary += done.summary;
    for (const [name, value] of Object.entries(done.outputs)) context[`steps.${step.id}.outputs.${name}`] = value;
    if (run.status !== 0) break;
  }
  const outputs = Object.entries(action.outputs).map(([name, { value }]) => [name, outputOf(value, context)]);
  return { ...run, outputs: Object.fromEntries(outputs) as Record<string, string> };
}

/** An output that no step has written is empty. */
function outputOf(value: string, context: Readonly<Record<string, string>>): string {
  return evaluate(value, new Proxy({ ...context }, { get: (known, name: string) => known[name] ?? "" }));
}

function runStep(
  step: Step,
  index: number,
  context: Readonly<Record<string, string>>,
  { actionPath, workspace, temporary, environment }: Runner,
): ActionRun {
  if (step.run === undefined || step.shell !== "bash" || step.uses !== undefined) throw new Error(`not a bash step: ${step.name}`);
  // The text of a script must not hold expressions: an input would become part of it.
  if (step.run.includes("${{")) throw new Error(`an expression in the script of ${step.name}`);
  const file = (name: string): string => join(temporary, `${index}-${name}`);
  for (const name of ["output", "summary"]) writeFileSync(file(name), "");
  writeFileSync(file("script.sh"), step.run);
  const env = {
    PATH: process.env["PATH"],
    HOME: temporary,
    CI: "true",
    GITHUB_ACTIONS: "true",
    GITHUB_ACTION_PATH: actionPath,
    GITHUB_WORKSPACE: workspace,
    RUNNER_TEMP: temporary,
    GITHUB_OUTPUT: file("output"),
    GITHUB_STEP_SUMMARY: file("summary"),
    ...environment,
    ...Object.fromEntries(Object.entries(step.env ?? {}).map(([name, value]) => [name, evaluate(value, context)])),
  };
  const { status, stdout, stderr } = spawnSync("bash", ["--noprofile", "--norc", "-eo", "pipefail", file("script.sh")], {
    cwd: workspace,
    env,
    encoding: "utf8",
  });
  const outputs = Object.fromEntries(
    readFileSync(file("output"), "utf8")
      .split("\n")
      .filter((line) => line !== "")
      .map((line) => {
        const at = line.indexOf("=");
        return [line.slice(0, at), line.slice(at + 1)];
      }),
  );
  return { status: status ?? -1, log: stdout, error: stderr, summary: readFileSync(file("summary"), "utf8"), outputs };
}
