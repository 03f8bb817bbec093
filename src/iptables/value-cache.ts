/** Values of options, each text read once. */

import type { Invalid, ValueParser } from "../extensions/extension.js";
import type { Family } from "./ast.js";

/** Values kept of each parser, so that rules share what they have in common. */
const mostValues = 5_000;

interface Known<Value> {
  values: Map<string, Value | Invalid> | undefined;
  hits: number;
  misses: number;
}

export class ValueCache {
  private readonly known = new Map<ValueParser<unknown>, Known<unknown>>();
  private readonly context: { readonly family: Family };

  constructor(family: Family) {
    this.context = { family };
  }

  /** The value of a text; the same text has the same, which nobody changes. */
  read<Value>(parser: ValueParser<Value>, text: string): Value | Invalid {
    let known = this.known.get(parser) as Known<Value> | undefined;
    if (known === undefined) this.known.set(parser, (known = { values: new Map(), hits: 0, misses: 0 }));
    if (known.values === undefined) return parser(text, this.context);
    const before = known.values.get(text);
    if (before !== undefined) {
      known.hits++;
      return before;
    }
    const value = parser(text, this.context);
    if (known.values.size < mostValues) known.values.set(text, value);
    // Where every text is another (comments), looking it up costs more than it saves.
    if (++known.misses > 1_000 && known.misses > known.hits) known.values = undefined;
    return value;
  }
}
