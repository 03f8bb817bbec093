/** `ipt2nft-recent` without a subcommand: translates. */

import { renderJson, type JsonMessage, type JsonReport } from "../../../report/json.js";
import { renderRefused } from "../../../report/refused.js";
import { tally, type Tally } from "../../../report/tally.js";
import { renderInvalidSummary, renderSummary } from "../../../report/text.js";
import { Failure } from "../../../failure.js";
import { translateByShapes } from "../../../shapes/translate-by-shapes.js";
import type { TranslateOptions, Translation } from "../../../translate.js";
import type { CommandDefinition } from "../../command.js";
import { readGiven, type Given } from "../../input.js";
import { readText } from "../../read-file.js";
import { refuseOverwriting, writeFileAtomically } from "../../output.js";
import type { ExitStatus, Surroundings } from "../../surroundings.js";
import { diagnosticsText, messageText, reasonOf, tell } from "../../telling.js";
import { checkScript } from "./check.js";
import { parseTranslateWords, type TranslateSettings } from "./options.js";
import { parsePlainWords } from "./plain-words.js";

export const translateCommand: CommandDefinition<TranslateSettings> = {
  parse: (words) => parsePlainWords(words) ?? parseTranslateWords(words),
  run: runTranslate,
};

/** Characters from which on it saves time to optimize sparingly: of less, to load what tells the engine takes as much. */
const longText = 200_000;

async function runTranslate(settings: TranslateSettings, surroundings: Surroundings): Promise<ExitStatus> {
  const messages: JsonMessage[] = [];
  let given: Given | undefined;
  let translation: Translation | undefined;
  let leftOut = 0;
  let failed = false;
  try {
    refuseOverwriting([settings.output], [...settings.files, ...settings.ipsets, ...settings.geoip]);
    given = await readGiven(settings.files, settings, messages, surroundings);
    const { keepSets, counters, origins } = settings;
    const replaces = settings.replaces === undefined ? {} : { replaces: readText(settings.replaces, settings.maxInput) };
    const options = { ...given.options, ...replaces, keepSets, counters, origins };
    if (given.sources.reduce((sum, { text }) => sum + text.length, 0) >= longText) surroundings.optimizeSparingly?.();
    const quick = translateByShapes(given.sources, options);
    if (settings.verbose) messages.push({ severity: "note", message: wayTaken(quick) });
    if ("reason" in quick) translation = surroundings.translate(given.sources, options);
    else ({ translation, leftOut } = quick);
    if (translation.script !== undefined) {
      const pieces = "reason" in quick ? [translation.script] : quick.pieces();
      if (settings.check) await check("reason" in quick ? translation.script : quick.script(), given, options, surroundings);
      await writeScript(pieces, settings, surroundings);
    }
  } catch (error) {
    // Not left to the shell of the commands: the JSON report tells of failures, too.
    failed = true;
    messages.push({ severity: "error", message: reasonOf(error) });
  }
  const rules = translation && translation.outcome !== "invalid" ? tallyOf(translation, leftOut) : undefined;
  await report(given, translation, rules, messages, failed, settings, surroundings);
  if (failed || translation?.script === undefined || translation.outcome === "invalid") return 2;
  if (translation.outcome === "refused") return 1;
  return translation.outcome === "approximated" && settings.strict ? 1 : 0;
}

/** What the script was made by, for those who wonder about its time. */
function wayTaken(quick: ReturnType<typeof translateByShapes>): string {
  if ("reason" in quick) return `translated rule by rule: ${quick.reason}`;
  return `${quick.leftOut} rules were translated as others of their shape`;
}

/** Asks nft about the script, and the rules one by one about what was made of them by their shapes. */
async function check(
  script: string,
  { sources }: Given,
  options: TranslateOptions,
  { translate, environment }: Surroundings,
): Promise<void> {
  const { script: slow, nft } = translate(sources, options);
  if (slow !== script)
    throw new Failure("translated rule by rule, the script is another: this is a fault of ipt2nft-recent, please report it");
  await checkScript(script, nft?.tables ?? [], environment);
}

async function writeScript(
  pieces: Iterable<string | Uint8Array>,
  { output }: TranslateSettings,
  surroundings: Surroundings,
): Promise<void> {
  if (output !== undefined) return writeFileAtomically(output, pieces);
  for (const piece of pieces) await surroundings.writeOutput(piece);
}

function tallyOf({ iptables, diagnostics }: Translation, leftOut: number): Tally {
  const counts = tally(iptables, diagnostics);
  return { ...counts, exact: counts.exact + leftOut };
}

async function report(
  given: Given | undefined,
  translation: Translation | undefined,
  rules: Tally | undefined,
  messages: readonly JsonMessage[],
  failed: boolean,
  { format, color, optimize }: TranslateSettings,
  surroundings: Surroundings,
): Promise<void> {
  const diagnostics = translation?.diagnostics ?? [];
  if (format === "json") {
    const outcome: JsonReport["outcome"] = failed || !translation ? "failed" : translation.outcome;
    const optimised = optimize ? translation : undefined;
    return tell(renderJson({ outcome, rules, diagnostics, messages, optimised }), surroundings);
  }
  let text = "";
  if (diagnostics.length > 0) {
    const sources = given ? [...given.sources, ...given.ipsets] : [];
    text += await diagnosticsText(diagnostics, sources, color, surroundings);
    text += renderRefused(diagnostics, sources, await surroundings.errorWidth());
    text += rules ? renderSummary(rules) : renderInvalidSummary(diagnostics);
  }
  text += messages.map(messageText).join("");
  if (text !== "") await tell(text, surroundings);
}
