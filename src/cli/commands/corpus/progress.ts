/** How far a run has come, on a terminal. */

import { StatusLine } from "../../status-line.js";
import type { Surroundings } from "../../surroundings.js";

export class Progress {
  private done = 0;
  private failed = 0;

  private constructor(
    private readonly total: number,
    private readonly what: string,
    private readonly line: StatusLine,
  ) {}

  static async of(total: number, what: string, surroundings: Surroundings): Promise<Progress> {
    return new Progress(total, what, await StatusLine.of(surroundings));
  }

  /** One more is done. */
  step(failed: boolean): void {
    this.done++;
    if (failed) this.failed++;
    const wrong = this.failed === 0 ? "" : `, ${this.failed} not as expected`;
    this.line.show(`${this.done} of ${this.total} ${this.what}${wrong}`);
  }

  /** Takes the line away. */
  async end(): Promise<void> {
    await this.line.clear();
  }
}
