/** The syntax of iptables-save text as data: lines and words, before any of them means something. */

/** One argument, as iptables-restore hands it to iptables. */
export interface Word {
  /** Quotes and escapes removed. */
  readonly text: string;
  /** Of the first character as written, counted from 1 in UTF-16 code units. */
  readonly column: number;
  /** As written, quotes included. */
  readonly length: number;
  readonly quoted: boolean;
}

/** `[packets:bytes]` */
export interface CounterPair {
  readonly packets: bigint;
  readonly bytes: bigint;
}

export interface BlankLine {
  readonly kind: "blank";
  readonly line: number;
}
/** The text starts with `#`. */
export interface CommentLine {
  readonly kind: "comment";
  readonly line: number;
  readonly text: string;
}
/** `*table` */
export interface TableLine {
  readonly kind: "table";
  readonly line: number;
  readonly name: Word;
}
/** `:chain policy [packets:bytes]` */
export interface ChainLine {
  readonly kind: "chain";
  readonly line: number;
  readonly name: Word;
  readonly policy: Word;
  readonly counters: CounterPair | undefined;
}
export interface CommitLine {
  readonly kind: "commit";
  readonly line: number;
  readonly column: number;
}
/** `[packets:bytes] -A chain …` */
export interface CommandLine {
  readonly kind: "command";
  readonly line: number;
  /** The line as written, without its counters and the blanks around. */
  readonly text: string;
  readonly counters: CounterPair | undefined;
  readonly words: readonly Word[];
}

export type SyntaxErrorCode = "unclosed-quote" | "invalid-character" | "line-too-long" | "malformed-line" | "invalid-counters";

/** A line that could not be read; its neighbours are not affected. */
export interface ErrorLine {
  readonly kind: "error";
  readonly line: number;
  readonly code: SyntaxErrorCode;
  readonly column: number;
  readonly length: number;
  /** Lower case, no full stop. */
  readonly message: string;
}

export type Line = BlankLine | CommentLine | TableLine | ChainLine | CommitLine | CommandLine | ErrorLine;
