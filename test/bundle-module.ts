/** Programs made of the sources as they stand, for tests that end a process. */

import { build } from "esbuild";

/** Bundles a module, which may import "./src/…", into a file that Node runs. */
export async function bundleModule(contents: string, outfile: string): Promise<void> {
  await build({
    stdin: { contents, resolveDir: process.cwd() },
    bundle: true,
    platform: "node",
    format: "esm",
    outfile,
    logLevel: "silent",
  });
}
