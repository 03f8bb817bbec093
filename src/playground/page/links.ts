/** Which lines belong together. */

import { textNames, type TextName } from "../state.js";

export class Links {
  constructor(private readonly links: Int32Array = new Int32Array()) {}

  /** Lines of the script that a line of a text became. */
  scriptLines(text: TextName, line: number): number[] {
    const found: number[] = [];
    const index = textNames.indexOf(text);
    for (let at = 0; at < this.links.length; at += 3)
      if (this.links[at] === index && this.links[at + 1] === line) found.push(this.links[at + 2]!);
    return found;
  }

  /** Lines of the texts that a line of the script comes from. */
  rules(scriptLine: number): { readonly text: TextName; readonly line: number }[] {
    const found: { readonly text: TextName; readonly line: number }[] = [];
    for (let at = 0; at < this.links.length; at += 3)
      if (this.links[at + 2] === scriptLine) found.push({ text: textNames[this.links[at]!]!, line: this.links[at + 1]! });
    return found;
  }
}
