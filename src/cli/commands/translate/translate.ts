/** `ipt2nft-recent` without a subcommand: translates. */

import { renderJson, type JsonMessage, type JsonReport } from "../../../report/json.js";
import { renderRefused } from "../../../report/refused.js";
import { tally } from "../../../report/tally.js";
import { renderInvalidSummary, renderSummary } from "../../../report/text.js";
import type { Translation } from "../../../translate.js";
import type { CommandDefinition } from "../../command.js";
import { readGiven, type Given } from "../../input.js";
import { refuseOverwriting, writeFileAtomically } from "../../output.js";
import type { ExitStatus, Surroundings } from "../../surroundings.js";
import { diagnosticsText, messageText, reasonOf, tell } from "../../telling.js";
import { checkScript } from "./check.js";
import { parseTranslateWords, type TranslateSettings } from "./options.js";

export const translateCommand: CommandDefinition<TranslateSettings> = { parse: parseTranslateWords, run: runTranslate };

async function runTranslate(settings: TranslateSettings, surroundings: Surroundings): Promise<ExitStatus> {
  const messages: JsonMessage[] = [];
  let given: Given | undefined;
  let translation: Translation | undefined;
  let failed = false;
  try {
    refuseOverwriting([settings.output], [...settings.files, ...settings.ipsets, ...settings.geoip]);
    given = await readGiven(settings.files, settings, messages, surroundings);
    const { keepSets, counters, origins } = settings;
    translation = surroundings.translate(given.sources, { ...given.options, keepSets, counters, origins });
    if (translation.script !== undefined) {
      if (settings.check) await checkScript(translation.script, translation.nft?.tables ?? [], surroundings.environment);
      if (settings.output === undefined) await surroundings.writeOutput(translation.script);
      else await writeFileAtomically(settings.output, translation.script);
    }
  } catch (error) {
    // Not left to the shell of the commands: the JSON report tells of failures, too.
    failed = true;
    messages.push({ severity: "error", message: reasonOf(error) });
  }
  await report(given, translation, messages, failed, settings, surroundings);
  if (failed || translation?.script === undefined || translation.outcome === "invalid") return 2;
  if (translation.outcome === "refused") return 1;
  return translation.outcome === "approximated" && settings.strict ? 1 : 0;
}

async function report(
  given: Given | undefined,
  translation: Translation | undefined,
  messages: readonly JsonMessage[],
  failed: boolean,
  { format, color }: TranslateSettings,
  surroundings: Surroundings,
): Promise<void> {
  const diagnostics = translation?.diagnostics ?? [];
  const valid = translation !== undefined && translation.outcome !== "invalid";
  if (format === "json") {
    const outcome: JsonReport["outcome"] = failed || !translation ? "failed" : translation.outcome;
    const rules = valid ? tally(translation.iptables, diagnostics) : undefined;
    return tell(renderJson({ outcome, rules, diagnostics, messages }), surroundings);
  }
  let text = "";
  if (diagnostics.length > 0) {
    const sources = given ? [...given.sources, ...given.ipsets] : [];
    text += await diagnosticsText(diagnostics, sources, color, surroundings);
    text += renderRefused(diagnostics, sources, await surroundings.errorWidth());
    text += valid ? renderSummary(tally(translation.iptables, diagnostics)) : renderInvalidSummary(diagnostics);
  }
  text += messages.map(messageText).join("");
  if (text !== "") await tell(text, surroundings);
}
