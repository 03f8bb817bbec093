/** Walks nft syntax trees without knowing their kinds of nodes: names of objects stand in few of them. */

/** What things are called now, by what they were called before; others keep their names. */
export interface NewNames {
  readonly chain: ReadonlyMap<string, string>;
  readonly set: ReadonlyMap<string, string>;
  /** Conntrack helpers. */
  readonly helper: ReadonlyMap<string, string>;
}

/** The property that holds a name, and what it is the name of, by the kind of the node. */
const namingNodes: Readonly<Record<string, { readonly property: string; readonly of: keyof NewNames }>> = {
  jump: { property: "chain", of: "chain" },
  set: { property: "set", of: "set" },
  "set-reference": { property: "set", of: "set" },
  object: { property: "object", of: "helper" },
};

type Fields = Record<string, unknown>;

function isNode(value: unknown): value is Fields {
  return typeof value === "object" && value !== null;
}

/** A copy in which `change` has been applied to every object, inner ones first. */
export function mapNodes<Node>(node: Node, change: (copy: Fields) => void): Node {
  const go = (value: unknown): unknown => {
    if (Array.isArray(value)) return value.map(go);
    if (!isNode(value)) return value;
    const copy: Fields = Object.fromEntries(Object.entries(value).map(([name, part]) => [name, go(part)]));
    change(copy);
    return copy;
  };
  return go(node) as Node;
}

/** Gives the names in one node, leaving those below it. */
export function renameNode(node: Fields, names: NewNames): void {
  const naming = typeof node["kind"] === "string" ? namingNodes[node["kind"]] : undefined;
  if (!naming) return;
  const name = node[naming.property] as string;
  node[naming.property] = names[naming.of].get(name) ?? name;
}

/** A copy with new names. */
export function renamed<Node>(node: Node, names: NewNames): Node {
  return mapNodes(node, (copy) => renameNode(copy, names));
}

/** All names of sets, chains and helpers that stand anywhere in it. */
export function namesIn(node: unknown, found = new Set<string>()): Set<string> {
  if (Array.isArray(node)) for (const part of node) namesIn(part, found);
  else if (isNode(node)) {
    const naming = typeof node["kind"] === "string" ? namingNodes[node["kind"]] : undefined;
    if (naming) found.add(node[naming.property] as string);
    // A ruleset may have a million nodes: no array is made of the parts of each.
    for (const property in node) {
      const part = node[property];
      if (typeof part === "object") namesIn(part, found);
    }
  }
  return found;
}
