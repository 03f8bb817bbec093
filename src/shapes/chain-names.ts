/** The chains of one table, found by the bytes of their names: looking one up makes no text of it. */

/** Of each the place of its name in the bytes, and its number. */
export class ChainNames {
  private count = 0;
  /** In places by their names: numbers from 1; 0 where there is none. */
  private numbers = new Int32Array(256);
  private starts = new Int32Array(256);
  private ends = new Int32Array(256);

  constructor(private readonly bytes: Uint8Array) {}

  /** The number of the chain of this name; -1 for none. */
  find(start: number, end: number): number {
    return this.numbers[this.placeOf(start, end)]! - 1;
  }

  /** Adds a chain that is not among them. */
  add(start: number, end: number, number: number): void {
    if (2 * this.count >= this.numbers.length) this.grow();
    this.put(start, end, number + 1);
  }

  private put(start: number, end: number, number: number): void {
    const place = this.placeOf(start, end);
    this.numbers[place] = number;
    this.starts[place] = start;
    this.ends[place] = end;
    this.count++;
  }

  private grow(): void {
    const { numbers, starts, ends } = this;
    const length = 8 * numbers.length;
    this.numbers = new Int32Array(length);
    this.starts = new Int32Array(length);
    this.ends = new Int32Array(length);
    this.count = 0;
    for (const [place, number] of numbers.entries()) if (number !== 0) this.put(starts[place]!, ends[place]!, number);
  }

  /** Where the name is, or would be. */
  private placeOf(start: number, end: number): number {
    const { bytes, numbers, starts, ends } = this;
    let hash = 0;
    for (let at = start; at < end; at++) hash = Math.imul(hash ^ bytes[at]!, 0x0100_0193);
    const mask = numbers.length - 1;
    let place = (hash ^ (hash >>> 15)) & mask;
    for (; numbers[place] !== 0; place = (place + 1) & mask) {
      if (ends[place]! - starts[place]! === end - start && isSame(bytes, starts[place]!, start, end)) break;
    }
    return place;
  }
}

/** Whether the bytes from `other` on are those between two places. */
export function isSame(bytes: Uint8Array, other: number, start: number, end: number): boolean {
  for (let at = start, index = other; at < end; at++, index++) if (bytes[at] !== bytes[index]) return false;
  return true;
}
