/** Names for our chains and sets: valid in nft, unique in the table, and close to what the user called the thing. */

/**
 * nft allows 255 characters; the rest is room for the number that tells names apart. A list's name has up to 199 bytes, and
 * what is appended to it must not be cut off.
 */
const longest = 240;

/** Replaces what nft does not allow in a name. The caller's prefix keeps it from being a keyword or starting with a digit. */
export function nameable(text: string): string {
  return text.replace(/[^A-Za-z0-9_.-]/g, "_").slice(0, longest);
}

/** What the nft chain of a chain of iptables is called, unless that name is taken. */
export function chainName(table: string, chain: string): string {
  return nameable(`${table}_${chain}`);
}

export class Names {
  private readonly taken = new Set<string>();
  /** The number to try first behind a name that is taken: thousands may look alike once their odd characters are gone. */
  private readonly suffixes = new Map<string, number>();

  /** `wish` itself, or with the first number behind it that makes it unique. */
  unique(wish: string): string {
    const base = nameable(wish);
    let name = base;
    if (this.taken.has(name)) {
      let suffix = this.suffixes.get(base) ?? 2;
      while (this.taken.has((name = `${base}_${suffix}`))) suffix++;
      this.suffixes.set(base, suffix + 1);
    }
    this.taken.add(name);
    return name;
  }

  /** Whether the name `unique` would give is the wish itself, letter by letter. */
  static isNameable(text: string): boolean {
    return nameable(text) === text;
  }
}
