/** The work on one group of equal machines, the same on the main thread and on others. */

import { createHash } from "node:crypto";
import { mkdirSync } from "node:fs";
import { dirname } from "node:path";
import type { Diagnostic } from "../../../diagnostic.js";
import { familyOfFileName } from "../../../iptables/family.js";
import { Failure } from "../../../failure.js";
import type { JsonMessage } from "../../../report/json.js";
import { tally, type Tally } from "../../../report/tally.js";
import { translateByShapes } from "../../../shapes/translate-by-shapes.js";
import { translate, type Source, type Translation, type TranslateOptions } from "../../../translate.js";
import { readOptions } from "../../input.js";
import type { TranslationSettings } from "../../options/translation-settings.js";
import { refuseOutside, writeFileAtomically } from "../../output.js";
import { decode, readBytes } from "../../read-file.js";
import { systemReason } from "../../system-error.js";
import { reasonOf } from "../../telling.js";
import type { MachineFiles } from "./machines.js";

/** What all machines of a run share. */
export interface FleetTask {
  readonly settings: TranslationSettings;
  readonly keepSets: boolean;
  readonly counters: boolean;
  readonly origins: boolean;
  /** Path of the folder for the scripts. */
  readonly output: string;
}

/** Machines whose files have the same contents. */
export interface Group {
  readonly machines: readonly [MachineFiles, ...MachineFiles[]];
  /** What `contentsOf` says of each; empty for one that cannot be read. */
  readonly fingerprint: string;
}

export interface GroupResult {
  readonly group: Group;
  readonly outcome: Translation["outcome"] | "failed";
  readonly rules?: Tally;
  /** In the files of the first machine. */
  readonly diagnostics: readonly Diagnostic[];
  /** What concerns no place in a dump. */
  readonly messages: readonly JsonMessage[];
  /** Why scripts could not be written, by the names of the machines. */
  readonly unwritten: Readonly<Record<string, string>>;
}

/** The files of a machine, read. */
export interface Contents {
  readonly sources: readonly Source[];
  readonly ipsets: readonly Source[];
  readonly messages: readonly JsonMessage[];
  /** The same where all contents and their kinds are. */
  readonly fingerprint: string;
}

/** Reads the files of a machine, each of at most `maxInput` bytes. Throws a Failure. */
export function contentsOf({ sources, ipsets }: MachineFiles, { maxInput, family }: TranslationSettings): Contents {
  const hash = createHash("sha256");
  const messages: JsonMessage[] = [];
  const read = (file: string): Source => {
    const bytes = readBytes(file, maxInput, "; a pattern means what is in it, such as 'FOLDER/**/*.v4'");
    // The name says of which family a dump is that does not say so itself.
    hash.update(`${familyOfFileName(file) ?? ""} ${bytes.length}\n`).update(bytes);
    const { text, encoding } = decode(bytes);
    if (encoding === "latin1") messages.push({ severity: "note", message: `${file} is not valid UTF-8 and was read as ISO 8859-1` });
    return { file, text };
  };
  const dumps = sources.map((file) => (family ? { ...read(file), family } : read(file)));
  hash.update("sets\n");
  const sets = ipsets === undefined ? [] : [read(ipsets)];
  return { sources: dumps, ipsets: sets, messages, fingerprint: hash.digest("hex") };
}

/** Does the work of one thread: what all machines share is read once. */
export class FleetWorker {
  private shared: TranslateOptions | undefined;

  constructor(private readonly task: FleetTask) {}

  /** Translates the files of the first machine, and writes a script for each; whatever goes wrong is in the result. */
  async run(group: Group): Promise<GroupResult> {
    try {
      return await this.translated(group);
    } catch (error) {
      return failed(group, reasonOf(error));
    }
  }

  private async translated(group: Group): Promise<GroupResult> {
    const { settings, keepSets, counters, origins } = this.task;
    const { sources, ipsets, messages, fingerprint } = contentsOf(group.machines[0], settings);
    if (fingerprint !== group.fingerprint) throw new Failure("the dump has changed meanwhile; run it again");
    this.shared ??= (await readOptions(settings, [], noInput)).options;
    const options = { ...this.shared, ...(ipsets.length > 0 && { ipsets }), keepSets, counters, origins };
    const quick = translateByShapes(sources, options);
    const translation = "reason" in quick ? translate(sources, options) : quick.translation;
    const { outcome, diagnostics, iptables, script } = translation;
    if (outcome === "invalid" || script === undefined) {
      return { group, outcome: "invalid", diagnostics, messages, unwritten: {} };
    }
    const counts = tally(iptables, diagnostics);
    const rules = "reason" in quick ? counts : { ...counts, exact: counts.exact + quick.leftOut };
    const text = "reason" in quick ? script : quick.script();
    const unwritten: Record<string, string> = {};
    for (const machine of group.machines) {
      try {
        await this.write(machine.script, text);
      } catch (error) {
        unwritten[machine.name] = reasonOf(error);
      }
    }
    return { group, outcome, rules, diagnostics, messages, unwritten };
  }

  private async write(path: string, text: string): Promise<void> {
    const { output } = this.task;
    try {
      // Before a folder is made: it would be made behind the link.
      refuseOutside(path, output);
      mkdirSync(dirname(path), { recursive: true });
    } catch (error) {
      throw new Failure(`${JSON.stringify(path)} cannot be written: ${error instanceof Failure ? error.message : systemReason(error)}`);
    }
    await writeFileAtomically(path, text, output);
  }
}

/** The result of a group that was not translated for a reason that is no diagnostic. */
export function failed(group: Group, reason: string): GroupResult {
  return { group, outcome: "failed", diagnostics: [], messages: [{ severity: "error", message: reason }], unwritten: {} };
}

/** Nothing of a fleet is read from standard input. */
export const noInput = {
  readInput: async () => new Uint8Array(),
  inputIsTerminal: async () => false,
  writeError: async () => undefined,
};
