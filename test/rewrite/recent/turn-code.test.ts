import { describe, expect, test } from "vitest";
import { turnCode } from "../../../src/rewrite/recent/turn-code.js";

const turnCodes = Array.from({ length: 254 }, (_, index) => ({ hits: index + 2, turns: turnCode(index + 2) }));

/** Elements of one key that a hash chain of the kernel takes; one more is lost. */
const longestHashChain = 16;

function stepsOf({ slots, code }: ReturnType<typeof turnCode>): [number, number][] {
  return Array.from({ length: slots }, (_, slot) => [code(slot), code((slot + 1) % slots)]);
}

describe("the code of any hit count", () => {
  test("has room for the hits and little more, and starts with no bit", () => {
    for (const {
      hits,
      turns: { slots, bits, order, code },
    } of turnCodes) {
      const codes = Array.from({ length: slots }, (_, slot) => code(slot));
      expect(slots).toBeGreaterThanOrEqual(hits);
      expect(slots).toBeLessThan(hits + 8);
      expect(codes[0]).toBe(0);
      expect(new Set(codes).size).toBe(slots);
      expect(Math.max(...codes)).toBeLessThan(2 ** bits);
      expect([...order].sort((a, b) => a - b)).toEqual(Array.from({ length: bits }, (_, bit) => bit));
    }
  });

  test("changes one bit at a step", () => {
    for (const { hits, turns } of turnCodes) {
      for (const [before, after] of stepsOf(turns)) expect((before ^ after).toString(2).replaceAll("0", ""), `${hits} hits`).toBe("1");
    }
  });

  test("lets no bit fall more often in a round than the kernel's hash chains bear", () => {
    for (const { hits, turns } of turnCodes) {
      for (let bit = 0; bit < turns.bits; bit++) {
        const falls = stepsOf(turns).filter(([before, after]) => (before >> bit) & 1 && !((after >> bit) & 1)).length;
        expect(falls, `${hits} hits, bit ${bit}`).toBeLessThan(longestHashChain);
      }
    }
  });

  test("names each stage of a search once", () => {
    for (const {
      hits,
      turns: { slots, order, code, label },
    } of turnCodes) {
      const stages = new Map<string, string>();
      for (const [at, bit] of order.entries()) {
        const first = new Map<string, number>();
        for (let slot = 0; slot < slots; slot++) {
          const answers = order
            .slice(0, at + 1)
            .map((one) => (code(slot) >> one) & 1)
            .join("");
          if ((code(slot) >> bit) & 1 && !first.has(answers)) first.set(answers, slot);
        }
        for (const [answers, slot] of first) {
          expect(stages.get(label(slot, bit)) ?? answers, `${hits} hits`).toBe(answers);
          stages.set(label(slot, bit), answers);
        }
      }
    }
  });
});
