/** What the playground holds, and what a link to it carries. */

import { optionChecks } from "../option-checks.js";
import type { TranslateOptions } from "../translate.js";

/** The texts by what they are, in the order in which the page has them. */
export const textNames = ["rules", "second", "sets", "countries", "before"] as const;
export type TextName = (typeof textNames)[number];

/** The options of the command line that a page can have. */
export type PlaygroundOptions = Omit<TranslateOptions, "ipsets" | "geoip">;

/** What of the results is shown. */
export const views = ["script", "messages", "lists", "search", "review"] as const;
type View = (typeof views)[number];

export interface PlaygroundState {
  readonly texts: Readonly<Record<TextName, string>>;
  readonly options: PlaygroundOptions;
  readonly view: View;
}

export const emptyState: PlaygroundState = {
  texts: { rules: "", second: "", sets: "", countries: "", before: "" },
  options: {},
  view: "script",
};

/** Names that diagnostics have for the texts. */
export const fileNames: Readonly<Record<TextName, string>> = {
  rules: "rules",
  second: "second",
  sets: "sets.ipset",
  countries: "countries.csv",
  before: "before",
};

/** Reads what a link or a program gives; what is not known, or not of its kind, is left out. */
export function stateOf(given: unknown): PlaygroundState {
  const { texts, options, view } = members(given);
  const [text, option] = [members(texts), members(options)];
  return {
    texts: Object.fromEntries(textNames.map((name) => [name, typeof text[name] === "string" ? text[name] : ""])) as Record<
      TextName,
      string
    >,
    // By the names that are known: a link may have a million others.
    options: Object.fromEntries(
      Object.entries(optionChecks).flatMap(([name, check]) => {
        const value = Object.hasOwn(option, name) ? option[name] : undefined;
        return value !== undefined && check(value) === undefined ? [[name, value]] : [];
      }),
    ),
    view: views.find((one) => one === view) ?? emptyState.view,
  };
}

/** The state without what is as it is in an empty one, and its options in one order: what a link carries. */
export function withoutEmpty({ texts, options, view }: PlaygroundState): object {
  const filled = Object.fromEntries(Object.entries(texts).filter(([, text]) => text !== ""));
  const sorted = Object.fromEntries(Object.entries(options).sort(([one], [other]) => (one < other ? -1 : 1)));
  return { texts: filled, options: sorted, ...(view !== emptyState.view && { view }) };
}

function members(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null ? (value as Record<string, unknown>) : {};
}
