/** What ends a run and can be mended by its user: an unreadable file, a wrong value, a machine that lacks something. */

import type { Diagnostic } from "./diagnostic.js";

/** A reason to end without a result; the message is for the user as it is. Any other error is a fault of ours. */
export class Failure extends Error {}

/** The input is no ruleset, or the script no script. */
export class InvalidInput extends Failure {
  /** The diagnostics, if there are any, say more than the message, and point into the sources. */
  constructor(
    message: string,
    readonly diagnostics: readonly Diagnostic[] = [],
    readonly sources: readonly { readonly file: string; readonly text: string }[] = [],
  ) {
    super(message);
  }
}
