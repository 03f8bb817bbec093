/** What is played: the dumps and the script, with the rules that cannot be compared left out and windows made short. */

import { effectOf, explainsTraffic, printable, type Diagnostic } from "../diagnostic.js";
import { memoriesOf, unplayable } from "../extensions/described.js";
import { recentUsesOf } from "../extensions/matches/recent.js";
import { splitCaptured } from "../captured-file.js";
import { InvalidInput } from "../failure.js";
import type { Family, IptablesRule, IptablesRuleset } from "../iptables/ast.js";
import { printRuleset, unprintable } from "../iptables/print.js";
import type { Ipset } from "../ipset/ast.js";
import { IpsetReader } from "../ipset/read-ipsets.js";
import type { NftScript } from "../nft/ast.js";
import { emit } from "../nft/emit.js";
import { isScript } from "../shell/programs.js";
import { translate, type Source, type TranslateOptions } from "../translate.js";
import { numberCounters, numberedText } from "./counters.js";
import { nftComplaint, unloadableLines } from "./loadable.js";
import { scriptFault } from "./nft-script.js";
import { scale } from "./scale.js";
import { Unable, type Tools } from "./tools.js";

/** Which rules are left out of both firewalls, beside those that nothing can compare. */
export type LeaveOut = "nothing" | "refused" | "approximated";

export interface PlanInput {
  readonly sources: readonly Source[];
  /** A script from elsewhere; the translation of the sources unless given. */
  readonly script?: string;
  readonly options: TranslateOptions;
  readonly leaveOut: LeaveOut;
  readonly realTime: boolean;
  /** Spoils the script that is played, for tests that must see it. */
  readonly spoil?: (script: NftScript) => NftScript;
}

export interface LeftOut {
  readonly file: string;
  readonly line: number;
  readonly text: string;
  readonly reason: string;
}

export interface Plan {
  /** What is written from the AST: no byte of the sources themselves reaches iptables. */
  readonly dumps: Partial<Readonly<Record<Family, string>>>;
  readonly script: string;
  readonly rulesets: readonly IptablesRuleset[];
  /** The script is our translation of the dumps, and so counts its rules by number. */
  readonly counted: boolean;
  readonly leftOut: readonly LeftOut[];
  readonly notes: readonly string[];
  /** Announced differences: rules that the script lacks or has only approximately. */
  readonly announced: readonly Diagnostic[];
  /** The commands that make the sets, written anew, and what they make. */
  readonly ipsets: string | undefined;
  readonly sets: ReadonlyMap<string, Ipset>;
}

/** The places of rules that decide by chance or by circumstances, so that no two runs of the same packets are alike, and why. */
export function undecidable(rulesets: readonly IptablesRuleset[]): Map<string, string> {
  return new Map(
    rulesOf(rulesets).flatMap(({ rule }) => {
      const reason = unplayable(rule);
      return reason === undefined ? [] : [[placeOf(rule.span), reason] as const];
    }),
  );
}

/** Makes the plan. Throws `InvalidInput`, or `Unable` where this kernel cannot load even the chains. */
export async function plan(input: PlanInput, findTools: () => Tools, signal?: AbortSignal): Promise<Plan> {
  const { leaveOut, realTime, spoil } = input;
  const split = splitCaptured(input.sources);
  const { lists } = split;
  const captured = [...split.ipsets, ...(input.options.ipsets ?? [])];
  const options: TranslateOptions = { ...input.options, ...(captured.length > 0 && { ipsets: captured }) };
  const fault = input.script === undefined ? undefined : scriptFault(input.script);
  if (fault) throw new InvalidInput(`the nft script, line ${fault.line}, column ${fault.column}: ${fault.message}`);
  for (const { file, text } of input.sources) {
    if (isScript(text))
      throw new InvalidInput(`${file} is a script of commands: run it where that does no harm, and verify what iptables-save prints then`);
  }
  let sources: Source[] = split.sources.map((source) => ({ ...source, text: source.text.replaceAll("\r", "") }));
  const leftOut: LeftOut[] = [];
  const reader = readSets(options);
  const ipsets = options.ipsets === undefined ? undefined : `${reader.restorable.join("\n")}\n`;
  const read = (): ReturnType<typeof translate> => {
    const result = translate(sources, options);
    if (result.script === undefined) {
      throw new InvalidInput("the input is not a ruleset", result.diagnostics, [...input.sources, ...(options.ipsets ?? [])]);
    }
    return result;
  };
  const remove = (reasons: ReadonlyMap<string, string>): void => {
    for (const { rule } of rulesOf(read().iptables)) {
      const reason = reasons.get(placeOf(rule.span));
      if (reason !== undefined) leftOut.push({ file: rule.span.file, line: rule.span.line, text: rule.text, reason });
    }
    sources = sources.map((source) => ({
      ...source,
      text: mapLines(source.text, (line, number) => (reasons.has(`${source.file}:${number}`) ? "" : line)),
    }));
  };
  const first = read();
  const tools = findTools();
  remove(undecidable(first.iptables));
  remove(unwritable(read().iptables));
  const askSets = new Set(
    rulesOf(first.iptables)
      .filter(({ rule, family }) => memoriesOf(rule, family).some(({ memory }) => memory === "ipset"))
      .map(({ rule }) => placeOf(rule.span)),
  );
  for (const ruleset of read().iptables) {
    const { text, places } = printRuleset(ruleset);
    const lines = await unloadableLines(text, ruleset.family, tools.variant, ipsets, signal);
    remove(
      new Map(
        [...lines].flatMap((line) => {
          const place = places[line - 1];
          if (place === undefined) return [];
          const asksSet = askSets.has(placeOf(place));
          return [[placeOf(place), `iptables does not load it on this kernel${asksSet ? " (or its set is in no --ipset file)" : ""}`]];
        }),
      ),
    );
  }
  const unwanted = leaveOut === "nothing" ? [] : leaveOut === "refused" ? ["refused"] : ["refused", "approximated"];
  for (let round = 0; round < 4; round += 1) {
    const found = read().diagnostics.filter(
      ({ code, span }) => unwanted.includes(effectOf(code)) && explainsTraffic(code) && span.line > 0,
    );
    if (found.length === 0) break;
    remove(new Map(found.map(({ span, message }) => [placeOf(span), message])));
  }

  const given = input.script === undefined ? undefined : ownScript(input.script, sources, options) ? undefined : input.script;
  const scaling = realTime || given !== undefined ? undefined : scale(sources, read().iptables);
  if (scaling) sources = [...scaling.sources];
  const { iptables } = read();
  const numbered = translate(numberedText(sources, iptables), options);
  if (numbered.nft === undefined) throw new Error("the numbered dump is no ruleset any more");
  const nft = numberCounters(numbered.nft);
  const script = given ?? emit(spoil ? spoil(nft) : nft);
  const complaint = await nftComplaint(script, signal);
  if (complaint !== "") throw refusal(complaint, given !== undefined, tools);
  const notes = [...(scaling?.notes ?? [])];
  if (lists.length > 0) {
    const names = lists.map(({ list }) => `"${printable(list)}"`).join(", ");
    notes.push(`lists begin empty in both firewalls; those of the captured one held hosts: ${names}`);
  }
  if (given !== undefined && !realTime && rulesOf(iptables).some(hasWindow)) {
    notes.push(
      "the windows of a script from elsewhere cannot be made short: rhythms are played for windows of a few seconds only (--real-time " +
        "plays all)",
    );
  }
  return {
    dumps: Object.fromEntries(iptables.map((ruleset) => [ruleset.family, printRuleset(ruleset).text])),
    script,
    rulesets: iptables,
    counted: given === undefined,
    leftOut,
    notes,
    ipsets,
    sets: reader.sets,
    announced: given === undefined ? numbered.diagnostics.filter(({ code }) => explainsTraffic(code)) : [],
  };
}

function hasWindow({ rule, family }: { readonly rule: IptablesRule; readonly family: Family }): boolean {
  return recentUsesOf(rule, family).some(({ seconds }) => seconds !== undefined);
}

function refusal(complaint: string, given: boolean, { unprivileged }: Tools): Error {
  // A user namespace may not enlarge the buffer of a netlink socket.
  if (unprivileged && /Message too long|No buffer space/u.test(complaint)) {
    return new Unable(
      `the script is too long for one transaction in a user namespace, where nft may send no more than net.core.wmem_default bytes ` +
        `(212992 on most machines, some 360 rules of six tests each) and may not ask for more; run verify as root: ${complaint}`,
    );
  }
  return given
    ? new InvalidInput(`nft does not load the script: ${complaint}`)
    : new Unable(`nft does not load the translation here: ${complaint}`);
}

/** Whether the script is what we would write: then it can be written anew with other windows. */
function ownScript(script: string, sources: readonly Source[], options: TranslateOptions): boolean {
  const plain = (text: string): string =>
    text
      .replaceAll(/(?<![^\n])[^\S\n]*#[^\n]*/gu, "")
      .replaceAll(/counter packets \d+ bytes \d+/gu, "counter")
      .replaceAll(/\s+/gu, " ")
      .trim();
  return plain(translate(sources, options).script ?? "") === plain(script);
}

function readSets({ ipsets = [] }: TranslateOptions): IpsetReader {
  const reader = new IpsetReader(true);
  for (const { file, text } of ipsets) reader.readFile(file, text);
  return reader;
}

/** The places of rules that are not given to iptables, because what we print is all that it gets, and why. */
function unwritable(rulesets: readonly IptablesRuleset[]): Map<string, string> {
  return new Map(
    rulesOf(rulesets).flatMap(({ rule }) => {
      const reason = unprintable(rule);
      return reason === undefined ? [] : [[placeOf(rule.span), reason] as const];
    }),
  );
}

export function rulesOf(
  rulesets: readonly IptablesRuleset[],
): { readonly family: Family; readonly table: string; readonly chain: string; readonly index: number; readonly rule: IptablesRule }[] {
  return rulesets.flatMap(({ family, tables }) =>
    tables.flatMap((table) =>
      table.chains.flatMap((chain) => chain.rules.map((rule, index) => ({ family, table: table.name, chain: chain.name, index, rule }))),
    ),
  );
}

const placeOf = ({ file, line }: { readonly file: string; readonly line: number }): string => `${file}:${line}`;

function mapLines(text: string, change: (line: string, number: number) => string): string {
  return text
    .split("\n")
    .map((line, index) => change(line, index + 1))
    .join("\n");
}
