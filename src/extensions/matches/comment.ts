/**
 * `-m comment`: text for the reader.
 *
 *     -m comment --comment "from the office"   →   comment "from the office"
 *
 * nft holds at most 128 bytes and has no escape for a double quote or a control character. Characters that change the order of what is
 * read (bidirectional overrides) could make a script look as if it said something else.
 *
 * man iptables-extensions, section "comment".
 */

import { defineMatch, type Remark } from "../extension.js";
import { commentText, text } from "../values/text.js";
import { quotedComment, uniform, wordComment } from "../values/uniform.js";

const maximumBytes = 128;

/**
 * The nearest text that nft can hold: single quotes for double ones, a blank for each character without a visible form, cut at 128 bytes.
 */
export function nftComment(original: string): string {
  const printable = commentText(original);
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
  options: { comment: { value: uniform(text(255), quotedComment, wordComment), required: true } },
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
