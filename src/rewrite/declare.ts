/** Puts what rules want declared into the table, and gives it names of nft. */

import type { Declaration } from "../extensions/declarations.js";
import { namesIn, renamed, type NewNames } from "../nft/walk.js";
import type { RuleParts } from "./parts.js";
import type { TableBuilder } from "./table-builder.js";

export class Declarer {
  private readonly names = { chain: new Map<string, string>(), set: new Map<string, string>(), helper: new Map<string, string>() };

  constructor(private readonly table: TableBuilder) {}

  /** Declares what the statements of these parts need, and no more. `label` tells what belongs to this rule alone. */
  declare(parts: RuleParts, label: () => string): void {
    for (const declaration of neededBy(parts)) {
      const { name } = declaration;
      switch (declaration.kind) {
        case "set": {
          const { preferredName, set, shared } = declaration;
          const unique = shared ? this.table.sharedSet(preferredName, set) : this.table.set(`${preferredName}_${label()}`, set);
          this.names.set.set(name, unique);
          break;
        }
        case "helper":
          this.names.helper.set(name, this.table.helper(declaration.helper));
          break;
        case "chain": {
          const { preferredName, base } = declaration;
          const rules = renamed(declaration.rules, this.names as NewNames);
          this.names.chain.set(name, this.table.ownChain(base ? preferredName : `${preferredName}_${label()}`, rules, base));
          break;
        }
      }
    }
  }

  /** The same with the names that things have in the table. */
  named<Node>(node: Node, declarations: readonly Declaration[]): Node {
    return declarations.length === 0 ? node : renamed(node, this.names as NewNames);
  }
}

/** In order; a hooked chain is needed where a set that its rules name is. */
export function neededBy({ steps, body, declarations }: RuleParts): Declaration[] {
  if (declarations.length === 0) return [];
  const names = namesIn([steps.filter(({ kind }) => kind !== "recent"), body]);
  const needed = new Set<Declaration>();
  // What a chain names was declared before it, so that from the last to the first all is found, but for what hooked chains name.
  const gather = (): void => {
    for (const declaration of [...declarations].reverse()) {
      if (!names.has(declaration.name) || needed.has(declaration)) continue;
      needed.add(declaration);
      if (declaration.kind === "chain") namesIn(declaration.rules, names);
    }
  };
  gather();
  for (const declaration of declarations) {
    if (declaration.kind !== "chain" || !declaration.base) continue;
    const inside = namesIn(declaration.rules);
    if (![...needed].some(({ kind, name }) => kind === "set" && inside.has(name))) continue;
    needed.add(declaration);
    for (const name of inside) names.add(name);
  }
  gather();
  return declarations.filter((declaration) => needed.has(declaration));
}
