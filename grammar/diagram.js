/** Writes diagram.html: `node grammar/diagram.js`, after a change of the grammar. */

import { writeFile } from "node:fs/promises";
import { build } from "esbuild";

const bundle = await build({
  entryPoints: [new URL("railroad.ts", import.meta.url).pathname],
  bundle: true,
  write: false,
  format: "esm",
  platform: "node",
});
const { renderDiagram } = await import(`data:text/javascript;base64,${Buffer.from(bundle.outputFiles[0].contents).toString("base64")}`);
await writeFile(new URL("diagram.html", import.meta.url), renderDiagram());
