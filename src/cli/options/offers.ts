/** What may stand where an option or an argument takes a value, for those who complete the words of a command line. */

import type { Argument, Option } from "commander";

export type Offer =
  /** Only the user knows. */
  | "nothing"
  | "files"
  | "folders"
  /** Names of programs. */
  | "programs"
  /** Names of the lists of the firewall that runs. */
  | "lists"
  | Words;

export interface Words {
  readonly words: readonly string[];
  /** Stands between several of them. */
  readonly separator?: ",";
  /** Stands behind one of them, and a file behind that. */
  readonly beforeFile?: "=";
}

/** By the names of values in the help. */
const offers: Readonly<Record<string, Offer>> = {
  FILE: "files",
  PATH: "files",
  PREFIX: "files",
  DIR: "folders",
  DIRECTORY: "folders",
  LIST: "lists",
};

const ofTheirOwn = new WeakMap<Option | Argument, Offer>();

/** Says what may stand there where the name of the value does not say it. */
export function offering<Value extends Option | Argument>(value: Value, offer: Offer): Value {
  ofTheirOwn.set(value, offer);
  return value;
}

/** What may stand as the value; `name` is that of the value in the help. */
export function offerOf(value: Option | Argument, name: string): Offer {
  return ofTheirOwn.get(value) ?? (value.argChoices ? { words: value.argChoices } : (offers[name] ?? "nothing"));
}
