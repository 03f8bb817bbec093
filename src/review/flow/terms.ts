/** Numbers that packets carry, as far as rules have made them: bits that are known, and bits of numbers that are not. */

import type { FieldValues } from "../../extensions/facts.js";
import { json } from "../packets/steps.js";

/** A number that is known, or a text that stands for one that is not: equal texts are equal numbers. */
export type Term = number | string;

/** The bits of unknown numbers under masks that have no bit in common, and known bits, which flip them where both are. */
interface Mixture {
  readonly parts: readonly (readonly [unknown: string, mask: number])[];
  readonly flip: number;
}

const allBits = 0xffffffff;

function read(term: Term): Mixture {
  if (typeof term === "number") return { parts: [], flip: term >>> 0 };
  return term.startsWith("{") ? (JSON.parse(term) as Mixture) : { parts: [[term, allBits]], flip: 0 };
}

/** The same text for the same number. */
function write({ parts, flip }: Mixture): Term {
  const masks = new Map<string, number>();
  for (const [unknown, mask] of parts) if (mask !== 0) masks.set(unknown, ((masks.get(unknown) ?? 0) | mask) >>> 0);
  const sorted = [...masks].sort(([a], [b]) => (a < b ? -1 : 1));
  const [first, another] = sorted;
  if (!first) return flip >>> 0;
  if (!another && first[1] === allBits && flip === 0) return first[0];
  return JSON.stringify({ parts: sorted, flip: flip >>> 0 } satisfies Mixture);
}

function under({ parts, flip }: Mixture, mask: number): Mixture {
  return { parts: parts.map(([unknown, own]) => [unknown, (own & mask) >>> 0]), flip: (flip & mask) >>> 0 };
}

const unknownBits = ({ parts }: Mixture): number => parts.reduce((bits, [, mask]) => (bits | mask) >>> 0, 0);

/** (before & keep) ^ flip */
export function bitsChanged(before: Term, keep: number, flip: number): Term {
  const kept = under(read(before), keep);
  return write({ parts: kept.parts, flip: kept.flip ^ flip });
}

/** (to & keep) ^ ((from & mask) << shift) */
export function bitsCopied(from: Term, to: Term, mask: number, keep: number, shift: number): Term {
  const kept = under(read(to), keep);
  const moved = shifted(under(read(from), mask), shift);
  // Of two unknown bits that flip each other nothing is known.
  if ((unknownBits(kept) & unknownBits(moved)) !== 0) return `(${to} & ${keep}) ^ ((${from} & ${mask}) << ${shift})`;
  return write({ parts: [...kept.parts, ...moved.parts], flip: kept.flip ^ moved.flip });
}

function shifted({ parts, flip }: Mixture, shift: number): Mixture {
  if (shift === 0) return { parts, flip };
  const move = (bits: number): number => (shift < 0 ? bits >>> -shift : bits << shift) >>> 0;
  return { parts: parts.map(([unknown, mask]) => [`(${unknown}) << ${shift}`, move(mask)]), flip: move(flip) };
}

/** What a test of a number comes to: its answer, or what it asks of bits that are not known. */
export type TermTest = boolean | { readonly key: string; readonly values: FieldValues; readonly of: string };

export function testOf(term: Term, values: FieldValues): TermTest {
  if (typeof term === "number") return isOneOf(term, values);
  if (values.kind !== "bits") return { key: `${term}: ${json(values)}`, values, of: term };
  const [mask, wanted] = [Number(values.mask), Number(values.value)];
  // Bits outside of the mask are never found.
  if ((wanted & ~mask) !== 0) return false;
  const mixture = read(term);
  const asked = under(mixture, mask);
  const unknown = unknownBits(asked);
  if (((asked.flip ^ wanted) & ~unknown) !== 0) return false;
  if (unknown === 0) return true;
  const rest: FieldValues = { kind: "bits", mask: BigInt(unknown), value: BigInt(((wanted ^ asked.flip) & unknown) >>> 0) };
  const parts = asked.parts.filter(([, own]) => own !== 0);
  const [only, another] = parts;
  const of = only && !another ? only[0] : String(write({ parts, flip: 0 }));
  return { key: `${of}: ${json(rest)}`, values: unknown === mask && asked.flip === 0 ? values : rest, of };
}

/** Whether a known number is one of the values. */
function isOneOf(value: number, values: FieldValues): boolean {
  switch (values.kind) {
    case "ranges":
      return values.ranges.some(({ from, to }) => BigInt(value) >= from && BigInt(value) <= to);
    case "bits":
      return (BigInt(value) & values.mask) === values.value;
    default:
      return false;
  }
}
