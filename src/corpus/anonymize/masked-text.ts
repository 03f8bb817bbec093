/** Free text with its shape kept: what depends on quotes, escapes, blanks and lengths goes on working, and nothing can be read. */

/** Every letter becomes x or X, every digit 0, every other letter one with as many bytes in UTF-8. */
export function maskText(text: string): string {
  return text.replace(/[\p{L}\p{N}]/gu, (character) => {
    const code = character.codePointAt(0)!;
    if (code < 0x80) return /[0-9]/.test(character) ? "0" : /[a-z]/.test(character) ? "x" : "X";
    return code < 0x800 ? "é" : code < 0x1_0000 ? "日" : "\u{20000}";
  });
}
