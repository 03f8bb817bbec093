/** Rates in the units that limits of nft have. */

const units = [
  ["second", 1],
  ["minute", 60],
  ["hour", 3600],
  ["day", 86400],
  ["week", 604800],
] as const;

export interface Rate {
  readonly rate: number;
  readonly unit: (typeof units)[number][0];
}

/** So many hits in so many seconds in the units nft has: the first unit that needs no rounding, else the coarsest, rounded as said. */
export function rateOf(hits: number, seconds: number, round: (rate: number) => number): Rate {
  const [unit, length] = units.find(([, inSeconds]) => (hits * inSeconds) % seconds === 0) ?? units[4];
  return { rate: Math.max(1, round((hits * length) / seconds)), unit };
}
