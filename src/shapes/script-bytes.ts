/** The script in UTF-8, put together piece by piece: what is filled in is copied from the dump's bytes, and no text is made of it. */

import { Bytes } from "./bytes.js";
import type { Scan } from "./scan.js";
import type { Template } from "./template.js";

/** Bytes of a piece, about. */
const pieceLength = 1 << 20;

/** Bytes that are written behind the last full piece before anybody takes it, most often. */
const spareLength = 1 << 18;

/** Characters up to which a text is quicker written by us than by the encoder. */
const shortText = 64;

const encoder = new TextEncoder();

/** A template as bytes. */
export interface ByteTemplate {
  /** The texts around the holes, one behind the other, and where each of them ends. */
  readonly literals: Bytes;
  readonly ends: readonly number[];
  /** As those of the template, each with what the script has in the place of its text; undefined for the same. */
  readonly holes: readonly { readonly hole: number; readonly printed: ((text: string) => string) | undefined }[];
  /** The texts around the hole where there is one, of a value that the script has as the dump; undefined for others. */
  readonly around: readonly [before: string, behind: string] | undefined;
}

/** @param classes of the shape */
export function byteTemplate({ literals, holes }: Template, classes: Scan["shapes"][number]["classes"]): ByteTemplate {
  let end = 0;
  return {
    literals: new Bytes(encoder.encode(literals.join(""))),
    ends: literals.map((text) => (end += encoder.encode(text).length)),
    holes: holes.map((hole) => ({ hole, printed: classes[hole]!.printed })),
    around: classes.length === 1 && holes.length === 1 && !classes[0]!.printed ? [literals[0]!, literals[1]!] : undefined,
  };
}

export class ScriptBytes {
  private piece = new Bytes(new Uint8Array(pieceLength + spareLength));
  private length = 0;

  /** Whether it is time to take what is there. */
  get isFull(): boolean {
    return this.length >= pieceLength;
  }

  /** What was written and not taken yet. */
  take(): Uint8Array {
    const taken = this.piece.bytes.subarray(0, this.length);
    this.piece = new Bytes(new Uint8Array(pieceLength + spareLength));
    this.length = 0;
    return taken;
  }

  addText(text: string): void {
    if (text.length <= shortText && this.addAscii(text)) return;
    if (text.length > spareLength) {
      const bytes = encoder.encode(text);
      this.makeRoom(bytes.length);
      this.piece.bytes.set(bytes, this.length);
      this.length += bytes.length;
      return;
    }
    this.makeRoom(3 * text.length);
    this.length += encoder.encodeInto(text, this.piece.bytes.subarray(this.length)).written;
  }

  /** What a rule of the dump becomes. */
  addRule({ literals, ends, holes }: ByteTemplate, { bytes, text, rules }: Scan, rule: number): void {
    const first = rules.firstHole[rule]!;
    const room = literals.bytes.length + rules.end[rule]! - rules.start[rule]!;
    this.makeRoom(room);
    let at = 0;
    for (let index = 0; index < ends.length; index++) {
      this.copy(literals, at, ends[index]!);
      at = ends[index]!;
      if (index === holes.length) break;
      const { hole, printed } = holes[index]!;
      const from = rules.holes[first + 2 * hole]!;
      const to = rules.holes[first + 2 * hole + 1]!;
      if (printed === undefined) this.copy(bytes, from, to);
      else {
        this.addText(printed(text.slice(from, to)));
        this.makeRoom(room);
      }
    }
  }
  /** What rules of one run become whose lines follow each other, all at once: a function of the engine is ready to run at once. */
  addRun([before, behind]: readonly [string, string], { text, rules }: Scan, from: number, to: number): void {
    const hole = rules.firstHole[from]!;
    const values = text.slice(rules.holes[hole], rules.holes[rules.firstHole[to - 1]! + 1]);
    const between = `${text.slice(rules.holes[hole + 1], rules.end[from])}\n${text.slice(rules.start[from], rules.holes[hole])}`;
    this.addText(`${before}${values.split(between).join(behind + before)}${behind}`);
  }

  /** Bytes by fours: in JavaScript that is quicker than one by one, and for a few than a call. */
  private copy({ bytes, words }: Bytes, from: number, to: number): void {
    const own = this.piece.bytes;
    const ownWords = this.piece.words;
    let at = from;
    let place = this.length;
    for (; at <= to - 4; at += 4, place += 4) ownWords.setInt32(place, words.getInt32(at, true), true);
    for (; at < to; at++, place++) own[place] = bytes[at]!;
    this.length = place;
  }

  /** False for a text that has other characters. */
  private addAscii(text: string): boolean {
    this.makeRoom(text.length);
    const {
      piece: { bytes },
      length,
    } = this;
    for (let index = 0; index < text.length; index++) {
      const code = text.charCodeAt(index);
      if (code > 127) return false;
      bytes[length + index] = code;
    }
    this.length = length + text.length;
    return true;
  }

  private makeRoom(count: number): void {
    if (this.length + count <= this.piece.bytes.length) return;
    const larger = new Uint8Array(2 * (this.length + count));
    larger.set(this.piece.bytes.subarray(0, this.length));
    this.piece = new Bytes(larger);
  }
}
