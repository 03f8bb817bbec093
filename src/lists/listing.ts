/**
 * Reads what `nft list sets table FAMILY NAME` prints. Not what `nft -j` does: its times are whole seconds, and a ban must not end sooner
 * for being read (nft 1.0.6 prints `expires 11` where the text says `expires 11s968ms`).
 */

/** A set of a loaded table. */
export interface ListedSet {
  readonly name: string;
  /** As nft has it: `ipv4_addr`, `ip saddr . ip ttl`. */
  readonly type: string;
  readonly interval: boolean;
  /** Milliseconds; undefined: elements stay for ever. */
  readonly timeout: number | undefined;
  readonly comment: string | undefined;
  readonly elements: readonly ListedElement[];
}

export interface ListedElement {
  /** The parts of its key: one, or those of a concatenation. */
  readonly key: readonly string[];
  /** Milliseconds that are left to it; undefined: it stays. */
  readonly expires: number | undefined;
  /** Milliseconds that it was made with, where that is not the set's timeout. */
  readonly timeout: number | undefined;
}

const units: Readonly<Record<string, number>> = { w: 604_800_000, d: 86_400_000, h: 3_600_000, m: 60_000, s: 1000, ms: 1 };

/** Milliseconds of a time such as `1m4ms`. */
export function readDuration(text: string): number | undefined {
  if (!/^(?:[0-9]+(?:ms|[wdhms]))+$/.test(text)) return undefined;
  return [...text.matchAll(/([0-9]+)(ms|[wdhms])/g)].reduce((sum, [, count, unit]) => sum + Number(count) * units[unit!]!, 0);
}

/** The sets that a listing holds. Lines of anything else are passed over. */
export function readListing(text: string): ListedSet[] {
  const sets: ListedSet[] = [];
  const lines = text.split("\n");
  for (let index = 0; index < lines.length; index++) {
    const name = /^\tset ([^ ]+) \{$/.exec(lines[index]!)?.[1];
    if (name === undefined) continue;
    const found: { type: string; interval: boolean; timeout?: number | undefined; comment?: string | undefined; elements: string[] } = {
      type: "",
      interval: false,
      elements: [],
    };
    for (index++; index < lines.length && lines[index] !== "\t}"; index++) {
      const line = lines[index]!.trim();
      const [word = "", rest = ""] = line.split(/ (.*)/s);
      if (word === "type" || word === "typeof") found.type = rest;
      else if (word === "flags") found.interval = rest.split(",").includes("interval");
      else if (word === "timeout") found.timeout = readDuration(rest);
      else if (word === "comment") found.comment = /^"([^"]*)"$/.exec(rest)?.[1];
      else if (line.startsWith("elements = {")) {
        found.elements.push(line.slice("elements = {".length));
        while (!endsElements(found.elements.at(-1)!) && index + 1 < lines.length) found.elements.push(lines[++index]!);
      }
    }
    const { type, interval, timeout, comment } = found;
    sets.push({ name, type, interval, timeout, comment, elements: readElements(found.elements) });
  }
  return sets;
}

/** A comment of an element may hold a brace, but its quote ends behind it. */
const endsElements = (line: string): boolean => line.trimEnd().endsWith("}");

function readElements(lines: readonly string[]): ListedElement[] {
  const text = lines.join(" ").trim().replace(/\}$/, "");
  const elements: ListedElement[] = [];
  for (const [piece] of text.matchAll(/(?:"[^"]*"|[^,"])+/g)) {
    const words = piece.trim().split(/\s+/);
    if (words[0] === "") continue;
    const key = [words[0]!];
    let at = 1;
    while (words[at] === ".") {
      key.push(words[at + 1] ?? "");
      at += 2;
    }
    const timed = (word: string): number | undefined => {
      const place = words.indexOf(word, at);
      return place < 0 ? undefined : readDuration(words[place + 1] ?? "");
    };
    elements.push({ key, expires: timed("expires"), timeout: timed("timeout") });
  }
  return elements;
}

/** What stands behind each set of a script as its comment, or as a remark where its nft has no comments of sets. By family and table. */
export function labelsOfScript(text: string): Map<string, string> {
  const labels = new Map<string, string>();
  let table = "";
  for (const line of text.split("\n")) {
    table = /^table ([^ ]+ [^ ]+) \{$/.exec(line)?.[1] ?? table;
    const found = /^(?:\tset|add set ([^ ]+ [^ ]+)) ([^ ]+) \{(?:[^"#]*)(?:comment "([^"]*)";|\} # (.*))/.exec(line);
    if (found) labels.set(`${found[1] ?? table} ${found[2]}`, (found[3] ?? found[4])!);
  }
  return labels;
}
