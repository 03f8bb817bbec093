/** The options of `lists pipes`. */

import { InvalidArgumentError, Option, type Command } from "commander";
import type { Shown } from "../../command.js";

export interface PipeSettings {
  readonly directory: string;
  /** Names or numbers; undefined: those of this process. */
  readonly owner: string | undefined;
  readonly group: string | undefined;
  readonly mode: number;
}

export function addPipeOptions(command: Command): Command {
  return command
    .option("--owner <USER>", "who owns the pipes, by name or number (default: who starts this)")
    .option("--group <GROUP>", "their group, by name or number")
    .addOption(
      new Option("--mode <MODE>", "their mode, in octal: who may write changes the firewall").argParser(mode).default(0o200, "0200"),
    );
}

addPipeOptions.details = `\
Each pipe takes a command in each line: +ADDRESS, -ADDRESS or /. What it does not understand is told on standard error, and ignored. A list
of the table that comes later gets its pipe within some seconds. The pipes are removed at the end.

Example:
  ipt2nft-recent lists pipes --owner fail2ban --mode 0600 /run/xt_recent`;

function mode(text: string): number {
  const value = /^0?[0-7]{3}$/.test(text) ? parseInt(text, 8) : NaN;
  if (Number.isNaN(value)) throw new InvalidArgumentError("it must be a mode of three octal digits, such as 0620");
  if ((value & 0o002) !== 0) throw new InvalidArgumentError("everybody could change the firewall; give the pipes a group");
  return value;
}

export function pipeSettings(command: Command): PipeSettings | Shown {
  const { owner, group, mode: bits } = command.opts<{ readonly owner?: string; readonly group?: string; readonly mode: number }>();
  return { directory: command.args[0]!, owner, group, mode: bits };
}
