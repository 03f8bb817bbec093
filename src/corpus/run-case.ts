/** One case: what its dump becomes, and what differs from what is expected. */

import type { Geoip } from "../geoip/ranges.js";
import { CsvFault } from "../csv-document.js";
import { readGeoipCsv } from "../geoip/read-csv.js";
import { difference } from "../report/difference.js";
import { renderText } from "../report/text.js";
import type { Source, translate, TranslateOptions, Translation } from "../translate.js";
import { CaseFault } from "./case-fault.js";
import { diagnosticsWords, scriptWords } from "./difference-words.js";
import type { CaseFiles } from "./layout.js";
import { readOptions } from "./options.js";
import type { Problem } from "./result.js";

/** The contents of a case's files. */
export interface CaseTexts {
  /** These and the sets under the names that diagnostics shall have, the rest from the corpus folder on. */
  readonly sources: readonly Source[];
  readonly ipsets?: Source;
  /** Ranges of addresses and their countries, as CSV. */
  readonly geoip?: Source;
  readonly options?: Source;
  /** What the expected script should be; undefined where the input is invalid. */
  readonly script?: string;
  /** Undefined where nothing is expected yet. */
  readonly diagnostics?: string;
}

/** What the translator makes of a case. */
export interface Made {
  /** Undefined where the input is invalid. */
  readonly script: string | undefined;
  /** As text without colours. */
  readonly diagnostics: string;
  readonly translation: Translation;
}

/** The options of the case for the library. Throws a CaseFault. */
export function translateOptionsOf({ ipsets, geoip, options }: CaseTexts): TranslateOptions {
  return {
    ...(options && readOptions(options.file, options.text)),
    ...(ipsets && { ipsets: [ipsets] }),
    ...(geoip && { geoip: countriesOf(geoip) }),
  };
}

function countriesOf({ file, text }: Source): Geoip {
  try {
    return readGeoipCsv(text);
  } catch (error) {
    if (error instanceof CsvFault) throw new CaseFault(file, error.place, error.message);
    throw error;
  }
}

/** Translates the case. Throws a CaseFault. */
export function translateCase(texts: CaseTexts, translator: typeof translate): Made {
  const { sources, ipsets } = texts;
  const translation = translator(sources, translateOptionsOf(texts));
  const diagnostics = renderText(translation.diagnostics, ipsets ? [...sources, ipsets] : sources, { color: false, eachPlace: true });
  return { script: translation.script, diagnostics, translation };
}

/** Translates the case and compares; whatever goes wrong is a problem, and nothing is thrown. */
export function runCase(
  files: CaseFiles,
  texts: CaseTexts,
  translator: typeof translate,
): { readonly problems: readonly Problem[]; readonly made?: Made } {
  try {
    const made = translateCase(texts, translator);
    return { problems: compare(files, texts, made), made };
  } catch (error) {
    if (error instanceof CaseFault) return { problems: [{ kind: "options", message: error.message, detail: "" }] };
    const detail = error instanceof Error ? (error.stack ?? error.message) : String(error);
    return { problems: [{ kind: "crash", message: "the translator fails; please report it with the input", detail }] };
  }
}

function compare(files: CaseFiles, expected: CaseTexts, made: Made): Problem[] {
  if (expected.diagnostics === undefined) return [missing(files, made)];
  return [...compareScripts(files, expected.script, made.script), ...compareDiagnostics(files, expected.diagnostics, made.diagnostics)];
}

function missing(files: CaseFiles, { script, translation }: Made): Problem {
  const nothing = `nothing is expected yet (no ${files.diagnostics})`;
  if (script !== undefined) return { kind: "missing", message: `${nothing}; --update writes what is made now`, detail: "" };
  const errors = translation.diagnostics.filter(({ severity }) => severity === "error");
  const [first] = errors;
  return {
    kind: "missing",
    message: `${nothing}, and the input is no ruleset; --update says that it is to be refused`,
    ...(first && {
      words: [
        `${first.span.file} line ${first.span.line}: ${first.message}`,
        ...(errors.length > 1 ? [`${errors.length - 1} more errors`] : []),
      ],
    }),
    detail: "",
  };
}

const madeNow = "made now";

function compareScripts({ script: file }: CaseFiles, expected: string | undefined, made: string | undefined): Problem[] {
  if (expected === made) return [];
  const message =
    made === undefined
      ? "no script is made any more; the input is refused"
      : expected === undefined
        ? "a script is made, and none is expected"
        : "the script differs";
  const words = made === undefined || expected === undefined ? {} : { words: scriptWords(expected, made) };
  return [{ kind: "script", message, ...words, detail: difference(file, expected ?? "", madeNow, made ?? "") }];
}

function compareDiagnostics({ diagnostics: file }: CaseFiles, expected: string, made: string): Problem[] {
  return expected === made
    ? []
    : [
        {
          kind: "diagnostics",
          message: "the diagnostics differ",
          words: diagnosticsWords(expected, made),
          detail: difference(file, expected, madeNow, made),
        },
      ];
}
