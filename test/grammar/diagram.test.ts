import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { renderDiagram } from "../../grammar/railroad.js";

test("the railroad diagrams are current (`node grammar/diagram.js` draws them anew)", () => {
  expect(readFileSync(new URL("../../grammar/diagram.html", import.meta.url), "utf8")).toBe(renderDiagram());
});
