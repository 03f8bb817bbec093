/** Writes coverage.md: `npm run coverage`, after a change of any extension. */

import { writeFile } from "node:fs/promises";
import { build } from "esbuild";

const bundle = await build({
  entryPoints: [new URL("../test/coverage/table.ts", import.meta.url).pathname],
  bundle: true, write: false, format: "esm", platform: "node", logLevel: "warning",
});
const { renderCoverage } = await import(`data:text/javascript;base64,${Buffer.from(bundle.outputFiles[0].contents).toString("base64")}`);
await writeFile(new URL("coverage.md", import.meta.url), renderCoverage());
