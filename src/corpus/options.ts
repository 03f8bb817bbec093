/** The options file of a case: the options of `translate`, without those that are files of their own. */

import { JsonFault, readJson, type JsonMember } from "../json-document.js";
import { largestSet, longestMemory } from "../nft/set-size.js";
import { tableNameFault } from "../nft/table-name.js";
import { isOlder, isVersion, oldestNft } from "../nft/versions.js";
import type { TranslateOptions } from "../translate.js";
import { CaseFault } from "./case-fault.js";

export type CaseOptions = Omit<TranslateOptions, "ipsets" | "geoip">;

/** What is wrong with a value; undefined if nothing is. */
type Check = (value: unknown) => string | undefined;

const truth: Check = (value) => (typeof value === "boolean" ? undefined : "true or false");
const oneOf =
  (...choices: readonly string[]): Check =>
  (value) =>
    typeof value === "string" && choices.includes(value) ? undefined : choices.map((choice) => JSON.stringify(choice)).join(" or ");

const checks: Readonly<Record<keyof CaseOptions, Check>> = {
  counters: truth,
  family: oneOf("ipv4", "ipv6"),
  forgetAfter: (value) =>
    Number.isInteger(value) && Number(value) >= 1 && Number(value) <= longestMemory
      ? undefined
      : `a whole number of seconds from 1 to ${longestMemory}`,
  inet: truth,
  keepSets: truth,
  origins: truth,
  recent: oneOf("auto", "exact", "limit"),
  setSize: (value) =>
    Number.isInteger(value) && Number(value) >= 1 && Number(value) <= largestSet ? undefined : `a whole number from 1 to ${largestSet}`,
  table: (value) => {
    const fault = typeof value === "string" ? tableNameFault(value) : undefined;
    return typeof value === "string" && fault === undefined ? undefined : `the name of a table${fault === undefined ? "" : ` (${fault})`}`;
  },
  targetNft: (value) =>
    typeof value === "string" && isVersion(value) && !isOlder(value, oldestNft) ? undefined : `a version of nft from "${oldestNft}" on`,
};

/** Reads an options file; `file` is for the message. Throws an CaseFault. */
export function readOptions(file: string, text: string): CaseOptions {
  const options: Record<string, unknown> = {};
  for (const { name, place, content } of membersOf(file, text)) {
    const check = Object.hasOwn(checks, name) ? checks[name as keyof CaseOptions] : undefined;
    if (check === undefined) {
      const known = Object.keys(checks)
        .map((one) => JSON.stringify(one))
        .join(", ");
      throw new CaseFault(file, place, `there is no option ${JSON.stringify(name)}; the options are ${known}`);
    }
    if (Object.hasOwn(options, name)) throw new CaseFault(file, place, `the option ${JSON.stringify(name)} is given twice`);
    const { value } = content;
    if (content.members || content.elements)
      throw new CaseFault(file, content.place, `${JSON.stringify(name)} cannot be a list or an object`);
    const wanted = check(value);
    if (wanted !== undefined)
      throw new CaseFault(file, content.place, `${JSON.stringify(name)} must be ${wanted}, not ${JSON.stringify(value)}`);
    options[name] = value;
  }
  return options;
}

function membersOf(file: string, text: string): readonly JsonMember[] {
  try {
    const { members, place } = readJson(text);
    if (members) return members;
    throw new CaseFault(file, place, "the options must be an object, as in { }");
  } catch (error) {
    if (error instanceof JsonFault) throw new CaseFault(file, error.place, error.message);
    throw error;
  }
}

/** The text of an options file. */
export function renderOptions(options: CaseOptions): string {
  return `${JSON.stringify(options, undefined, 2)}\n`;
}
