/** How the script changes, as a unified diff. */

import { createTwoFilesPatch } from "diff";

/** Changed lines beyond which no diff is worked out. */
const mostChangedLines = 20_000;

/** Empty if the scripts are the same but for counters. */
export function scriptDiff(old: string, oldName: string, current: string, currentName: string): string {
  const [before, after] = [steady(old), steady(current)];
  if (before === after) return "";
  const patch = createTwoFilesPatch(oldName, currentName, before, after, undefined, undefined, {
    context: 3,
    maxEditLength: mostChangedLines,
  });
  return patch?.replace(/^=+\n/, "") ?? `--- ${oldName}\n+++ ${currentName}\n(more than ${mostChangedLines} lines differ)\n`;
}

/** Without what changes with every dump: the values of counters. */
function steady(script: string): string {
  return script.replace(/\bcounter packets [0-9]+ bytes [0-9]+/g, "counter").replace(/^\s*# (?:v[46] )?policy counters: .*\n/gm, "");
}
