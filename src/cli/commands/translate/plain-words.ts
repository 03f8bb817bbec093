/** Command lines of files alone, as most are: commander, which takes longer to start than a small file to translate, is not asked. */

import type { Parsed } from "../../command.js";
import { translationDefaults } from "../../options/translation-settings.js";
import { usualMaxInput } from "../../read-file.js";
import type { TranslateSettings } from "./options.js";

/** What `parseTranslateWords` makes of the words: names of files, and `-o` with one; undefined for any other. */
export function parsePlainWords(words: readonly string[]): Parsed<TranslateSettings> | undefined {
  const files: string[] = [];
  let output: string | undefined;
  for (let index = 0; index < words.length; index++) {
    let word = words[index]!;
    const isOutput = word === "-o" && output === undefined;
    if (isOutput) word = words[++index] ?? "-";
    if (word.startsWith("-") || files.includes(word)) return undefined;
    if (isOutput) output = word;
    else files.push(word);
  }
  return {
    settings: {
      ...translationDefaults,
      ipsets: [],
      geoip: [],
      family: undefined,
      forgetAfter: undefined,
      targetNft: undefined,
      without: [],
      maxInput: usualMaxInput,
      files,
      output,
      keepSets: false,
      replaces: undefined,
      counters: true,
      origins: false,
      strict: false,
      check: false,
      verbose: false,
      format: "text",
      color: undefined,
    },
  };
}
