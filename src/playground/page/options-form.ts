/** The options as a form, and back. */

import type { PlaygroundOptions } from "../state.js";
import { find } from "./dom.js";

const secondsPerDay = 86_400;

const text = (id: string): string => find(id, HTMLInputElement).value.trim();
const number = (id: string): number | undefined => (text(id) === "" ? undefined : Number(text(id)));

/** What the form says; what stands in it need not be an option that there is. */
export function readOptions(): PlaygroundOptions {
  const family = find("option-family", HTMLSelectElement).value;
  const recent = find("option-recent", HTMLSelectElement).value;
  const without = text("option-without")
    .split(/[\s,]+/)
    .filter((word) => word !== "");
  const days = number("option-forget-after");
  const setSize = number("option-set-size");
  const is = (id: string): boolean => find(id, HTMLInputElement).checked;
  // The translator says what is wrong with a value.
  return {
    ...(family !== "" && { family }),
    ...(recent !== "auto" && { recent }),
    ...(text("option-table") !== "" && { table: text("option-table") }),
    ...(text("option-target-nft") !== "" && { targetNft: text("option-target-nft") }),
    ...(setSize !== undefined && { setSize }),
    ...(days !== undefined && { forgetAfter: days * secondsPerDay }),
    ...(without.length > 0 && { without }),
    ...(is("option-inet") && { inet: true }),
    ...(is("option-optimize") && { optimize: true }),
    ...(is("option-keep-sets") && { keepSets: true }),
    ...(is("option-origins") && { origins: true }),
    ...(!is("option-counters") && { counters: false }),
  } as PlaygroundOptions;
}

export function showOptions(options: PlaygroundOptions): void {
  const { family, recent, table, targetNft, setSize, forgetAfter, without, inet, optimize, keepSets, origins, counters } = options;
  find("option-family", HTMLSelectElement).value = family ?? "";
  find("option-recent", HTMLSelectElement).value = recent ?? "auto";
  const texts = {
    "option-table": table,
    "option-target-nft": targetNft,
    "option-set-size": setSize,
    "option-forget-after": forgetAfter === undefined ? undefined : forgetAfter / secondsPerDay,
    "option-without": without?.join(", "),
  };
  for (const [id, value] of Object.entries(texts)) find(id, HTMLInputElement).value = String(value ?? "");
  const checks = {
    "option-inet": inet,
    "option-optimize": optimize,
    "option-keep-sets": keepSets,
    "option-origins": origins,
    "option-counters": counters ?? true,
  };
  for (const [id, value] of Object.entries(checks)) find(id, HTMLInputElement).checked = value ?? false;
  const count = Object.keys(options).length;
  find("options", HTMLDetailsElement).open = count > 0;
}
