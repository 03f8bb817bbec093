/** Changes of lists. */

import { readdirSync, statSync } from "node:fs";
import { basename, join } from "node:path";

import { Failure } from "../../../failure.js";
import { families } from "../../../iptables/family.js";
import {
  clearList,
  hitsOverLimit,
  joined,
  placeOf,
  putHost,
  takeHost,
  withHits,
  type HostState,
  type TableChange,
} from "../../../lists/changes.js";
import { hostOf, hostsOf, type Host } from "../../../lists/hosts.js";
import type { List, ListSide } from "../../../lists/lists.js";
import { hostJson } from "../../../lists/render.js";
import { readSavedLists, saveLists, type SavedList } from "../../../lists/saved-lists.js";
import { agesOf, readFileCommand, readRecentFile } from "../../../lists/xt-recent-file.js";
import { familyWords, quoted } from "../../../lists/words.js";
import type { SetCommand } from "../../../nft/set-commands.js";
import type { JsonMessage } from "../../../report/json.js";
import { visible, visibleJson } from "../../../report/visible.js";
import { writeFileAtomically } from "../../output.js";
import { orFailure, readText, usualMaxInput } from "../../read-file.js";
import type { ExitStatus, Surroundings } from "../../surroundings.js";
import { messageText, tell } from "../../telling.js";
import { change, findList, kernelClock, listNamed, withLists, type Reading, type TableSettings } from "./kernel.js";
import type { ChangeForm, ListsAction, ListsSettings } from "./options.js";

type EditAction = Extract<ListsAction, { readonly kind: "add" | "remove" | "clear" | "write" | "save" | "restore" | "import" }>;

export async function edit(settings: ListsSettings, action: EditAction, surroundings: Surroundings): Promise<ExitStatus> {
  const messages: JsonMessage[] = [];
  const reading = await withLists(settings);
  switch (action.kind) {
    case "save":
      await writeFileAtomically(action.file, saveLists(reading.lists, Date.now() - elapsed(reading)));
      return 0;
    case "write":
      await writeCommands(settings, action.list, action.commands);
      return 0;
    case "restore": {
      await change(restoring(reading, readSavedLists(readText(action.file, usualMaxInput), action.file), messages));
      break;
    }
    case "import": {
      const files = action.files.flatMap(filesOf);
      if (files.length === 0) throw new Failure("there is no file of a list");
      const contents = files.map((file) => ({ file, text: readText(file, usualMaxInput) }));
      const clock = await kernelClock();
      const wanted = contents.map(({ file, text }) => ({
        name: basename(file),
        hosts: readRecentFile(text, file).map((host) => ({
          address: host.address,
          ttl: host.ttl,
          count: host.stamps.length,
          ages: agesOf(host, clock),
        })),
      }));
      await change(takeOver(reading, wanted, messages));
      break;
    }
    default:
      return changeHosts(settings, action, reading, messages, surroundings);
  }
  await tell(messages.map(messageText).join(""), surroundings);
  return messages.some(({ severity }) => severity === "warning") ? 1 : 0;
}

async function changeHosts(
  settings: ListsSettings,
  action: HostAction & ChangeForm,
  reading: Reading,
  messages: JsonMessage[],
  surroundings: Surroundings,
): Promise<ExitStatus> {
  const changes = changesFor(reading, action, messages);
  const changed = changesAny(reading, action, changes);
  if (!action.dryRun) await change(changes);
  const status = messages.some(({ severity }) => severity === "warning") ? 1 : 0;
  if (action.format !== "json") {
    if (action.dryRun) messages.push({ severity: "note", message: changed ? "this would be changed" : "nothing would be changed" });
    await tell(messages.map(messageText).join(""), surroundings);
    return status;
  }
  const after = changed && !action.dryRun ? await withLists(settings) : reading;
  const list = listNamed(after, action.list);
  const hosts = action.kind === "clear" ? hostsOf(list) : action.addresses.flatMap((text) => hostAt(list, text) ?? []);
  const { kind, dryRun } = action;
  const answer = { version: 1, action: kind, list: list.name, changed, dryRun, hosts: hosts.map(hostJson), messages };
  await surroundings.writeOutput(`${visibleJson(JSON.stringify(answer, undefined, 2))}\n`);
  return status;
}

function hostAt(list: List, text: string): Host | undefined {
  const { side, address } = placeOf(list, text);
  return hostOf(side, address);
}

/** Whether anybody could see afterwards that something was done: sets are also told to forget who is not on them. */
function changesAny(reading: Reading, action: HostAction, changes: readonly TableChange[]): boolean {
  const list = listNamed(reading, action.list);
  switch (action.kind) {
    case "add":
      return changes.some(({ commands }) => commands.length > 0);
    case "remove":
      return action.addresses.some((text) => hostAt(list, text) !== undefined);
    case "clear":
      return hostsOf(list).length > 0;
  }
}

/** Whether every rule that asks the list finds the host: it is over all limits, and on it where that is all that is asked. */
const isOverAll = (host: Host | undefined): boolean => host !== undefined && host.answers.every(({ holds }) => holds);

/** Milliseconds since the lists were read. */
const elapsed = ({ at }: Reading): number => performance.now() - at;

type Unformed<Action> = Action extends unknown ? Omit<Action, keyof ChangeForm> : never;
type HostAction = Unformed<Extract<EditAction, { readonly kind: "add" | "remove" | "clear" }>>;

/** What a command of a user does. Throws a Failure for what it cannot. */
export function changesFor(reading: Reading, action: HostAction, messages: JsonMessage[]): TableChange[] {
  const list = listNamed(reading, action.list);
  if (action.kind === "clear") return clearList(list);
  const listed = visible(list.name);
  const places = action.addresses.map((text) => {
    const { masked, ...place } = placeOf(list, text);
    if (masked) messages.push({ severity: "note", message: `the list "${listed}" keeps ${text} as ${place.address}` });
    return place;
  });
  if (action.kind === "remove")
    return places.map(({ side, address }) => {
      if (!hostOf(side, address)) messages.push({ severity: "note", message: `${address} is not on the list "${listed}"` });
      return { table: side.table, commands: takeHost(side, address) };
    });
  const changed = new ChangedHosts(reading);
  for (const { side, address } of places) {
    if (action.unlessOver && isOverAll(hostOf(side, address))) {
      messages.push({ severity: "note", message: `${address} is over every limit of the list "${listed}" already` });
      continue;
    }
    changed.put(side, withHits(changed.host(side, address), address, action.hits === "over" ? hitsOverLimit(side) : action.hits));
  }
  return changed.changes((side, { address }, commands) => {
    if (side.stores.some(({ store }) => store.kind === "limit") && !commands.some(({ kind }) => kind === "add"))
      messages.push({
        severity: "warning",
        message: `the list "${listed}" is written as a rate, which cannot record a single hit of ${address}: --over bans it`,
      });
  });
}

/** Hosts as they are to be. The same one may come several times, and by a mask two may be one. */
class ChangedHosts {
  private readonly hosts = new Map<ListSide, Map<string, HostState>>();

  constructor(private readonly reading: Reading) {}

  /** Undefined where it is not on the list. */
  host(side: ListSide, address: string): HostState | undefined {
    const known = this.hosts.get(side)?.get(address);
    const host = known ?? hostOf(side, address);
    if (known || !host) return known;
    const more = elapsed(this.reading);
    return { ...host, ttl: host.ttl ?? 0, ages: host.ages.map((age) => age + more) };
  }

  put(side: ListSide, state: HostState): void {
    const ofSide = this.hosts.get(side) ?? new Map<string, HostState>();
    this.hosts.set(side, ofSide.set(state.address, state));
  }

  /** @param made is told the commands of each host */
  changes(made?: (side: ListSide, host: HostState, commands: readonly SetCommand[]) => void): TableChange[] {
    return [...this.hosts].map(([side, hosts]) => ({
      table: side.table,
      commands: [...hosts.values()].flatMap((host) => {
        const commands = putHost(side, host);
        made?.(side, host, commands);
        return commands;
      }),
    }));
  }
}

/** Does with each text what the kernel's file does with it; each is a transaction. Throws a Failure for what the file refuses. */
export async function writeCommands(settings: TableSettings, name: string, texts: readonly string[]): Promise<void> {
  const commands = texts.map((text) => {
    const command = readFileCommand(text);
    if (!command) throw new Failure(`"${visible(text)}" is no command of a list: +ADDRESS, -ADDRESS or / is`);
    return command;
  });
  for (const command of commands) {
    const reading = await withLists(settings);
    const list = listNamed(reading, name);
    if (command.kind === "clear") {
      await change(clearList(list));
      continue;
    }
    const { side, address } = placeOf(list, command.address, true);
    if (command.kind === "remove") {
      await change([{ table: side.table, commands: takeHost(side, address) }]);
      continue;
    }
    const changed = new ChangedHosts(reading);
    changed.put(side, withHits(changed.host(side, address), address, 1));
    await change(changed.changes());
  }
}

/** Puts saved hosts back. Throws a Failure for hits that are still to come. */
export function restoring(reading: Reading, saved: readonly SavedList[], messages: JsonMessage[]): TableChange[] {
  const now = Date.now();
  const later = saved.flatMap(({ hosts }) => hosts).find(({ stamps }) => stamps.some((stamp) => stamp > now + 60_000));
  if (later) throw new Failure(`${later.address} was seen after now by this machine's clock: set the clock first`);
  const wanted = saved.map(({ name, hosts }) => ({
    name,
    hosts: hosts.map((host) => ({ ...host, ages: host.stamps.map((stamp) => Math.max(0, now - stamp)) })),
  }));
  return takeOver(reading, wanted, messages);
}

interface WantedList {
  readonly name: string;
  readonly hosts: readonly HostState[];
}

/** Puts hosts with hits that are known from elsewhere beside those that the lists hold. */
function takeOver(reading: Reading, wanted: readonly WantedList[], messages: JsonMessage[]): TableChange[] {
  const leftOut = (hosts: readonly HostState[], reason: string): void => {
    const count = `its ${hosts.length} host${hosts.length === 1 ? " is" : "s are"}`;
    if (hosts.length > 0) messages.push({ severity: "warning", message: `${reason}: ${count} left out` });
  };
  const changed = new ChangedHosts(reading);
  for (const { name, hosts } of wanted) {
    const list = findList(reading, name);
    if (!list) leftOut(hosts, `no list ${quoted(name)} is loaded`);
    else
      for (const family of families) {
        const side = list.sides.find((one) => one.family === family);
        const ofFamily = hosts.filter(({ address }) => address.includes(":") === (family === "ipv6"));
        if (!side) leftOut(ofFamily, `the list "${visible(list.name)}" has no rules for ${familyWords[family]}`);
        else
          for (const host of ofFamily) {
            const { address } = placeOf(list, host.address, true);
            changed.put(side, joined(changed.host(side, address), { ...host, address }));
          }
      }
  }
  return changed.changes();
}

/** A file, or those of a folder. */
function filesOf(path: string): string[] {
  return orFailure(path, () =>
    statSync(path).isDirectory()
      ? readdirSync(path)
          .sort()
          .map((name) => join(path, name))
      : [path],
  );
}
