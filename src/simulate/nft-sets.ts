/**
 * nft's sets and limits in virtual time. Measured on nft 1.0.6 and Linux 6.18: an element with a timeout of T ms lives while
 * its age in ticks is less than T / 4 rounded down.
 */

import type { LimitStatement, NftSet } from "../nft/ast.js";
import { millisecondsPerTick, NotModelled } from "./packet.js";

/** Nanoseconds, as nft_limit counts. */
export interface Bucket {
  tokens: number;
  last: number;
  readonly cost: number;
  readonly most: number;
  readonly over: boolean;
}

export interface Element {
  /** First tick at which the element is gone. */
  expires: number;
  readonly bucket: Bucket | undefined;
}

export interface RunningSet {
  readonly name: string;
  /** In ticks; no timeout keeps elements for ever. */
  readonly timeout: number;
  readonly size: number;
  readonly elements: Map<string, Element>;
}

const nanosecondsPerTick = millisecondsPerTick * 1e6;
const secondsOf: Readonly<Record<LimitStatement["unit"], number>> = { second: 1, minute: 60, hour: 3600, day: 86400, week: 604800 };

/** Burst of a limit that does not say. */
const usualBurst = 5;

/** Elements of a set that does not say. */
const usualSize = 65535;

export function runningSet(set: NftSet): RunningSet {
  return {
    name: set.name,
    timeout: set.timeout === undefined ? Infinity : ticks(set.timeout),
    size: set.size ?? usualSize,
    elements: new Map(),
  };
}

export function ticks(milliseconds: number): number {
  return Math.floor(milliseconds / millisecondsPerTick);
}

export function living(set: RunningSet, key: string, time: number): Element | undefined {
  const element = set.elements.get(key);
  return element && time < element.expires ? element : undefined;
}

/** The kernel collects dead elements once a second; here they free their place at once, which is the friendlier end of that. */
export function hasRoom(set: RunningSet, time: number): boolean {
  if (set.elements.size < set.size) return true;
  for (const [key, { expires }] of set.elements) if (time >= expires) set.elements.delete(key);
  return set.elements.size < set.size;
}

/** Runs the element's limit, if it has one: whatever refers to an element runs it. */
export function goesOn({ bucket }: Element, time: number): boolean {
  return !bucket || take(bucket, time);
}

export function fullBucket({ over, rate, unit, burst = usualBurst, bytes }: LimitStatement, time: number): Bucket {
  if (bytes) throw new NotModelled("a limit of bytes");
  const cost = Math.floor((secondsOf[unit] * 1e9) / Number(rate));
  return { tokens: cost * Number(burst), last: time, cost, most: cost * Number(burst), over };
}

/** What the bucket holds at a time in ticks. */
export function tokensAt({ most, tokens, last }: Bucket, time: number): number {
  return Math.min(most, tokens + (time - last) * nanosecondsPerTick);
}

/** Whether the statement lets the rule go on; a packet over the limit takes nothing out of the bucket. */
export function take(bucket: Bucket, time: number): boolean {
  const tokens = tokensAt(bucket, time);
  bucket.last = time;
  const enough = tokens >= bucket.cost;
  bucket.tokens = enough ? tokens - bucket.cost : tokens;
  return enough !== bucket.over;
}
