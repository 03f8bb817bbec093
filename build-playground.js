/**
 * Builds the playground: one page with its script, its worker and its style sheet in it, which works from a file.
 *
 *     node build-playground.js [--output playground/index.html]
 */

import { createHash } from "node:crypto";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { build } from "esbuild";

const { values: options } = parseArgs({ options: { output: { type: "string", default: "playground/index.html" } } });
process.chdir(fileURLToPath(new URL(".", import.meta.url)));
// It takes the directory that it is loaded in.
const { common, notices, rawText, textOf } = await import("./bundling.js");
const { version } = JSON.parse(readFileSync("package.json", "utf8"));

const sha256 = (text) => createHash("sha256").update(text, "utf8").digest("base64");

const review = {
  script: await textOf("src/review/formats/html/page/page.js"),
  style: (await textOf("src/page-style/base.css")) + (await textOf("src/review/formats/html/page/page.css")),
};
const reviewHashes = { script: sha256(review.script), style: sha256(review.style) };

/** A program as one script that needs no module. */
const bundle = (file) =>
  build({
    ...common,
    entryPoints: [file],
    format: "iife",
    platform: "browser",
    write: false,
    plugins: [rawText],
    define: { PACKAGE_VERSION: JSON.stringify(version), REVIEW_HASHES: JSON.stringify(reviewHashes) },
  });
const bundles = await Promise.all([bundle("src/playground/page/main.ts"), bundle("src/playground/page/worker.ts")]);
const [script, worker] = bundles.map(({ outputFiles }) => outputFiles[0].text.trimEnd());
const style = `${review.style}\n${await textOf("src/playground/page/playground.css")}`;
for (const text of [script, worker, style])
  if (/<\/(?:script|style)|<!--/i.test(text)) throw new Error("a part of the page could end before its end");

// What a worker made of a blob may do follows from the policy of the page; a page in a frame that is given as text keeps to both policies.
const policy = [
  "default-src 'none'",
  `script-src 'sha256-${sha256(script)}' 'sha256-${reviewHashes.script}'`,
  "worker-src blob:",
  `style-src 'sha256-${sha256(style)}' 'sha256-${reviewHashes.style}'`,
  "base-uri 'none'",
  "form-action 'none'",
].join("; ");

const parts = {
  POLICY: policy,
  STYLE: `<style>${style}</style>`,
  VERSION: version,
  // Of another type than a script: it is not run here, but read, and run by the worker.
  WORKER: `<script id="worker" type="text/plain">${worker}</script>`,
  SCRIPT: `<script>${script}</script>`,
};
const page = readFileSync("src/playground/page/index.html", "utf8").replace(
  /\b(?:POLICY|STYLE|VERSION|WORKER|SCRIPT)\b/g,
  (name) => parts[name],
);
const licences = notices(bundles).replaceAll("--", "- -");
mkdirSync(dirname(options.output), { recursive: true });
writeFileSync(options.output, `${page.trimEnd()}\n<!--\n${licences}-->\n`);
