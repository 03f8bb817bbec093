/** Curves over time in characters: four dots high and two wide in each, as braille. */

import { greatest } from "../append.js";

export interface Series {
  readonly name: string;
  readonly points: readonly (readonly [at: number, value: number])[];
}

const dotRows = 4;
const dotColumns = 2;
/** Bits of a braille pattern, by column and row. */
const dots = [
  [0x01, 0x02, 0x04, 0x40],
  [0x08, 0x10, 0x20, 0x80],
] as const;
const brailleBase = 0x2800;

const labelWidth = 12;
const mostColumns = 100;

/** One line for each series, on common axes; curves that climb in steps. */
export function renderPlot(series: readonly Series[], width: number): string {
  const columns = Math.max(10, Math.min(mostColumns, width - labelWidth - 14));
  const all = series.flatMap(({ points }) => points);
  const [end, most] = [
    greatest(
      all.map(([at]) => at),
      1e-9,
    ),
    greatest(
      all.map(([, value]) => value),
      1,
    ),
  ];
  return series
    .map(({ name, points }) => {
      const bits = Array<number>(columns).fill(0);
      let next = 0;
      let value = 0;
      for (let x = 0; x < columns * dotColumns; x++) {
        const at = (x / (columns * dotColumns - 1)) * end;
        while (next < points.length && points[next]![0] <= at + 1e-9) value = points[next++]![1];
        const height = Math.round((value / most) * (dotRows - 1));
        for (let row = 0; row <= height && value > 0; row++)
          bits[Math.floor(x / dotColumns)]! |= dots[(x % dotColumns) as 0 | 1][(dotRows - 1 - row) as 0 | 1 | 2 | 3];
      }
      const line = bits.map((pattern) => String.fromCodePoint(brailleBase + pattern)).join("");
      return `  ${name.padStart(labelWidth - 2)} ${line} ${value}\n`;
    })
    .join("");
}
