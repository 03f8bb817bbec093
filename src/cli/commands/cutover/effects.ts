/** What a change does to this machine. */

import { existsSync, mkdirSync, symlinkSync, unlinkSync } from "node:fs";
import { dirname, join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import type { ChangeEffects, Step } from "../../../cutover/change.js";
import { hostCommands } from "../../../cutover/hosts.js";
import type { Machine } from "../../../cutover/machine.js";
import type { OldRules, Plan } from "../../../cutover/plan.js";
import rollBackScript from "../../../cutover/roll-back.sh?raw";
import { isEmptied, rulesOf } from "../../../cutover/saved-rules.js";
import { Failure } from "../../../failure.js";
import { findProgram, startDetached } from "../../../run-program.js";
import { writeFileAtomically } from "../../output.js";
import { oldUnits } from "./boot-units.js";
import { ask } from "./programs.js";
import { readLists } from "./read-machine.js";
import { deadlineText, placeHere, startOf, uptime, type StateDirectory } from "./state-directory.js";

/** Seconds that the change itself may take, from arming on, before it is taken back. */
const longestChange = 300;

/** Seconds behind the deadline at which each watcher takes the change back: whatever becomes of one, the other is there. */
const watchers = [0, 5] as const;

/** Seconds in which a watcher has to say that it watches. */
const watcherPatience = 20;

const unitName = "ipt2nft-recent-roll-back";

const units = "/etc/systemd/system";
const unitFiles = [`${units}/${unitName}.service`, `${units}/multi-user.target.wants/${unitName}.service`] as const;

export class MachineEffects implements ChangeEffects {
  /** What could not be had, and was gone without. */
  readonly warnings: string[] = [];

  constructor(
    private readonly state: StateDirectory,
    private readonly machine: Machine,
    private readonly plan: Plan,
    /** Seconds. */
    private readonly confirmWithin: number,
  ) {}

  async arm(): Promise<void> {
    const { state } = this;
    state.begin(this.files());
    if (hasSystemd()) await this.installUnit();
    for (const more of watchers) await startWatcher(state, more);
  }

  async oldRules({ save }: OldRules): Promise<string> {
    return rulesOf(await ask(save, ["-c"]));
  }

  async markChanged(): Promise<void> {
    this.state.write("changed", "");
  }

  async load({ script, translation }: Plan): Promise<void> {
    const input = script + hostCommands(translation, readLists());
    await ask("nft", ["-f", "-"], { input, inherited: this.state.inherited });
  }

  async empty({ restore, emptied, encoding }: OldRules): Promise<void> {
    await ask(restore, ["-w", "20", ...(emptied?.only ? ["--noflush"] : [])], {
      input: Buffer.from(emptied?.text ?? "", encoding),
      inherited: this.state.inherited,
    });
  }

  async checkNew({ old, translation }: Plan): Promise<void> {
    const listed = await ask("nft", ["list", "tables"]);
    for (const { family, name } of translation.nft?.tables ?? []) {
      if (!listed.split("\n").includes(`table ${family} ${name}`)) throw new Failure(`the table ${family} ${name} is not there`);
    }
    for (const { save, emptied } of old) {
      if (!isEmptied(await ask(save, ["-c"]), emptied ?? { text: "", kept: undefined })) throw new Failure("an old rule is still there");
    }
  }

  async beginWaiting(): Promise<void> {
    this.state.write("waiting", `${uptime()}\n`);
    this.state.writeDeadline(uptime() + this.confirmWithin);
    if (this.state.decision() !== "armed") throw new Failure("the change was taken back while it was made");
  }

  async rollBack(): Promise<void> {
    await rollBack(this.state);
  }

  note(step: Step, event: "begins" | "done" | "failed", detail?: string): void {
    this.state.append("journal", JSON.stringify({ at: new Date().toISOString(), step, event, ...(detail !== undefined && { detail }) }));
  }

  /** The folder of the change. */
  private files(): Map<string, string | Uint8Array> {
    const { machine, plan } = this;
    const place = placeHere();
    const files = new Map<string, string | Uint8Array>([
      ["roll-back.sh", rollBackScript],
      ["armed", ""],
      ["place", `${place.boot}\n${place.namespace}\n${place.initial ? "initial" : "other"}\n`],
      ["holder", `${process.pid} ${startOf(process.pid) ?? 0}\n`],
      ["deadline", deadlineText(uptime() + longestChange)],
      ["script.nft", plan.script],
      ["lasting.nft", plan.lasting],
      ["remove.nft", plan.removal],
      ["tables", plan.ownTables.map(({ family, name }) => `table ${family} ${name}\n`).join("")],
    ]);
    for (const { variant, family, text, encoding, save, restore, iptables, emptied, parted } of plan.old) {
      const name = `${variant}.${family}`;
      files.set(name, Buffer.from(parted?.restoring ?? text, encoding)).set(`${name}.programs`, `${save}\n${restore}\n`);
      if (parted) files.set(`${name}.whole`, Buffer.from(text, encoding));
      if (emptied?.kept) files.set(`${name}.kept`, `${iptables}\n${emptied.kept.table}\n${emptied.kept.chain}\n`);
    }
    plan.ipsets.forEach((text, index) => files.set(`sets/${numbered(index)}`, Buffer.from(text, machine.ipsetsEncoding)));
    const now = Date.now() / 1000;
    machine.lists.forEach(({ list, encoding, hosts }, index) => {
      const window = plan.windows.get(list) ?? Infinity;
      const lines = hosts.flatMap(({ address, ages }) =>
        ages.map((age) => {
          const until = window === Infinity || age === undefined ? "-" : String(Math.ceil(now + window - age));
          return `${address} ${until} ${address}\n`;
        }),
      );
      files.set(`lists/${numbered(index)}`, Buffer.from(`${list}\n${lines.join("")}`, encoding));
    });
    const windows = [...plan.windows].map(([list, seconds]) => `${seconds === Infinity ? "-" : seconds} ${list}\n`).join("");
    files.set("windows", Buffer.from(windows, plan.old.some(({ encoding }) => encoding === "latin1") ? "latin1" : "utf8"));
    if (hasSystemd()) files.set("unit", unitFiles.map((path) => `${path}\n`).join(""));
    return files;
  }

  private async installUnit(): Promise<void> {
    const [unit, link] = unitFiles;
    try {
      mkdirSync(dirname(link), { recursive: true });
      await writeFileAtomically(unit, bootUnit(this.state.folder));
      if (!existsSync(link)) symlinkSync(unit, link);
      await ask("systemctl", ["daemon-reload"]);
    } catch (error) {
      for (const path of unitFiles) if (existsSync(path)) unlinkSync(path);
      const reason = error instanceof Error ? error.message : String(error);
      this.warnings.push(
        `no unit could be installed that takes the change back when the machine starts (${reason}): ` +
          "after a restart before the change is confirmed, the machine has what it loads by itself",
      );
    }
  }
}

const numbered = (index: number): string => String(index).padStart(5, "0");

/** The machine runs systemd, and we are in its namespace: what systemd starts is not in another one. */
export function hasSystemd(): boolean {
  return existsSync("/run/systemd/system") && placeHere().initial && findProgram("systemd-run") !== undefined;
}

/** The unit for the next start. @param folder a path of plain characters */
export function bootUnit(folder: string): string {
  return `[Unit]
Description=Takes back a change of firewalls that was not confirmed (ipt2nft-recent)
DefaultDependencies=no
RequiresMountsFor=${folder}
ConditionPathExists=|${folder}/run/armed
ConditionPathExists=|${folder}/run/undoing
After=local-fs.target systemd-modules-load.service nftables.service
After=${oldUnits.map((unit) => `${unit}.service`).join(" ")}
Before=network-pre.target shutdown.target
Wants=network-pre.target
Conflicts=shutdown.target

[Service]
Type=oneshot
ExecStart=/bin/sh ${folder}/run/roll-back.sh boot

[Install]
WantedBy=multi-user.target
`;
}

/**
 * Starts a process that takes the change back at its deadline, and waits until it says that it watches.
 * @param isOver whether it may have done its work and ended already
 */
export async function startWatcher(state: StateDirectory, more: number, isOver = (): boolean => false): Promise<void> {
  const words = [join(state.run, "roll-back.sh"), "watch", String(more)];
  if (more === 0 && hasSystemd()) {
    try {
      const settings = ["--quiet", "--collect", "--property=Restart=on-failure", "--property=RestartSec=1"];
      await ask("systemd-run", [...settings, `--unit=${unitName}-${process.pid}`, "/bin/sh", ...words]);
    } catch {
      await detach(words);
    }
  } else await detach(words);
  for (let tries = 0; tries < watcherPatience * 20; tries += 1) {
    if (watches(state, more) || isOver()) return;
    await delay(50);
  }
  throw new Failure("the process that would take the change back does not start");
}

async function detach(words: readonly string[]): Promise<void> {
  if (!(await startDetached({ program: "sh", arguments: words, directory: "/" }))) throw new Failure("the program sh is not installed");
}

/** Whether the process that said it watches is still the one of its number. */
export function watches(state: StateDirectory, more: number): boolean {
  const [pid, started] = state.read(`watching.${more}`)?.trim().split(" ") ?? [];
  return pid !== undefined && started !== undefined && startOf(pid) === Number(started);
}

export function anyWatches(state: StateDirectory): boolean {
  return watchers.some((more) => watches(state, more));
}

/** Takes the change back now: the same script as at the deadline. Throws a Failure where the old firewall is not restored. */
export async function rollBack(state: StateDirectory): Promise<void> {
  // The script takes the lock itself.
  state.unlock();
  await ask("sh", [join(state.run, "roll-back.sh"), "now"]);
  if (state.decision() !== "undone") throw new Failure("the old firewall is not restored yet");
}

/** Takes away what a confirmed change no longer needs; the watchers do the same, where they live. Throws a Failure. */
export async function settle(state: StateDirectory): Promise<void> {
  await ask("sh", [join(state.run, "roll-back.sh"), "settle"]);
}
