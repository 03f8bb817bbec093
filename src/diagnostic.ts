/**
 * Diagnostics: one typed catalogue of everything the translator can say about an input.
 *
 * A code is stable: people suppress and baseline by it.
 */

/** A stretch of one input line. Lines and columns count from 1; `length` is in characters. */
export interface Span {
  readonly file: string;
  readonly line: number;
  readonly column: number;
  readonly length: number;
  /** The last line of a rule that runs over several. */
  readonly endLine?: number;
}

export type Severity = "error" | "warning" | "note";

/**
 * What a diagnostic means for the translation:
 * `invalid` the input is not a ruleset iptables-restore would load; `refused` a rule is not in the script;
 * `approximated` a rule is in the script but does not decide every packet as before; `noted` the verdicts are the same.
 */
export type Effect = "invalid" | "refused" | "approximated" | "noted";

interface CatalogueEntry {
  readonly effect: Effect;
  readonly title: string;
  /** It shows only with hosts that `simulate` and `verify` never send or begin with: what they find has another cause. */
  readonly notPlayed?: true;
}

export const catalogue = {
  // the input is not a ruleset
  "unclosed-quote": { effect: "invalid", title: "a double quote is opened and never closed" },
  "invalid-character": { effect: "invalid", title: "a control character in the input" },
  "line-too-long": { effect: "invalid", title: "a word or line longer than iptables-restore reads" },
  "outside-table": { effect: "invalid", title: "a line that must stand between `*table` and `COMMIT`" },
  "malformed-line": { effect: "invalid", title: "a line that is none of comment, table, chain, rule or COMMIT" },
  "unknown-table": { effect: "invalid", title: "a table iptables does not have" },
  "missing-commit": { effect: "invalid", title: "a table without COMMIT" },
  "nft-already": { effect: "invalid", title: "an nft script in the place of a dump" },
  "no-table": { effect: "invalid", title: "an input without any table" },
  "undeclared-chain": { effect: "invalid", title: "a rule for, or a jump to, a chain that the table does not have" },
  "duplicate-chain": { effect: "invalid", title: "a chain declared twice" },
  "invalid-chain-name": { effect: "invalid", title: "a chain name iptables does not accept" },
  "invalid-policy": { effect: "invalid", title: "a policy iptables does not accept" },
  "invalid-counters": { effect: "invalid", title: "packet and byte counters that are not `[packets:bytes]`" },
  "unknown-option": { effect: "invalid", title: "an option that no match or target in the rule has" },
  "ambiguous-option": { effect: "invalid", title: "an abbreviation of more than one option" },
  "repeated-option": { effect: "invalid", title: "an option given twice" },
  "missing-argument": { effect: "invalid", title: "an option without its argument" },
  "unexpected-argument": { effect: "invalid", title: "a word that belongs to no option" },
  "not-invertible": { effect: "invalid", title: "`!` before an option that cannot be inverted" },
  "invalid-value": { effect: "invalid", title: "a value out of range or of the wrong form" },
  "conflicting-options": { effect: "invalid", title: "options that exclude each other" },
  "missing-option": { effect: "invalid", title: "a match or target without an option it needs" },
  "invalid-placement": { effect: "invalid", title: "a match or target in a table, chain or protocol where it is not allowed" },
  "invalid-command": { effect: "invalid", title: "a command that cannot stand in a ruleset" },
  "chain-loop": { effect: "invalid", title: "chains that jump in a circle" },
  "mixed-families": { effect: "invalid", title: "IPv4 and IPv6 in one table" },

  "unknown-ipset": { effect: "invalid", title: "a set that no line before creates" },
  "duplicate-ipset": { effect: "invalid", title: "a set created twice, differently" },
  "shell-construct": { effect: "invalid", title: "something in a script that only a shell can work out" },
  "shell-command": { effect: "invalid", title: "a command in a script that may change rules in a way not known here" },

  // a rule is not in the script
  "ipset-missing": { effect: "refused", title: "a set that no `ipset save` file holds: it is empty in the script" },
  "unknown-match": { effect: "refused", title: "a match this translator does not know" },
  "unknown-target": { effect: "refused", title: "a target this translator does not know" },
  "untranslatable-match": { effect: "refused", title: "a match without an nft equivalent" },
  "untranslatable-target": { effect: "refused", title: "a target without an nft equivalent" },
  "untranslatable-option": { effect: "refused", title: "an option without an nft equivalent" },
  "unsafe-text": { effect: "refused", title: "text that nft cannot hold" },
  "too-many-levels": { effect: "refused", title: "a jump deeper than the kernel's 16 levels" },
  "rule-too-large": { effect: "refused", title: "a rule with more tests than the kernel takes" },
  "recent-too-large": { effect: "refused", title: "a hit count too large for the exact form" },
  "needs-kernel-part": { effect: "refused", title: "a rule that needs a part of the kernel that `--without` names" },
  "needs-newer-nft": { effect: "refused", title: "a rule that the nft of `--target-nft` cannot load" },

  // a rule is in the script, and differs
  "recent-limit-form": { effect: "approximated", title: "a hit count written as a limit with a ban" },
  "recent-ban-form": { effect: "approximated", title: "a hit count written as a ban until the host is silent" },
  "recent-deep-chains": { effect: "approximated", title: "a hit count behind deep chains, on several processors at once" },
  "recent-rttl": { effect: "approximated", title: "`--rttl` where a host's TTL changes many times a second, or nft cannot keep it" },
  "recent-reap": { effect: "approximated", title: "`--reap` takes hosts off a list that other rules still ask about" },
  "recent-list-full": {
    effect: "approximated",
    title: "a list without seconds takes no new host once it is full",
    notPlayed: true,
  },
  "recent-forget-after": { effect: "approximated", title: "a host that `--forget-after` takes off a list without seconds" },
  "recent-hosts": {
    effect: "approximated",
    title: "hosts that were on a captured list, and are not in the script as they were",
    notPlayed: true,
  },
  "recent-both-families": { effect: "approximated", title: "an IPv4 list that cuts IPv6 addresses to 32 bits" },
  "recent-seconds-overflow": { effect: "approximated", title: "`--seconds` so large that xt_recent's arithmetic wraps" },
  "approximate-match": { effect: "approximated", title: "a match whose nft form differs in some packets" },
  "approximate-target": { effect: "approximated", title: "a target whose nft form differs in some packets" },

  // the verdicts are the same
  "recent-list-size": { effect: "noted", title: "xt_recent remembers 100 hosts, the set more" },
  "recent-memory": { effect: "noted", title: "lists that need much memory of the kernel when they are full" },
  "recent-mask": { effect: "noted", title: "a `--mask` that xt_recent ignores" },
  "recent-long-form": { effect: "noted", title: "an exact window for which there is a short form" },
  "recent-flood-guard": { effect: "noted", title: "a flooding host is released a little later" },
  "recent-never-set": { effect: "noted", title: "a list that is checked and never set" },
  "text-changed": { effect: "noted", title: "a comment or log prefix that nft cannot hold as it was" },
  "repeated-table": { effect: "noted", title: "a table given twice: the later one replaces the earlier" },
  "family-assumed": { effect: "noted", title: "nothing in the input tells IPv4 from IPv6" },
  "unused-ipset": { effect: "noted", title: "sets that no rule uses" },
  "listed-rules": { effect: "noted", title: "what `iptables -S` prints, in the place of a dump" },
  "text-around": { effect: "noted", title: "prompts and prose around a dump" },
  "program-rules": { effect: "noted", title: "rules that a program makes itself, such as Docker's" },
  "long-list": { effect: "noted", title: "many rules in a row that `--optimize` would bring together" },
  "no-built-in-chain": { effect: "noted", title: "rules to which no built-in chain leads" },
  "shell-command-skipped": { effect: "noted", title: "a command in a script that makes no rules" },
  "shell-command-fails": { effect: "noted", title: "a command in a script that fails and changes nothing" },
  "inet-not-merged": { effect: "noted", title: "`--inet` where there is nothing to bring together, or nft cannot" },
  "empty-range": { effect: "noted", title: "a range that runs backwards, which holds no value" },
  "joined-interface": { effect: "noted", title: "an interface joined to its option, which iptables takes for a part of the name" },
  "option-without-effect": { effect: "noted", title: "an option that changes nothing in nft" },
} as const satisfies Record<string, CatalogueEntry>;

export type DiagnosticCode = keyof typeof catalogue;

export interface Diagnostic {
  readonly code: DiagnosticCode;
  readonly severity: Severity;
  readonly span: Span;
  /** Lower case, no full stop. */
  readonly message: string;
  /** What to do about it. */
  readonly help?: string;
  /** What the firewall is without the rule that is refused: `more open`, `more closed`, or a clause that says what is missing. */
  readonly without?: string;
}

export function effectOf(code: DiagnosticCode): Effect {
  return catalogue[code].effect;
}

/** Whether a difference that `simulate` or `verify` finds in a rule may be the one that this diagnostic announces. */
export function explainsTraffic(code: DiagnosticCode): boolean {
  const { effect, notPlayed }: CatalogueEntry = catalogue[code];
  return (effect === "refused" || effect === "approximated") && notPlayed === undefined;
}

const severities: Record<Effect, Severity> = { invalid: "error", refused: "warning", approximated: "warning", noted: "note" };

/** Builds a diagnostic; the severity follows from the code. */
export function diagnostic(code: DiagnosticCode, span: Span, message: string, help?: string): Diagnostic {
  const severity = severities[effectOf(code)];
  return help === undefined ? { code, severity, span, message } : { code, severity, span, message, help };
}

/** Orders by file (in order of first appearance), then line and column; stable for equal places. */
export function sortDiagnostics(diagnostics: readonly Diagnostic[], files: readonly string[]): Diagnostic[] {
  const order = new Map(files.map((file, index) => [file, index]));
  return [...diagnostics].sort(
    (a, b) => (order.get(a.span.file) ?? 0) - (order.get(b.span.file) ?? 0) || a.span.line - b.span.line || a.span.column - b.span.column,
  );
}

/** Text of the input within a message: control characters are shown, not sent to a terminal. */
export function printable(text: string): string {
  return text.replace(/[\u0000-\u001f\u007f-\u009f]/g, (character) => `\\x${character.charCodeAt(0).toString(16).padStart(2, "0")}`);
}
