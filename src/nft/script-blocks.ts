/** The chains and sets of a script, or of what nft lists, as text. */

/** The rules or properties of each chain and set, by table and name. */
export type Blocks = ReadonlyMap<string, readonly string[]>;

/** `table ip x {` → `chain y {` or `set z {` → lines. */
export function blocksOf(listing: string): Blocks {
  const blocks = new Map<string, string[]>();
  let table = "";
  let block: string[] | undefined;
  for (const raw of listing.split("\n")) {
    const line = raw.trim();
    const opened = /^(table|chain|set|map|ct helper|counter|quota|limit) (.*) \{$/.exec(line);
    if (opened?.[1] === "table") table = opened[2]!;
    else if (opened) blocks.set(`${opened[1]} ${opened[2]} of table ${table}`, (block = []));
    else if (line === "}") block = undefined;
    else if (line !== "" && block) block.push(withoutAsides(line));
  }
  return blocks;
}

/** What decides nothing: counters, comments, the elements a set has by now. */
export function withoutAsides(line: string): string {
  return line
    .replace(/\bcounter(?: packets [0-9]+ bytes [0-9]+)?(?= |$)/g, "")
    .replace(/ comment "[^"]*"$/, "")
    .replace(/\s+/g, " ")
    .trim();
}
