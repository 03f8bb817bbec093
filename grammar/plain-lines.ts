/**
 * Lines as programs write them, of which a real dump has next to no others: read here without the grammar, which takes ten times as long.
 * What this file does not know it leaves to the grammar; that both read the same is tested on random lines.
 */

import type { CounterPair, Line, Word } from "./syntax.js";

/** Characters: no word of a line of this length is too long. */
const longest = 1_023;
const mostWords = 251;

// Nineteen digits are always below 2^64.
const chainLine = /^:([\w.+-]+) ([A-Z]+|-)(?: \[([0-9]{1,19}):([0-9]{1,19})\])?$/;
const tableLine = /^\*([a-z]+)$/;
/** Printable ASCII; a quoted word has nothing before its quotes, behind them or escaped between them. */
const commandLine = /^(?:\[([0-9]{1,19}):([0-9]{1,19})\] )?-[!#-~]*(?: (?:[!#-~]+|"[ !#-[\]-~]*"))*$/;

const quote = 34;

/** The line as the grammar reads it; undefined for one that only the grammar knows. */
export function parsePlainLine(source: string, line: number): Line | undefined {
  if (source.length > longest) return undefined;
  switch (source[0]) {
    case "-":
    case "[":
      return command(source, line);
    case ":": {
      const [, name, policy, packets, bytes] = chainLine.exec(source) ?? [];
      if (name === undefined || policy === undefined) return undefined;
      return { kind: "chain", line, name: word(name, 1), policy: word(policy, name.length + 2), counters: pair(packets, bytes) };
    }
    case "#":
      return { kind: "comment", line, text: source };
    case "*": {
      const name = tableLine.exec(source)?.[1];
      return name === undefined ? undefined : { kind: "table", line, name: word(name, 1) };
    }
    case "C":
      return source === "COMMIT" ? { kind: "commit", line, column: 1 } : undefined;
    default:
      return undefined;
  }
}

function command(source: string, line: number): Line | undefined {
  const found = commandLine.exec(source);
  if (found === null) return undefined;
  const counters = pair(found[1], found[2]);
  const start = counters === undefined ? 0 : source.indexOf("]") + 2;
  const words: Word[] = [];
  for (let at = start; at < source.length; ) {
    const quoted = source.charCodeAt(at) === quote;
    const behind = source.indexOf(quoted ? '"' : " ", at + 1);
    const end = behind === -1 ? source.length : quoted ? behind + 1 : behind;
    words.push({ text: quoted ? source.slice(at + 1, behind) : source.slice(at, end), column: at + 1, length: end - at, quoted });
    at = end + 1;
  }
  return words.length > mostWords ? undefined : { kind: "command", line, text: source.slice(start), counters, words };
}

function word(text: string, at: number): Word {
  return { text, column: at + 1, length: text.length, quoted: false };
}

const none: CounterPair = { packets: 0n, bytes: 0n };

function pair(packets: string | undefined, bytes: string | undefined): CounterPair | undefined {
  if (packets === undefined || bytes === undefined) return undefined;
  return packets === "0" && bytes === "0" ? none : { packets: BigInt(packets), bytes: BigInt(bytes) };
}
