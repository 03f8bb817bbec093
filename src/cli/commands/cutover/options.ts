/** The command line of `cutover` as data. */

import { posix } from "node:path";
import { Command, InvalidArgumentError, Option } from "commander";
import type { Parsed, SharedSettings } from "../../command.js";
import { addColorOptions, addFormatOptions, colorOf, formatOf, plainFormats } from "../../options/report-form.js";
import type { TranslationSettings } from "../../options/translation-settings.js";
import { addInputOption, addTranslationOptions, translationSettings } from "../../options/translation.js";
import { duration, readWords, repeatedFile, several, usageError, wholeNumber } from "../../options/words.js";

interface Common extends SharedSettings {
  /** Path. */
  readonly stateDirectory: string;
  readonly format: (typeof plainFormats)[number];
}

export interface ChangeSettings extends Common, TranslationSettings {
  readonly action: "plan" | "start";
  readonly files: readonly string[];
  /** Seconds. */
  readonly confirmWithin: number;
  /** Rules that may be lost. */
  readonly acceptedLoss: number;
  /** Dumps that the rules of this machine must be those of; any rules where there are none. */
  readonly reviewed: readonly string[];
  /** Leave chains in which live programs have rules to iptables. */
  readonly leaveToOwners: boolean;
  /** Do not end before it is decided. */
  readonly wait: boolean;
}

export interface ConfirmSettings extends Common {
  readonly action: "confirm";
  /** A command of the shell that proves that the machine can be reached. */
  readonly probe: string | undefined;
  /** Path. */
  readonly persist: string | undefined;
}

export interface PlainSettings extends Common {
  readonly action: "undo" | "status";
}

export type CutoverSettings = ChangeSettings | ConfirmSettings | PlainSettings;

export const usualStateDirectory = "/var/lib/ipt2nft-recent";

/** What stands behind `cutover`, in the order of the help. */
export const cutoverActions = {
  plan: { files: true, summary: "say what would happen; changes nothing" },
  start: { files: true, summary: "change from iptables to nftables, and change back unless it is confirmed" },
  confirm: { files: false, summary: "keep the new firewall; from a connection opened after the change" },
  undo: { files: false, summary: "back to the old firewall, confirmed or not" },
  status: { files: false, summary: "what is decided, and which firewall the kernel has" },
} as const;
type CutoverAction = keyof typeof cutoverActions;

const examples = `
Actions:
${Object.entries(cutoverActions)
  .map(([name, { files, summary }]) => `  ${`${name}${files ? " [FILE…]" : ""}`.padEnd(17)}${summary}`)
  .join("\n")}

Examples:
  ipt2nft-recent cutover plan
  ipt2nft-recent cutover start --confirm-within 5m
  ipt2nft-recent cutover confirm --persist /etc/nftables.conf
  ipt2nft-recent cutover confirm --probe 'ssh admin@198.51.100.7 ssh 192.0.2.1 true'

Exit status:
  0  it is as was asked for, whether or not that took a change
  1  it is not: rules would be lost, the change failed and was taken back, or the
     confirmation was refused
  2  bad input or usage, or the machine lacks something; nothing was changed
`;

const longestConfirmation = 86400;

/** Plain, so that a unit of systemd and a shell read it as it is. */
function statePath(text: string): string {
  const path = posix.normalize(text).replace(/\/$/, "");
  if (!/^(?:\/[A-Za-z0-9_.-]+)+$/.test(path)) throw new InvalidArgumentError("it must be an absolute path of letters, digits and . _ - /");
  return path;
}

function common(name: string): Command {
  const command = new Command(`ipt2nft-recent cutover ${name}`.trim()).addOption(
    new Option("--state-dir <DIR>", "where the change is remembered")
      .argParser(statePath)
      .default(usualStateDirectory, usualStateDirectory),
  );
  return addColorOptions(addFormatOptions(command, plainFormats, "answer"), "diagnostics");
}

/** The command line of an action, or of the command without one, before any word of it is read. */
export function buildCutoverCommand(action?: CutoverAction): Command {
  switch (action) {
    case "plan":
    case "start":
      return buildChange(action);
    case "confirm":
      return common("confirm")
        .usage("[options]")
        .description("Keeps the new firewall.")
        .option("--probe <COMMAND>", "in place of a new connection: a command of the shell that must succeed")
        .option("--persist <FILE>", "write the script there, for the machine to load when it starts");
    case "undo":
      return common("undo").usage("[options]").description("Goes back to the old firewall.");
    case "status":
      return common("status").usage("[options]").description("Says what is decided, and which firewall the kernel has.");
    case undefined:
      return common("")
        .usage("ACTION [options]")
        .description("Changes this machine from iptables to nftables, and back unless that is confirmed.\nNeeds root.")
        .addHelpText("after", examples);
  }
}

/** Reads the words behind the command's name; prints nothing. */
export function parseCutoverWords(words: readonly string[]): Parsed<CutoverSettings> {
  const [action, ...rest] = words;
  switch (action) {
    case "plan":
    case "start":
      return parseChange(action, rest);
    case "confirm":
      return parseConfirm(rest);
    case "undo":
    case "status":
      return parsePlain(action, rest);
    default: {
      const command = buildCutoverCommand();
      const shown = readWords(command, action === undefined ? ["--help"] : action.startsWith("-") ? words : []);
      return shown ?? usageError(`${JSON.stringify(action)} is no action: plan, start, confirm, undo or status`);
    }
  }
}

function commonSettings(command: Command): Parsed<Common> {
  const format = formatOf<Common["format"]>(command);
  if (typeof format === "object") return format;
  return { settings: { stateDirectory: command.opts<{ readonly stateDir: string }>().stateDir, format, color: colorOf(command) } };
}

function buildChange(action: ChangeSettings["action"]): Command {
  const command = common(action)
    .usage("[options] [FILE…]")
    .description(
      action === "plan"
        ? "Says what `cutover start` would do, and changes nothing."
        : "Takes a snapshot, arms the way back, loads the nft script in one transaction, takes the\n" +
            "old rules away, and goes back unless `cutover confirm` comes in time.",
    )
    .argument("[FILE...]", "dumps to make the new firewall of; the rules of this machine unless given")
    .addOption(
      new Option("--confirm-within <DURATION>", "go back unless it is confirmed within this time, such as 2m")
        .argParser(duration(longestConfirmation))
        .default(120, "2m"),
    )
    .addOption(
      new Option("--accept-loss <N>", "go on where up to N rules cannot be carried over")
        .argParser(wholeNumber(0, 1_000_000))
        .default(0, "0"),
    )
    .addOption(
      new Option(
        "--reviewed <FILE>",
        "go on only where the rules of this machine are those of this dump, but for counters; given once for each family",
      ).argParser(several),
    );
  command
    .option("--leave-to-owners", "leave the chains to iptables in which programs that run keep up rules, such as Docker (the default)")
    .option("--no-leave-to-owners", "take all rules away, whoever made them");
  if (action === "start") command.option("--wait", "end only when it is confirmed or taken back");
  return addInputOption(addTranslationOptions(command));
}

function parseChange(action: ChangeSettings["action"], words: readonly string[]): Parsed<ChangeSettings> {
  const command = buildChange(action);
  const shown = readWords(command, words);
  if (shown) return shown;
  const parsed = commonSettings(command);
  if (!("settings" in parsed)) return parsed;
  const translation = translationSettings(command);
  const {
    confirmWithin,
    acceptLoss,
    reviewed = [],
    leaveToOwners = true,
    wait,
  } = command.opts<{
    readonly confirmWithin: number;
    readonly acceptLoss: number;
    readonly reviewed?: readonly string[];
    readonly leaveToOwners?: boolean;
    readonly wait?: true;
  }>();
  const repeated = repeatedFile([...command.args, ...translation.ipsets]) ?? repeatedFile(reviewed);
  if (repeated) return repeated;
  return {
    settings: {
      ...translation,
      ...parsed.settings,
      action,
      files: command.args,
      confirmWithin,
      acceptedLoss: acceptLoss,
      reviewed,
      leaveToOwners,
      wait: wait ?? false,
    },
  };
}

function parseConfirm(words: readonly string[]): Parsed<ConfirmSettings> {
  const command = buildCutoverCommand("confirm");
  const shown = readWords(command, words);
  if (shown) return shown;
  const parsed = commonSettings(command);
  if (!("settings" in parsed)) return parsed;
  const { probe, persist } = command.opts<{ readonly probe?: string; readonly persist?: string }>();
  return { settings: { ...parsed.settings, action: "confirm", probe, persist } };
}

function parsePlain(action: PlainSettings["action"], words: readonly string[]): Parsed<PlainSettings> {
  const command = buildCutoverCommand(action);
  const shown = readWords(command, words);
  if (shown) return shown;
  const parsed = commonSettings(command);
  if (!("settings" in parsed)) return parsed;
  return { settings: { ...parsed.settings, action } };
}
