/** Writes coverage.md: `npm run coverage`, after a change of any extension or of corpus/option. */

import { writeFile } from "node:fs/promises";
import { build } from "esbuild";

const bundle = await build({
  entryPoints: [new URL("../test/coverage/table.ts", import.meta.url).pathname],
  // The bundle has no place of its own from which it could find the corpus.
  define: { "import.meta.url": JSON.stringify(new URL("../test/corpus/cases.ts", import.meta.url).href) },
  bundle: true,
  write: false,
  format: "esm",
  platform: "node",
  // One dependency has a form that only Node can load, and one that can be bundled.
  mainFields: ["module", "main"],
  logLevel: "warning",
});
const { renderCoverage } = await import(`data:text/javascript;base64,${Buffer.from(bundle.outputFiles[0].contents).toString("base64")}`);
await writeFile(new URL("coverage.md", import.meta.url), renderCoverage());
