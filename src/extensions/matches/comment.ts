/**
 * `-m comment`: text for the reader.
 *
 *     -m comment --comment "from the office"   →   comment "from the office"
 *
 * nft holds at most 128 bytes and has no escape for a double quote or a control character.
 *
 * man iptables-extensions, section "comment".
 */

import { defineMatch, type Remark } from "../extension.js";
import { text } from "../values/text.js";

const maximumBytes = 128;

/** The nearest text that nft can hold: single quotes for double ones, a blank for each control character, cut at 128 bytes. */
export function nftComment(original: string): string {
  const printable = original.replaceAll('"', "'").replace(/[\u0000-\u001f\u007f-\u009f\u2028\u2029]/g, " ");
  const encoder = new TextEncoder();
  if (encoder.encode(printable).length <= maximumBytes) return printable;
  const ellipsis = "...";
  let bytes = ellipsis.length;
  let kept = "";
  for (const character of printable) {
    bytes += encoder.encode(character).length;
    if (bytes > maximumBytes) break;
    kept += character;
  }
  return kept + ellipsis;
}

export const comment = defineMatch({
  name: "comment",
  options: { comment: { value: text(255), required: true } },
  facts: { reads: [], condition: [], played: true, always: true },
  translate({ comment: use }) {
    const original = use?.value ?? "";
    const written = nftComment(original);
    if (written === original) return { comment: written };
    const note: Remark = {
      code: "text-changed",
      message: "the comment holds what nft cannot: quotes, control characters or more than 128 bytes",
      at: use,
    };
    return { comment: written, notes: [note] };
  },
});
