import { expect, it } from "vitest";
import { painter } from "../../src/report/paint.js";

it("paints where colour is wanted, and leaves the text alone elsewhere", () => {
  const styles = { good: "1;32", bad: "31" } as const;
  expect(painter(true, styles)("fine", "good")).toBe("\x1b[1;32mfine\x1b[0m");
  expect(painter(true, styles)("not", "bad")).toBe("\x1b[31mnot\x1b[0m");
  expect(painter(false, styles)("fine", "good")).toBe("fine");
});
