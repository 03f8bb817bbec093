/** Commands that change what the sets of a loaded table hold: text that `nft -f` takes as one transaction. */

import { emitDuration, emitWord } from "./emit.js";

export interface TableName {
  readonly family: "ip" | "ip6" | "inet";
  readonly name: string;
}

/** An element of a set of addresses, or of addresses and a number. */
export interface SetElement {
  readonly set: string;
  /** As nft prints it. */
  readonly address: string;
  readonly digit?: number;
  /** Milliseconds that are left to it; absent: as the set says for new elements, or for ever. */
  readonly expires?: number;
}

export type SetCommand =
  | { readonly kind: "add" | "delete"; readonly elements: readonly SetElement[] }
  | { readonly kind: "flush"; readonly set: string };

/** Elements in a command: each element is a message to the kernel anyway. */
const mostInCommand = 500;

/** The text of the commands, one a line; those of one kind that follow each other on one set are one. */
export function emitSetCommands({ family, name }: TableName, commands: readonly SetCommand[]): string {
  const table = `${family} ${emitWord(name)}`;
  return commands
    .flatMap((command) => {
      if (command.kind === "flush") return [`flush set ${table} ${emitWord(command.set)}\n`];
      const bySet = new Map<string, SetElement[]>();
      for (const element of command.elements) bySet.set(element.set, [...(bySet.get(element.set) ?? []), element]);
      return [...bySet].flatMap(([set, elements]) =>
        inPieces(elements, mostInCommand).map((some) => {
          const words = some.map((element) => elementText(element, command.kind === "add"));
          return `${command.kind} element ${table} ${emitWord(set)} { ${words.join(", ")} }\n`;
        }),
      );
    })
    .join("");
}

function elementText({ address, digit, expires }: SetElement, timed: boolean): string {
  if (!/^[0-9a-f.:]+$/.test(address)) throw new RangeError(`not an address: ${JSON.stringify(address)}`);
  const key = digit === undefined ? address : `${address} . ${emitWord(String(digit))}`;
  // Less than a tick would be no time at all, which nft takes for "for ever".
  return timed && expires !== undefined ? `${key} expires ${emitDuration(Math.max(4, Math.round(expires)))}` : key;
}

function inPieces<Item>(items: readonly Item[], length: number): Item[][] {
  return Array.from({ length: Math.ceil(items.length / length) }, (_, index) => items.slice(index * length, (index + 1) * length));
}
