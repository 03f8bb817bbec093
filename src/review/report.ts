/**
 * What a review says, as data: `review` makes it, one renderer per format shows it, and `--format json` is it.
 *
 * Text in it is plain: renderers escape it for their format.
 */

import type { Severity, Span } from "../diagnostic.js";
import type { ChangeTimeline, Timeline } from "../simulate/timeline.js";

export interface ReviewReport {
  readonly version: 1;
  readonly tool: { readonly name: string; readonly version: string };
  /**
   * `safe`: nothing that needs a look; `look`: findings that somebody must judge; `not-equivalent`: the script does not
   * decide as the rules do, or cannot be made.
   */
  readonly verdict: "safe" | "look" | "not-equivalent";
  /** One sentence that says it, with the number of things to look at. */
  readonly headline: string;
  readonly inputs: readonly ReviewInput[];
  /** The recent lists, of the new ruleset, and those only the old one has. */
  readonly lists: readonly ListReview[];
  /** Rules added, removed, moved or changed; empty for a single dump. */
  readonly changes: readonly Change[];
  /** Traffic that gets through now and did not before, in words; empty for a single dump. */
  readonly opens: readonly Effect[];
  /** Traffic that got through before and does not now. */
  readonly closes: readonly Effect[];
  /** Traffic that is let through as before, and sent or altered otherwise. */
  readonly alters: readonly Effect[];
  /** Changes of which it was not worked out what they do. */
  readonly unjudged: readonly Effect[];
  /** Sorted by severity, then place. Suppressed ones are here, too. */
  readonly findings: readonly Finding[];
  /** Every rule of the new dump beside its nft. */
  readonly rows: readonly Row[];
  /** Unified diff of the nft script: old dump's to new dump's, or committed script's to made script's; empty if equal or single. */
  readonly scriptDiff: string;
}

export interface ReviewInput {
  readonly role: "old" | "new" | "script";
  readonly file: string;
  /** What git calls the version read, for `--base-ref`. */
  readonly ref?: string;
  /** How a script was compared with the one made from the dumps: "rule by rule, as nft lists it". */
  readonly compared?: string;
}

export interface ListReview {
  readonly name: string;
  /** "SSH: 4 hits in 60 s from one address are dropped". */
  readonly sentence: string;
  readonly status: "unchanged" | "added" | "removed" | "changed";
  /** "window shortened from 60 s to 10 s, so an attacker gets 6 times the attempts". */
  readonly change?: string;
  /** Whether the change, if any, lets more or less through. */
  readonly direction?: Change["direction"];
  /** How exactly nft does it: "exact", "approximated: …", "refused: …". */
  readonly form: string;
  /** What a search for traffic that nft decides otherwise came to; absent where none was made. */
  readonly searched?: string;
  readonly rules: readonly Span[];
}

export interface Change {
  /** `contents`: a set of ipset holds other elements; the rule is the first that asks for it. */
  readonly kind: "added" | "removed" | "moved" | "changed" | "policy" | "contents";
  readonly table: string;
  readonly chain: string;
  readonly family: "ipv4" | "ipv6";
  /** The rule as written, in the old and the new dump. */
  readonly before?: { readonly text: string; readonly span: Span };
  readonly after?: { readonly text: string; readonly span: Span };
  /** What it means, in words. */
  readonly meaning: string;
  /** `alters`: decided alike, and marked or sent otherwise; `unjudged`: not worked out. */
  readonly direction: "opens" | "closes" | "both" | "neither" | "alters" | "unjudged";
}

export interface Effect {
  /** "TCP to port 23 from anywhere to this machine". */
  readonly sentence: string;
  /** One packet that shows it: "TCP 192.0.2.7:40000 to 198.51.100.1:23, in by eth0, state NEW". */
  readonly example?: string;
  readonly span: Span;
  /** The lists of `recent` whose answers are part of it; absent where there are none. */
  readonly lists?: readonly string[];
  /** The shortest traffic found that shows what a list has to do with it, from empty lists on. */
  readonly timeline?: ChangeTimeline;
}

export interface Finding {
  /** From the translator's catalogue or the review's own. */
  readonly code: string;
  readonly severity: Severity;
  readonly span: Span;
  /** Lower case, no full stop. */
  readonly message: string;
  readonly help?: string;
  /** The line it blames, as written, without its end; absent where no input has it. */
  readonly source?: string;
  /** By content, not by line: hexadecimal, the same when the rule moves. */
  readonly fingerprint: string;
  /** It was there before the change; absent where nothing is compared, and for findings about the change. */
  readonly unchanged?: true;
  readonly suppressed?: { readonly by: "inline" | "baseline"; readonly reason?: string };
  /** The shortest traffic that shows it. */
  readonly timeline?: Timeline;
}

/** One rule of the dump and what becomes of it. */
export interface Row {
  readonly span: Span;
  readonly table: string;
  readonly chain: string;
  readonly family: "ipv4" | "ipv6";
  readonly original: string;
  /** Lines of the script, without indentation; empty if the rule is not in it. */
  readonly nft: readonly string[];
  /** The line of the script where each of them stands, from 1. */
  readonly scriptLines: readonly number[];
  readonly notes: readonly string[];
  /** Indices into `findings`. */
  readonly findings: readonly number[];
  /** What a change did to the rule; absent if nothing. */
  readonly change?: "added" | "moved" | "changed";
}
