/** The grammar of one line. The whole of it, with the rules of words, is written out as EBNF in README.md. */

import { EmbeddedActionsParser, type IParserErrorMessageProvider, type IToken, type ParserMethod } from "chevrotain";
import type { CounterPair, ErrorLine, Line, SyntaxErrorCode, Word } from "./syntax.js";
import { Asterisk, Brackets, Colon, Comment, Commit, Counters, FirstWord, FurtherWord, Name, vocabulary } from "./tokens.js";

/** A line's description of what went wrong is enough; the default provider computes all the paths it might have taken. */
const errorMessageProvider: IParserErrorMessageProvider = {
  buildMismatchTokenMessage: ({ ruleName }) => ruleName,
  buildNotAllInputParsedMessage: ({ ruleName }) => ruleName,
  buildNoViableAltMessage: ({ ruleName }) => ruleName,
  buildEarlyExitMessage: ({ ruleName }) => ruleName,
};

const endOfLineHints: Readonly<Record<string, string>> = {
  table: "a table line is `*table`",
  chain: "a chain line is `:chain policy [packets:bytes]`",
  line: "this is no comment, table, chain, rule or COMMIT",
};

const largestCounter = 2n ** 64n - 1n;

/** `[packets:bytes]`, both decimal and of 64 bits. */
function parseCounters(text: string): CounterPair | undefined {
  if (text === "[0:0]") return zeroCounters;
  const parts = /^\[([0-9]{1,20}):([0-9]{1,20})\]$/.exec(text);
  if (parts === null) return undefined;
  const packets = BigInt(parts[1] ?? "");
  const bytes = BigInt(parts[2] ?? "");
  return packets > largestCounter || bytes > largestCounter ? undefined : { packets, bytes };
}

const zeroCounters: CounterPair = { packets: 0n, bytes: 0n };

function nameOf({ image, startOffset }: IToken): Word {
  return { text: image, column: startOffset + 1, length: image.length, quoted: false };
}

/** The text between quotes, given with the closing one; `undefined` if that is missing. */
function unquote(text: string): string | undefined {
  if (!text.includes("\\")) return text.endsWith('"') ? text.slice(0, -1) : undefined;
  let inside = "";
  for (let index = 0; index < text.length; index++) {
    const character = text[index];
    if (character === '"') return inside;
    inside += character === "\\" ? (text[++index] ?? "") : character;
  }
  return undefined;
}

export class LineParser extends EmbeddedActionsParser {
  private number = 0;
  private source = "";
  private failure: ErrorLine | undefined;

  constructor(options: { readonly skipValidations: boolean }) {
    super(vocabulary, { recoveryEnabled: false, skipValidations: options.skipValidations, maxLookahead: 1, errorMessageProvider });
    this.performSelfAnalysis();
  }

  /** Parses the tokens of one line; `source` is the line they come from. Never throws. */
  parseLine(tokens: IToken[], number: number, source: string): Line {
    this.input = tokens;
    this.number = number;
    this.source = source;
    this.failure = undefined;
    const line = this.line();
    if (this.failure !== undefined) return this.failure;
    const [error] = this.errors;
    if (error === undefined) return line;
    // At the end of the line chevrotain blames a token without a place.
    const { startOffset, image } = error.token;
    const atEnd = Number.isNaN(startOffset);
    const column = atEnd ? Math.max(1, source.trimEnd().length) : startOffset + 1;
    const message = endOfLineHints[error.message] ?? endOfLineHints["line"] ?? "";
    return { kind: "error", line: number, code: "malformed-line", column, length: atEnd ? 1 : image.length, message };
  }

  private fail(token: IToken, code: SyntaxErrorCode, message: string): void {
    this.failure ??= {
      kind: "error",
      line: this.number,
      code,
      column: token.startOffset + 1,
      length: token.image.length,
      message,
    };
  }

  /** Inside quotes a backslash stands for the character after it, whatever that is; outside it is an ordinary character. */
  private wordOf(token: IToken): Word {
    const { image, startOffset } = token;
    const quote = image.indexOf('"');
    if (quote === -1) return { text: image, column: startOffset + 1, length: image.length, quoted: false };
    const inside = unquote(image.slice(quote + 1));
    if (inside === undefined) {
      const place = { ...token, startOffset: startOffset + quote, image: image.slice(quote) };
      this.fail(place, "unclosed-quote", "this quote is not closed before the end of the line");
    }
    return { text: image.slice(0, quote) + (inside ?? ""), column: startOffset + 1, length: image.length, quoted: true };
  }

  private countersOf(token: IToken): CounterPair | undefined {
    const counters = parseCounters(token.image);
    if (counters === undefined) this.fail(token, "invalid-counters", `"${token.image}" is not [packets:bytes]`);
    return counters;
  }

  /** line = [ comment | table | chain | commit | command ] ; */
  readonly line: ParserMethod<[], Line> = this.RULE(
    "line",
    (): Line =>
      this.OR([
        { ALT: () => this.SUBRULE(this.command) },
        { ALT: () => this.SUBRULE(this.chain) },
        { ALT: () => this.SUBRULE(this.comment) },
        { ALT: () => this.SUBRULE(this.table) },
        { ALT: () => this.SUBRULE(this.commit) },
        { ALT: (): Line => ({ kind: "blank", line: this.number }) },
      ]),
  );

  /** comment = "#" { character } ; */
  private readonly comment: ParserMethod<[], Line> = this.RULE("comment", (): Line => {
    const token = this.CONSUME(Comment);
    return { kind: "comment", line: this.number, text: token.image };
  });

  /** table = "*" name { name } ; all but the first name is ignored, as by iptables-restore */
  private readonly table: ParserMethod<[], Line> = this.RULE("table", (): Line => {
    this.CONSUME(Asterisk);
    const name = this.CONSUME(Name);
    this.MANY(() => {
      this.OR([{ ALT: () => this.CONSUME2(Name) }, { ALT: () => this.CONSUME(Counters) }]);
    });
    return { kind: "table", line: this.number, name: nameOf(name) };
  });

  /** chain = ":" name name [ counters { name } ] ; */
  private readonly chain: ParserMethod<[], Line> = this.RULE("chain", (): Line => {
    this.CONSUME(Colon);
    const name = this.CONSUME1(Name);
    const policy = this.CONSUME2(Name);
    let counters: CounterPair | undefined;
    this.OPTION(() => {
      this.OR([
        {
          ALT: () => {
            const token = this.CONSUME(Counters);
            this.ACTION(() => {
              counters = this.countersOf(token);
            });
          },
        },
        {
          ALT: () => {
            const token = this.CONSUME3(Name);
            this.ACTION(() => {
              counters = this.countersOf(token);
            });
          },
        },
      ]);
      this.MANY(() => {
        this.OR2([{ ALT: () => this.CONSUME4(Name) }, { ALT: () => this.CONSUME2(Counters) }]);
      });
    });
    return { kind: "chain", line: this.number, name: nameOf(name), policy: nameOf(policy), counters };
  });

  /** commit = "COMMIT" ; */
  private readonly commit: ParserMethod<[], Line> = this.RULE("commit", (): Line => {
    const token = this.CONSUME(Commit);
    return { kind: "commit", line: this.number, column: token.startOffset + 1 };
  });

  /** command = ( counters | word ) { word } ; */
  private readonly command: ParserMethod<[], Line> = this.RULE("command", (): Line => {
    let counters: CounterPair | undefined;
    let start = 0;
    const words: Word[] = [];
    this.OR([
      {
        ALT: () => {
          const token = this.CONSUME(FirstWord);
          this.ACTION(() => words.push(this.wordOf(token)));
        },
      },
      {
        ALT: () => {
          const token = this.CONSUME(Brackets);
          this.ACTION(() => {
            counters = this.countersOf(token);
            start = token.startOffset + token.image.length;
          });
        },
      },
    ]);
    this.MANY(() => {
      const token = this.CONSUME(FurtherWord);
      this.ACTION(() => words.push(this.wordOf(token)));
    });
    return { kind: "command", line: this.number, text: this.ACTION(() => this.source.slice(start).trim()), counters, words };
  });
}
