/** `test` and `[`, as far as their words alone decide: comparisons of texts and numbers. */

import type { Status } from "./script-firewall.js";

/** @param isBracket the last word must be `]` */
export function evaluateTest(words: readonly string[], isBracket: boolean): Status {
  if (isBracket && words.at(-1) !== "]") return "unknown";
  const found = evaluate(isBracket ? words.slice(0, -1) : words);
  return found === undefined ? "unknown" : found ? "success" : "failure";
}

function evaluate(words: readonly string[]): boolean | undefined {
  const [first, second, third] = words;
  switch (words.length) {
    case 0:
      return false;
    case 1:
      return first !== "";
    case 2:
      if (first === "!") return second === "";
      return first === "-n" ? second !== "" : first === "-z" ? second === "" : undefined;
    case 3: {
      if (second === "=" || second === "==") return first === third;
      if (second === "!=") return first !== third;
      const compare = numeric[second!];
      if (compare) return isNumber(first!) && isNumber(third!) ? compare(Number(first), Number(third)) : undefined;
      if (first !== "!") return undefined;
      const inner = evaluate(words.slice(1));
      return inner === undefined ? undefined : !inner;
    }
    case 4: {
      if (first !== "!") return undefined;
      const inner = evaluate(words.slice(1));
      return inner === undefined ? undefined : !inner;
    }
    default:
      return undefined;
  }
}

const numeric: Readonly<Record<string, (a: number, b: number) => boolean>> = {
  "-eq": (a, b) => a === b,
  "-ne": (a, b) => a !== b,
  "-lt": (a, b) => a < b,
  "-le": (a, b) => a <= b,
  "-gt": (a, b) => a > b,
  "-ge": (a, b) => a >= b,
};

function isNumber(text: string): boolean {
  return /^-?[0-9]{1,15}$/.test(text);
}
