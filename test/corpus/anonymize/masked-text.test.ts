import { expect, it } from "vitest";
import { maskText } from "../../../src/corpus/anonymize/masked-text.js";

it.each([
  ["Bob's 2nd door, #12", "Xxx'x 0xx xxxx, #00"],
  ['say \\"now\\"', 'xxx \\"xxx\\"'],
  ["", ""],
  ["Zoë 東京 𝔸", "Xxé 日日 \u{20000}"],
])("masks %j", (text, masked) => {
  expect(maskText(text)).toBe(masked);
});

it("keeps the number of bytes", () => {
  const text = "aé東𝔸Ω9٣—…";
  expect(Buffer.byteLength(maskText(text))).toBe(Buffer.byteLength(text));
});
