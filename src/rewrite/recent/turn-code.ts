/**
 * Cyclic Gray codes for the slots of a ring: which of the `turn` sets hold a host whose last hit went to a slot.
 *
 * One bit changes at a step. Slot 0 has code 0.
 */

export interface TurnCode {
  /** An even number: there is no cyclic Gray code of an odd one. */
  readonly slots: number;
  readonly bits: number;
  /** Bits in the order in which a search for a slot asks for them. */
  readonly order: readonly number[];
  code(slot: number): number;
  /** A name for the slots that agree with this one on the bits asked for up to `bit`. */
  label(slot: number, bit: number): string;
}

/** In the plain code the lowest bit falls at every fourth step: at most 15 times in a round of so many slots. */
const mostPlainSlots = 60;

/** The code for a ring of H hits; it has room for one or a few more. */
export function turnCode(hits: number): TurnCode {
  return hits <= mostPlainSlots ? plainCode(hits + (hits % 2)) : balancedCode(hits);
}

/** The plain code up to the middle, then the same backwards with the top bit set. */
function plainCode(slots: number): TurnCode {
  const bits = Math.ceil(Math.log2(slots));
  const code = (slot: number): number => (slot < slots / 2 ? gray(slot) : gray(slots - 1 - slot) | (1 << (bits - 1)));
  return {
    slots,
    bits,
    code,
    order: Array.from({ length: bits }, (_, index) => bits - 1 - index),
    label: (slot, bit) => (code(slot) >> bit).toString(2).padStart(bits - bit, "0"),
  };
}

const passes = 8;
const passBits = 3;

/**
 * A code in which no bit falls more than eight times in a round: eight passes, forth and back, along a walk that sets its bits one
 * after the other and then clears them in the same order; three more bits count the passes.
 */
function balancedCode(hits: number): TurnCode {
  const length = Math.ceil(hits / passes);
  const walkBits = Math.ceil(length / 2);
  const bits = walkBits + passBits;
  const all = 2 ** walkBits - 1;
  const walk = (step: number): number => (step <= walkBits ? 2 ** step - 1 : all - (2 ** (step - walkBits) - 1));
  const code = (slot: number): number => {
    const pass = Math.floor(slot / length);
    const step = slot % length;
    return (gray(pass) << walkBits) | walk(pass % 2 === 0 ? step : length - 1 - step);
  };
  return {
    slots: passes * length,
    bits,
    code,
    order: [...Array.from({ length: passBits }, (_, index) => bits - 1 - index), walkBits - 1, ...halving(0, walkBits - 2)],
    label: (slot, bit) => `${bit}_${slot}`,
  };
}

/** The numbers from one to the other, the middle one first, then the middles of both halves, and so on. */
function halving(from: number, to: number): number[] {
  if (from > to) return [];
  const middle = Math.floor((from + to) / 2);
  return [middle, ...halving(from, middle - 1), ...halving(middle + 1, to)];
}

function gray(index: number): number {
  return index ^ (index >> 1);
}
