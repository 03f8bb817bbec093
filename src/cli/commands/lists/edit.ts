/** Changes of lists. */

import { readdirSync, statSync } from "node:fs";
import { basename, join } from "node:path";

import { Failure } from "../../../failure.js";
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
import { hostOf } from "../../../lists/hosts.js";
import type { List } from "../../../lists/lists.js";
import { readSavedLists, saveLists, type SavedList } from "../../../lists/saved-lists.js";
import { agesOf, readFileCommand, readRecentFile } from "../../../lists/xt-recent-file.js";
import type { JsonMessage } from "../../../report/json.js";
import { labelName } from "../../../rewrite/recent/set-label.js";
import { writeFileAtomically } from "../../output.js";
import { orFailure, readText, usualMaxInput } from "../../read-file.js";
import type { ExitStatus, Surroundings } from "../../surroundings.js";
import { messageText, tell } from "../../telling.js";
import { change, kernelClock, listNamed, withLists, type Reading, type TableSettings } from "./kernel.js";
import type { ListsAction, ListsSettings } from "./options.js";

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
      await change(changesFor(reading, action, messages));
  }
  await tell(messages.map(messageText).join(""), surroundings);
  return messages.some(({ severity }) => severity === "warning") ? 1 : 0;
}

/** Milliseconds since the lists were read. */
const elapsed = ({ at }: Reading): number => performance.now() - at;

type HostAction = Extract<EditAction, { readonly kind: "add" | "remove" | "clear" }>;

/** What a command of a user does. Throws a Failure for what it cannot. */
export function changesFor(reading: Reading, action: HostAction, messages: JsonMessage[]): TableChange[] {
  const list = listNamed(reading, action.list);
  if (action.kind === "clear") return clearList(list);
  return action.addresses.flatMap((text): TableChange[] => {
    const { side, address, masked } = placeOf(list, text);
    if (masked) messages.push({ severity: "note", message: `the list "${list.name}" keeps ${text} as ${address}` });
    const host = hostOf(side, address);
    if (action.kind === "remove") {
      if (!host) messages.push({ severity: "note", message: `${address} is not on the list "${list.name}"` });
      return [{ table: side.table, commands: takeHost(side, address) }];
    }
    const hits = action.hits === "over" ? hitsOverLimit(side) : action.hits;
    const state = older(withHits(host, address, 0), reading);
    const added = { ...state, ages: [...Array.from({ length: hits }, () => 0), ...state.ages], count: state.count + hits };
    const commands = putHost(side, added);
    if (side.stores.some(({ store }) => store.kind === "limit") && !commands.some(({ kind }) => kind === "add"))
      messages.push({
        severity: "warning",
        message: `the list "${list.name}" is written as a rate, which cannot record a single hit of ${address}: --over bans it`,
      });
    return [{ table: side.table, commands }];
  });
}

function older(state: HostState, reading: Reading): HostState {
  const more = elapsed(reading);
  return { ...state, ages: state.ages.map((age) => age + more) };
}

/** Does with each text what the kernel's file does with it; each is a transaction. Throws a Failure for what the file refuses. */
export async function writeCommands(settings: TableSettings, name: string, texts: readonly string[]): Promise<void> {
  const commands = texts.map((text) => {
    const command = readFileCommand(text);
    if (!command) throw new Failure(`"${text}" is no command of a list: +ADDRESS, -ADDRESS or / is`);
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
    const host = hostOf(side, address);
    const after = withHits(host && { ...host, ages: host.ages.map((age) => age + elapsed(reading)) }, address, 1);
    await change([{ table: side.table, commands: command.kind === "remove" ? takeHost(side, address) : putHost(side, after) }]);
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
  const missing = wanted.filter(({ name, hosts }) => hosts.length > 0 && !isLoaded(reading, name));
  for (const { name, hosts } of missing)
    messages.push({
      severity: "warning",
      message: `no list "${name}" is loaded: its ${hosts.length} host${hosts.length === 1 ? " is" : "s are"} left out`,
    });
  return wanted
    .filter(({ name }) => isLoaded(reading, name))
    .flatMap(({ name, hosts }) => {
      const list = listNamed(reading, name);
      return list.sides.map((side) => ({
        table: side.table,
        commands: hosts
          .filter(({ address }) => address.includes(":") === (side.family === "ipv6"))
          .flatMap((host) => {
            const { address } = placeOf(list, host.address, true);
            const present = hostOf(side, address);
            const known = present && { ...present, ages: present.ages.map((age) => age + elapsed(reading)) };
            return putHost(side, joined(known, { ...host, address }));
          }),
      }));
    });
}

function isLoaded({ lists }: Reading, name: string): boolean {
  const key = labelName(name);
  return lists.some((list: List) => list.key === key || list.name === name);
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
