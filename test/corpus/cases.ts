/** The cases of our own corpus, read and run as `ipt2nft-recent corpus` does. */

import { join } from "node:path";
import { fileURLToPath } from "node:url";

import { listFiles, readCase } from "../../src/cli/commands/corpus/files.js";
import { usualMaxInput } from "../../src/cli/read-file.js";
import { findCases, type CaseFiles } from "../../src/corpus/layout.js";
import { translateCase, translateOptionsOf, type CaseTexts, type Made } from "../../src/corpus/run-case.js";
import { translate, type Source, type TranslateOptions } from "../../src/translate.js";

export const corpusDirectory = fileURLToPath(new URL("../../corpus/", import.meta.url));

export interface Case {
  /** `group/name` */
  readonly name: string;
  readonly group: string;
  readonly directory: string;
  readonly sources: readonly Source[];
  readonly options: TranslateOptions;
  readonly files: CaseFiles;
  readonly texts: CaseTexts;
}

export interface Expected {
  /** Undefined where the input is invalid. */
  readonly script: string | undefined;
  readonly diagnostics: string;
}

export function readCases(): Case[] {
  return findCases(listFiles(corpusDirectory), "corpus").cases.map((files): Case => {
    const texts = readCase(corpusDirectory, files, usualMaxInput);
    return {
      name: files.name,
      group: files.name.slice(0, files.name.indexOf("/")),
      directory: join(corpusDirectory, files.name),
      sources: texts.sources,
      options: translateOptionsOf(texts),
      files,
      texts,
    };
  });
}

export function readExpected({ texts: { script, diagnostics = "" } }: Case): Expected {
  return { script, diagnostics };
}

export function run({ texts }: Case): Made {
  return translateCase(texts, translate);
}
