/** How a dump is translated, as all commands take it. */

import { InvalidArgumentError, Option, type Command } from "commander";
import { dispensableParts, type KernelPartName } from "../../nft/kernel-parts.js";
import { largestSet, longestMemory } from "../../nft/set-size.js";
import { tableNameFault } from "../../nft/table-name.js";
import { isOlder, isVersion, oldestNft } from "../../nft/versions.js";
import { usualMaxInput } from "../read-file.js";
import { offering } from "./offers.js";
import { translationDefaults, type TranslationSettings } from "./translation-settings.js";
import { duration, several, wholeNumber } from "./words.js";

interface RawTranslationOptions {
  readonly table: string;
  readonly ipv4?: true;
  readonly ipv6?: true;
  readonly recent: TranslationSettings["recent"];
  readonly setSize: number;
  readonly forgetAfter?: number;
  readonly ipset?: readonly string[];
  readonly geoip?: readonly string[];
  readonly inet?: true;
  readonly optimize?: true;
  readonly targetNft?: string;
  readonly without?: readonly KernelPartName[];
  readonly maxInput: number;
}

/** Declares the options of `TranslationSettings`. */
export function addTranslationOptions(command: Command): Command {
  return command
    .addOption(
      new Option("--table <NAME>", "name of the nft table")
        .argParser(tableName)
        .default(translationDefaults.table, translationDefaults.table),
    )
    .addOption(new Option("--ipv4", "the dumps are iptables', whatever they look like").conflicts("ipv6"))
    .addOption(new Option("--ipv6", "the dumps are ip6tables', whatever they look like").conflicts("ipv4"))
    .addOption(
      new Option("--recent <FORM>", "how hit counts of -m recent are written")
        .choices(["exact", "ban", "limit", "auto"])
        .default(translationDefaults.recent, translationDefaults.recent),
    )
    .addOption(
      new Option("--set-size <N>", "hosts that the set of a recent list may hold")
        .argParser(wholeNumber(1, largestSet))
        .default(translationDefaults.setSize, String(translationDefaults.setSize)),
    )
    .addOption(
      new Option(
        "--forget-after <DURATION>",
        "take hosts off lists that are asked without --seconds after so long without a hit, such as 30d or 12h",
      ).argParser(duration(longestMemory)),
    )
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
    .option("--optimize", "bring rules together in sets and maps where that decides the same and costs packets less")
    .addOption(new Option("--target-nft <VERSION>", "replace or refuse what this version of nft cannot load").argParser(nftVersion))
    .addOption(
      offering(
        new Option(
          "--without <PARTS>",
          "refuse rules that need what the kernel lacks, such as queue or tproxy,socket (--check names it); " +
            `any of ${dispensableParts.join(", ")}`,
        ).argParser(kernelParts),
        { words: dispensableParts, separator: "," },
      ),
    );
}

const megabyte = 1024 * 1024;
/** Megabytes: a string of V8 holds no more. */
const mostMegabytes = 511;

/** Declares `--max-input`. */
export function addInputOption(command: Command): Command {
  const whole = wholeNumber(1, mostMegabytes, "a number of megabytes");
  return command.addOption(
    new Option("--max-input <MB>", "refuse files with more megabytes")
      .argParser((text) => whole(text) * megabyte)
      .default(usualMaxInput, String(usualMaxInput / megabyte)),
  );
}

/** The options that `addTranslationOptions` and `addInputOption` declared, once the words are read. */
export function translationSettings(command: Command): TranslationSettings {
  const {
    table,
    ipv4,
    ipv6,
    recent,
    setSize: size,
    forgetAfter,
    ipset = [],
    geoip = [],
    inet,
    optimize,
    targetNft,
    without = [],
    maxInput,
  } = command.opts<RawTranslationOptions>();
  return {
    ipsets: ipset,
    geoip,
    table,
    family: ipv4 ? "ipv4" : ipv6 ? "ipv6" : undefined,
    recent,
    setSize: size,
    forgetAfter,
    ...(inet && { inet }),
    ...(optimize && { optimize }),
    targetNft,
    without,
    maxInput,
  };
}

function tableName(text: string): string {
  const fault = tableNameFault(text);
  if (fault !== undefined) throw new InvalidArgumentError(fault);
  return text;
}

/** Names with commas between them; those of several options count together. */
function kernelParts(text: string, before: readonly KernelPartName[] = []): readonly KernelPartName[] {
  const parts = text.split(",").map((word) => {
    const part = dispensableParts.find((name) => name === word);
    if (part === undefined) throw new InvalidArgumentError(`${JSON.stringify(word)} is none of ${dispensableParts.join(", ")}`);
    return part;
  });
  return [...new Set([...before, ...parts])];
}

export function nftVersion(text: string): string {
  if (!isVersion(text)) throw new InvalidArgumentError("it must be a version, such as 1.0.6");
  if (isOlder(text, oldestNft)) throw new InvalidArgumentError(`the oldest nft that loads a script is ${oldestNft}`);
  return text;
}
