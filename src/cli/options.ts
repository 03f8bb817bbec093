/** The command line as data. */

import { Command, CommanderError, InvalidArgumentError, Option } from "commander";
import type { Family } from "../iptables/ast.js";
import { isOlder, isVersion, oldestNft } from "../nft/versions.js";
import { tableNameFault } from "./table-name.js";
import { version } from "./version.js";

export interface Settings {
  readonly files: readonly string[];
  /** Paths of `ipset save` files. */
  readonly ipsets: readonly string[];
  /** Path; standard output if absent. */
  readonly output: string | undefined;
  readonly table: string;
  readonly family: Family | undefined;
  readonly recent: "auto" | "exact" | "limit";
  /** Elements. */
  readonly setSize: number;
  readonly keepSets: boolean;
  readonly counters: boolean;
  /** One table for both families. */
  readonly inet?: true;
  /** Version; any if absent. */
  readonly targetNft: string | undefined;
  readonly strict: boolean;
  readonly check: boolean;
  readonly format: "text" | "json";
  readonly color: boolean | undefined;
}

/** Settings, or a text to show instead of a run: help, version or what is wrong with the arguments. */
export type ParsedArguments = { readonly settings: Settings } | { readonly text: string; readonly error: boolean };

const examples = `
Examples:
  iptables-save | ipt2nft-recent > rules.nft
  iptables-save -c | ipt2nft-recent --check --strict -o rules.nft && nft -f rules.nft
  ipt2nft-recent /etc/iptables/rules.v4 /etc/iptables/rules.v6 -o rules.nft
  ipset save > sets.ipset; ipt2nft-recent --ipset sets.ipset rules.v4 -o rules.nft
  ipt2nft-recent --recent limit --format json rules.v4 > rules.nft 2> report.json

Exit status:
  0  every rule was carried over (with --strict: exactly)
  1  some rule was not: it stands as a comment in the script, and a warning says
     what that opens or closes
  2  bad input or usage; no script was written
`;

interface RawOptions {
  readonly output?: string;
  readonly table: string;
  readonly ipv4?: true;
  readonly ipv6?: true;
  readonly recent: Settings["recent"];
  readonly setSize: number;
  readonly keepSets?: true;
  readonly counters: boolean;
  readonly ipset?: readonly string[];
  readonly inet?: true;
  readonly targetNft?: string;
  readonly strict?: true;
  readonly check?: true;
  readonly format: Settings["format"];
  readonly color?: boolean;
}

function tableName(text: string): string {
  const fault = tableNameFault(text);
  if (fault !== undefined) throw new InvalidArgumentError(fault);
  return text;
}

/** The kernel counts a set's elements in 32 bits. */
const largestSet = 0xffff_ffff;

function setSize(text: string): number {
  const size = /^[0-9]{1,10}$/.test(text) ? Number(text) : 0;
  if (size < 1 || size > largestSet) throw new InvalidArgumentError(`it must be a number from 1 to ${largestSet}`);
  return size;
}

function nftVersion(text: string): string {
  if (!isVersion(text)) throw new InvalidArgumentError("it must be a version, such as 1.0.6");
  if (isOlder(text, oldestNft)) throw new InvalidArgumentError(`the oldest nft that loads a script is ${oldestNft}`);
  return text;
}

function build(): Command {
  return new Command("ipt2nft-recent")
    .usage("[options] [FILE…]")
    .description(
      "Translates what iptables-save prints into one nft script that decides every packet\n" +
      "as before, -m recent included. The script goes to standard output, diagnostics to\n" +
      "standard error. Nothing on this machine is changed.")
    .argument("[FILE...]", "dumps, or scripts of plain commands; IPv4 and IPv6 together make one script; \"-\" or none is standard input")
    .option("-o, --output <FILE>", "write the script to FILE, all of it or nothing (\"-\" is standard output)")
    .addOption(new Option("--table <NAME>", "name of the nft table").argParser(tableName).default("ipt2nft", "ipt2nft"))
    .addOption(new Option("--ipv4", "the dumps are iptables', whatever they look like").conflicts("ipv6"))
    .addOption(new Option("--ipv6", "the dumps are ip6tables', whatever they look like").conflicts("ipv4"))
    .addOption(new Option("--recent <FORM>", "how hit counts of -m recent are written")
      .choices(["exact", "limit", "auto"]).default("auto", "auto"))
    .addOption(new Option("--set-size <N>", "hosts that the set of a recent list may hold")
      .argParser(setSize).default(65535, "65535"))
    .option("--keep-sets", "keep the contents of the sets when the script is loaded again")
    .addOption(new Option("--ipset <FILE>", "what `ipset save` prints, for rules with -m set; may be given several times")
      .argParser((file: string, before: readonly string[] | undefined) => [...(before ?? []), file]))
    .option("--inet", "one inet table for IPv4 and IPv6: what both have in common stands once")
    .option("--no-counters", "leave out packet and byte counters")
    .addOption(new Option("--target-nft <VERSION>", "replace or refuse what this version of nft cannot load").argParser(nftVersion))
    .option("--strict", "exit status 1 also if a rule was carried over only approximately")
    .option("--check", "ask nft whether it accepts the script, without loading it")
    .addOption(new Option("--format <FORMAT>", "form of the diagnostics").choices(["text", "json"]).default("text", "text"))
    .option("--color", "colour diagnostics (default: on a terminal, unless NO_COLOR is set)")
    .option("--no-color", "never colour diagnostics")
    .version(version, "-V, --version", "print the version")
    .helpOption("-h, --help", "print this help")
    .addHelpText("after", examples);
}

/** Reads the arguments behind the command's name; prints nothing. */
export function parseArguments(words: readonly string[]): ParsedArguments {
  let shown = "";
  let complaint = "";
  const command = build()
    .exitOverride()
    .configureOutput({
      writeOut: (text) => shown += text,
      writeErr: (text) => complaint += text,
      getOutHelpWidth: () => 100,
      getErrHelpWidth: () => 100,
    });
  try {
    command.parse(words, { from: "user" });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    if (error.exitCode === 0) return { text: shown, error: false };
    return usageError((complaint || error.message).replace(/^error: /, ""));
  }
  const { output, ipv4, ipv6, keepSets, inet, ipset = [], strict, check, ...options } = command.opts<RawOptions>();
  const files = command.args;
  const read = [...files, ...ipset];
  const repeated = read.find((file, index) => read.indexOf(file) < index);
  if (repeated !== undefined) {
    return usageError(`${repeated === "-" ? "standard input" : JSON.stringify(repeated)} is given twice`);
  }
  return {
    settings: {
      files,
      ipsets: ipset,
      output: output === "-" ? undefined : output,
      table: options.table,
      family: ipv4 ? "ipv4" : ipv6 ? "ipv6" : undefined,
      recent: options.recent,
      setSize: options.setSize,
      keepSets: keepSets ?? false,
      counters: options.counters,
      ...(inet && { inet }),
      targetNft: options.targetNft,
      strict: strict ?? false,
      check: check ?? false,
      format: options.format,
      color: options.color,
    },
  };
}

function usageError(text: string): ParsedArguments {
  return { text: `${text.trimEnd()}\n(--help lists the options)`, error: true };
}
