/** Where things stand in a JSON text. */

/** Both count from 1. */
export interface TextPlace {
  readonly line: number;
  readonly column: number;
}

export function placeOf(text: string, offset: number): TextPlace {
  const before = text.slice(0, offset);
  const lastBreak = before.lastIndexOf("\n");
  return { line: before.split("\n").length, column: offset - lastBreak };
}

/** Where the elements of the outermost array begin; the text is known to be JSON. */
export function elementPlaces(text: string): TextPlace[] {
  const places: TextPlace[] = [];
  let [depth, line, lineStart] = [0, 1, 0];
  let awaited = false;
  for (let index = 0; index < text.length; index++) {
    const character = text[index]!;
    if (character === "\n") {
      line += 1;
      lineStart = index + 1;
    }
    if (/\s/.test(character)) continue;
    if (awaited && character !== "]") places.push({ line, column: index - lineStart + 1 });
    awaited = false;
    if (character === '"') {
      for (index++; text[index] !== '"'; index++) if (text[index] === "\\") index += 1;
    } else if (character === "[" || character === "{") {
      depth += 1;
      awaited = depth === 1 && character === "[";
    } else if (character === "]" || character === "}") {
      depth -= 1;
    } else if (character === ",") {
      awaited = depth === 1;
    }
  }
  return places;
}
