import { translate, type Source, type TranslateOptions } from "../../../src/translate.js";

/** What is said about each line of the sources, without the words of the lines; and how many rules each chain has. */
export function saidOf(sources: readonly Source[], options: TranslateOptions): unknown {
  const { outcome, diagnostics, iptables } = translate(sources, options);
  return {
    outcome,
    diagnostics: diagnostics.map(({ code, span: { file, line } }) => `${file}:${line} ${code}`).sort(),
    rules: iptables.map(({ tables }) => tables.map(({ chains }) => chains.map(({ rules }) => rules.length))),
  };
}
