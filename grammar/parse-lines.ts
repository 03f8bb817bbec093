/** Text to lines: each line is lexed and parsed by itself, so a broken one hurts no other and memory stays flat. */

import { parseByGrammar } from "./line-grammar.js";
import { parsePlainLine } from "./plain-lines.js";
import type { ErrorLine, Line, SyntaxErrorCode, Word } from "./syntax.js";

/** Bytes that iptables-restore 1.8.9 reads of one line (its buffer holds one more); it would take the rest for a line of its own. */
const longestLine = 10_239;
/** Bytes of one word (`Parameter too long!` from 1,024 on). */
const longestWord = 1_023;
/** Words of one line (`Parser cannot handle more arguments` from 252 on). */
const mostWords = 251;

const lineFeed = 10;

const control = /[\x00-\x08\x0a-\x1f\x7f]/;

const encoder = new TextEncoder();

/** Whether a text has more bytes in UTF-8 than allowed; a character has three at most per UTF-16 code unit. */
function isLonger(text: string, bytes: number): boolean {
  return text.length > bytes || (text.length * 3 > bytes && encoder.encode(text).length > bytes);
}

function error(line: number, code: SyntaxErrorCode, column: number, length: number, message: string): ErrorLine {
  return { kind: "error", line, code, column, length, message };
}

function tooLong(word: Word): boolean {
  return word.text.length * 3 > longestWord && isLonger(word.text, longestWord);
}

function parseLine(source: string, number: number): Line {
  return source === "" ? { kind: "blank", line: number } : (parsePlainLine(source, number) ?? parseAnyLine(source, number));
}

function parseAnyLine(source: string, number: number): Line {
  if (isLonger(source, longestLine)) {
    return error(number, "line-too-long", 1, source.length, `a line has at most ${longestLine} bytes`);
  }
  if (!source.startsWith("#")) {
    const found = control.exec(source);
    if (found !== null) {
      const code = found[0].charCodeAt(0).toString(16).toUpperCase().padStart(4, "0");
      return error(number, "invalid-character", found.index + 1, 1, `the control character U+${code} cannot stand here`);
    }
  }
  const line = parseByGrammar(source, number);
  if (line.kind !== "command") return line;
  const extra = line.words[mostWords];
  if (extra !== undefined) return error(number, "line-too-long", extra.column, extra.length, `a line has at most ${mostWords} words`);
  if (source.length * 3 <= longestWord) return line;
  const long = line.words.find(tooLong);
  return long === undefined ? line : error(number, "line-too-long", long.column, long.length, `a word has at most ${longestWord} bytes`);
}

/**
 * Parses text line by line. A line ends with LF or CR LF; the last one may go without. Never throws.
 * @param blanks whether lines are told in which there is nothing at all
 */
export function* parseLines(text: string, blanks = true): Generator<Line, void, undefined> {
  let number = 0;
  // A byte order mark is no part of the text.
  let start = text.startsWith("\ufeff") ? 1 : 0;
  while (start < text.length) {
    if (!blanks && text.charCodeAt(start) === lineFeed) {
      number++;
      start++;
      continue;
    }
    const newline = text.indexOf("\n", start);
    const next = newline === -1 ? text.length : newline + 1;
    const end = newline === -1 ? text.length : newline;
    number++;
    yield parseLine(text.slice(start, end > start && text.charCodeAt(end - 1) === 13 ? end - 1 : end), number);
    start = next;
  }
}
