/** What the words of a script come to, as far as the script itself says it. */

import type { WordPart, ShellWord, Place } from "./syntax.js";

/** A text, or one that only a shell can work out. */
export type Value =
  | { readonly known: true; readonly text: string }
  /** `prefix` is how it begins at least; `why` is said of it. */
  | { readonly known: false; readonly prefix: string; readonly why: Reason };

/** Why something is not known, and where that is written. */
export interface Reason {
  /** "the value of "$WAN"", lower case, no full stop. */
  readonly message: string;
  readonly help?: string;
  readonly place: Place;
}

/** What a variable holds: a value, or the elements of an array. */
export type Variable = Value | { readonly elements: readonly Value[] };

export const knownText = (text: string): Value => ({ known: true, text });

/** What words are expanded with. */
export interface Surroundings {
  /** Undefined for one that the script does not set: it may come from outside. */
  variable(name: string): Variable | undefined;
  /** `$1` and on; undefined where they are not known. */
  readonly parameters: readonly Value[] | undefined;
  assign(name: string, value: Variable): void;
  /** Forgets the variables that arithmetic may set. */
  reckon(written: string, place: Place): void;
  /** Expands what perhaps is expanded: which depends on something that is not known, at that place. */
  perhaps(place: Place, expand: () => Value): Value;
  /** Carries out `$(…)` for what it does; what it prints is not known. */
  substitute(part: Extract<WordPart, { kind: "substitution" }>): void;
  /** Told of so many characters before they become a part of a word; throws where there are too many. */
  spend(characters: number): void;
  /** Whether IFS is as it is at the start: words end at blanks and ends of lines. */
  readonly splitsAtBlanks: boolean;
}

/** A word of a command after expansion. */
export interface Field {
  readonly value: Value;
  readonly quoted: boolean;
}

/** One more: the empty word takes room, too. */
const lengthOf = (value: Value): number => 1 + (value.known ? value.text : value.prefix).length;

/** One word, which is not split: of an assignment, a redirection, a document. */
export function expandToValue(parts: readonly WordPart[], surroundings: Surroundings): Value {
  let text = "";
  let unknown: Reason | undefined;
  for (const part of parts) {
    const value = part.kind === "pattern" && part.text !== "~" ? knownText(part.text) : valueOf(part, surroundings);
    if (unknown) continue;
    surroundings.spend(lengthOf(value));
    if (value.known) text += value.text;
    else {
      text += value.prefix;
      unknown = value.why;
    }
  }
  return unknown ? { known: false, prefix: text, why: unknown } : knownText(text);
}

/** The words that one word becomes: unquoted values are split, and may be none. */
export function expandToFields({ parts }: ShellWord, surroundings: Surroundings): Field[] {
  const fields: Field[] = [];
  let text = "";
  let unknown: Reason | undefined;
  let isOpen = false;
  let isQuoted = false;
  const close = (): void => {
    if (isOpen) fields.push({ value: unknown ? { known: false, prefix: text, why: unknown } : knownText(text), quoted: isQuoted });
    [text, unknown, isOpen, isQuoted] = ["", undefined, false, false];
  };
  const add = (value: Value): void => {
    isOpen = true;
    if (unknown) return;
    surroundings.spend(lengthOf(value));
    if (value.known) text += value.text;
    else {
      text += value.prefix;
      unknown = value.why;
    }
  };
  const isBracketOpen = parts.some((part) => part.kind === "pattern" && part.text === "[") && !parts.some(closesBracket);
  for (const part of parts) {
    if (part.kind === "pattern" && part.text === "[" && isBracketOpen) {
      add(knownText("["));
      continue;
    }
    if (part.kind === "text") {
      isQuoted ||= part.quoted;
      add(knownText(part.text));
      continue;
    }
    const several = part.kind === "parameter" ? severalOf(part, surroundings) : undefined;
    if (several && part.kind === "parameter") {
      // Each is a word of its own; the first and the last join what stands beside them.
      for (const [index, value] of several.entries()) {
        if (index > 0) close();
        if (part.quoted) add(value);
        else split(value, part, surroundings, add, close);
        isQuoted ||= part.quoted;
      }
      continue;
    }
    const value = valueOf(part, surroundings);
    if (part.kind === "pattern" || part.quoted) add(value);
    else split(value, part, surroundings, add, close);
    isQuoted ||= part.kind !== "pattern" && part.quoted;
  }
  close();
  return fields;
}

function closesBracket(part: WordPart): boolean {
  return (part.kind === "text" && part.text.includes("]")) || (part.kind === "parameter" && !part.quoted);
}

/** An unquoted value: words end at its blanks, and patterns in it stand for names of files. */
function split(
  value: Value,
  part: Extract<WordPart, { kind: "parameter" | "substitution" | "arithmetic" }>,
  { splitsAtBlanks }: Surroundings,
  add: (value: Value) => void,
  close: () => void,
): void {
  if (!value.known) {
    add(value);
    return;
  }
  if (/[*?[]/.test(value.text) || (!splitsAtBlanks && value.text !== "")) {
    const message = `what the shell makes of "${part.written}" without quotes`;
    add({ known: false, prefix: "", why: { message, place: part.place } });
    return;
  }
  const pieces = value.text.split(/[ \t\n]+/);
  for (const [index, piece] of pieces.entries()) {
    if (index > 0) close();
    if (piece !== "") add(knownText(piece));
  }
}

/** The values of `$@`, `$*` without quotes, and of all elements of an array; undefined for other parameters. */
function severalOf(
  { name, operator, place, quoted, written }: Extract<WordPart, { kind: "parameter" }>,
  surroundings: Surroundings,
): readonly Value[] | undefined {
  if (operator === "elements" && !written.endsWith("[*]}")) {
    const variable = surroundings.variable(name);
    if (variable === undefined) return undefined;
    return "elements" in variable ? variable.elements : [variable];
  }
  if (operator !== undefined || (name !== "@" && (name !== "*" || quoted))) return undefined;
  return surroundings.parameters ?? [{ known: false, prefix: "", why: { message: `the value of "${written}"`, place } }];
}

function valueOf(part: WordPart, surroundings: Surroundings): Value {
  const unknown = (message: string, help?: string): Value => ({
    known: false,
    prefix: "",
    why: { message, place: (part as { place: Place }).place, ...(help !== undefined && { help }) },
  });
  switch (part.kind) {
    case "text":
      return knownText(part.text);
    case "pattern":
      return unknown(`what the shell makes of the pattern "${part.text}"`, "put it in quotes if it is not meant as one");
    case "arithmetic":
      expandToValue(part.parts, surroundings);
      surroundings.reckon(part.written, part.place);
      return unknown(`the result of "${part.written}"`);
    case "substitution":
      surroundings.substitute(part);
      return unknown(`what the command in "${part.written}" prints`);
    case "parameter":
      return parameterOf(part, surroundings, unknown);
  }
}

function parameterOf(
  { name, operator, operand = [], written, place }: Extract<WordPart, { kind: "parameter" }>,
  surroundings: Surroundings,
  unknown: (message: string) => Value,
): Value {
  const nameless = unknown(`the value of "${written}"`);
  const { parameters } = surroundings;
  const value = ((): Value | undefined => {
    if (name === "#") return parameters ? knownText(String(parameters.length)) : nameless;
    if (/^[1-9]$/.test(name)) return parameters ? (parameters[Number(name) - 1] ?? knownText("")) : nameless;
    if (!/^[A-Za-z_]/.test(name)) return nameless;
    const variable = surroundings.variable(name);
    if (variable === undefined || !("elements" in variable)) return variable;
    return variable.elements[0] ?? knownText("");
  })();
  if (value) surroundings.spend(lengthOf(value));
  const isSet = value === undefined ? undefined : value.known ? true : undefined;
  const isEmpty = value?.known ? value.text === "" : undefined;
  const other = (): Value => expandToValue(operand, surroundings);
  const perhaps = (): Value => surroundings.perhaps(place, other);
  switch (operator) {
    case undefined:
      return value ?? nameless;
    case ":-":
    case "-":
    case ":=":
    case "=": {
      if (isSet === undefined || value === undefined) {
        perhaps();
        return nameless;
      }
      // Whether an empty one is set at all is not kept.
      if (!operator.startsWith(":") && isEmpty) return nameless;
      if (!isEmpty) return value;
      const made = other();
      if (operator === ":=") surroundings.assign(name, made);
      return made;
    }
    case ":+":
    case "+":
      if (isSet === undefined || (operator === "+" && isEmpty)) {
        perhaps();
        return nameless;
      }
      return isEmpty ? knownText("") : other();
    // Ends the script where it is not set.
    case ":?":
    case "?":
      perhaps();
      return value?.known && !(operator === ":?" && isEmpty) ? value : nameless;
    case "#":
      return value?.known ? knownText(String([...value.text].length)) : nameless;
    case "elements": {
      const variable = surroundings.variable(name);
      const elements = variable && "elements" in variable ? variable.elements : variable ? [variable] : undefined;
      if (!elements?.every((one) => one.known)) return nameless;
      for (const one of elements) surroundings.spend(lengthOf(one));
      return knownText(elements.map((one) => (one.known ? one.text : "")).join(" "));
    }
    default:
      perhaps();
      return nameless;
  }
}
