/** One line on a terminal, written over again and again, that says how far a run has come. */

import type { Surroundings } from "./surroundings.js";

/** Milliseconds between two versions of the line. */
const interval = 100;
/** Milliseconds that work may take without a word. */
const patience = 1_000;

const clearToEnd = "\x1b[K";

export class StatusLine {
  private readonly begin = performance.now();
  private shownAt = -Infinity;
  private pending: Promise<void> = Promise.resolve();

  private constructor(private readonly write: ((text: string) => Promise<void>) | undefined) {}

  /** Shows nothing where standard error is no terminal that can. */
  static async of(surroundings: Surroundings): Promise<StatusLine> {
    const able = (await surroundings.errorIsTerminal()) && surroundings.environment["TERM"] !== "dumb";
    return new StatusLine(able ? (text) => surroundings.writeError(text) : undefined);
  }

  /** Shows the text, unless something was shown a moment ago, or the work has only begun. It is written at once: who calls may not wait. */
  show(text: string): void {
    const now = performance.now();
    if (now - this.begin < patience || now - this.shownAt < interval) return;
    this.shownAt = now;
    this.put(`\r${text}${clearToEnd}`);
  }

  /** Takes the line away. */
  async clear(): Promise<void> {
    if (this.shownAt > -Infinity) this.put(`\r${clearToEnd}`);
    this.shownAt = -Infinity;
    await this.pending;
  }

  private put(text: string): void {
    const { write } = this;
    // Nobody can be told that standard error does not work.
    if (write) this.pending = Promise.all([this.pending, write(text).catch(() => undefined)]).then(() => undefined);
  }
}
