/** How the script changes, as a unified diff. */

import { difference } from "../report/difference.js";

/** Empty if the scripts are the same but for counters and for the line numbers in their comments. */
export function scriptDiff(old: string, oldName: string, current: string, currentName: string): string {
  return difference(oldName, steady(old), currentName, steady(current));
}

/** Without what changes with every dump: the values of counters, and the numbers of lines that merely moved. */
function steady(script: string): string {
  return script
    .replace(/\bcounter packets [0-9]+ bytes [0-9]+/g, "counter")
    .replace(/^\s*# policy counters: .*\n/gm, "")
    .replace(/^\s*# (?:v[46] )?lines? [0-9, ]+\n/gm, "")
    .replace(/^(\s*# (?:v[46] )?)lines? [0-9, ]+: /gm, "$1")
    .replace(/(exact window of .*), lines [0-9, ]+$/gm, "$1");
}
