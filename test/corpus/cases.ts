/** Reads the cases of the corpus; its layout is told in corpus/README.md. */

import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

import { renderText } from "../../src/report/text.js";
import { translate, type Source, type TranslateOptions, type Translation } from "../../src/translate.js";

export const corpusDirectory = fileURLToPath(new URL("../../corpus/", import.meta.url));

export interface Case {
  /** `group/name` */
  readonly name: string;
  readonly group: string;
  readonly directory: string;
  readonly sources: readonly Source[];
  readonly options: TranslateOptions;
}

export interface Expected {
  /** Undefined where the input is invalid. */
  readonly script: string | undefined;
  readonly diagnostics: string;
}

export function readCases(): Case[] {
  return readdirSync(corpusDirectory, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .flatMap(({ name: group }) => readdirSync(join(corpusDirectory, group)).map((name) => readCase(group, name)))
    .sort((a, b) => (a.name < b.name ? -1 : 1));
}

function readCase(group: string, name: string): Case {
  const directory = join(corpusDirectory, group, name);
  const sources = (["rules.v4", "rules.v6", "rules.sh"] as const).filter((file) => existsSync(join(directory, file)))
    .map((file): Source => ({ file, text: readFileSync(join(directory, file), "utf8") }));
  const optionsFile = join(directory, "options.json");
  const given = existsSync(optionsFile) ? (JSON.parse(readFileSync(optionsFile, "utf8")) as TranslateOptions) : {};
  const sets = join(directory, "sets.ipset");
  const options = existsSync(sets) ? { ...given, ipsets: [{ file: "sets.ipset", text: readFileSync(sets, "utf8") }] } : given;
  return { name: `${group}/${name}`, group, directory, sources, options };
}

export function readExpected({ directory }: Case): Expected {
  const script = join(directory, "expected.nft");
  return {
    script: existsSync(script) ? readFileSync(script, "utf8") : undefined,
    diagnostics: readFileSync(join(directory, "expected.diagnostics"), "utf8"),
  };
}

export function run({ sources, options }: Case): Expected & { readonly translation: Translation } {
  const translation = translate(sources, options);
  return { translation, script: translation.script, diagnostics: renderText(translation.diagnostics, [...sources, ...(options.ipsets ?? [])], { color: false }) };
}
