/**
 * The tokens of one line. What a line is shows in its first character, so each kind of line has a lexer mode of its own;
 * options are plain words here, for which match owns `--dport` is no matter of syntax.
 */

import { createToken, Lexer, type IMultiModeLexerDefinition, type TokenType } from "chevrotain";

export const Blank = createToken({ name: "Blank", pattern: /[ \t]+/, group: Lexer.SKIPPED, line_breaks: false });

/** A comment starts in the first column: anywhere else iptables-restore takes `#` for a word. */
export const Comment = createToken({
  name: "Comment",
  pattern: { exec: (text: string, offset: number) => (offset === 0 && text.startsWith("#") ? [text] : null) },
  start_chars_hint: ["#"],
  line_breaks: false,
});
export const Asterisk = createToken({ name: "Asterisk", label: "*", pattern: /\*/, push_mode: "names" });
export const Colon = createToken({ name: "Colon", label: ":", pattern: /:/, push_mode: "names" });
export const Commit = createToken({ name: "Commit", label: "COMMIT", pattern: /COMMIT(?![ \t]*[^ \t])/ });
/** What stands in brackets before a command; whether these are counters is decided where a reason can be told. */
export const Brackets = createToken({
  name: "Brackets",
  label: "[packets:bytes]",
  pattern: /\[[^\]]*\]?/,
  push_mode: "words",
  line_breaks: false,
});

export const Counters = createToken({ name: "Counters", label: "[packets:bytes]", pattern: /\[[0-9]+:[0-9]+\](?![^ \t])/ });
/** On lines of `*` and `:`, quotes are ordinary characters. */
export const Name = createToken({ name: "Name", pattern: /[^ \t]+/, line_breaks: false });

// A closing quote ends a word, an opening one need not begin it. The word without quotes, being the commonest, is tried
// first; both forms take linear time. Without its closing quote the second form is an error, told where it is parsed.
const wordPattern = /[^ \t"]+(?![^ \t])|[^ \t"]*"(?:[^"\\]|\\[^])*["\\]?/;
/** The first word of a line: apart from the others, so that the lexer changes its mode once and not at every word. */
export const FirstWord = createToken({ name: "FirstWord", label: "word", pattern: wordPattern, push_mode: "words", line_breaks: false });
export const FurtherWord = createToken({ name: "FurtherWord", label: "word", pattern: wordPattern, line_breaks: false });

export const lexerDefinition: IMultiModeLexerDefinition = {
  modes: {
    line: [Blank, Comment, Asterisk, Colon, Commit, Brackets, FirstWord],
    names: [Blank, Counters, Name],
    words: [Blank, FurtherWord],
  },
  defaultMode: "line",
};

export const vocabulary: TokenType[] = [Comment, Asterisk, Colon, Commit, Brackets, Counters, Name, FirstWord, FurtherWord];
