/** Patterns of paths: `*` and `?` stand for signs of one name, `**` for any number of folders. */

export interface PathPattern {
  /** As it was given. */
  readonly text: string;
  /** The folders in front of the first name with a wildcard; `.` where there is none. */
  readonly base: string;
  /** The names from there on, the last of them that of the file. */
  readonly names: readonly string[];
}

/** Reads a pattern; the name of a file is one without wildcards. */
export function parsePattern(text: string): PathPattern {
  const names = text.split("/");
  const wild = names.findIndex((name) => /[*?]/.test(name));
  const fixed = names.slice(0, wild < 0 ? -1 : wild);
  const base = fixed.length === 0 ? "." : fixed.join("/") || "/";
  return { text, base, names: names.slice(fixed.length).filter((name) => name !== "" && name !== ".") };
}

/** Whether the name of one file or folder is one that the pattern means; in a time that grows as both lengths. */
export function nameMatches(name: string, pattern: string): boolean {
  // A name that begins with a dot is hidden from wildcards, as in shells.
  if (name.startsWith(".") && !pattern.startsWith(".")) return false;
  let at = 0;
  let from = 0;
  /** Behind the last star, and what it has swallowed so far. */
  let star: { readonly behind: number; swallowed: number } | undefined;
  while (from < name.length) {
    const sign = pattern[at];
    if (sign === "*") {
      at += 1;
      star = { behind: at, swallowed: from };
    } else if (sign !== undefined && (sign === "?" || sign === name[from])) {
      at += 1;
      from += 1;
    } else if (star) {
      at = star.behind;
      star.swallowed += 1;
      from = star.swallowed;
    } else return false;
  }
  while (pattern[at] === "*") at += 1;
  return at === pattern.length;
}
