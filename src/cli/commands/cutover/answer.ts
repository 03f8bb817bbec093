/** What the actions say: sentences for people on standard error, one document for programs on standard output. */

import { visible, visibleJson, withoutCommands } from "../../../report/visible.js";
import type { JsonMessage } from "../../../report/json.js";
import type { Tally } from "../../../report/tally.js";
import type { ExitStatus, Surroundings } from "../../surroundings.js";
import { messageText, tell } from "../../telling.js";
import { version } from "../../version.js";
import type { CutoverSettings } from "./options.js";

/** Whoever drives many machines sees by it whether all of them have one version. */
const tool = { name: "ipt2nft-recent", version };

/** `changing`: a start has not ended yet. */
export type State = "none" | "changing" | "waiting" | "confirmed" | "undoing" | "undone";

/** Members are only ever added while `version` stays 1. */
export interface Answer {
  readonly changed: boolean;
  readonly state: State;
  readonly status: ExitStatus;
  readonly messages: readonly JsonMessage[];
  /** Which firewalls the kernel has. */
  readonly firewalls?: readonly ("old" | "new")[];
  /** Whether a process would take the change back at the deadline. */
  readonly watched?: boolean;
  /** Seconds until the change is taken back. */
  readonly secondsLeft?: number;
  /** Of systemd: what is to be changed so that the machine starts with the firewall that it has now. */
  readonly units?: { readonly disable: readonly string[]; readonly enable: readonly string[] };
  readonly rules?: Tally;
  /** What `plan` found, and `start` went by. */
  readonly plan?: PlannedParts;
}

export interface PlannedParts {
  /** Old firewalls that go, by program. */
  readonly old: readonly string[];
  /** Lists of `recent` with hosts, and sets of ipset. */
  readonly lists: readonly { readonly name: string; readonly hosts: number }[];
  readonly ipsets: number;
  /** Tables of nft that stay and decide as well. */
  readonly otherTables: readonly string[];
  /** Of the transaction: bytes of the script, sets, chains, elements. */
  readonly bytes: number;
  readonly chains: number;
  readonly sets: number;
  readonly elements: number;
  readonly units: readonly string[];
}

export async function give(answer: Answer, { action, format }: CutoverSettings, surroundings: Surroundings): Promise<ExitStatus> {
  const { status, messages } = answer;
  if (format === "json") {
    const { status: _, ...rest } = answer;
    await surroundings.writeOutput(`${visibleJson(JSON.stringify({ version: 1, tool, action, ...rest }, undefined, 2))}\n`);
    return status;
  }
  await tell(messages.map(messageText).join(""), surroundings);
  if (answer.plan) await surroundings.writeOutput(withoutCommands(planText(answer.plan, answer)));
  else if (action === "status") await surroundings.writeOutput(statusText(answer));
  return status;
}

function planText(plan: PlannedParts, { rules }: Answer): string {
  const named = (names: readonly string[]): string => (names.length === 0 ? "none" : names.join(", "));
  const rows: readonly (readonly [string, string])[] = [
    ["old firewall", named(plan.old)],
    ["rules", rules ? `${rules.exact} exact, ${rules.approximated} approximated, ${rules.refused} refused` : "none"],
    ["lists of recent", named(plan.lists.map(({ name, hosts }) => `${visible(name)} (${hosts === 1 ? "1 host" : `${hosts} hosts`})`))],
    ["sets of ipset", String(plan.ipsets)],
    ["other nft tables", plan.otherTables.length === 0 ? "none" : `${named(plan.otherTables.map(visible))}; they stay, and decide as well`],
    ["transaction", `${plan.bytes} bytes: ${plan.chains} chains, ${plan.sets} sets, ${plan.elements} elements`],
    ...plan.units.map((unit) => ["once confirmed", unit] as const),
  ];
  return rows.map(([name, text]) => `${`${name}:`.padEnd(18)}${text}\n`).join("");
}

function statusText({ state, firewalls = [], watched, secondsLeft }: Answer): string {
  const held =
    firewalls.length === 2
      ? "both firewalls decide"
      : firewalls.length === 0
        ? "no firewall decides"
        : firewalls[0] === "old"
          ? "the old firewall decides alone"
          : "the new firewall decides alone";
  const rows = [
    `state: ${state}`,
    `kernel: ${held}`,
    ...(secondsLeft === undefined ? [] : [`taken back in: ${secondsLeft} s`]),
    ...(watched === undefined ? [] : [`watched: ${watched ? "yes" : "no"}`]),
  ];
  return rows.map((row) => `${row}\n`).join("");
}
