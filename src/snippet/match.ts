/** The words of a match that somebody gives for a rule of nft. They may ask, and no more. */

/** Words of nft that do something to a packet, or end the rule. */
const doing = new Set(
  (
    "accept add continue counter delete dnat drop dup fwd goto include jump limit log map masquerade meter notrack queue quota redirect " +
    "reject return set snat synproxy tproxy update vmap"
  ).split(" "),
);

/** Longer ones are no match that a person wrote. */
const longestMatch = 500;

/** Why the text is no match to be put before a jump; undefined if nothing is wrong with it. nft settles what it means. */
export function matchFault(text: string): string | undefined {
  if (text.length > longestMatch) return `it has more than ${longestMatch} characters`;
  if (!/^[\x20-\x7e]*$/u.test(text)) return "it must be one line of printable ASCII characters";
  let braces = 0;
  // A quoted text, or one character of anything else, or a word.
  for (const [token] of text.matchAll(/"[^"]*"|[\w.:/*@+-]+|[^\s]/gu)) {
    if (token === '"') return "a quote is not closed";
    if (token === ";" || token === "#" || token === "\\" || token === "$") return `${token} has no place in a match`;
    if (token === "{") braces += 1;
    if (token === "}" && --braces < 0) return "a brace is closed that was not opened";
    if (braces === 0 && doing.has(token)) return `"${token}" does more than ask; the snippet says itself what becomes of the packets`;
  }
  return braces === 0 ? undefined : "a brace is not closed";
}
