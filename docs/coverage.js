/** Writes coverage.md: `npm run -s coverage [FILE]`, after a change of any extension or of corpus/option. */

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
  // A package whose CommonJS form requires its own files has a form for bundlers.
  mainFields: ["module", "main"],
  logLevel: "warning",
});
const { renderCoverage } = await import(`data:text/javascript;base64,${Buffer.from(bundle.outputFiles[0].contents).toString("base64")}`);
await writeFile(process.argv[2] ?? new URL("coverage.md", import.meta.url), renderCoverage());
