/**
 * `-m string`: text in the packet.
 *
 *     --algo bm --from 28 --to 31 --string abc   →   @nh,224,24 0x616263
 *
 * nft cannot search. Where `--from` and `--to` leave only a few places for the text, each is compared; offsets count from the
 * network header on both sides. Since Linux 6.5 the text must end at or before `--to`; older kernels let it begin there.
 *
 * man iptables-extensions, section "string".
 */

import { compare, meta, number, type Statement } from "../../nft/ast.js";
import { defineMatch, Invalid, type OptionUses, type Remark, type ValueParser } from "../extension.js";
import { integer } from "../values/number.js";
import { lastPayloadOffset, notAll, patternAt } from "../values/raw-payload.js";
import { oneOfWords } from "../values/text.js";

const maximumLength = 128;
/** Places in which the text is looked for, at most. */
const mostPlaces = 8;

const plainText: ValueParser<readonly number[]> = (text) => {
  const bytes = [...new TextEncoder().encode(text)];
  if (bytes.length === 0) return new Invalid("the text is empty");
  return bytes.length > maximumLength ? new Invalid(`longer than ${maximumLength} bytes`) : bytes;
};

/** Text with `|41 4243|` for bytes in hexadecimal and a backslash before a character that stands for itself. */
const hexText: ValueParser<readonly number[]> = (text) => {
  const bytes: number[] = [];
  const encoder = new TextEncoder();
  for (let rest = text; rest !== ""; ) {
    const block = /^\|((?:[0-9a-fA-F]{2}| )*)\|/.exec(rest);
    const literal = block ? null : /^\\?([^])/u.exec(rest);
    if (block) bytes.push(...(block[1]!.match(/[0-9a-fA-F]{2}/g) ?? []).map((digits) => parseInt(digits, 16)));
    else if (literal && rest[0] !== "|") bytes.push(...encoder.encode(literal[1]));
    else return new Invalid(`"${text}" has an invalid hex block`);
    rest = rest.slice((block ?? literal)![0].length);
  }
  if (bytes.length === 0) return new Invalid("the text is empty");
  return bytes.length > maximumLength ? new Invalid(`longer than ${maximumLength} bytes`) : bytes;
};

const options = {
  algo: { value: oneOfWords(["bm", "kmp"]), required: true },
  from: { value: integer(0, 65535) },
  to: { value: integer(0, 65535) },
  string: { value: plainText, invertible: true, excludes: ["hex-string"] },
  "hex-string": { value: hexText, invertible: true, excludes: ["string"] },
  icase: {},
} as const;

const searchHelp = "drop such packets in the program that serves them, or send them to a queue that inspects them";

export const stringMatch = defineMatch({
  name: "string",
  options,
  check(uses: OptionUses<typeof options>) {
    return (uses.string ?? uses["hex-string"]) ? undefined : new Invalid("needs --string or --hex-string");
  },
  compared: ({ from, to, string, "hex-string": hex, ...others }) => {
    const text = string ?? hex;
    return { ...others, from: from?.value ?? 0, to: to?.value ?? 65535, text: text?.value, inverted: text?.inverted };
  },
  facts: {
    reads: ["packet"],
    condition: [],
    played: true,
    words: ({ algo: _, string: text, "hex-string": hex, icase, ...others }) => {
      if (Object.keys(others).length > 0) return undefined;
      const what = text ? `"${text.text}"` : hex && `the bytes ${hex.text}`;
      return what && `it contains ${what}${icase ? " in any case" : ""}`;
    },
  },
  translate(uses) {
    const text = uses.string ?? uses["hex-string"];
    if (!text) return { never: "no text is given" };
    const from = uses.from?.value ?? 0;
    const to = uses.to?.value ?? 65535;
    const bytes = text.value;
    const places = to - from - bytes.length + 1;
    if (places <= 0) {
      const approximations: Remark[] = [
        {
          message:
            "the text does not fit between --from and --to, so it is never found; Linux before 6.5 found it where it only began there",
          at: uses.to,
        },
      ];
      return text.inverted
        ? { statements: [], approximations }
        : { never: "the text does not fit between --from and --to", approximations };
    }
    if (places > mostPlaces || (text.inverted && places > 1)) {
      return { untranslatable: "nft cannot search a packet for text", help: searchHelp, at: text };
    }
    if (to > lastPayloadOffset) {
      return {
        untranslatable: `nft reads only the first ${lastPayloadOffset} bytes of a packet on kernels before 6.14`,
        help: searchHelp,
        at: uses.to,
      };
    }
    const ignoreCase = uses.icase !== undefined;
    if (ignoreCase && bytes.some((byte) => byte > 0x7f)) {
      return { untranslatable: "nft cannot ignore the case of letters outside ASCII", at: text };
    }
    const pattern = { bytes, ignoreCase };
    if (text.inverted) {
      // A packet that ends before the text does not hold it, and stops an nft comparison.
      const isLong = compare(meta("length"), ">=", number(to));
      const different = notAll(patternAt(pattern, from)).map((statements) => [isLong, ...statements]);
      return { alternatives: [[compare(meta("length"), "<", number(to))], ...different] };
    }
    // A later place counts only where the text stands at none before it: otherwise the rule would act twice.
    const alternatives: Statement[][] = [];
    for (let place = 0; place < places; place++) {
      if (place > 0 && bytes.length > 16) return { untranslatable: "nft cannot search a packet for text", help: searchHelp, at: text };
      const before = Array.from({ length: place }, (_, earlier) => patternAt(pattern, from + earlier, true)).flat();
      alternatives.push([...before, ...patternAt(pattern, from + place)]);
    }
    return alternatives.length === 1 ? { statements: alternatives[0]! } : { alternatives };
  },
});
