/** What the page and its workers say to each other: plain data. */

import type { Diagnostic } from "../diagnostic.js";
import type { Outcome } from "../translate.js";
import type { PlaygroundState, TextName } from "./state.js";

export type Request =
  | { readonly kind: "translate"; readonly state: PlaygroundState }
  | { readonly kind: "search"; readonly state: PlaygroundState; /** For all lists. */ readonly milliseconds: number }
  | { readonly kind: "review"; readonly state: PlaygroundState }
  | { readonly kind: "pack"; readonly state: PlaygroundState }
  | { readonly kind: "unpack"; readonly fragment: string };

/** A request with a number, which its answers carry. */
export interface Numbered<Message> {
  readonly number: number;
  readonly message: Message;
}

export interface Translated {
  readonly kind: "translated";
  /** Undefined if the input is no ruleset, or an option is not what it must be. */
  readonly script: string | undefined;
  /** Where each line of the script begins, and where one behind the last would. */
  readonly lineStarts: Uint32Array;
  readonly outcome: Outcome;
  /** `12 rules: 11 exact, 1 approximated, 0 refused`, or what is wrong. */
  readonly summary: string;
  readonly messages: readonly Message[];
  /** Messages that are not among them. */
  readonly moreMessages: number;
}

/** A diagnostic with the line that it blames. */
export interface Message extends Diagnostic {
  /** Which text it is about; undefined where none is. */
  readonly text: TextName | undefined;
  /** The line before, at, and behind the words that are blamed; undefined where there is none. */
  readonly excerpt: readonly [before: string, blamed: string, after: string] | undefined;
}

/** Which line of which text became which lines of the script. */
export interface Linked {
  readonly kind: "linked";
  /** Three numbers for each: the text's place in `textNames`, its line, the line of the script; lines from 1. */
  readonly links: Int32Array;
  readonly lists: readonly ListInWords[];
}

export interface ListInWords {
  readonly sentence: string;
  readonly form: string;
  readonly places: readonly { readonly text: TextName | undefined; readonly line: number }[];
}

export interface Searched {
  readonly kind: "searched";
  readonly verdict: "equal" | "different" | "unknown";
  readonly summary: string;
  readonly lists: readonly SearchedList[];
}

export interface SearchedList {
  readonly title: string;
  readonly verdict: Searched["verdict"];
  readonly effort: string;
  readonly notes: readonly string[];
  /** HTML of a timeline, as the review page has it: every text in it is escaped. */
  readonly timeline: string | undefined;
}

export type Answer =
  | Translated
  | Linked
  | Searched
  /** One whole page. */
  | { readonly kind: "reviewed"; readonly html: string; readonly headline: string }
  | { readonly kind: "packed"; readonly fragment: string }
  | { readonly kind: "unpacked"; readonly state: PlaygroundState }
  /** What is asked cannot be done: a whole sentence. */
  | { readonly kind: "failed"; readonly reason: string };
