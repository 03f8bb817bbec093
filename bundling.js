/** What all builds share. */

import { existsSync, readdirSync, readFileSync } from "node:fs";
import { extname, join } from "node:path";
import { transform } from "esbuild";

/** A file as text, made smaller where it is a script or a style sheet. */
export async function textOf(path) {
  const text = readFileSync(path, "utf8");
  const loader = extname(path).slice(1);
  if (loader !== "js" && loader !== "css") return text;
  return (await transform(text, { loader, minify: true, target: "es2022" })).code.trimEnd();
}

/** `import text from "./page.css?raw"`, as vite and vitest have it. */
export const rawText = {
  name: "raw-text",
  setup({ onResolve, onLoad }) {
    onResolve({ filter: /\?raw$/ }, ({ path, resolveDir }) => ({
      path: join(resolveDir, path.replace(/\?raw$/, "")),
      namespace: "raw-text",
    }));
    onLoad({ filter: /.*/, namespace: "raw-text" }, async ({ path }) => ({ contents: await textOf(path), loader: "text" }));
  },
};

export const common = {
  // esbuild keeps the directory that it was loaded in.
  absWorkingDir: process.cwd(),
  bundle: true,
  format: "esm",
  target: "es2022",
  // A third less to read at every start.
  minify: true,
  // The notices of everything bundled are in a file of their own.
  legalComments: "none",
  metafile: true,
  // The ES module of a package where there is one: what is not used of it is left out.
  mainFields: ["module", "main"],
  logLevel: "warning",
};

/** The licences of the packages inside the bundles. */
export function notices(results) {
  const packages = new Set();
  for (const { metafile } of results) {
    for (const input of Object.keys(metafile.inputs)) {
      const found = /^(.*node_modules\/(?:@[^/]+\/)?[^/]+)\//.exec(input);
      if (found) packages.add(found[1]);
    }
  }
  return [...packages]
    .sort()
    .map((folder) => {
      const { name, version, license } = JSON.parse(readFileSync(join(folder, "package.json"), "utf8"));
      const file = readdirSync(folder).find((entry) => /^licen[cs]e/i.test(entry));
      const text = file && existsSync(join(folder, file)) ? readFileSync(join(folder, file), "utf8").trim() : "(see the package)";
      return `${name} ${version} (${license})\n\n${text}\n`;
    })
    .join(`\n${"-".repeat(80)}\n\n`);
}
