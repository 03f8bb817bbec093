/** What is outside of the command. */

import type { translate } from "../translate.js";

/** Everything outside the command that it touches, but for files and nft. */
export interface Surroundings {
  readonly translate: typeof translate;
  /** Says that very much code is about to run some thousand times. */
  readonly optimizeSparingly?: () => void;
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Standard input to its end, or somewhat more than `limit` bytes of it. */
  readInput(limit: number): Promise<Uint8Array>;
  inputIsTerminal(): Promise<boolean>;
  writeOutput(text: string | Uint8Array): Promise<void>;
  writeError(text: string): Promise<void>;
  outputIsTerminal(): Promise<boolean>;
  /** In columns; undefined if standard output is not a terminal. */
  outputWidth(): Promise<number | undefined>;
  errorIsTerminal(): Promise<boolean>;
  /** In columns; undefined if standard error is not a terminal. */
  errorWidth(): Promise<number | undefined>;
}

/** 0: all is well; 1: something was found, as each command's help says; 2: bad input or usage; above: stopped by a signal, 130 Ctrl-C. */
export type ExitStatus = 0 | 1 | 2 | 129 | 130 | 143;
