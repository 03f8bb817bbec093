/** Values that are words: free text of bounded length, and one of a list. */

import { Invalid, type ValueParser } from "../extension.js";

/** Any text of at most `maximum` bytes in UTF-8. */
export function text(maximum: number): ValueParser<string> {
  return (value) => (new TextEncoder().encode(value).length > maximum ? new Invalid(`longer than ${maximum} bytes`) : value);
}

/** The beginning of a text, at most `bytes` long in UTF-8, without half a character at its end. */
export function cutToBytes(text: string, bytes: number): string {
  const encoded = new TextEncoder().encode(text);
  return encoded.length <= bytes ? text : new TextDecoder().decode(encoded.slice(0, bytes)).replace(/\ufffd+$/, "");
}

// Control and format characters (bidirectional overrides, joiners), line separators, lone surrogates.
const withoutForm = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/gu;

/**
 * The nearest text that a comment of nft can hold and a reader sees as it is: single quotes for double ones, a blank for what has no
 * form.
 */
export function commentText(text: string): string {
  return text.replaceAll('"', "'").replace(withoutForm, " ");
}

/** Exactly one of the words. */
export function oneOfWords<const Word extends string>(words: readonly Word[]): ValueParser<Word> {
  return (value) => words.find((word) => word === value) ?? new Invalid(`"${value}" is none of ${words.join(", ")}`);
}

/** A comma list of words; an empty list is invalid. */
export function wordList<const Word extends string>(words: readonly Word[]): ValueParser<readonly Word[]> {
  const one = oneOfWords(words);
  return (value, context) => {
    const found: Word[] = [];
    for (const part of value.split(",")) {
      const word = one(part, context);
      if (word instanceof Invalid) return word;
      found.push(word);
    }
    return found;
  };
}
