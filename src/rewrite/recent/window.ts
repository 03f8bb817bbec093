/** Windows of time as rules ask for them, and as timeouts hold them. */

/** One tick of the kernel's clock on HZ=250, in milliseconds: xt_recent still counts a stamp that is exactly N seconds old. */
export const tick = 4;

export interface Window {
  readonly seconds: number;
  readonly hits: number;
}

/** How long an element lives that is asked for so many seconds, in milliseconds. */
export function windowTime(seconds: number): number {
  return seconds * 1000 + tick;
}
