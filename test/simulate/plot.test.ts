import { expect, test } from "vitest";

import { renderPlot } from "../../src/simulate/plot.js";

test("curves share their axes, and fit the width", () => {
  const text = renderPlot(
    [
      {
        name: "sent",
        points: [
          [0, 1],
          [1, 2],
          [2, 3],
        ],
      },
      { name: "nft", points: [[0, 1]] },
    ],
    40,
  );
  expect(text).toBe("        sent ⣤⣤⣤⣤⣤⣤⣤⣶⣶⣶⣶⣶⣶⣾ 3\n         nft ⣤⣤⣤⣤⣤⣤⣤⣤⣤⣤⣤⣤⣤⣤ 1\n");
  expect(Math.max(...text.split("\n").map((line) => line.length))).toBeLessThanOrEqual(40);
});

test("nothing let through is an empty line", () => {
  expect(
    renderPlot(
      [
        {
          name: "nft",
          points: [
            [0, 0],
            [5, 0],
          ],
        },
      ],
      30,
    ),
  ).toMatch(/^ {9}nft \u2800+ 0\n$/);
});
