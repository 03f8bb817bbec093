/** What is known of numbers that rules change bit by bit: equal texts are equal numbers, and every answer is the number's. */

import { describe, expect, it } from "vitest";

import { arriving, changed } from "../../../src/review/flow/state.js";
import { testOf, type Term } from "../../../src/review/flow/terms.js";
import type { Effect, FieldValues } from "../../../src/extensions/facts.js";
import { seededRandom, type Random } from "../../../src/random.js";

interface Marks {
  readonly mark: number;
  readonly connmark: number;
}

const masks = [0, 1, 3, 0xff, 0xf0, 0xff00, 0x80000000, 0xffff00ff, 0xffffffff];
const numbers = [0, 1, 2, 0x10, 0x100, 0x80000001, 0xffffffff];
const shifts = [0, 0, 0, 8, -8];

function pick<Value>(random: Random, values: readonly Value[]): Value {
  return values[Math.floor(random() * values.length)]!;
}

type Change = Extract<Effect, { readonly kind: "copy" }> | (Extract<Effect, { readonly kind: "bits" }> & { readonly of: keyof Marks });

function effectAtRandom(random: Random): Change {
  const of = pick(random, ["mark", "connmark"] as const);
  if (random() < 0.6) return { kind: "bits", of, keep: pick(random, masks), flip: pick(random, numbers) };
  const from = of === "mark" ? "connmark" : "mark";
  return { kind: "copy", from, to: of, mask: pick(random, masks), keep: pick(random, masks), shift: pick(random, shifts) };
}

/** As the kernel does. */
function applied(marks: Marks, effect: Change): Marks {
  if (effect.kind === "bits") return { ...marks, [effect.of]: ((marks[effect.of] & effect.keep) ^ effect.flip) >>> 0 };
  const { from, to, mask, keep, shift } = effect;
  const source = BigInt((marks[from] & mask) >>> 0);
  const moved = Number(BigInt.asUintN(32, shift < 0 ? source >> BigInt(-shift) : source << BigInt(shift)));
  return { ...marks, [to]: ((marks[to] & keep) ^ moved) >>> 0 };
}

const holds = (value: number, mask: number, wanted: number): boolean => (value & mask) >>> 0 === wanted;

describe("a number that rules change", () => {
  it.each([1, 2, 3, 4, 5, 6, 7, 8])("is told as it is (seed %i)", (seed) => {
    const random = seededRandom(seed);
    const start: Marks = {
      mark: pick(random, [0, 0x10, 0x101, 0xdeadbeef]),
      connmark: pick(random, [0, 1, 0xff00, 0xcafe0001]),
    };
    const values = new Map<Term, number>();
    const answers = new Map<string, boolean>();
    let told = 0;
    for (let program = 0; program < 3000; program++) {
      let state = arriving;
      let marks = start;
      for (let step = 0; step < 1 + Math.floor(random() * 5); step++) {
        const effect = effectAtRandom(random);
        state = changed(state, effect);
        marks = applied(marks, effect);
      }
      for (const of of ["mark", "connmark"] as const) {
        const term = state.carried[of];
        const value = marks[of];
        if (typeof term === "number") expect(term).toBe(value);
        expect(values.get(term) ?? value).toBe(value);
        values.set(term, value);
        const [mask, wanted] = [pick(random, masks), pick(random, numbers)];
        const asked: FieldValues = { kind: "bits", mask: BigInt(mask), value: BigInt(wanted) };
        const test = testOf(term, asked);
        const answer = holds(value, mask, wanted);
        if (typeof test === "boolean") {
          expect(test).toBe(answer);
          if (typeof term !== "number") told++;
        } else {
          expect(answers.get(test.key) ?? answer).toBe(answer);
          answers.set(test.key, answer);
        }
      }
    }
    expect(told).toBeGreaterThan(100);
    expect(answers.size).toBeGreaterThan(100);
  });

  it("is one number however it came to be", () => {
    const behind = (...effects: readonly Effect[]): Term => effects.reduce(changed, arriving).carried.mark;
    const set = (value: number, mask: number): Effect => ({ kind: "bits", of: "mark", keep: ~mask >>> 0, flip: value });
    expect(behind(set(0x10, 0xf0), set(0x1, 0x0f))).toBe(behind(set(0x11, 0xff)));
    expect(behind(set(0, 0xffff0000), set(5, 0xffff))).toBe(5);
    const save: Effect = { kind: "copy", from: "mark", to: "connmark", mask: 0xff00, keep: 0xffff00ff, shift: 0 };
    const restore: Effect = { kind: "copy", from: "connmark", to: "mark", mask: 0xff00, keep: 0xffff00ff, shift: 0 };
    expect(behind(save, restore)).toBe(behind());
    expect(behind(restore)).not.toBe(behind());
  });
});
