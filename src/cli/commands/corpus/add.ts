/** `--add`: a new case from dumps. */

import { createHmac, randomBytes } from "node:crypto";
import { existsSync, mkdirSync, rmSync, statSync } from "node:fs";
import { basename, join } from "node:path";
import { anonymize } from "../../../corpus/anonymize/anonymize.js";
import type { Digest } from "../../../corpus/anonymize/address-map.js";
import { namesOfFolder } from "../../../corpus/layout.js";
import { renderOptions, type CaseOptions } from "../../../corpus/options.js";
import { translateCase, type CaseTexts } from "../../../corpus/run-case.js";
import { Failure } from "../../../failure.js";
import { familyOfFileName } from "../../../iptables/family.js";
import type { JsonMessage } from "../../../report/json.js";
import { tally } from "../../../report/tally.js";
import { renderInvalidSummary, renderSummary } from "../../../report/text.js";
import { visible } from "../../../report/visible.js";
import { isCaptured } from "../../../captured-file.js";
import { isScript } from "../../../shell/programs.js";
import type { Source } from "../../../translate.js";
import { readIpsets, readSources } from "../../input.js";
import { withInterruption } from "../../interruption.js";
import { refuseOutside, writeFileAtomically } from "../../output.js";
import { translationDefaults } from "../../options/translation-settings.js";
import type { ExitStatus, Surroundings } from "../../surroundings.js";
import { systemReason } from "../../system-error.js";
import { messageText } from "../../telling.js";
import type { NewCaseSettings } from "./options.js";

/** Makes the folder of a case and tells what is in it. Throws a Failure, and then there is no new folder. */
export async function addCase(directory: string, settings: NewCaseSettings, surroundings: Surroundings): Promise<ExitStatus> {
  const { name } = settings;
  const folder = join(directory, name);
  const taken = [folder, `${folder}.v4`, `${folder}.v6`, `${folder}.rules`].find((path) => existsSync(path));
  if (taken !== undefined) throw new Failure(`${JSON.stringify(taken)} is there already`);

  const messages: JsonMessage[] = [];
  const given = await readSources(settings.files, settings, messages, surroundings);
  const empty = given.find(({ text }) => text.trim() === "");
  if (empty) throw new Failure(`${visible(empty.file)} is empty; does iptables-save run as root?`);
  const sets = await readIpsets(settings, messages, surroundings);
  const ipsets: Source[] = sets.length === 0 ? [] : [{ file: "sets.ipset", text: sets.map(({ text }) => text).join("\n") }];
  const options = optionsOf(settings);
  const beside = {
    ...(await geoipOf(settings, messages, surroundings)),
    ...(Object.keys(options).length > 0 && { options: { file: "options.json", text: renderOptions(options) } }),
  };
  const sources = renamed(given, { ...beside, sources: given, ...(ipsets[0] && { ipsets: ipsets[0] }) }, options, surroundings);
  const dumps = settings.anonymize ? anonymize({ sources, ipsets }, digestWith(settings.key ?? randomBytes(32))) : { sources, ipsets };

  const texts: CaseTexts = { ...beside, sources: dumps.sources, ...(dumps.ipsets[0] && { ipsets: dumps.ipsets[0] }) };
  const made = translateCase(texts, surroundings.translate);
  const names = namesOfFolder("", name);
  const files = [
    ...[...texts.sources, texts.ipsets, texts.geoip, texts.options].flatMap((source) =>
      source ? [[source.file, source.text] as const] : [],
    ),
    ...(made.script === undefined ? [] : [[names.script, made.script] as const]),
    [names.diagnostics, made.diagnostics] as const,
  ];
  await withInterruption((signal) => writeFolder(directory, folder, files, signal));
  for (const message of messages) await surroundings.writeError(messageText(message));
  const { translation } = made;
  const summary =
    translation.outcome === "invalid"
      ? renderInvalidSummary(translation.diagnostics)
      : renderSummary(tally(translation.iptables, translation.diagnostics));
  await surroundings.writeOutput(`${visible(name)}: written ${files.map(([file]) => file).join(", ")}\n${summary}`);
  return 0;
}

function optionsOf({ table, recent, setSize, forgetAfter, family, inet, optimize, targetNft, without }: NewCaseSettings): CaseOptions {
  return {
    ...(family && { family }),
    ...(inet && { inet }),
    ...(optimize && { optimize }),
    ...(recent !== translationDefaults.recent && { recent }),
    ...(setSize !== translationDefaults.setSize && { setSize }),
    ...(forgetAfter !== undefined && { forgetAfter }),
    ...(table !== translationDefaults.table && { table }),
    ...(targetNft !== undefined && { targetNft }),
    ...(without.length > 0 && { without }),
  };
}

/** The table of countries; a case has one, and as text. Throws a Failure. */
async function geoipOf(
  { geoip: paths, maxInput }: NewCaseSettings,
  messages: JsonMessage[],
  surroundings: Surroundings,
): Promise<Pick<CaseTexts, "geoip">> {
  const [path, more] = paths;
  if (path === undefined) return {};
  if (more !== undefined || path.endsWith(".gz") || statSync(path, { throwIfNoEntry: false })?.isDirectory()) {
    throw new Failure("a case holds the addresses of countries as one CSV file: give that as --geoip");
  }
  const [table] = await readSources([path], { maxInput }, messages, surroundings);
  return { geoip: { file: "geoip.csv", text: table!.text } };
}

/** The sources under the names that a case's files have, in the order a case is read in. Throws a Failure. */
function renamed(given: readonly Source[], texts: CaseTexts, options: CaseOptions, surroundings: Surroundings): Source[] {
  const sources = given
    .map(({ text, file }) => {
      if (isScript(text)) return { file: "rules.sh", text };
      const { iptables } = surroundings.translate([{ file, text }], options);
      const family = options.family ?? iptables[0]?.family ?? familyOfFileName(file) ?? "ipv4";
      return { file: family === "ipv4" ? "rules.v4" : "rules.v6", text };
    })
    .sort((a, b) => order.indexOf(a.file) - order.indexOf(b.file));
  const twice = sources.find(({ file }, index) => file === sources[index - 1]?.file);
  if (twice) throw new Failure(`a case has one ${twice.file}, and two files would be it: join them first`);
  // The name of a captured firewall tells no family, but is said of its sets.
  const before = given.map((source) =>
    isCaptured(source.text) ? { ...source, file: sources.find(({ text }) => text === source.text)!.file } : source,
  );
  const scriptOf = (some: readonly Source[]) => translateCase({ ...texts, sources: some }, surroundings.translate).script;
  if (scriptOf(sources) !== scriptOf(before)) {
    throw new Failure(`called ${sources.map(({ file }) => file).join(" and ")}, the files would mean something else: say --ipv4 or --ipv6`);
  }
  return sources;
}

const order = ["rules.v4", "rules.v6", "rules.sh"];

function digestWith(secret: string | Uint8Array): Digest {
  return (text) => createHmac("sha256", secret).update(text).digest();
}

/** All files or no folder. Throws a Failure. */
async function writeFolder(
  directory: string,
  folder: string,
  files: readonly (readonly [file: string, text: string])[],
  signal: AbortSignal,
): Promise<void> {
  try {
    mkdirSync(directory, { recursive: true });
    refuseOutside(folder, directory);
    mkdirSync(folder, { recursive: true });
  } catch (error) {
    const reason = error instanceof Failure ? error.message : systemReason(error);
    throw new Failure(`the folder ${JSON.stringify(folder)} cannot be made: ${reason}`);
  }
  try {
    for (const [file, text] of files) {
      await writeFileAtomically(join(folder, basename(file)), text, directory);
      signal.throwIfAborted();
    }
  } catch (error) {
    rmSync(folder, { recursive: true, force: true });
    throw error;
  }
}
