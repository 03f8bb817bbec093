/** Writes the dumps of corpus/generated: `npm run generate`, in the repository. */

import { mkdirSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";

import { generatedFiles } from "./all.js";

for (const { path, text } of generatedFiles()) {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, text);
}
