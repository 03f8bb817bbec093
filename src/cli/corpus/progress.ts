/** One line on a terminal that says how far a run has come. */

import type { Surroundings } from "../run.js";

/** Milliseconds between two versions of the line. */
const interval = 100;

export class Progress {
  private done = 0;
  private failed = 0;
  private shownAt = -Infinity;

  private constructor(
    private readonly total: number,
    private readonly what: string,
    private readonly write: ((text: string) => Promise<void>) | undefined,
  ) {}

  /** Shows nothing where standard error is no terminal that can. */
  static async of(total: number, what: string, surroundings: Surroundings): Promise<Progress> {
    const able = (await surroundings.errorIsTerminal()) && surroundings.environment["TERM"] !== "dumb";
    return new Progress(total, what, able ? (text) => surroundings.writeError(text).catch(() => undefined) : undefined);
  }

  /** One more is done. */
  async step(failed: boolean): Promise<void> {
    this.done++;
    if (failed) this.failed++;
    const now = performance.now();
    if (this.write === undefined || now - this.shownAt < interval) return;
    this.shownAt = now;
    const wrong = this.failed === 0 ? "" : `, ${this.failed} not as expected`;
    await this.write(`\r${this.done} of ${this.total} ${this.what}${wrong}\x1b[K`);
  }

  /** Takes the line away. */
  async end(): Promise<void> {
    if (this.shownAt > -Infinity) await this.write?.("\r\x1b[K");
  }
}
