/** The log of changes: a line of JSON for each, which is only ever added to. */

import { closeSync, constants, fstatSync, fsyncSync, openSync, readSync, writeSync } from "node:fs";

import { Failure } from "../../../../failure.js";
import { visibleJson } from "../../../../report/visible.js";
import { systemReason } from "../../../system-error.js";

export interface LoggedChange {
  readonly at: string;
  /** The address that asked. */
  readonly from: string;
  readonly who: string;
  readonly why: string;
  readonly action: string;
  readonly list: string;
  readonly addresses: readonly string[];
  /** `asked` stands before the change is made; `failed` follows where it was not. */
  readonly outcome: "asked" | "failed";
}

/** Bytes at the end of the log that are read for the page. */
const mostRead = 256 * 1024;

export class ChangeLog {
  private readonly descriptor: number;

  /** Throws a Failure for a file that cannot be written. */
  constructor(path: string) {
    try {
      const { O_APPEND, O_CREAT, O_RDWR, O_NOFOLLOW } = constants;
      this.descriptor = openSync(path, O_RDWR | O_APPEND | O_CREAT | O_NOFOLLOW, 0o600);
      if (!fstatSync(this.descriptor).isFile()) throw new Failure("it is no file");
    } catch (error) {
      throw new Failure(
        `the log ${JSON.stringify(path)} cannot be written: ${error instanceof Failure ? error.message : systemReason(error)}`,
      );
    }
  }

  /** The line is on the disk when this returns. */
  add(change: LoggedChange): void {
    writeSync(this.descriptor, `${visibleJson(JSON.stringify(change))}\n`);
    fsyncSync(this.descriptor);
  }

  /** The last changes, the newest first. */
  last(count: number): LoggedChange[] {
    const { size } = fstatSync(this.descriptor);
    const from = Math.max(0, size - mostRead);
    const bytes = Buffer.alloc(size - from);
    const length = readSync(this.descriptor, bytes, 0, bytes.length, from);
    const lines = bytes.subarray(0, length).toString("utf8").split("\n");
    return (from === 0 ? lines : lines.slice(1))
      .flatMap((line) => {
        const change = changeIn(line);
        return change === undefined ? [] : [change];
      })
      .slice(-count)
      .reverse();
  }

  close(): void {
    closeSync(this.descriptor);
  }
}

const texts = ["at", "from", "who", "why", "action", "list", "outcome"] as const;

/** Undefined for a line that somebody has written by hand. */
function changeIn(line: string): LoggedChange | undefined {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    return undefined;
  }
  if (typeof value !== "object" || value === null) return undefined;
  const change = value as Record<string, unknown>;
  const { addresses } = change;
  const isWhole =
    texts.every((name) => typeof change[name] === "string") &&
    Array.isArray(addresses) &&
    addresses.every((address) => typeof address === "string");
  return isWhole ? (value as LoggedChange) : undefined;
}
