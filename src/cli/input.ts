/** Reading what is to be translated. */

import type { Family } from "../iptables/ast.js";
import type { JsonMessage } from "../report/json.js";
import type { Source, TranslateOptions } from "../translate.js";
import type { TranslationSettings } from "./options/translation-settings.js";
import { decode, readBytes, tooLarge } from "./read-file.js";
import type { Surroundings } from "./surroundings.js";

/** How standard input is called in diagnostics. */
const standardInputName = "<stdin>";

type Input = Pick<Surroundings, "readInput" | "inputIsTerminal" | "writeError">;

/** The files of a command line, read. */
export interface Given {
  readonly sources: readonly Source[];
  readonly ipsets: readonly Source[];
  /** The settings with the contents of the files that they name. */
  readonly options: TranslateOptions;
}

/** Reads the dumps, the sets and the countries; what is worth a note is added to the messages. Throws a Failure. */
export async function readGiven(
  files: readonly string[],
  settings: TranslationSettings,
  messages: JsonMessage[],
  input: Input,
): Promise<Given> {
  const sources = await readSources(files, settings, messages, input);
  return { sources, ...(await readOptions(settings, messages, input)) };
}

/** Reads the sets and the countries alone. Throws a Failure. */
export async function readOptions(settings: TranslationSettings, messages: JsonMessage[], input: Input): Promise<Omit<Given, "sources">> {
  const ipsets = await readIpsets(settings, messages, input);
  return { ipsets, options: await translateOptions(settings, ipsets) };
}

/** Reads the files of `--ipset`. Throws a Failure. */
export async function readIpsets({ ipsets, maxInput }: TranslationSettings, messages: JsonMessage[], input: Input): Promise<Source[]> {
  return ipsets.length === 0 ? [] : readSources(ipsets, { maxInput }, messages, input);
}

async function translateOptions(settings: TranslationSettings, ipsets: readonly Source[]): Promise<TranslateOptions> {
  const { table, recent, setSize, forgetAfter, family, targetNft, without, inet, optimize, geoip: paths, maxInput } = settings;
  // The reader is a part of its own, which costs others no time at their start.
  const geoip = paths.length === 0 ? undefined : (await import("./geoip.js")).readGeoip(paths, maxInput);
  return {
    table,
    recent,
    setSize,
    ...(forgetAfter !== undefined && { forgetAfter }),
    ...(inet && { inet }),
    ...(optimize && { optimize }),
    ...(ipsets.length > 0 && { ipsets }),
    ...(family && { family }),
    ...(targetNft !== undefined && { targetNft }),
    ...(without.length > 0 && { without }),
    ...(geoip && { geoip }),
  };
}

/**
 * Reads the files, each of at most `maxInput` bytes, in order, `-` being standard input; no file at all means standard input too. Throws
 * a Failure.
 */
export async function readSources(
  files: readonly string[],
  { family, maxInput }: { readonly family?: Family | undefined; readonly maxInput: number },
  messages: JsonMessage[],
  input: Input,
): Promise<Source[]> {
  const sources: Source[] = [];
  for (const name of files.length === 0 ? ["-"] : files) {
    const file = name === "-" ? standardInputName : name;
    const bytes = name === "-" ? await readInput(input, maxInput) : readBytes(name, maxInput, folderHelp);
    const { text, encoding } = decode(bytes);
    if (encoding === "latin1") {
      messages.push({ severity: "note", message: `${file} is not valid UTF-8 and was read as ISO 8859-1` });
    }
    sources.push(family ? { file, text, family } : { file, text });
  }
  return sources;
}

/** What becomes of a folder that is given in the place of a dump. */
const folderHelp =
  "; each machine is translated by itself (ipt2nft-recent host.v4 host.v6 -o host.nft), and ipt2nft-recent fleet 'FOLDER/**/*.v?' " +
  "--out SCRIPTS makes x.nft of each x.v4 and x.v6 in a folder";

async function readInput(input: Input, limit: number): Promise<Uint8Array> {
  if (await input.inputIsTerminal()) {
    await input.writeError("ipt2nft-recent: reading an iptables-save dump from the terminal; Ctrl-D ends it, --help says more\n");
  }
  const bytes = await input.readInput(limit);
  if (bytes.byteLength > limit) throw tooLarge("standard input", limit);
  return bytes;
}
