/**
 * Builds what is published: the command and the library as one file each, the pages of the manual, what shells complete the command
 * with, and the library's types.
 *
 *     node build.js [--directory dist] [--no-types]
 *
 * SOURCE_DATE_EPOCH (seconds) is the date that the pages of the manual have.
 */

import { spawnSync } from "node:child_process";
import { build } from "esbuild";
import { chmodSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { parseArgs } from "node:util";

const { values: options } = parseArgs({
  options: { directory: { type: "string", default: "dist" }, "no-types": { type: "boolean", default: false } },
});
process.chdir(fileURLToPath(new URL(".", import.meta.url)));
// It takes the directory that it is loaded in.
const { common, notices, rawText } = await import("./bundling.js");
const { version } = JSON.parse(readFileSync("package.json", "utf8"));
const directory = options.directory;
const commandFile = join(directory, "ipt2nft-recent.js");

// The bundles are overwritten; of the parts and the types some may have lost their source.
for (const folder of ["parts", "types", "man", "completions"]) rmSync(join(directory, folder), { recursive: true, force: true });
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

/** commander is CommonJS and asks for Node's modules by `require`, which an ES module does not have. */
const requireOfNode = 'import{createRequire as createRequireOfNode}from"node:module";const require=createRequireOfNode(import.meta.url);';

const [command, library] = await Promise.all([
  build({
    ...common,
    entryPoints: {
      "ipt2nft-recent": "src/cli/main.ts",
      "parts/corpus-worker": "src/cli/commands/corpus/worker.ts",
      "parts/fleet-worker": "src/cli/commands/fleet/worker.ts",
    },
    // Subcommands are parts of their own, read when they are asked for.
    splitting: true,
    chunkNames: "parts/[name]-[hash]",
    outdir: directory,
    platform: "node",
    // That of Debian 12.
    target: "node18.19",
    plugins: [withoutSubcommands, rawText],
    // A worker's address is relative to the part that starts it.
    define: { PACKAGE_VERSION: JSON.stringify(version), CORPUS_WORKER: '"./corpus-worker.js"', FLEET_WORKER: '"./fleet-worker.js"' },
    banner: { js: requireOfNode },
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
writeFileSync(commandFile, `#!/usr/bin/env node\n${readFileSync(commandFile, "utf8")}`);
chmodSync(commandFile, 0o755);
writeFileSync(join(directory, "third-party-licenses.txt"), notices([command, library]));
await writeManualAndCompletions();
if (!options["no-types"]) await emitTypes();

async function writeManualAndCompletions() {
  const { outputFiles } = await build({
    ...common,
    entryPoints: ["src/cli/manual/generated.ts"],
    write: false,
    platform: "node",
    plugins: [withoutSubcommands, rawText],
    banner: { js: requireOfNode },
  });
  const module = join(directory, `.manual.${process.pid}.mjs`);
  writeFileSync(module, outputFiles[0].contents);
  try {
    const { manualPages, completionScripts } = await import(pathToFileURL(module).href);
    for (const [folder, files] of [
      ["man", manualPages({ version, date: releaseDate() })],
      ["completions", completionScripts()],
    ]) {
      mkdirSync(join(directory, folder), { recursive: true });
      for (const [name, text] of files) writeFileSync(join(directory, folder, name), text);
    }
  } finally {
    rmSync(module, { force: true });
  }
}

/** The day that SOURCE_DATE_EPOCH says, or that of the last commit; empty where there is neither. */
function releaseDate() {
  const said = process.env.SOURCE_DATE_EPOCH || spawnSync("git", ["log", "-1", "--format=%ct"], { encoding: "utf8" }).stdout;
  const seconds = Number.parseInt(said, 10);
  return Number.isNaN(seconds) ? "" : new Date(1000 * seconds).toISOString().slice(0, 10);
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
