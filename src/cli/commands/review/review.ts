/** `ipt2nft-recent review`. */

import { existsSync } from "node:fs";
import { Failure } from "../../../failure.js";
import type { Family } from "../../../iptables/ast.js";
import type { JsonMessage } from "../../../report/json.js";
import { visible, withoutCommands } from "../../../report/visible.js";
import { fails } from "../../../review/fail-on.js";
import type { ReviewReport } from "../../../review/report.js";
import { reviewRulesets, type ReviewRequest } from "../../../review/review.js";
import type { CommittedScript } from "../../../review/script-drift.js";
import { familiesByShapes } from "../../../shapes/families.js";
import { makeBaseline, parseBaseline, type Baseline } from "../../../review/suppress/baseline.js";
import type { Source, TranslateOptions, Translation } from "../../../translate.js";
import { wantsColor } from "../../color.js";
import type { CommandDefinition } from "../../command.js";
import { readOptions, readSources } from "../../input.js";
import { refuseOverwriting, writeFileAtomically } from "../../output.js";
import { readText } from "../../read-file.js";
import { StatusLine } from "../../status-line.js";
import type { ExitStatus, Surroundings } from "../../surroundings.js";
import { codeOf } from "../../system-error.js";
import { messageText } from "../../telling.js";
import { scriptFault } from "../../../verify/nft-script.js";
import { version } from "../../version.js";
import { renderReview, type FormatOptions } from "./formats.js";
import { Repository } from "./git.js";
import { listingOf } from "./listing.js";
import { parseReviewWords, type ReviewSettings } from "./options.js";

export const reviewCommand: CommandDefinition<ReviewSettings> = { parse: parseReviewWords, run: runReview };

async function runReview(settings: ReviewSettings, surroundings: Surroundings): Promise<ExitStatus> {
  const { output, write, files, old, ipsets, oldIpsets, geoip, script, baseline, updateBaseline } = settings;
  refuseOverwriting(
    [output, ...write.map(({ file }) => file), updateBaseline ? baseline : undefined],
    [...files, ...old, ...ipsets, ...oldIpsets, ...geoip, script, updateBaseline ? undefined : baseline],
  );
  const messages: JsonMessage[] = [];
  const line = await StatusLine.of(surroundings);
  const report = await makeReport(settings, messages, surroundings, line);
  await line.clear();
  for (const message of messages) await surroundings.writeError(messageText(message));
  await writeReports(report, settings, surroundings);
  return report.findings.some((finding) => fails(finding, settings.failOn)) ? 1 : 0;
}

// ---------------------------------------------------------------------------------------------------- the review

async function makeReport(
  settings: ReviewSettings,
  messages: JsonMessage[],
  outside: Surroundings,
  line: StatusLine,
): Promise<ReviewReport> {
  const surroundings: Surroundings = { ...outside, translate: translatingOnce(outside.translate) };
  const repository = settings.baseRef === undefined ? undefined : await repositoryOf(settings);
  const gone = settings.baseRef === undefined ? [] : settings.files.filter((file) => !existsSync(file));
  const present = settings.files.filter((file) => !gone.includes(file));
  const sources = gone.length > 0 && present.length === 0 ? [] : await readSources(present, settings, messages, surroundings);
  const { options } = await readOptions(settings, messages, surroundings);
  const read = (files: readonly string[]): Promise<Source[]> => readSources(files, settings, messages, surroundings);
  const versions = await sides(sources, gone, settings, repository, options, read, messages, surroundings);
  const baseline = settings.baseline === undefined ? undefined : readBaseline(settings.baseline, settings);
  const request: ReviewRequest = {
    ...versions,
    options,
    translate: surroundings.translate,
    ...(settings.script !== undefined && { script: await committedScript(settings.script, settings, versions.new, options, surroundings) }),
    ...(settings.simulate && {
      search: {
        schedules: schedulesPerList,
        steps: searchSteps,
        progress: ({ list, number, lists }) => line.show(`searching list ${number} of ${lists}, "${visible(list)}"`),
        translated: options,
      },
    }),
    tool: { name: "ipt2nft-recent", version },
  };
  if (settings.baseline === undefined) return reviewRulesets(request);
  if (!settings.updateBaseline) return reviewRulesets({ ...request, baseline: { file: settings.baseline, baseline: baseline! } });
  const accepted = makeBaseline(reviewRulesets(request).findings, baseline);
  await writeFileAtomically(settings.baseline, `${JSON.stringify(accepted, undefined, 2)}\n`);
  return reviewRulesets({ ...request, baseline: { file: settings.baseline, baseline: accepted } });
}

/** A dump that is translated first to be held against a committed script is not translated again for the report. */
function translatingOnce(translate: Surroundings["translate"]): Surroundings["translate"] {
  const before = new WeakMap<Source, { readonly options: TranslateOptions | undefined; readonly translation: Translation }>();
  return (input, options) => {
    const [source, ...others] = typeof input === "string" ? [] : input;
    if (!source || others.length > 0) return translate(input, options);
    const known = before.get(source);
    if (known && known.options === options) return known.translation;
    const translation = translate(input, options);
    before.set(source, { options, translation });
    return translation;
  };
}

/** What is tried for each list of recent: some hundredths of a second for a usual list. */
const schedulesPerList = 1_000;
/** For all lists together: about a second. */
const searchSteps = 500_000;

/** The old dumps and the new ones. Two dumps of one family are both; dumps of different families are one machine's. */
async function sides(
  given: readonly Source[],
  gone: readonly string[],
  settings: ReviewSettings,
  repository: Repository | undefined,
  options: TranslateOptions,
  read: (files: readonly string[]) => Promise<Source[]>,
  messages: JsonMessage[],
  surroundings: Surroundings,
): Promise<Pick<ReviewRequest, "old" | "oldRef" | "oldIpsets" | "new">> {
  const oldSets =
    settings.oldIpsets.length === 0
      ? {}
      : { oldIpsets: await readSources(settings.oldIpsets, { maxInput: settings.maxInput }, messages, surroundings) };
  const families = given.length === 1 ? [] : given.map((source) => familiesByShapes(source, options));
  const alike = (one: ReadonlySet<Family>, other: ReadonlySet<Family>): boolean => [...one].some((family) => other.has(family));
  if (settings.baseRef === undefined && settings.old.length === 0 && given.length === 2) {
    const [first, second] = families;
    // A dump that is no ruleset has no family.
    if (first!.size === 0 || second!.size === 0 || alike(first!, second!)) return { old: [given[0]!], ...oldSets, new: [given[1]!] };
  }
  const repeated = families.findIndex((own, index) => families.slice(0, index).some((earlier) => alike(earlier, own)));
  if (repeated >= 0) {
    throw new Failure(
      `${JSON.stringify(given[repeated]!.file)} holds a family that an earlier dump holds: give the dumps of one machine, and those ` +
        "as they were with --old",
    );
  }
  if (settings.old.length > 0) return { old: await read(settings.old), ...oldSets, new: given };
  if (settings.baseRef === undefined || repository === undefined) return { new: given };
  const { sources, commit } = await repository.oldVersion(settings.baseRef, settings.files, settings.maxInput);
  if (sources.length > 0) {
    const old = sources.map((source) => ({ ...source, ...(settings.family && { family: settings.family }) }));
    // Sets beside the dumps in the repository change with them.
    const ipsets = settings.oldIpsets.length === 0 ? await setsOf(settings, repository) : undefined;
    const inRepository = ipsets === undefined ? oldSets : { oldIpsets: ipsets };
    return {
      old,
      oldRef: `${settings.baseRef} (${commit})`,
      ...inRepository,
      new: [...given, ...deletedDumps(gone, old, options, messages)],
    };
  }
  const [missing] = gone;
  if (missing !== undefined)
    throw new Failure(`${JSON.stringify(missing)} cannot be read: no such file, here or in ${settings.baseRef} (${commit})`);
  messages.push({ severity: "note", message: `no file is in ${settings.baseRef} (${commit}): they are reviewed as new` });
  return { new: given };
}

/** The sets as they were in git; undefined where they are not kept with the dumps. */
async function setsOf({ baseRef, ipsets, maxInput }: ReviewSettings, repository: Repository): Promise<readonly Source[] | undefined> {
  if (ipsets.length === 0 || ipsets.includes("-") || !ipsets.every((file) => repository.holds(file))) return undefined;
  return (await repository.oldVersion(baseRef!, ipsets, maxInput)).sources;
}

/** The repository of the dumps, before anything that a change may have made is read. Throws a Failure. */
async function repositoryOf(settings: ReviewSettings): Promise<Repository> {
  const { files, ipsets, oldIpsets, geoip, script, baseline, updateBaseline, output, write } = settings;
  const repository = await Repository.ofThisProcess();
  for (const file of files) repository.pathOf(file);
  for (const file of [...ipsets, ...oldIpsets, ...geoip, script, baseline])
    if (file !== undefined && file !== "-") repository.refuseLinkOut(file);
  for (const file of [output, ...write.map((one) => one.file), updateBaseline ? baseline : undefined])
    if (file !== undefined) repository.refuseOutputOut(file);
  return repository;
}

/** A dump that is deleted leaves a firewall without rules. */
function deletedDumps(gone: readonly string[], old: readonly Source[], options: TranslateOptions, messages: JsonMessage[]): Source[] {
  return gone.flatMap((file) => {
    const before = old.find((source) => source.file === file);
    if (!before) return [];
    messages.push({ severity: "note", message: `${file} is deleted: it is reviewed as a firewall without rules` });
    return [...familiesByShapes(before, options)].map((family) => ({
      file,
      text: "*filter\n:INPUT ACCEPT [0:0]\n:FORWARD ACCEPT [0:0]\n:OUTPUT ACCEPT [0:0]\nCOMMIT\n",
      family,
    }));
  });
}

function readBaseline(file: string, { updateBaseline, maxInput }: ReviewSettings): Baseline | undefined {
  let text: string;
  try {
    text = readText(file, maxInput);
  } catch (error) {
    if (!(error instanceof Failure) || codeOf(error.cause) !== "ENOENT") throw error;
    if (updateBaseline) return undefined;
    throw new Failure(`${error.message}; --update-baseline makes it`, { cause: error.cause });
  }
  const baseline = parseBaseline(text);
  if (typeof baseline === "string") throw new Failure(`${JSON.stringify(file)} is no baseline: ${baseline}`);
  return baseline;
}

async function committedScript(
  file: string,
  { maxInput }: Pick<ReviewSettings, "maxInput">,
  dumps: readonly Source[],
  options: TranslateOptions,
  surroundings: Surroundings,
): Promise<CommittedScript> {
  const text = readText(file, maxInput);
  const fault = scriptFault(text);
  if (fault) throw new Failure(`${file}:${fault.line}:${fault.column}: ${fault.message}`);
  const made = surroundings.translate(dumps, options).script;
  if (made === undefined) return { file, text, listings: { unavailable: "the dumps are no ruleset" } };
  const own = await listingOf(made);
  // The script made is loaded by every nft that the translator knows, unless this kernel lacks something.
  if ("refused" in own) return { file, text, listings: { unavailable: `it does not load the script made from the dumps: ${own.refused}` } };
  if ("unavailable" in own) return { file, text, listings: own };
  const committed = await listingOf(text);
  return { file, text, listings: "listing" in committed ? { made: own.listing, committed: committed.listing } : committed };
}

// --------------------------------------------------------------------------------------------------- the reports

async function writeReports(report: ReviewReport, settings: ReviewSettings, surroundings: Surroundings): Promise<void> {
  const toTerminal = settings.output === undefined && (await surroundings.outputIsTerminal());
  const options: FormatOptions = {
    color: wantsColor(settings.color, surroundings.environment, toTerminal),
    width: toTerminal ? await surroundings.outputWidth() : undefined,
    failOn: settings.failOn,
  };
  for (const { format, file } of settings.write)
    await writeFileAtomically(file, renderReview(report, format, { ...options, color: false }));
  const rendered = renderReview(report, settings.format, options);
  const text = settings.format === "text" || settings.format === "markdown" ? withoutCommands(rendered) : rendered;
  if (settings.output === undefined) await surroundings.writeOutput(text);
  else await writeFileAtomically(settings.output, text);
}
