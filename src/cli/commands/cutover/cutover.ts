/** `ipt2nft-recent cutover`: changes a machine from iptables to nftables, and back unless somebody confirms it. */

import { existsSync } from "node:fs";
import { dirname, resolve } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { changeFirewall, ChangeFailed } from "../../../cutover/change.js";
import { hostCommands } from "../../../cutover/hosts.js";
import type { Machine } from "../../../cutover/machine.js";
import type { StayingChain } from "../../../cutover/leave-to-owners.js";
import { judgeConnection } from "../../../cutover/own-connection.js";
import { goingRules, planCutover, stayingChains, type OldRules, type Plan } from "../../../cutover/plan.js";
import { differenceFromReviewed, type ReviewedRules } from "../../../cutover/reviewed.js";
import { rulesOf } from "../../../cutover/saved-rules.js";
import { Failure } from "../../../failure.js";
import { owners } from "../../../owners/owners.js";
import { runProgram } from "../../../run-program.js";
import type { JsonMessage } from "../../../report/json.js";
import { readRulesets, type Source, type Translation } from "../../../translate.js";
import type { CommandDefinition } from "../../command.js";
import { readGiven, readOptions, readSources } from "../../input.js";
import { writeFileAtomically } from "../../output.js";
import { readBytes, usualMaxInput } from "../../read-file.js";
import type { ExitStatus, Surroundings } from "../../surroundings.js";
import { diagnosticsText, tell } from "../../telling.js";
import { give, type Answer, type PlannedParts, type State } from "./answer.js";
import { bootUnits, unitsBack, type BootUnits } from "./boot-units.js";
import { loginOf, ownConnection } from "./connection.js";
import { anyWatches, hasSystemd, MachineEffects, rollBack, settle, startWatcher } from "./effects.js";
import { writeHitsBack } from "./hits-back.js";
import { parseCutoverWords, type ChangeSettings, type ConfirmSettings, type CutoverSettings } from "./options.js";
import { ask, requirePrograms } from "./programs.js";
import { readMachine } from "./read-machine.js";
import { placeHere, StateDirectory, startOf, uptime } from "./state-directory.js";

export const cutoverCommand: CommandDefinition<CutoverSettings> = { parse: parseCutoverWords, run: runCutover };

async function runCutover(settings: CutoverSettings, surroundings: Surroundings): Promise<ExitStatus> {
  if (process.platform !== "linux") throw new Failure("cutover needs Linux, whose kernel holds the firewall; this is another system");
  if (process.getuid?.() !== 0) throw new Failure("cutover needs root, who alone may see and change the firewall");
  requirePrograms([
    ["nft", "nftables"],
    ["flock", "util-linux"],
    ["sh", "dash"],
  ]);
  const state = new StateDirectory(settings.stateDirectory);
  state.requireOwn();
  return give(await perform(settings, state, surroundings), settings, surroundings);
}

function perform(settings: CutoverSettings, state: StateDirectory, surroundings: Surroundings): Promise<Answer> {
  switch (settings.action) {
    case "plan":
      return plan(settings, state, surroundings);
    case "start":
      return start(settings, state, surroundings);
    case "confirm":
      return confirm(settings, state);
    case "undo":
      return undo(state);
    case "status":
      return status(state);
  }
}

// -------------------------------------------------------------------------------------------------------- state

function stateOf(state: StateDirectory): State {
  const decision = state.decision();
  if (decision === undefined) return "none";
  if (decision !== "armed") return decision;
  if (state.has("waiting")) return "waiting";
  if (holderLives(state)) return "changing";
  // Killed before anything was changed, or else the watchers take it back.
  return state.has("changed") ? "undoing" : "none";
}

function holderLives(state: StateDirectory): boolean {
  const [pid, started] = state.read("holder")?.trim().split(" ") ?? [];
  return pid !== undefined && startOf(pid) === Number(started);
}

/** Throws a Failure where the change is one of another network namespace, whose firewall is not to be mixed up with this one. */
function requireSamePlace(state: StateDirectory): void {
  const place = state.place();
  if (!place) return;
  const here = placeHere();
  const same = place.boot === here.boot ? place.namespace === here.namespace : place.initial && here.initial;
  if (!same) {
    throw new Failure(`${JSON.stringify(state.folder)} remembers a change in another network namespace: give another --state-dir here`);
  }
}

const error = (message: string): JsonMessage => ({ severity: "error", message });
const warning = (message: string): JsonMessage => ({ severity: "warning", message });
const note = (message: string): JsonMessage => ({ severity: "note", message });

// --------------------------------------------------------------------------------------------------- plan, start

interface Prepared {
  readonly machine: Machine;
  readonly plan: Plan | undefined;
  readonly messages: JsonMessage[];
  /** What does not let it go on. */
  readonly obstacle: string | undefined;
}

async function prepare(settings: ChangeSettings, surroundings: Surroundings): Promise<Prepared> {
  const messages: JsonMessage[] = [];
  const machine = await readMachine(settings.table);
  const { leaveToOwners } = settings;
  if (leaveToOwners) messages.push(...stayingChains(machine).map((chain) => note(stayingText(chain))));
  const nothingOld = goingRules(machine, leaveToOwners).length === 0;
  if (nothingOld && settings.files.length === 0) return { machine, plan: undefined, messages, obstacle: undefined };
  const given =
    settings.files.length > 0
      ? await readGiven(settings.files, settings, messages, surroundings)
      : { sources: undefined, ...(await readOptions(settings, messages, surroundings)) };
  const planned = planCutover({
    machine,
    sources: given.sources,
    options: given.options,
    translate: surroundings.translate,
    acceptedLoss: settings.acceptedLoss,
    leaveToOwners,
  });
  await showDiagnostics(planned.translation, planned.sources, settings, surroundings);
  if ("obstacle" in planned) return { machine, plan: undefined, messages, obstacle: planned.obstacle };
  await ask("nft", ["-c", "-f", "-"], { input: planned.script + hostCommands(planned.translation, machine.lists) });
  for (const old of planned.old) await requireWayBack(old);
  const changedSince =
    settings.reviewed.length > 0 && differenceFromReviewed(machine, leaveToOwners, await readReviewed(settings, messages, surroundings));
  for (const { family } of planned.staying) {
    messages.push(warning(`the files have no rules of ${family}: the old ones of that family stay`));
  }
  for (const table of planned.missingTables) messages.push(warning(`the files have nothing of the old table ${table}, which goes`));
  const obstacle = connectionObstacle(planned.translation, surroundings, messages);
  return { machine, plan: planned, messages, obstacle: changedSince || obstacle };
}

/** The files of `--reviewed`. Throws a Failure for one with rules of both families, or of a family that an earlier one has. */
async function readReviewed(settings: ChangeSettings, messages: JsonMessage[], surroundings: Surroundings): Promise<ReviewedRules[]> {
  const sources = await readSources(settings.reviewed, settings, messages, surroundings);
  const reviewed = sources.flatMap((source) => {
    const [ruleset, ...others] = readRulesets([source], {});
    if (others.length > 0) throw new Failure(`${JSON.stringify(source.file)} holds rules of both families: give the dump of each`);
    return ruleset ? [{ family: ruleset.family, text: source.text, file: source.file }] : [];
  });
  const twice = reviewed.find(({ family }, index) => reviewed.slice(0, index).some((earlier) => earlier.family === family));
  if (twice) throw new Failure(`${JSON.stringify(twice.file)} holds a family that an earlier file of --reviewed holds`);
  return reviewed;
}

/**
 * Throws a Failure where the old rules could not be restored: a comment or a name with a newline is printed by the save programs, and
 * taken by no restore program.
 */
async function requireWayBack({ restore, text, parted, encoding }: OldRules): Promise<void> {
  const words = ["--test", "-w", "20", "-c", ...(parted ? ["--noflush"] : [])];
  try {
    await ask(restore, words, { input: Buffer.from(parted?.restoring ?? text, encoding) });
  } catch (failure) {
    if (!(failure instanceof Failure)) throw failure;
    throw new Failure(`the old rules could not be restored, so nothing is changed: ${failure.message}`);
  }
}

/** Why a chain stays in iptables, and what would let it go. */
function stayingText({ table, chain, owners: names, others }: StayingChain): string {
  const where = `${chain} of the table ${table} stays in iptables`;
  const own = others === 0 ? "" : `, with ${others === 1 ? "1 rule" : `${others} rules`} of yours in it`;
  if (names.length === 0) return `${where}${own}: it shares a list, a set or a limit with a chain that stays`;
  const advice = owners.flatMap(({ name, advice: text }) => (names.includes(name) ? [`${name}: ${text}`] : []));
  return `${where}${own}: ${names.join(" and ")} ${names.length === 1 ? "keeps" : "keep"} rules in it (to let it go, ${advice.join("; ")})`;
}

async function showDiagnostics(
  translation: Translation | undefined,
  sources: readonly Source[],
  { format, color }: ChangeSettings,
  surroundings: Surroundings,
): Promise<void> {
  if (!translation || translation.diagnostics.length === 0 || format === "json") return;
  await tell(await diagnosticsText(translation.diagnostics, sources, color, surroundings), surroundings);
}

function connectionObstacle(translation: Translation, { environment }: Surroundings, messages: JsonMessage[]): string | undefined {
  const connection = ownConnection(environment);
  if (!connection) return undefined;
  const judged = judgeConnection(connection, translation);
  const name = `your own connection from ${connection.client} to port ${connection.serverPort}`;
  if (judged.kind === "not judged") {
    messages.push(warning(`whether ${name} stays allowed was not judged: ${judged.reason}`));
    return undefined;
  }
  const [first] = judged.closed;
  return (
    first && (first === "new" ? `the new firewall would refuse ${name} if it were opened again` : `the new firewall would cut ${name}`)
  );
}

function partsOf({ machine, plan: planned }: { readonly machine: Machine; readonly plan: Plan }): PlannedParts {
  const tables = planned.translation.nft?.tables ?? [];
  return {
    old: planned.old.map(({ restore }) =>
      restore
        .split("/")
        .at(-1)!
        .replace(/-restore$/, ""),
    ),
    lists: machine.lists.map(({ list, hosts }) => ({ name: list, hosts: hosts.length })),
    ipsets: planned.ipsets.length,
    otherTables: planned.otherTables.map(({ family, name }) => `${family} ${name}`),
    bytes: Buffer.byteLength(planned.script),
    chains: tables.reduce((sum, { chains }) => sum + chains.length, 0),
    sets: tables.reduce((sum, { sets }) => sum + sets.length, 0),
    elements: tables.reduce((sum, { sets }) => sum + sets.reduce((count, { elements = [] }) => count + elements.length, 0), 0),
    units: unitAdvice(),
  };
}

/** What is to be done so that the machine starts with the new firewall and not with the old one. */
function unitAdvice(): string[] {
  const { disable, enable } = bootUnits();
  return [
    ...disable.map((unit) => `systemctl disable ${unit}`),
    ...enable.map((unit) => `systemctl enable ${unit}, which loads /etc/nftables.conf`),
  ];
}

async function plan(settings: ChangeSettings, state: StateDirectory, surroundings: Surroundings): Promise<Answer> {
  const prepared = await prepare(settings, surroundings);
  const { plan: planned, messages, obstacle, machine } = prepared;
  const common = { changed: false, state: stateOf(state) };
  if (obstacle !== undefined) messages.push(error(obstacle));
  if (!planned) {
    if (obstacle === undefined) messages.push(note("no rule of iptables decides here: there is nothing to change"));
    return { ...common, status: obstacle === undefined ? 0 : 1, messages };
  }
  return { ...common, status: obstacle === undefined ? 0 : 1, messages, rules: planned.rules, plan: partsOf({ machine, plan: planned }) };
}

async function start(settings: ChangeSettings, state: StateDirectory, surroundings: Surroundings): Promise<Answer> {
  state.make();
  if (!(await state.lock())) throw new Failure("another cutover is at work here");
  try {
    state.mend();
    requireSamePlace(state);
    const before = stateOf(state);
    if (before === "waiting") throw new Failure("a change waits for its confirmation: cutover confirm, or cutover undo");
    if (before === "undoing") throw new Failure("a change is being taken back: cutover undo, or wait for it");
    if (state.decision() === "armed") state.decide("armed", "undone");
    const { machine, plan: planned, messages, obstacle } = await prepare(settings, surroundings);
    const unchanged = { changed: false, state: stateOf(state) };
    if (obstacle !== undefined) return { ...unchanged, status: 1, messages: [...messages, error(`${obstacle}; nothing was changed`)] };
    if (!planned) {
      messages.push(note("no rule of iptables decides here: there is nothing to change"));
      return { ...unchanged, status: 0, messages };
    }
    const effects = new MachineEffects(state, machine, planned, settings.confirmWithin);
    try {
      await changeFirewall(planned, effects, rulesOf);
    } catch (failure) {
      if (!(failure instanceof ChangeFailed)) throw failure;
      return failed(failure, state, [...messages, ...effects.warnings.map(warning)]);
    }
    messages.push(...effects.warnings.map(warning));
    messages.push(
      note(
        `the new firewall decides; it is taken back in ${settings.confirmWithin} s unless a new connection to this machine says: ` +
          "ipt2nft-recent cutover confirm",
      ),
    );
    const answer: Answer = {
      changed: true,
      state: "waiting",
      status: 0,
      messages,
      rules: planned.rules,
      secondsLeft: settings.confirmWithin,
    };
    if (!settings.wait) return answer;
    state.unlock();
    while (state.decision() === "armed" || state.decision() === "undoing") await delay(200);
    const decided = stateOf(state);
    return { ...answer, state: decided, status: decided === "confirmed" ? 0 : 1, secondsLeft: 0 };
  } finally {
    state.unlock();
  }
}

function failed({ step, reason, onTheWayBack }: ChangeFailed, state: StateDirectory, messages: readonly JsonMessage[]): Answer {
  const back = onTheWayBack
    ? error(`the old firewall is not restored yet (${onTheWayBack.message}); the watching process goes on trying`)
    : note("the old firewall decides");
  return {
    changed: false,
    state: stateOf(state),
    status: 1,
    messages: [...messages, error(`the change failed at the step ${step}: ${reason.message}`), back],
  };
}

// ------------------------------------------------------------------------------------------------------- confirm

async function confirm({ probe, persist }: ConfirmSettings, state: StateDirectory): Promise<Answer> {
  requireSamePlace(state);
  const before = stateOf(state);
  const messages: JsonMessage[] = [];
  if (before !== "waiting" && before !== "confirmed") {
    return { changed: false, state: before, status: 1, messages: [error("no change waits for a confirmation")] };
  }
  if (persist !== undefined) requirePersistable(persist);
  if (before === "waiting") {
    const refusal = probe === undefined ? loginRefusal(Number(state.read("waiting"))) : await probeRefusal(probe);
    if (refusal !== undefined) return { changed: false, state: before, status: 1, messages: [error(`not confirmed: ${refusal}`)] };
    // What there is to change for the next start now, so that a way back can name it.
    state.replace("boot-units", `${JSON.stringify(bootUnits())}\n`);
    if (!state.decide("armed", "confirmed")) {
      return { changed: false, state: stateOf(state), status: 1, messages: [error("too late: the change is being taken back")] };
    }
  }
  await settle(state);
  // The watchers see the decision within a second.
  for (let tries = 0; tries < 100 && anyWatches(state); tries += 1) await delay(50);
  let changed = before === "waiting";
  if (persist !== undefined) changed = (await persistScript(persist, state)) || changed;
  const advice = unitAdvice();
  if (advice.length > 0) messages.push(note(`so that the machine starts with it: ${advice.join("; ")}`));
  if (persist === undefined) messages.push(note("nothing loads the new firewall when the machine starts: --persist FILE writes a script"));
  return { changed, state: stateOf(state), status: 0, messages, ...unitsTold(bootUnits()) };
}

/** Nothing where no systemd runs, whose units they are. */
function unitsTold(units: BootUnits): Pick<Answer, "units"> {
  return hasSystemd() ? { units } : {};
}

/** What to change so that the machine starts as before. Throws a Failure for what is no such list. */
function unitsOfWayBack(state: StateDirectory): BootUnits {
  const text = state.read("boot-units");
  return text === undefined ? { disable: [], enable: [] } : unitsBack(listIn(text, state, "boot-units") as BootUnits);
}

/** Of a file that this command has written. */
function listIn(text: string, state: StateDirectory, name: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new Failure(`${JSON.stringify(`${state.run}/${name}`)} cannot be read`);
  }
}

/** @param changedAt in seconds since the machine was started */
function loginRefusal(changedAt: number): string | undefined {
  const login = loginOf();
  if (!login) return "this is no connection of sshd, so it does not show that the machine can be reached; --probe COMMAND takes its place";
  if (login.at > changedAt) return undefined;
  return "this connection was opened before the change, and says nothing about a new one: open another, or give --probe COMMAND";
}

/** Seconds. */
const probePatience = 60;

async function probeRefusal(command: string): Promise<string | undefined> {
  const outcome = await runProgram({ program: "sh", arguments: ["-c", command], seconds: probePatience, mostOutput: 16 * 1024 * 1024 });
  if (outcome.kind === "ended" && outcome.status === 0) return undefined;
  if (outcome.kind === "missing") return "the program sh is not installed";
  const how =
    outcome.kind === "stopped" ? outcome.reason : `it ended with ${outcome.status === null ? outcome.signal : `status ${outcome.status}`}`;
  const said = outcome.stderr.toString("utf8").trim().slice(0, 500);
  return `the probe failed: ${how}${said === "" ? "" : `: ${said}`}`;
}

/** Throws a Failure for what cannot be read first and written then: that is known before anything is decided. */
function requirePersistable(path: string): void {
  if (existsSync(path)) readBytes(path, usualMaxInput);
  else if (!existsSync(dirname(resolve(path)))) throw new Failure(`${JSON.stringify(path)} cannot be written: there is no such folder`);
}

/** A file that `--persist` has written, and what it held before, in base64; null where it was not there. */
interface Persisted {
  readonly path: string;
  readonly before: string | null;
}

/** Throws a Failure for what is no such list. */
function persistedIn(state: StateDirectory): readonly Persisted[] {
  const text = state.read("persisted");
  if (text === undefined) return [];
  return listIn(text, state, "persisted") as Persisted[];
}

/** Writes what the machine loads when it starts; false where the file holds it already. */
async function persistScript(given: string, state: StateDirectory): Promise<boolean> {
  // Whoever undoes it may stand elsewhere.
  const path = resolve(given);
  const text = state.read("lasting.nft");
  if (text === undefined) throw new Failure(`${JSON.stringify(state.run)} holds no script`);
  const before = existsSync(path) ? Buffer.from(readBytes(path, usualMaxInput)) : undefined;
  if (before?.equals(Buffer.from(text)) === true) return false;
  const known = persistedIn(state);
  // What a file held before the first time is what it is to hold again.
  if (!known.some((one) => one.path === path))
    state.replace("persisted", `${JSON.stringify([...known, { path, before: before?.toString("base64") ?? null }])}\n`);
  await writeFileAtomically(path, text);
  return true;
}

// ---------------------------------------------------------------------------------------------------------- undo

async function undo(state: StateDirectory): Promise<Answer> {
  requireSamePlace(state);
  const before = stateOf(state);
  if (before === "none" || before === "undone") {
    const units = before === "undone" ? unitsTold(unitsOfWayBack(state)) : {};
    return { changed: false, state: before, status: 0, messages: [note("no change is there to take back")], ...units };
  }
  const told = before === "waiting" || before === "confirmed" ? await takeHitsAlong(state) : [];
  // Whatever becomes of this process, the watcher goes on.
  const isUndone = (): boolean => state.decision() === "undone";
  if (before === "confirmed" && state.decide("confirmed", "undoing")) await startWatcher(state, 0, isUndone);
  else if (!anyWatches(state) && !isUndone()) await startWatcher(state, 0, isUndone);
  try {
    await rollBack(state);
  } catch (failure) {
    if (!(failure instanceof Failure)) throw failure;
    const message = `the old firewall is not restored yet, and a process goes on trying: ${failure.message} (${state.run}/roll-back.log)`;
    return { changed: false, state: stateOf(state), status: 1, messages: [error(message)] };
  }
  const units = unitsOfWayBack(state);
  const advice = [...units.disable.map((unit) => `systemctl disable ${unit}`), ...units.enable.map((unit) => `systemctl enable ${unit}`)];
  const messages = [note("the old firewall decides"), ...told, ...(await unpersist(state))];
  if (advice.length > 0) messages.push(warning(`so that the machine starts with the old firewall again: ${advice.join("; ")}`));
  return { changed: true, state: stateOf(state), status: 0, messages, ...unitsTold(units) };
}

/** The way back never waits for it: what stops it is told. */
async function takeHitsAlong(state: StateDirectory): Promise<JsonMessage[]> {
  try {
    const { hosts, hits } = await writeHitsBack(state);
    if (hits === 0) return [];
    const words = `${hits === 1 ? "1 hit" : `${hits} hits`} of ${hosts === 1 ? "1 host" : `${hosts} hosts`}`;
    return [note(`the old lists have, as if they came now, ${words} that came while the new firewall decided`)];
  } catch (failure) {
    const reason = failure instanceof Error ? failure.message : String(failure);
    return [warning(`hits that came while the new firewall decided are not on the old lists: ${reason}`)];
  }
}

/** Puts back what the machine loads when it starts, unless somebody has written there since. */
async function unpersist(state: StateDirectory): Promise<JsonMessage[]> {
  const messages: JsonMessage[] = [];
  for (const { path, before } of persistedIn(state)) {
    if (!existsSync(path)) continue;
    if (!Buffer.from(readBytes(path, usualMaxInput)).equals(Buffer.from(state.read("lasting.nft") ?? "")))
      messages.push(
        warning(`${JSON.stringify(path)} was changed since and stays as it is: see that the machine starts with the right firewall`),
      );
    else if (before === null)
      messages.push(warning(`${JSON.stringify(path)} still holds the new firewall, and was not there before: remove it`));
    else {
      await writeFileAtomically(path, Buffer.from(before, "base64"));
      messages.push(note(`${JSON.stringify(path)} holds again what it held before`));
    }
  }
  return messages;
}

// -------------------------------------------------------------------------------------------------------- status

async function status(state: StateDirectory): Promise<Answer> {
  requireSamePlace(state);
  const now = stateOf(state);
  const own = state.read("tables")?.split("\n") ?? ["table ip ipt2nft", "table ip6 ipt2nft", "table inet ipt2nft"];
  const machine = await readMachine("");
  const firewalls = [
    ...(goingRules(machine, true).length > 0 ? (["old"] as const) : []),
    ...(machine.tables.some(({ family, name }) => own.includes(`table ${family} ${name}`)) ? (["new"] as const) : []),
  ];
  const messages: JsonMessage[] = stayingChains(machine).map((chain) => note(stayingText(chain)));
  const open = now === "waiting" || now === "changing" || now === "undoing";
  const watched = open ? anyWatches(state) : undefined;
  if (watched === false) messages.push(warning("no process watches: the change is not taken back by itself; cutover undo, or confirm"));
  if (firewalls.length === 2 && (now === "waiting" || now === "confirmed")) {
    messages.push(warning("rules of iptables have come back since the change, and decide as well"));
  }
  return {
    changed: false,
    state: now,
    status: 0,
    messages,
    firewalls,
    ...(watched !== undefined && { watched }),
    ...(now === "waiting" && { secondsLeft: Math.max(0, Math.ceil(state.deadline() - uptime())) }),
  };
}
