/** The command line of `lists` as data. */

import { Command, InvalidArgumentError } from "commander";
import type { Parsed, SharedSettings } from "../../command.js";
import { addFormatOptions, formatOf, plainFormats } from "../../options/report-form.js";
import { readWords, usageError, wholeNumber } from "../../options/words.js";
import type { TableSettings } from "./kernel.js";
import { addPipeOptions, pipeSettings, type PipeSettings } from "./pipe-options.js";
import { addServeOptions, serveSettings, type ServeSettings } from "./serve-options.js";

export type ListFormat = "text" | "json" | "proc";

/** How a change is made and told. */
export interface ChangeForm {
  readonly format: ListFormat;
  /** Say what would change, and change nothing. */
  readonly dryRun: boolean;
}

/** What is to be done. */
export type ListsAction =
  | { readonly kind: "overview"; readonly format: ListFormat }
  | { readonly kind: "show"; readonly list: string; readonly format: ListFormat }
  | { readonly kind: "host"; readonly address: string; readonly format: ListFormat }
  | ({
      readonly kind: "add";
      readonly list: string;
      readonly addresses: readonly string[];
      readonly hits: number | "over";
      /** Leave hosts alone that are over every limit already. */
      readonly unlessOver: boolean;
    } & ChangeForm)
  | ({ readonly kind: "remove"; readonly list: string; readonly addresses: readonly string[] } & ChangeForm)
  | ({ readonly kind: "clear"; readonly list: string } & ChangeForm)
  | { readonly kind: "write"; readonly list: string; readonly commands: readonly string[] }
  | { readonly kind: "save"; readonly file: string }
  | { readonly kind: "restore"; readonly file: string }
  | { readonly kind: "import"; readonly files: readonly string[] }
  | { readonly kind: "watch"; readonly format: ListFormat; readonly interval: number }
  | ({ readonly kind: "pipes" } & PipeSettings)
  | ({ readonly kind: "serve" } & ServeSettings);

export interface ListsSettings extends SharedSettings, TableSettings {
  readonly action: ListsAction;
}

/** Where nothing is said. */
export const usualTable = "ipt2nft";

/** Hits that can be recorded at once: no form of a list looks at more. */
const mostHits = 255;

interface ActionDefinition {
  readonly usage: string;
  readonly summary: string;
  readonly details?: string;
  /** Adds arguments and options. */
  readonly build: (command: Command) => Command;
  readonly read: (command: Command) => ListsAction | { readonly text: string; readonly error: boolean };
}

const showFormats = ["text", "json", "proc"] as const;

const actions: Readonly<Record<ListsAction["kind"], ActionDefinition>> = {
  overview: {
    usage: "[options] | ACTION …",
    summary: "Shows and changes the lists of the firewall that runs.",
    details: "",
    build: (command) => addFormatOptions(command, plainFormats, "lists"),
    read: (command) => withFormat(command, (format) => ({ kind: "overview", format })),
  },
  show: {
    usage: "[options] LIST",
    summary: "shows the hosts of a list: their hits, when they were seen last, whether they are over the limit and until when",
    details: "With --format proc the hosts are printed as /proc/net/xt_recent/LIST prints them; with json, times are in milliseconds.",
    build: (command) => addFormatOptions(command.argument("<LIST>"), showFormats, "hosts"),
    read: (command) => withFormat(command, (format) => ({ kind: "show", list: command.args[0]!, format })),
  },
  host: {
    usage: "[options] ADDRESS",
    summary: "says which lists and sets hold an address; the exit status is 1 if none does",
    build: (command) => addFormatOptions(command.argument("<ADDRESS>"), plainFormats, "answer"),
    read: (command) => withFormat(command, (format) => ({ kind: "host", address: command.args[0]!, format })),
  },
  add: {
    usage: "[options] LIST ADDRESS…",
    summary: "records a hit of each host",
    details: "A host that is on the list gets one more hit, as if a packet of it had met the rule with --set.",
    build: (command) =>
      addChangeOptions(command.argument("<LIST>").argument("<ADDRESS...>"))
        .option("--hits <COUNT>", "so many hits at once", wholeNumber(1, mostHits))
        .option("--over", "as many hits as put the host over every limit of the list")
        .option("--unless-over", "leave a host as it is that is over every limit of the list already"),
    read: (command) => {
      const {
        hits,
        over,
        unlessOver = false,
      } = command.opts<{ readonly hits?: number; readonly over?: true; readonly unlessOver?: true }>();
      if (hits !== undefined && over) return usageError("--hits and --over say different numbers of hits");
      const [list = "", ...addresses] = command.args;
      return withChangeForm(command, (form) => ({
        kind: "add",
        list,
        addresses,
        hits: over ? "over" : (hits ?? 1),
        unlessOver,
        ...form,
      }));
    },
  },
  remove: {
    usage: "[options] LIST ADDRESS…",
    summary: "takes hosts off a list",
    build: (command) => addChangeOptions(command.argument("<LIST>").argument("<ADDRESS...>")),
    read: (command) =>
      withChangeForm(command, (form) => ({ kind: "remove", list: command.args[0]!, addresses: command.args.slice(1), ...form })),
  },
  clear: {
    usage: "[options] LIST",
    summary: "takes all hosts off a list",
    build: (command) => addChangeOptions(command.argument("<LIST>")),
    read: (command) => withChangeForm(command, (form) => ({ kind: "clear", list: command.args[0]!, ...form })),
  },
  write: {
    usage: "[options] LIST COMMAND…",
    summary: "does what /proc/net/xt_recent/LIST does with the same text: +ADDRESS, -ADDRESS or / (also a bare address, and clear)",
    details: "The list's mask is not applied to the address, as the kernel does not.",
    build: (command) => command.argument("<LIST>").argument("<COMMAND...>").passThroughOptions().allowUnknownOption(),
    read: (command) => ({ kind: "write", list: command.args[0]!, commands: command.args.slice(1) }),
  },
  save: {
    usage: "[options] FILE",
    summary: "writes the hosts of all lists to a file, with the times of their hits",
    build: (command) => command.argument("<FILE>"),
    read: (command) => ({ kind: "save", file: command.args[0]! }),
  },
  restore: {
    usage: "[options] FILE",
    summary: "puts the hosts of such a file back, beside those that are there; hits keep their times",
    build: (command) => command.argument("<FILE>"),
    read: (command) => ({ kind: "restore", file: command.args[0]! }),
  },
  import: {
    usage: "[options] FILE…",
    summary: "takes over the hosts of /proc/net/xt_recent, of some of its files, or of copies of them; hits keep their times",
    details: "Each file is for the list of its name. Copies must be of the same start of this machine: the kernel counts from there.",
    build: (command) => command.argument("<FILE...>"),
    read: (command) => ({ kind: "import", files: command.args }),
  },
  watch: {
    usage: "[options]",
    summary: "prints what comes and goes, until it is stopped",
    build: (command) =>
      addFormatOptions(command, plainFormats, "changes").option("--interval <SECONDS>", "time between two looks", seconds, 1),
    read: (command) => {
      const { interval } = command.opts<{ readonly interval: number }>();
      return withFormat(command, (format) => ({ kind: "watch", format, interval }));
    },
  },
  pipes: {
    usage: "[options] DIRECTORY",
    summary: "keeps a named pipe for each list that takes what /proc/net/xt_recent/LIST took, until it is stopped",
    details: addPipeOptions.details,
    build: (command) => addPipeOptions(command.argument("<DIRECTORY>")),
    read: (command) => {
      const settings = pipeSettings(command);
      return "text" in settings ? settings : { kind: "pipes", ...settings };
    },
  },
  serve: {
    usage: "[options]",
    summary: "serves a page with the lists, until it is stopped",
    details: addServeOptions.details,
    build: (command) => addServeOptions(command),
    read: (command) => {
      const settings = serveSettings(command);
      return "text" in settings ? settings : { kind: "serve", ...settings };
    },
  },
};

function seconds(text: string): number {
  const value = /^[0-9]{1,5}(?:\.[0-9]{1,3})?$/.test(text) ? Number(text) : NaN;
  if (!(value >= 0.1)) throw new InvalidArgumentError("it must be a number of seconds of at least 0.1");
  return value;
}

function withFormat(
  command: Command,
  action: (format: ListFormat) => ListsAction,
): ListsAction | { readonly text: string; readonly error: boolean } {
  const format = formatOf<ListFormat>(command);
  return typeof format === "string" ? action(format) : format;
}

function addChangeOptions(command: Command): Command {
  return addFormatOptions(command, plainFormats, "answer").option("--dry-run", "say what would change, and change nothing");
}

function withChangeForm(
  command: Command,
  action: (form: ChangeForm) => ListsAction,
): ListsAction | { readonly text: string; readonly error: boolean } {
  const { dryRun = false } = command.opts<{ readonly dryRun?: true }>();
  return withFormat(command, (format) => action({ format, dryRun }));
}

/** What stands behind `lists`, in the order of the help. */
export const listsActions: readonly ListsAction["kind"][] = (Object.keys(actions) as ListsAction["kind"][]).filter(
  (name) => name !== "overview",
);

/** The command line of an action before any word of it is read. */
export function buildListsCommand(name: ListsAction["kind"]): Command {
  const { usage, summary, details, build: add } = actions[name];
  const longest = Math.max(...listsActions.map((other) => other.length));
  const command = new Command(name === "overview" ? "ipt2nft-recent lists" : `ipt2nft-recent lists ${name}`)
    .usage(usage)
    .description(summary.charAt(0).toUpperCase() + summary.slice(1).replace(/\.?$/, "."))
    .option("--table <NAME>", "the nft table that holds the lists", tableName, usualTable)
    .option("--script <FILE>", "the script that was loaded, where it was made for an nft without comments of sets");
  if (name === "overview") {
    const lines = listsActions.map((other) => `  ${other.padEnd(longest)}  ${actions[other].summary}\n`).join("");
    command.addHelpText("after", `\nActions (each has its own --help):\n${lines}${exitStatus}`);
  } else command.addHelpText("after", `${details ? `\n${details}\n` : ""}${exitStatus}`);
  return add(command);
}

const exitStatus = `
The lists are found by the comments of the sets in the table; the firewall is for root to read and change.

Exit status:
  0  it is done
  1  a part is not: a list of the file is not in the table, or nothing holds the address asked for
  2  bad usage, or the machine lacks something; nothing is changed
`;

function tableName(text: string): string {
  if (!/^[A-Za-z_][A-Za-z0-9_.-]{0,254}$/.test(text)) throw new InvalidArgumentError("a table has a name of letters, digits, _ . and -");
  return text;
}

/** Reads the words behind `lists`; prints nothing. */
export function parseListsWords(words: readonly string[]): Parsed<ListsSettings> {
  const [first] = words;
  const isAction = first !== undefined && first !== "overview" && Object.hasOwn(actions, first);
  if (first !== undefined && !first.startsWith("-") && !isAction) {
    return usageError(`"${first}" is no action of lists: ${listsActions.join(", ")}`);
  }
  const name = isAction ? (first as ListsAction["kind"]) : "overview";
  const command = buildListsCommand(name);
  const shown = readWords(command, isAction ? words.slice(1) : words);
  if (shown) return shown;
  if (name === "overview" && command.args.length > 0) return usageError(`"${command.args[0]}" is not understood`);
  const action = actions[name].read(command);
  if ("text" in action) return action;
  const { table, script } = command.opts<{ readonly table: string; readonly script?: string }>();
  return { settings: { action, table, script, color: undefined } };
}
