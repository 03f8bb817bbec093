/** How the script changes, as a unified diff. */

import { difference } from "../report/difference.js";

/** Empty if the scripts are the same but for counters. */
export function scriptDiff(old: string, oldName: string, current: string, currentName: string): string {
  return difference(oldName, steady(old), currentName, steady(current));
}

/** Without what changes with every dump: the values of counters. */
function steady(script: string): string {
  return script
    .replace(/\bcounter packets [0-9]+ bytes [0-9]+/g, "counter")
    .replace(/(?<![^\n])[^\S\n]*# (?:v[46] )?policy counters: [^\n]*\n/g, "");
}
