/** The quick way beside the slow one. */

import { expect } from "vitest";

import { tally } from "../../src/report/tally.js";
import { translateByShapes } from "../../src/shapes/translate-by-shapes.js";
import { translate, type Source, type TranslateOptions } from "../../src/translate.js";

/** Whether the quick way was taken; fails where its outcome is another. */
export function compared(source: Source, options: TranslateOptions = {}): boolean {
  const quick = translateByShapes([source], options, { leastShare: 0, leastLength: 0 });
  if ("reason" in quick) return false;
  const slow = translate([source], options);
  expect(quick.script()).toBe(slow.script);
  expect(quick.translation.diagnostics).toEqual(slow.diagnostics);
  expect(quick.translation.outcome).toBe(slow.outcome);
  const counts = tally(quick.translation.iptables, quick.translation.diagnostics);
  expect({ ...counts, exact: counts.exact + quick.leftOut }).toEqual(tally(slow.iptables, slow.diagnostics));
  return true;
}
