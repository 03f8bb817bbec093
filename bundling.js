/** What all builds share. */

import { spawnSync } from "node:child_process";
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

export const { version } = JSON.parse(readFileSync("package.json", "utf8"));

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

/** What is built for Node. */
export const ofNode = {
  ...common,
  platform: "node",
  // That of Debian 12.
  target: "node18.19",
  plugins: [withoutSubcommands, rawText],
  define: { PACKAGE_VERSION: JSON.stringify(version), IS_SINGLE_EXECUTABLE: "false" },
};

/** The value of the script is a function, which loads by what it is given. */
export const asFunction = { banner: { js: "(function(require,module){" }, footer: { js: "})" } };

/** A script that no module loader has read can load by what it is given, and not by `import()`. */
export const withoutImports = { supported: { "dynamic-import": false } };

/** The date of what is built, in seconds: that of SOURCE_DATE_EPOCH, or of the last commit; undefined where there is neither. */
export function releaseTime() {
  const said = process.env.SOURCE_DATE_EPOCH || spawnSync("git", ["log", "-1", "--format=%ct"], { encoding: "utf8" }).stdout;
  const seconds = Number.parseInt(said, 10);
  return Number.isNaN(seconds) ? undefined : seconds;
}

/** As `releaseTime`, for what must have a date. */
export function knownReleaseTime() {
  const seconds = releaseTime();
  if (seconds === undefined) throw new Error("the date is not known: set SOURCE_DATE_EPOCH");
  return seconds;
}

/** Between the licences of two packages. */
const line = `\n${"-".repeat(80)}\n\n`;

/** Texts of licences, as one. */
export const joinNotices = (texts) => texts.join(line);

/** The texts that `joinNotices` joined. */
export const splitNotices = (text) => text.split(line);

/** The licences of the packages inside the bundles. */
export function notices(results) {
  const packages = new Set();
  for (const { metafile } of results) {
    for (const input of Object.keys(metafile.inputs)) {
      const found = /^(.*node_modules\/(?:@[^/]+\/)?[^/]+)\//.exec(input);
      if (found) packages.add(found[1]);
    }
  }
  const texts = [...packages].sort().map((folder) => {
    const { name, version, license } = JSON.parse(readFileSync(join(folder, "package.json"), "utf8"));
    const file = readdirSync(folder).find((entry) => /^licen[cs]e/i.test(entry));
    const text = file && existsSync(join(folder, file)) ? readFileSync(join(folder, file), "utf8").trim() : "(see the package)";
    return `${name} ${version} (${license})\n\n${text}\n`;
  });
  return joinNotices(texts);
}
