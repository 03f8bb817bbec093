/** What the command and its subcommands share in reading their words. */

import { Command, CommanderError, InvalidArgumentError, Option } from "commander";
import type { Family } from "../iptables/ast.js";
import { tableNameFault } from "../nft/table-name.js";
import { isOlder, isVersion, oldestNft } from "../nft/versions.js";
import type { Source, TranslateOptions } from "../translate.js";

/** A text to show instead of a run: help, version or what is wrong with the arguments. */
export interface Shown {
  readonly text: string;
  readonly error: boolean;
}

/** Reads the words behind the command's name; prints nothing. */
export function readWords(command: Command, words: readonly string[]): Shown | undefined {
  let shown = "";
  let complaint = "";
  command.exitOverride().configureOutput({
    writeOut: (text) => (shown += text),
    writeErr: (text) => (complaint += text),
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
  return undefined;
}

export function usageError(text: string): Shown {
  return { text: `${text.trimEnd()}\n(--help lists the options)`, error: true };
}

/** What is wrong if a file would be read twice. */
export function repeatedFile(files: readonly string[]): Shown | undefined {
  const repeated = files.find((file, index) => files.indexOf(file) < index);
  return repeated === undefined
    ? undefined
    : usageError(`${repeated === "-" ? "standard input" : JSON.stringify(repeated)} is given twice`);
}

/** How a dump is translated, as the command and all subcommands take it. */
export interface TranslationSettings {
  /** Paths of `ipset save` files. */
  readonly ipsets: readonly string[];
  /** Paths of folders of xt_geoip, or of CSV files. */
  readonly geoip: readonly string[];
  readonly table: string;
  readonly family: Family | undefined;
  readonly recent: "auto" | "exact" | "limit";
  /** Elements. */
  readonly setSize: number;
  /** One table for both families. */
  readonly inet?: true;
  /** Version; any if absent. */
  readonly targetNft: string | undefined;
}

interface RawTranslationOptions {
  readonly table: string;
  readonly ipv4?: true;
  readonly ipv6?: true;
  readonly recent: TranslationSettings["recent"];
  readonly setSize: number;
  readonly ipset?: readonly string[];
  readonly geoip?: readonly string[];
  readonly inet?: true;
  readonly targetNft?: string;
}

/** Declares the options of `TranslationSettings`. */
export function addTranslationOptions(command: Command): Command {
  return command
    .addOption(new Option("--table <NAME>", "name of the nft table").argParser(tableName).default("ipt2nft", "ipt2nft"))
    .addOption(new Option("--ipv4", "the dumps are iptables', whatever they look like").conflicts("ipv6"))
    .addOption(new Option("--ipv6", "the dumps are ip6tables', whatever they look like").conflicts("ipv4"))
    .addOption(
      new Option("--recent <FORM>", "how hit counts of -m recent are written").choices(["exact", "limit", "auto"]).default("auto", "auto"),
    )
    .addOption(new Option("--set-size <N>", "hosts that the set of a recent list may hold").argParser(setSize).default(65535, "65535"))
    .addOption(
      new Option("--ipset <FILE>", "what `ipset save` prints, for rules with -m set; may be given several times").argParser(several),
    )
    .addOption(
      new Option(
        "--geoip <PATH>",
        "the addresses of countries, for rules with -m geoip: /usr/share/xt_geoip, or a CSV file; may be given several times",
      ).argParser(several),
    )
    .option("--inet", "one inet table for IPv4 and IPv6: what both have in common stands once")
    .addOption(new Option("--target-nft <VERSION>", "replace or refuse what this version of nft cannot load").argParser(nftVersion));
}

/** The options that `addTranslationOptions` declared, once the words are read. */
export function translationSettings(command: Command): TranslationSettings {
  const { table, ipv4, ipv6, recent, setSize: size, ipset = [], geoip = [], inet, targetNft } = command.opts<RawTranslationOptions>();
  return {
    ipsets: ipset,
    geoip,
    table,
    family: ipv4 ? "ipv4" : ipv6 ? "ipv6" : undefined,
    recent,
    setSize: size,
    ...(inet && { inet }),
    targetNft,
  };
}

/** The same for the library; the ipset files are read by now, and those of `--geoip` are read here. Throws a Failure. */
export async function translateOptions(
  { table, recent, setSize: size, family, targetNft, inet, geoip: paths }: TranslationSettings,
  ipsets: readonly Source[],
): Promise<TranslateOptions> {
  // The reader is a part of its own, which costs others no time at their start.
  const geoip = paths.length === 0 ? undefined : (await import("./geoip.js")).readGeoip(paths);
  return {
    table,
    recent,
    setSize: size,
    ...(inet && { inet }),
    ...(ipsets.length > 0 && { ipsets }),
    ...(family && { family }),
    ...(targetNft !== undefined && { targetNft }),
    ...(geoip && { geoip }),
  };
}

function several(path: string, before: readonly string[] | undefined): readonly string[] {
  return [...(before ?? []), path];
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
