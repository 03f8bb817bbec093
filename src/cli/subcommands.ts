/** The subcommands; each is loaded only when it is asked for, since translating must start fast. */

import type { ExitStatus, Surroundings } from "./run.js";

export interface Subcommand {
  readonly name: string;
  /** One line for the help. */
  readonly summary: string;
  /** Loads the function that runs the subcommand on the words behind its name. */
  load(): Promise<(words: readonly string[], surroundings: Surroundings) => Promise<ExitStatus>>;
}

export const subcommands: readonly Subcommand[] = [
  {
    name: "simulate",
    summary: "search for traffic that the translation decides otherwise, in virtual time",
    load: async () => (await import("./simulate.js")).simulate,
  },
  {
    name: "verify",
    summary: "play packets made for the ruleset through both firewalls on this kernel",
    load: async () => (await import("./verify.js")).verify,
  },
  {
    name: "review",
    summary: "say in words what a ruleset, or a change of one, does",
    load: async () => (await import("./review.js")).review,
  },
  {
    name: "corpus",
    summary: "keep a folder of rulesets as regression tests",
    load: async () => (await import("./corpus.js")).corpus,
  },
];
