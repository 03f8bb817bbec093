/** The name of a chain behind `-j` or `-g`, as a value that rules of one shape differ by. */

import type { UniformClass } from "../extensions/extension.js";
import { uniformClass } from "../extensions/values/uniform.js";
import { chainName } from "../nft/names.js";

/**
 * The chains of one table of one text.
 * @param find where the name ends that starts at a place of a line that ends at another; -1 if no chain is called so
 */
export function calledChain(table: string, find: (at: number, end: number) => number): UniformClass {
  const printed = new Map<string, string>();
  return uniformClass({
    name: "chain",
    scan: (_, at, end) => find(at, end),
    // Any other chain would be called from where it is not.
    marker: (_, replaced) => replaced,
    printed(name) {
      let known = printed.get(name);
      if (known === undefined) printed.set(name, (known = chainName(table, name)));
      return known;
    },
  });
}
