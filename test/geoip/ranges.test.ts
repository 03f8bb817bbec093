import { expect, it } from "vitest";
import { joined, type AddressRange } from "../../src/geoip/ranges.js";

const range = ([from, to]: readonly [number, number]): AddressRange => ({ from: BigInt(from), to: BigInt(to) });

it.each([
  [
    "sorts",
    [
      [5, 6],
      [1, 2],
    ],
    [
      [1, 2],
      [5, 6],
    ],
  ],
  [
    "joins what overlaps",
    [
      [1, 5],
      [3, 9],
    ],
    [[1, 9]],
  ],
  [
    "joins what touches",
    [
      [1, 5],
      [6, 9],
    ],
    [[1, 9]],
  ],
  [
    "keeps a range around others",
    [
      [1, 9],
      [2, 3],
      [4, 5],
      [10, 10],
    ],
    [[1, 10]],
  ],
  [
    "leaves a gap of one address",
    [
      [1, 5],
      [7, 9],
    ],
    [
      [1, 5],
      [7, 9],
    ],
  ],
  ["makes nothing of nothing", [], []],
] as const)("%s", (_, ranges, expected) => {
  expect(joined(ranges.map(range))).toEqual(expected.map(range));
});
