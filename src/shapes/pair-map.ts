/** Numbers by pairs of numbers: quicker than a map by texts, and than one by a number that is made of both. */

export class PairMap {
  private count = 0;
  private first = new Int32Array(256);
  private second = new Int32Array(256);
  /** From 1; 0 where there is none. */
  private values = new Int32Array(256);

  get size(): number {
    return this.count;
  }

  /** -1 for none. */
  get(first: number, second: number): number {
    const { values, first: firsts, second: seconds } = this;
    const mask = values.length - 1;
    const mixed = Math.imul(first, 0x9e37_79b1) ^ Math.imul(second, 0x85eb_ca6b);
    for (let place = mixed ^ (mixed >>> 15); ; place++) {
      const value = values[place & mask]!;
      if (value === 0 || (firsts[place & mask] === first && seconds[place & mask] === second)) return value - 1;
    }
  }

  /** @param value not below 0 */
  set(first: number, second: number, value: number): void {
    if (2 * this.count >= this.values.length) this.grow();
    const { values, first: firsts, second: seconds } = this;
    const mask = values.length - 1;
    const mixed = Math.imul(first, 0x9e37_79b1) ^ Math.imul(second, 0x85eb_ca6b);
    let place = (mixed ^ (mixed >>> 15)) & mask;
    while (values[place] !== 0 && (firsts[place] !== first || seconds[place] !== second)) place = (place + 1) & mask;
    if (values[place] === 0) this.count++;
    firsts[place] = first;
    seconds[place] = second;
    values[place] = value + 1;
  }

  private grow(): void {
    const { values, first, second } = this;
    this.first = new Int32Array(2 * values.length);
    this.second = new Int32Array(2 * values.length);
    this.values = new Int32Array(2 * values.length);
    this.count = 0;
    for (const [place, value] of values.entries()) if (value !== 0) this.set(first[place]!, second[place]!, value - 1);
  }
}
