/** The known name that was meant, where one was mistyped. */

import { closest, distance } from "fastest-levenshtein";

/** Names among which one is looked for: each of very many errors may ask. */
const mostNames = 2_000;
const longestWord = 40;

/** `did you mean "multiport"?`; undefined where no name is close. The first letter is taken for right. */
export function didYouMean(word: string, names: readonly string[]): string | undefined {
  if (names.length > mostNames || word.length > longestWord || word === "") return undefined;
  // A third of the letters may be wrong, and two in a long word.
  const most = Math.min(2, Math.floor(word.length / 3));
  const first = (name: string): string | undefined => (name.startsWith("--") ? name[2] : name[0])?.toLowerCase();
  const wanted = first(word);
  const near = names.filter((name) => Math.abs(name.length - word.length) <= most && first(name) === wanted);
  if (near.length === 0) return undefined;
  const best = closest(word, near);
  return distance(word.toLowerCase(), best.toLowerCase()) <= most ? `did you mean "${best}"?` : undefined;
}
