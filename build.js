/**
 * Builds what is published: the command (its start, the translation and its subcommands), the library, the pages of the manual, what
 * shells complete the command with, and the library's types.
 *
 *     node build.js [--directory dist] [--no-types]
 *
 * SOURCE_DATE_EPOCH (seconds) is the date that the pages of the manual have.
 */

import { spawnSync } from "node:child_process";
import { build } from "esbuild";
import { chmodSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { basename, join, relative, resolve } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { parseArgs } from "node:util";

const { values: options } = parseArgs({
  options: { directory: { type: "string", default: "dist" }, "no-types": { type: "boolean", default: false } },
});
process.chdir(fileURLToPath(new URL(".", import.meta.url)));
// It takes the directory that it is loaded in.
const { asFunction, common, notices, ofNode, rawText, releaseTime, version, withoutImports } = await import("./bundling.js");
const directory = options.directory;
const commandFile = join(directory, "ipt2nft-recent.js");
const parts = join(directory, "parts");
const translationFile = join(parts, "translate.cjs");

// The bundles are overwritten; of the parts and the types some may have lost their source.
for (const folder of ["parts", "types", "man", "completions"]) rmSync(join(directory, folder), { recursive: true, force: true });
mkdirSync(directory, { recursive: true });

/**
 * Functions that a plain dump does not need, in parts of their own that the translation reads when it first calls one. They share no object
 * with it: what such a part imports is there twice.
 */
const seldomNeeded = {
  "grammar/line-grammar.ts": ["parseByGrammar"],
  "src/cli/commands/translate/options.ts": ["parseTranslateWords"],
  "src/cli/optimizing.ts": ["optimizeSparingly"],
};

const partName = (module) => `translate-${basename(module, ".ts")}`;

const withoutSeldomNeeded = {
  name: "without-seldom-needed",
  setup({ onResolve, onLoad }) {
    onResolve({ filter: /^\.{1,2}\// }, ({ path, resolveDir }) => {
      const own = relative(process.cwd(), join(resolveDir, path)).replace(/\.js$/, ".ts");
      return own in seldomNeeded ? { path: own, namespace: "seldom-needed" } : undefined;
    });
    onLoad({ filter: /.*/, namespace: "seldom-needed" }, ({ path }) => ({
      contents: seldomNeeded[path]
        .map((name) => `export const ${name} = (...given) => require("./parts/${partName(path)}.cjs").${name}(...given);`)
        .join("\n"),
    }));
  },
};

/** commander is CommonJS and asks for Node's modules by `require`, which an ES module does not have. */
const requireOfNode = 'import{createRequire as createRequireOfNode}from"node:module";const require=createRequireOfNode(import.meta.url);';

const [start, translation, seldom, subcommands, library] = await Promise.all([
  build({
    ...ofNode,
    entryPoints: ["src/cli/start.ts"],
    outfile: commandFile,
    format: "cjs",
    banner: { js: "#!/usr/bin/env node" },
  }),
  build({
    ...ofNode,
    entryPoints: ["src/cli/main-translate.ts"],
    outfile: translationFile,
    format: "cjs",
    plugins: [...ofNode.plugins, withoutSeldomNeeded],
    external: ["./parts/*"],
    ...asFunction,
    ...withoutImports,
  }),
  build({
    ...ofNode,
    entryPoints: Object.fromEntries(Object.keys(seldomNeeded).map((module) => [partName(module), module])),
    outdir: parts,
    outExtension: { ".js": ".cjs" },
    format: "cjs",
  }),
  build({
    ...ofNode,
    entryPoints: {
      main: "src/cli/main.ts",
      "corpus-worker": "src/cli/commands/corpus/worker.ts",
      "fleet-worker": "src/cli/commands/fleet/worker.ts",
    },
    // Subcommands are parts of their own, read when they are asked for.
    splitting: true,
    outdir: parts,
    outExtension: { ".js": ".mjs" },
    banner: { js: requireOfNode },
  }),
  build({
    ...common,
    entryPoints: ["src/index.ts"],
    outfile: join(directory, "index.mjs"),
    // A Node built-in does not resolve on this platform: the library runs in browsers.
    platform: "neutral",
    plugins: [rawText],
  }),
]);
// The start has the name of the command, which has no ending of CommonJS.
writeFileSync(join(directory, "package.json"), '{ "type": "commonjs" }\n');
chmodSync(commandFile, 0o755);
writeFileSync(join(directory, "third-party-licenses.txt"), notices([start, translation, seldom, subcommands, library]));
compileTranslation();
await writeManualAndCompletions();
if (!options["no-types"]) await emitTypes();

/** Keeps what V8 makes of the translation's script, with the functions that a plain dump uses. */
function compileTranslation() {
  const run = `
    const { readFileSync, writeFileSync } = require("node:fs");
    const { createRequire } = require("node:module");
    const { Script } = require("node:vm");
    const file = ${JSON.stringify(resolve(translationFile))};
    // Not its path: it is kept, and shows in reports of faults on other machines.
    const script = new Script(readFileSync(file, "latin1"), { filename: "translate.cjs" });
    process.on("exit", () => writeFileSync(file + ".compiled", script.createCachedData()));
    script.runInThisContext()(createRequire(${JSON.stringify(resolve(commandFile))}));`;
  const { status, stderr } = spawnSync(process.execPath, ["-e", run], { input: readFileSync("corpus/machine/small-server/rules.v4") });
  if (status !== 0) throw new Error(`the translation does not run: ${stderr}`);
}

async function writeManualAndCompletions() {
  const { outputFiles } = await build({
    ...ofNode,
    entryPoints: ["src/cli/manual/generated.ts"],
    write: false,
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

/** The day; empty where it is not known. */
function releaseDate() {
  const seconds = releaseTime();
  return seconds === undefined ? "" : new Date(1000 * seconds).toISOString().slice(0, 10);
}

async function emitTypes() {
  const { default: ts } = await import("typescript");
  const { config } = ts.readConfigFile("tsconfig.json", ts.sys.readFile);
  const { options: settings } = ts.convertCompilerOptionsFromJson(config.compilerOptions, process.cwd());
  const program = ts.createProgram(["src/index.ts"], { ...settings, outDir: join(directory, "types") });
  const faults = [...ts.getPreEmitDiagnostics(program), ...program.emit().diagnostics];
  writeFileSync(join(directory, "types", "package.json"), '{ "type": "module" }\n');
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
