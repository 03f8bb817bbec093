/** The text in front of a log message, which LOG and NFLOG share. */

import type { OptionUse } from "../../iptables/ast.js";
import { Invalid, type Remark, type ValueParser } from "../extension.js";

const encoder = new TextEncoder();

/** iptables cuts a longer prefix at `maximum` bytes without a word; here never within a character. */
export function prefixText(maximum: number): ValueParser<string> {
  return (text) => {
    if (text === "") return new Invalid("must not be empty");
    let kept = "";
    let bytes = 0;
    for (const character of text) {
      bytes += encoder.encode(character).length;
      if (bytes > maximum) break;
      kept += character;
    }
    return kept;
  };
}

/** nft has no escape inside quotes, and takes `$` in a log prefix for the beginning of a variable's name. */
const unwritable: Readonly<Record<string, string>> = { '"': "'" };

/** The prefix as nft can hold it, and a note if that is not the text as it was. */
export function writablePrefix(prefix: OptionUse<string>): { readonly text: string; readonly notes: readonly Remark[] } {
  // nft's lexer takes none of the first inside quotes; the others end a line for some readers, or hide or reorder what they read.
  const text = prefix.value.replace(/["$\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/gu, (character) => unwritable[character] ?? "?");
  if (text === prefix.value) return { text, notes: [] };
  return {
    text,
    notes: [
      {
        code: "text-changed",
        at: prefix,
        message: `the prefix is written "${text}": nft cannot hold double quotes, dollar signs or control characters in it`,
        help: "adapt whatever searches the log for this prefix",
      },
    ],
  };
}
