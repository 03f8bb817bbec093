/** One line by the grammar. The lexer and the parser are made for the first line that needs them: that takes longer than a small file. */

import { Lexer } from "chevrotain";
import { LineParser } from "./parser.js";
import type { Line } from "./syntax.js";
import { lexerDefinition } from "./tokens.js";

let made: { readonly lexer: Lexer; readonly parser: LineParser } | undefined;

/** Parses a line without its end. Never throws. */
export function parseByGrammar(source: string, number: number): Line {
  made ??= {
    // A mode has so few tokens that looking them up by their first character costs more at the start than it ever saves.
    lexer: new Lexer(lexerDefinition, { positionTracking: "onlyOffset", skipValidations: true, safeMode: true }),
    parser: new LineParser({ skipValidations: true }),
  };
  return made.parser.parseLine(made.lexer.tokenize(source).tokens, number, source);
}
