/**
 * Builds what is published: the command and the library as one file each, and the library's types.
 *
 *     node build.js [--directory dist] [--no-types]
 */

import { build, transform } from "esbuild";
import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { extname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";

const { values: options } = parseArgs({
  options: { directory: { type: "string", default: "dist" }, "no-types": { type: "boolean", default: false } },
});
process.chdir(fileURLToPath(new URL(".", import.meta.url)));
const { version } = JSON.parse(readFileSync("package.json", "utf8"));
const directory = options.directory;
const commandFile = join(directory, "ipt2nft-recent.js");

// The bundles are overwritten; of the parts and the types some may have lost their source.
for (const folder of ["parts", "types"]) rmSync(join(directory, folder), { recursive: true, force: true });
mkdirSync(directory, { recursive: true });

/** commander loads this for subcommands that are programs of their own, of which there are none: some milliseconds of every start. */
const withoutSubcommands = {
  name: "without-subcommands",
  setup({ onResolve, onLoad }) {
    onResolve({ filter: /^node:child_process$/ }, ({ importer }) =>
      /[\\/]commander[\\/]/.test(importer) ? { path: "child_process", namespace: "left-out" } : undefined,
    );
    onLoad({ filter: /.*/, namespace: "left-out" }, () => ({ contents: "module.exports = {};" }));
  },
};

/** `import text from "./page.css?raw"`, as vite and vitest have it: the file as text, made smaller where esbuild knows its language. */
const rawText = {
  name: "raw-text",
  setup({ onResolve, onLoad }) {
    onResolve({ filter: /\?raw$/ }, ({ path, resolveDir }) => ({
      path: join(resolveDir, path.replace(/\?raw$/, "")),
      namespace: "raw-text",
    }));
    onLoad({ filter: /.*/, namespace: "raw-text" }, async ({ path }) => {
      if ([".sh", ".html"].includes(extname(path))) return { contents: readFileSync(path, "utf8"), loader: "text" };
      const { code } = await transform(readFileSync(path, "utf8"), { loader: extname(path).slice(1), minify: true, target: "es2022" });
      return { contents: code.trimEnd(), loader: "text" };
    });
  },
};

const common = {
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

const [command, library] = await Promise.all([
  build({
    ...common,
    entryPoints: { "ipt2nft-recent": "src/cli/main.ts", "parts/corpus-worker": "src/cli/commands/corpus/worker.ts" },
    // Subcommands are parts of their own, read when they are asked for.
    splitting: true,
    chunkNames: "parts/[name]-[hash]",
    outdir: directory,
    platform: "node",
    plugins: [withoutSubcommands, rawText],
    // A worker's address is relative to the part that starts it.
    define: { PACKAGE_VERSION: JSON.stringify(version), CORPUS_WORKER: '"./corpus-worker.js"' },
    // commander is CommonJS and asks for Node's modules by `require`, which an ES module does not have.
    banner: {
      js: '#!/usr/bin/env node\nimport{createRequire as createRequireOfNode}from"node:module";const require=createRequireOfNode(import.meta.url);',
    },
  }),
  build({
    ...common,
    entryPoints: ["src/index.ts"],
    outfile: join(directory, "index.js"),
    // A Node built-in does not resolve on this platform: the library runs in browsers.
    platform: "neutral",
    plugins: [rawText],
  }),
]);
chmodSync(commandFile, 0o755);
writeFileSync(join(directory, "third-party-licenses.txt"), notices([command, library]));
if (!options["no-types"]) await emitTypes();

/** The licences of the packages inside the bundles. */
function notices(results) {
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

async function emitTypes() {
  const { default: ts } = await import("typescript");
  const { config } = ts.readConfigFile("tsconfig.json", ts.sys.readFile);
  const { options: settings } = ts.convertCompilerOptionsFromJson(config.compilerOptions, process.cwd());
  const program = ts.createProgram(["src/index.ts"], { ...settings, outDir: join(directory, "types") });
  const faults = [...ts.getPreEmitDiagnostics(program), ...program.emit().diagnostics];
  if (faults.length === 0) return;
  process.stderr.write(
    ts.formatDiagnostics(faults, {
      getCanonicalFileName: (name) => name,
      getCurrentDirectory: () => process.cwd(),
      getNewLine: () => "\n",
    }),
  );
  process.exitCode = 1;
}
