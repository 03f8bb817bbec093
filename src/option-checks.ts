/** What the options of a translation may be: asked by `translate` of those that a program gives, and of those in the files of a corpus. */

import { dispensableParts } from "./nft/kernel-parts.js";
import { largestSet, longestMemory } from "./nft/set-size.js";
import { tableNameFault } from "./nft/table-name.js";
import { isOlder, isVersion, oldestNft } from "./nft/versions.js";
import type { Source, TranslateOptions } from "./translate.js";

/** What a value must be, in words, where it is not; undefined if nothing is wrong with it. */
export type OptionCheck = (value: unknown) => string | undefined;

const truth: OptionCheck = (value) => (typeof value === "boolean" ? undefined : "true or false");
const oneOf =
  (...choices: readonly string[]): OptionCheck =>
  (value) =>
    typeof value === "string" && choices.includes(value) ? undefined : choices.map((choice) => JSON.stringify(choice)).join(" or ");

/** Of the options that are plain values, by name. */
export const optionChecks: Readonly<Record<keyof Omit<TranslateOptions, "ipsets" | "geoip" | "replaces">, OptionCheck>> = {
  counters: truth,
  family: oneOf("ipv4", "ipv6"),
  forgetAfter: (value) => wholeNumberFault(value, 1, longestMemory, " of seconds"),
  inet: truth,
  keepSets: truth,
  optimize: truth,
  origins: truth,
  recent: oneOf("auto", "exact", "limit", "ban"),
  setSize: (value) => wholeNumberFault(value, 1, largestSet),
  table: (value) => {
    const fault = typeof value === "string" ? tableNameFault(value) : undefined;
    return typeof value === "string" && fault === undefined ? undefined : `the name of a table${fault === undefined ? "" : ` (${fault})`}`;
  },
  targetNft: (value) =>
    typeof value === "string" && isVersion(value) && !isOlder(value, oldestNft) ? undefined : `a version of nft from "${oldestNft}" on`,
  without: (value) =>
    Array.isArray(value) && value.every((part) => (dispensableParts as readonly unknown[]).includes(part))
      ? undefined
      : `a list of parts of the kernel (${dispensableParts.map((part) => JSON.stringify(part)).join(", ")})`,
};

/** What a number must be that is none of these. */
export function wholeNumberFault(value: unknown, least: number, most: number, unit = ""): string | undefined {
  return Number.isInteger(value) && Number(value) >= least && Number(value) <= most
    ? undefined
    : `a whole number${unit} from ${least} to ${most}`;
}

/** Throws a `RangeError` that names the option and its value. */
export function checkOptions(options: TranslateOptions): void {
  if (!isRecord(options)) throw fault("options", "an object", options);
  for (const [name, check] of Object.entries(optionChecks)) {
    const value = options[name as keyof typeof optionChecks];
    const wanted = value === undefined ? undefined : check(value);
    if (wanted !== undefined) throw fault(name, wanted, value);
  }
  const { geoip, ipsets, replaces } = options;
  if (replaces !== undefined && typeof replaces !== "string") throw fault("replaces", "a text", replaces);
  if (geoip !== undefined && typeof geoip !== "function") throw fault("geoip", "a function", geoip);
  if (ipsets !== undefined) checkSources("ipsets", ipsets as readonly Source[]);
}

/** Throws a `RangeError` unless it is an array of texts with the names of their files; `name` is what it is called. */
export function checkSources(name: string, sources: readonly Source[]): void {
  if (!Array.isArray(sources)) throw fault(name, "an array", sources);
  for (const [index, source] of (sources as readonly unknown[]).entries()) {
    const place = `${name}[${index}]`;
    if (!isRecord(source)) throw fault(place, "an object with file and text", source);
    if (typeof source["file"] !== "string") throw fault(`${place}.file`, "a string", source["file"]);
    if (typeof source["text"] !== "string") throw fault(`${place}.text`, "a string", source["text"]);
    const wanted = source["family"] === undefined ? undefined : optionChecks.family(source["family"]);
    if (wanted !== undefined) throw fault(`${place}.family`, wanted, source["family"]);
  }
}

/** The error of an option that is not what it must be. */
export function fault(name: string, wanted: string, value: unknown): RangeError {
  return new RangeError(`${JSON.stringify(name)} must be ${wanted}, not ${shown(value)}`);
}

/** Characters of a value that a complaint shows. */
const mostShown = 80;

/** A value for a complaint: as JSON where it is a plain one, else what it is. */
export function shown(value: unknown): string {
  if (typeof value === "string") return JSON.stringify(value.length > mostShown ? `${value.slice(0, mostShown)}…` : value);
  if (Array.isArray(value) && value.length > 0 && value.length < 10 && value.every((part) => typeof part === "string"))
    return `[${value.map(shown).join(", ")}]`;
  if (typeof value === "object" && value !== null) return Array.isArray(value) ? "an array" : "an object";
  return typeof value === "bigint"
    ? `${value}n`
    : typeof value === "function" || typeof value === "symbol"
      ? `a ${typeof value}`
      : String(value);
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null;
}
