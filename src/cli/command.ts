/** What a command is to the shell that runs it. */

import type { ExitStatus, Surroundings } from "./surroundings.js";

/** A text to show instead of a run: help, version or what is wrong with the arguments. */
export interface Shown {
  readonly text: string;
  readonly error: boolean;
}

/** What the words of a command line mean. */
export type Parsed<Settings> = { readonly settings: Settings } | Shown;

/** What every command can be told. */
export interface SharedSettings {
  /** Whether to colour; undefined where the command line does not say. */
  readonly color: boolean | undefined;
}

/** One command. */
export interface CommandDefinition<Settings extends SharedSettings> {
  /** Reads the words behind the command's name; touches nothing, and prints nothing. */
  parse(words: readonly string[]): Parsed<Settings>;
  /** Everything is written when the promise is kept. Throws what `run` tells of: a Failure, or a fault of ours. */
  run(settings: Settings, surroundings: Surroundings): Promise<ExitStatus>;
}
