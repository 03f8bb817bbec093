/** Words that several parts of the page use. */

import type { Severity } from "../../../diagnostic.js";
import type { Change } from "../../report.js";

/** `1 rule`, `2 rules`. */
export function count(number: number, noun: string): string {
  return `${number} ${noun}${number === 1 ? "" : "s"}`;
}

export const severityWords: Readonly<Record<Severity, string>> = { error: "Error", warning: "Warning", note: "Note" };

export const familyWords = { ipv4: "IPv4", ipv6: "IPv6" } as const;

/** What a direction means to somebody who approves it. */
export const directionWords: Readonly<Record<Change["direction"], string>> = {
  opens: "lets more through",
  closes: "lets less through",
  both: "lets some more and some less through",
  alters: "decides alike, and marks or sends otherwise",
  unjudged: "was not judged",
  neither: "decides nothing otherwise",
};
