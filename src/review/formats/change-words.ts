/** Signs and words for changes, shared by the formats that are read as text. */

import type { Change } from "../report.js";

export const changeSigns: Readonly<Record<Change["kind"], string>> = {
  added: "+",
  removed: "-",
  moved: ">",
  changed: "~",
  contents: "set",
  policy: "~",
};

const directionWords: Readonly<Record<Change["direction"], string>> = {
  opens: "opens",
  closes: "closes",
  both: "opens and closes",
  alters: "alters",
  unjudged: "not judged",
  neither: "lets through and stops as before",
};

/** `filter INPUT: drops … (opens)`. */
export function changeText({ kind, table, chain, family, meaning, direction }: Change): string {
  return `${family === "ipv6" ? "IPv6 " : ""}${table} ${chain}, ${kind}: ${meaning} [${directionWords[direction]}]`;
}
