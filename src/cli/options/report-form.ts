/** How a report is shown, as all commands take it. */

import { Option, type Command } from "commander";
import type { Shown } from "../command.js";
import { usageError } from "./words.js";

/** What --format may be where a command has no more formats. */
export const plainFormats = ["text", "json"] as const;

/** Declares `--format` and `--json`. */
export function addFormatOptions(command: Command, formats: readonly string[], what: string): Command {
  return command
    .addOption(new Option("--format <FORMAT>", `form of the ${what}`).choices(formats).default("text", "text"))
    .option("--json", "the same as --format json");
}

/** Declares `--color` and `--no-color`. */
export function addColorOptions(command: Command, what: string): Command {
  return command
    .option("--color", `colour the ${what} (default: on a terminal, unless NO_COLOR is set)`)
    .option("--no-color", `never colour the ${what}`);
}

/** The format asked for by `--format` or `--json`, or what is wrong if they ask for two. */
export function formatOf<Format extends string>(command: Command): Format | Shown {
  const { format, json } = command.opts<{ readonly format: Format; readonly json?: true }>();
  if (!json || format === "json") return format;
  if (command.getOptionValueSource("format") === "cli") return usageError(`--json and --format ${format} ask for different reports`);
  // What has --json has this format.
  return "json" as Format;
}

/** Whether to colour; undefined where the command line does not say. */
export function colorOf(command: Command): boolean | undefined {
  return command.opts<{ readonly color?: boolean }>().color;
}
