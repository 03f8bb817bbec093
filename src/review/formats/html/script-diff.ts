/** The unified diff of the nft script. */

import { element, type Markup } from "./element.js";

/** More lines than this are folded away. */
const shownLines = 120;

const kinds: readonly (readonly [start: string, kind: string])[] = [
  ["@@", "hunk"],
  ["+++", "file"],
  ["---", "file"],
  ["+", "added"],
  ["-", "removed"],
];

export function scriptDiff(diff: string): Markup {
  const lines = diff.replace(/\n$/, "").split("\n");
  const listing = element(
    "pre",
    { class: "diff" },
    element(
      "code",
      {},
      lines.map((line) => {
        const kind = kinds.find(([start]) => line.startsWith(start))?.[1];
        return kind === undefined ? `${line}\n` : element("span", { class: kind }, `${line}\n`);
      }),
    ),
  );
  return lines.length <= shownLines
    ? listing
    : element("details", { class: "folded" }, element("summary", {}, `${lines.length} lines`), listing);
}
