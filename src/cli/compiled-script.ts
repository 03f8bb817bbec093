/** Scripts of which V8 compiled a part when they were built. */

import { Script } from "node:vm";

/**
 * The value of a script. What V8 made of it in the build spares compiling it; another V8, or one with other flags, refuses that and
 * compiles.
 * @param compiled undefined where nothing was kept
 */
export function valueOfScript(text: string, filename: string, compiled: Uint8Array | undefined): unknown {
  return new Script(text, { filename, ...(compiled && { cachedData: compiled }) }).runInThisContext();
}
