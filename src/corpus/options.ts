/** The options file of a case: the options of `translate`, without those that are files of their own. */

import { JsonFault, readJson, type JsonMember } from "../json-document.js";
import { optionChecks, shown } from "../option-checks.js";
import type { TranslateOptions } from "../translate.js";
import { CaseFault } from "./case-fault.js";

export type CaseOptions = Omit<TranslateOptions, "ipsets" | "geoip" | "replaces">;

/** Reads an options file; `file` is for the message. Throws an CaseFault. */
export function readOptions(file: string, text: string): CaseOptions {
  const options: Record<string, unknown> = {};
  for (const { name, place, content } of membersOf(file, text)) {
    const check = Object.hasOwn(optionChecks, name) ? optionChecks[name as keyof CaseOptions] : undefined;
    if (check === undefined) {
      const known = Object.keys(optionChecks)
        .map((one) => JSON.stringify(one))
        .join(", ");
      throw new CaseFault(file, place, `there is no option ${JSON.stringify(name)}; the options are ${known}`);
    }
    if (Object.hasOwn(options, name)) throw new CaseFault(file, place, `the option ${JSON.stringify(name)} is given twice`);
    const { value } = content;
    if (content.members) throw new CaseFault(file, content.place, `${JSON.stringify(name)} cannot be an object`);
    if (content.elements && name !== "without") throw new CaseFault(file, content.place, `${JSON.stringify(name)} cannot be a list`);
    const wanted = check(value);
    if (wanted !== undefined) throw new CaseFault(file, content.place, `${JSON.stringify(name)} must be ${wanted}, not ${shown(value)}`);
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
