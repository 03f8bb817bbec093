/** JSON texts with the places of everything in them, so that a complaint can say where. */

import { getNodeValue, parseTree, printParseErrorCode, type Node, type ParseError } from "jsonc-parser";
import { Failure } from "./failure.js";

/** A place in a text; both count from 1, the column in UTF-16 code units. */
export interface TextPlace {
  readonly line: number;
  readonly column: number;
}

/** A text that is not JSON. */
export class JsonFault extends Failure {
  constructor(
    message: string,
    readonly place: TextPlace,
  ) {
    super(message);
  }
}

type PlaceFinder = (offset: number) => TextPlace;

/** A value in a JSON text. */
export class JsonValue {
  constructor(
    private readonly node: Node,
    private readonly placeOf: PlaceFinder,
  ) {}

  /** As `JSON.parse` gives it, but for objects, which have no prototype. */
  get value(): unknown {
    return getNodeValue(this.node) as unknown;
  }

  get place(): TextPlace {
    return this.placeOf(this.node.offset);
  }

  /** Of an object, in the order written, where a name may be twice; undefined for anything else. */
  get members(): readonly JsonMember[] | undefined {
    if (this.node.type !== "object") return undefined;
    return (this.node.children ?? []).map(({ children }) => {
      // A text without errors has both.
      const [name, content] = children as [Node, Node];
      return { name: String(name.value), place: this.placeOf(name.offset), content: new JsonValue(content, this.placeOf) };
    });
  }

  /** Of a list; undefined for anything else. */
  get elements(): readonly JsonValue[] | undefined {
    if (this.node.type !== "array") return undefined;
    return (this.node.children ?? []).map((child) => new JsonValue(child, this.placeOf));
  }
}

export interface JsonMember {
  readonly name: string;
  /** Of the name. */
  readonly place: TextPlace;
  readonly content: JsonValue;
}

/** Reads the text, which must be JSON as RFC 8259 has it; a byte order mark may stand in front. Throws a JsonFault. */
export function readJson(text: string): JsonValue {
  const placeOf = placeFinder(text);
  // A blank in its place leaves everything else where it is.
  const content = text.replace(/^\ufeff/, " ");
  const errors: ParseError[] = [];
  const root = parse(content, errors);
  const [first] = errors;
  if (!first && root) return new JsonValue(root, placeOf);
  throw new JsonFault(complaint(content, first), placeOf(first?.offset ?? 0));
}

function parse(content: string, errors: ParseError[]): Node | undefined {
  try {
    return parseTree(content, errors, { disallowComments: true });
  } catch (error) {
    // The parser calls itself for every level.
    if (error instanceof RangeError) throw new JsonFault("lists or objects are nested too deep", { line: 1, column: 1 });
    throw error;
  }
}

/** What should stand where the parser stumbles. */
const expectations: Readonly<Record<string, string>> = {
  PropertyNameExpected: "a name in double quotes",
  ValueExpected: "a value",
  ColonExpected: '":"',
  CommaExpected: '"," or the closing bracket',
  CloseBraceExpected: '"}"',
  CloseBracketExpected: '"]"',
  EndOfFileExpected: "the end of the file",
};

/** What is wrong with what stands there. */
const faults: Readonly<Record<string, string>> = {
  InvalidCommentToken: "JSON has no comments",
  UnexpectedEndOfString: "this string is not closed",
  UnexpectedEndOfNumber: "this number has no end",
  InvalidUnicode: "this string has a wrong escape",
  InvalidEscapeCharacter: "this string has a wrong escape",
  InvalidCharacter: "this string has a control character, which must be written as an escape",
};

/** Characters of the text that a complaint quotes. */
const mostQuoted = 40;

function complaint(content: string, error: ParseError | undefined): string {
  const code = error ? printParseErrorCode(error.error) : "ValueExpected";
  const found = error ? content.slice(error.offset, error.offset + error.length) : "";
  const shown = found === "" ? "the end of the file" : found.length > mostQuoted ? `${found.slice(0, mostQuoted)}…` : found;
  const expected = expectations[code];
  return expected === undefined ? (faults[code] ?? `this is not JSON: ${shown}`) : `${expected} is expected here, not ${shown}`;
}

/** Finds lines by offset; the text is indexed when the first place is asked for. */
function placeFinder(text: string): PlaceFinder {
  let starts: number[] | undefined;
  return (offset) => {
    starts ??= [0, ...Array.from(text.matchAll(/\n/g), ({ index }) => index + 1)];
    let [low, high] = [0, starts.length];
    while (high - low > 1) {
      const middle = (low + high) >> 1;
      if (starts[middle]! <= offset) low = middle;
      else high = middle;
    }
    return { line: low + 1, column: offset - starts[low]! + 1 };
  };
}
