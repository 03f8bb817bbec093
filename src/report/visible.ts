/** Text from the input made safe for a terminal: nothing in it moves the cursor, changes colours or reorders what is read. */

// Control and format characters (bidirectional overrides, joiners), line separators, lone surrogates, variation selectors.
const invisible = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}\ufe00-\ufe0f]/gu;
const invisibleExceptNewline = /[^\P{Cc}\n]|[\p{Cf}\p{Cs}\p{Zl}\p{Zp}\ufe00-\ufe0f]/gu;

function escape(character: string): string {
  const code = character.codePointAt(0)!;
  return code < 0x100 ? `\\x${code.toString(16).padStart(2, "0")}` : `\\u{${code.toString(16)}}`;
}

/** The text on one line, every character without a visible form written as `\x1b` or `\u{202e}`. */
export function visible(text: string): string {
  return text.replace(invisible, escape);
}

/** As `visible`, for text of several lines. */
export function visibleLines(text: string): string {
  return text.replace(invisibleExceptNewline, escape);
}

/** As `visibleLines`, with tabs as they are: for scripts and other text whose lines tabs indent. */
export function visibleScript(text: string): string {
  return text.split("\t").map(visibleLines).join("\t");
}

/** As `visible`, with the escapes that JSON strings have (`\u001b`); for a whole JSON document. */
export function visibleJson(document: string): string {
  return document
    .replace(invisibleExceptNewline, (character) =>
      // Characters beyond U+FFFF are two code units in JSON.
      character
        .split("")
        .map((unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`)
        .join(""),
    )
    .replace(olderCommand, "#\\u0023");
}

// Whatever blanks are in front of it (`TrimStart` in the runner's ActionCommand.cs).
const workflowCommand = /(?<![^\r\n])([^\S\r\n]*):(?=:)/gu;
// The older form, wherever in a line it stands, and those of Azure Pipelines and TeamCity (`##vso[`, `##teamcity[`).
const olderCommand = /##(?=[a-z]*\[)/giu;

/**
 * Text for people of which a workflow's runner takes no line for a command: GitHub's obeys lines that begin with `::`, whoever
 * wrote them, and a line of a dump shown in a diagnostic may.
 */
export function withoutCommands(text: string): string {
  return text.replace(workflowCommand, "$1\\x3a").replace(olderCommand, "#\\x23");
}

/** A piece of a line as a terminal shows it. */
export interface Cell {
  readonly text: string;
  /** Terminal columns: 0 for combining marks, 2 for wide characters, more for tabs and escapes. */
  readonly width: number;
  /** Index of its first code unit in the line, and of the first one behind it. */
  readonly start: number;
  readonly end: number;
}

const tabStop = 8;
const combining = /^[\p{Mn}\p{Me}]$/u;
const halfWidth = /^[\uff61-\uffdc\uffe8-\uffee]$/u;
// The scripts and blocks that Unicode's East Asian Width (UAX #11) calls wide or full-width.
const wideScripts = ["Han", "Hiragana", "Katakana", "Hangul", "Bopomofo", "Yi"].map((name) => `\\p{Script=${name}}`).join("");
const wide = new RegExp(`^[${wideScripts}\\p{Emoji_Presentation}\\u3000-\\u303e\\uff01-\\uff60\\uffe0-\\uffe6]$`, "u");

function widthOf(character: string): number {
  if (combining.test(character)) return 0;
  return wide.test(character) && !halfWidth.test(character) ? 2 : 1;
}

interface Shape {
  readonly text: string;
  readonly width: number;
}

/** Of characters beyond ASCII: a line of them may be shown for each of thousands of diagnostics. */
const shapes = new Map<string, Shape>();
/** A text has some hundred different ones; a hostile one must not fill the memory. */
const mostShapes = 4096;

function shapeOf(character: string): Shape {
  const known = shapes.get(character);
  if (known !== undefined) return known;
  const text = visible(character);
  const shape = { text, width: text === character ? widthOf(character) : text.length };
  if (shapes.size >= mostShapes) shapes.clear();
  shapes.set(character, shape);
  return shape;
}

/** Whether every character of the text is a cell of one column: printable ASCII alone. */
export function isPlain(text: string): boolean {
  return /^[ -~]*$/.test(text);
}

/** Splits a line into cells; tabs become blanks up to the next multiple of eight columns. */
export function cells(line: string): Cell[] {
  const found: Cell[] = [];
  let start = 0;
  let column = 0;
  for (const character of line) {
    const end = start + character.length;
    const code = character.charCodeAt(0);
    let text = character;
    let width = 1;
    if (character === "\t") {
      width = tabStop - (column % tabStop);
      text = " ".repeat(width);
    } else if (code < 0x20 || code > 0x7e) {
      ({ text, width } = shapeOf(character));
    }
    found.push({ text, width, start, end });
    start = end;
    column += width;
  }
  return found;
}
