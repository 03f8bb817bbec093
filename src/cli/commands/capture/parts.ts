/** What number 1 of the namespaces prints: parts, each a line `name length` and so many bytes. */

export class PartReader {
  private rest = Buffer.alloc(0);
  private readonly pieces: Buffer[] = [];
  private waiting = 0;
  readonly parts = new Map<string, Buffer>();

  /** Reads what has come; `begun` is told the names of the parts that are whole. Throws an Error for what is no part. */
  take(chunk: Buffer, whole: (name: string) => void): void {
    this.pieces.push(chunk);
    this.waiting -= chunk.length;
    if (this.waiting > 0) return;
    this.rest = Buffer.concat([this.rest, ...this.pieces.splice(0)]);
    for (;;) {
      const end = this.rest.indexOf(10);
      const header = this.rest.subarray(0, end < 0 ? Math.min(this.rest.length, 64) : end).toString("latin1");
      if (end < 0 && header.length < 64) return;
      const [, name, length] = /^([a-z0-9]{1,20}) ([0-9]{1,12})$/.exec(header) ?? [];
      // Each comes once: the time of the script begins with one of them.
      if (name === undefined || this.parts.has(name)) throw new Error(`no part of a captured firewall: ${JSON.stringify(header)}`);
      const missing = end + 1 + Number(length) - this.rest.length;
      if (missing > 0) {
        this.waiting = missing;
        return;
      }
      this.parts.set(name, this.rest.subarray(end + 1, end + 1 + Number(length)));
      this.rest = this.rest.subarray(end + 1 + Number(length));
      whole(name);
    }
  }

  /** A part as text; empty where it did not come. */
  text(name: string): string {
    return this.parts.get(name)?.toString("utf8") ?? "";
  }
}
