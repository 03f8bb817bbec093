/** The syntax of a shell script as a tree. Offsets count UTF-16 units from the start of the script. */

/** Where something is written. */
export interface Place {
  readonly offset: number;
  readonly length: number;
}

/** A piece of a word. */
export type WordPart =
  | { readonly kind: "text"; readonly text: string; readonly quoted: boolean }
  /** `$NAME`, `${NAME}`, and with an operator `${NAME:-WORD}`; `operator` is `?` for every other form. */
  | {
      readonly kind: "parameter";
      readonly name: string;
      readonly operator?: ParameterOperator;
      readonly operand?: readonly WordPart[];
      readonly written: string;
      readonly place: Place;
      readonly quoted: boolean;
    }
  /** `$(…)` or backquotes. */
  | { readonly kind: "substitution"; readonly list: CommandList; readonly written: string; readonly place: Place; readonly quoted: boolean }
  /** `$((…))`; `parts`: what is expanded in it. */
  | {
      readonly kind: "arithmetic";
      readonly parts: readonly WordPart[];
      readonly written: string;
      readonly place: Place;
      readonly quoted: boolean;
    }
  /** What the shell may take for names of files, or expand otherwise: `*`, `[`, `~`, `{a,b}`. */
  | { readonly kind: "pattern"; readonly text: string; readonly place: Place };

export type ParameterOperator = ":-" | "-" | ":=" | "=" | ":+" | "+" | ":?" | "?" | "#" | "elements" | "other";

export interface ShellWord {
  readonly parts: readonly WordPart[];
  readonly place: Place;
}

export interface Assignment {
  readonly name: string;
  /** `+=` */
  readonly appends: boolean;
  /** One word, or the words of an array. */
  readonly value: ShellWord | { readonly elements: readonly ShellWord[] };
  readonly place: Place;
}

export interface Redirection {
  readonly operator: "<" | ">" | ">>" | ">|" | "<>" | "<&" | ">&" | "&>" | "&>>" | "<<" | "<<-" | "<<<";
  readonly target: ShellWord;
  /** The text of a document within the script, and the line it begins in, from 1. */
  readonly document?: { readonly parts: readonly WordPart[]; readonly line: number };
  readonly place: Place;
}

/** A command without its redirections. */
export type CommandBody =
  | { readonly kind: "simple"; readonly assignments: readonly Assignment[]; readonly words: readonly ShellWord[] }
  | { readonly kind: "group"; readonly list: CommandList }
  | { readonly kind: "subshell"; readonly list: CommandList }
  | {
      readonly kind: "if";
      readonly branches: readonly { readonly condition: CommandList; readonly list: CommandList }[];
      readonly otherwise?: CommandList;
    }
  /** `words` is undefined without `in`: the parameters of the script or function. */
  | { readonly kind: "for"; readonly name: string; readonly words?: readonly ShellWord[]; readonly list: CommandList }
  | { readonly kind: "while"; readonly condition: CommandList; readonly list: CommandList; readonly until: boolean }
  | {
      readonly kind: "case";
      readonly word: ShellWord;
      readonly items: readonly { readonly patterns: readonly ShellWord[]; readonly list: CommandList; readonly ends: boolean }[];
    }
  | { readonly kind: "function"; readonly name: string; readonly body: Command }
  /** `((…))` and `[[ … ]]`: conditions that are not followed. */
  | { readonly kind: "test"; readonly parts: readonly WordPart[]; readonly written: string };

export type Command = CommandBody & {
  /** The words that begin it. */
  readonly place: Place;
  readonly redirections: readonly Redirection[];
};

export interface Pipeline {
  readonly negated: boolean;
  readonly commands: readonly Command[];
}

/** Pipelines with what stands in front of each but the first. */
export interface AndOr {
  readonly first: Pipeline;
  readonly rest: readonly { readonly operator: "&&" | "||"; readonly pipeline: Pipeline }[];
  readonly background: boolean;
}

export type CommandList = readonly AndOr[];

/** Why the rest of a script cannot be read. */
export interface SyntaxFault {
  readonly kind: "unclosed" | "unexpected" | "too-deep";
  readonly message: string;
  readonly place: Place;
}

export interface Script {
  readonly list: CommandList;
  readonly fault?: SyntaxFault;
}
