/** The result of a comparison for programs. */

import { visibleJson } from "../../report/visible.js";
import type { VerifyReport } from "../verify.js";

/** One line of JSON; without what is only needed to play the differences again. */
export function renderJson({ loaded: _, differences, ...report }: VerifyReport): string {
  return visibleJson(`${JSON.stringify({ ...report, differences: differences.map(({ replay: __, ...difference }) => difference) })}\n`);
}
