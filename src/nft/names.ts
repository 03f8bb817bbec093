/** Names for our chains and sets: valid in nft, unique in the table, and close to what the user called the thing. */

/** nft allows 255 characters; the rest is room for what is appended to tell things apart. */
const longest = 200;

/** Replaces what nft does not allow in a name. The caller's prefix keeps it from being a keyword or starting with a digit. */
export function nameable(text: string): string {
  return text.replace(/[^A-Za-z0-9_.-]/g, "_").slice(0, longest);
}

export class Names {
  private readonly taken = new Set<string>();

  /** `wish` itself, or with the first number behind it that makes it unique. */
  unique(wish: string): string {
    const base = nameable(wish);
    let name = base;
    for (let suffix = 2; this.taken.has(name); suffix++) name = `${base}_${suffix}`;
    this.taken.add(name);
    return name;
  }

  /** Whether the name `unique` would give is the wish itself, letter by letter. */
  static isNameable(text: string): boolean {
    return nameable(text) === text;
  }
}
