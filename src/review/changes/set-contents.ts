/** Which sets of ipset hold other elements than before. */

import type { Ipset, IpsetElement } from "../../ipset/ast.js";
import type { Drift } from "../flow/questions.js";

export interface SetChange {
  readonly name: string;
  readonly drift: Drift;
  /** "holds 2 more elements and 1 fewer". */
  readonly words: string;
}

/** Sets that only one version has count as empty in the other. */
export function changedSets(old: ReadonlyMap<string, Ipset>, current: ReadonlyMap<string, Ipset>): SetChange[] {
  return [...new Set([...old.keys(), ...current.keys()])].flatMap((name): SetChange[] => {
    const [before, after] = [old.get(name), current.get(name)];
    const [was, is] = [before, after].map((set) => new Set([...(set?.elements.values() ?? [])].map(elementText)));
    const come = [...is!].filter((element) => !was!.has(element));
    const gone = [...was!].filter((element) => !is!.has(element));
    const kindDiffers = before !== undefined && after !== undefined && before.type.name !== after.type.name;
    if (come.length === 0 && gone.length === 0 && !kindDiffers) return [];
    // An exception takes away what it is added to, and a set of sets holds what its members hold.
    const plain = ![before, after].some(
      (set) => set?.type.method === "list" || [...(set?.elements.values() ?? [])].some(({ nomatch }) => nomatch),
    );
    const drift: Drift = kindDiffers || !plain ? "unknown" : gone.length === 0 ? "more" : come.length === 0 ? "less" : "unknown";
    const parts = [
      ...(come.length > 0 ? [`${come.length} more element${come.length === 1 ? "" : "s"}`] : []),
      ...(gone.length > 0 ? [`${gone.length} fewer`] : []),
    ];
    return [{ name, drift, words: `holds ${parts.length > 0 ? parts.join(" and ") : "its elements in another form"}` }];
  });
}

/** Equal for elements that match the same packets. */
function elementText({ parts, nomatch }: IpsetElement): string {
  return JSON.stringify([parts, nomatch], (_, value: unknown) => (typeof value === "bigint" ? `${value}n` : value));
}
