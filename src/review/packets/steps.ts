/** What a rule tests, in the order in which the kernel asks, taken from what the extensions say of themselves. */

import { alwaysMatches, asksOnlyForHeader, fieldTestsOf, optionsSayAll, questionOf } from "../../extensions/described.js";
import type { FieldTest, FieldValues, PacketField } from "../../extensions/facts.js";
import { recentUse, type RecentUse } from "../../extensions/matches/recent.js";
import { addressBits, prefixLength, prefixMask } from "../../extensions/values/address.js";
import { packetStates, type PacketState } from "../../extensions/values/connection-state.js";
import type { AddressMask, ExtensionUse, Family, IptablesRule, OptionUse } from "../../iptables/ast.js";
import { addressRange, allFlags, intersect, otherAddresses, stateBits, type Box } from "./box.js";
import { complement, intervals, type Intervals } from "./intervals.js";
import { sameRule } from "./same-rules.js";

/** What packets carry and rules change. */
export type Carried = "mark" | "connmark" | "tos" | "ttl";

export type Step =
  /** Tests on fields of the packet; undefined: no packet holds them. */
  | { readonly kind: "fields"; readonly box: Box | undefined }
  /** A test on something that rules before may have changed. */
  | { readonly kind: "carried"; readonly of: Carried; readonly values: FieldValues; readonly inverted: boolean; readonly words: string }
  /** A question that no field tells. */
  | { readonly kind: "opaque"; readonly use: ExtensionUse; readonly key: string; readonly words: string; readonly holds: boolean }
  | { readonly kind: "recent"; readonly use: RecentUse };

const prepared = new WeakMap<IptablesRule, readonly Step[]>();

/** The tests of a rule. Neighbouring tests on fields are one step. */
export function stepsOf(rule: IptablesRule, family: Family): readonly Step[] {
  let steps = prepared.get(rule);
  if (steps) return steps;
  const same = sameRule(rule);
  steps = same ? stepsOf(same, family) : joined([...packetSteps(rule), ...rule.matches.flatMap((use) => matchSteps(use, rule, family))]);
  prepared.set(rule, steps);
  return steps;
}

function joined(steps: readonly Step[]): Step[] {
  const found: Step[] = [];
  for (const step of steps) {
    const last = found.at(-1);
    if (step.kind !== "fields" || last?.kind !== "fields") found.push(step);
    else found[found.length - 1] = { kind: "fields", box: last.box && step.box && intersect(last.box, step.box) };
  }
  return found;
}

const fields = (box: Box | undefined): Step => ({ kind: "fields", box });

// ---------------------------------------------------------------------------------------------- the packet tests

function packetSteps(rule: IptablesRule): Step[] {
  const { source, destination, inInterface, outInterface, protocol, fragment } = rule;
  return [
    ...(source ? [fields(addressBox("source", source))] : []),
    ...(destination ? [fields(addressBox("destination", destination))] : []),
    ...(inInterface ? [fields(interfaceBox("inInterface", inInterface))] : []),
    ...(outInterface ? [fields(interfaceBox("outInterface", outInterface))] : []),
    ...(protocol ? [fields(protocolBox(protocol))] : []),
    ...(fragment ? [fields(answered("fragment", "it is a second or further fragment", !fragment.inverted))] : []),
  ];
}

/** A box of one answer. */
export function answered(key: string, words: string, holds: boolean): Box {
  return { tests: new Map([[key, { holds, words }]]) };
}

function protocolBox({ value, inverted }: OptionUse<number>): Box | undefined {
  if (value === 0) return inverted ? undefined : {};
  return numbers("protocol", [[BigInt(value), BigInt(value)]], inverted, 255n);
}

function addressBox(field: "source" | "destination", { value, inverted, text }: OptionUse<AddressMask>): Box | undefined {
  if (value.mask === 0n) return inverted ? undefined : {};
  if (prefixLength(value.mask, value.family) === undefined) {
    return answered(`${field} ${value.address}/${value.mask}`, `the ${field} address is in ${text}`, !inverted);
  }
  const whole = prefixMask(addressBits[value.family], value.family);
  const range = addressRange(value.address, value.address | (whole & ~value.mask), value.family);
  return { [field]: inverted ? otherAddresses([range]) : [range] };
}

function interfaceBox(field: "inInterface" | "outInterface", { value, inverted }: OptionUse<string>): Box | undefined {
  if (value === "+") return inverted ? undefined : {};
  return { [field]: inverted ? { pattern: "+", without: [value] } : { pattern: value, without: [] } };
}

function numbers(field: PacketField, ranges: readonly (readonly [bigint, bigint])[], inverted: boolean, largest: bigint): Box | undefined {
  const set = intervals(ranges.filter(([from, to]) => from <= to));
  const found: Intervals = inverted ? complement(set, largest) : set;
  if (found.length === 0) return undefined;
  return found.length === 1 && found[0]![0] === 0n && found[0]![1] === largest ? {} : { [field]: found };
}

// ------------------------------------------------------------------------------------------------------ matches

function matchSteps(use: ExtensionUse, rule: IptablesRule, family: Family): Step[] {
  if (alwaysMatches(use)) return [];
  if (use.extension === "recent" && !use.unknown) return [{ kind: "recent", use: recentUse(use, family) }];
  const tests = fieldTestsOf(use, family).map((test) => ({ test, step: fieldStep(use, test, family) }));
  const told = new Set(tests.filter(({ step }) => step).map(({ test }) => test.option));
  const steps = tests.flatMap(({ step }) => step ?? []);
  const rest = Object.values(use.options).filter(({ name }) => !told.has(name));
  // A test that no option asks, but the match by itself, and that no box can say.
  const byItself = tests.some(({ test, step }) => !step && use.options[test.option] === undefined);
  // So is a match without options, or one whose options nobody could read.
  if (rest.length > 0 || byItself || (tests.length === 0 && Object.keys(use.options).length === 0)) steps.push(opaqueStep(use, rest, rule));
  return steps;
}

/** Undefined where a box cannot say it. */
function fieldStep(use: ExtensionUse, { option, fields: names, values, inverted }: FieldTest, family: Family): Step | undefined {
  const [field, another] = names;
  if (field === undefined || another !== undefined) return undefined;
  switch (field) {
    case "mark":
    case "connmark":
    case "tos":
    case "ttl":
      return {
        kind: "carried",
        of: field,
        values,
        inverted,
        words: questionOf(use) ?? `"${wordsOfOption(use, use.options[option])}" holds`,
      };
    case "source":
    case "destination":
      if (values.kind !== "ranges") return undefined;
      return fields(addressesBox(field, values.ranges, inverted, family));
    case "sourcePort":
    case "destinationPort":
    case "icmp":
      return values.kind === "ranges"
        ? fields(
            numbers(
              field,
              values.ranges.map(({ from, to }) => [from, to]),
              inverted,
              65535n,
            ),
          )
        : undefined;
    case "tcpFlags":
      return values.kind === "bits" && (values.mask & ~0x3fn) === 0n ? fields(flagsBox(values.value, values.mask, inverted)) : undefined;
    case "state":
      return values.kind === "words" && values.words.every(isState) ? fields(statesBox(values.words, inverted)) : undefined;
    default:
      return undefined;
  }
}

function addressesBox(
  field: "source" | "destination",
  ranges: readonly { readonly from: bigint; readonly to: bigint }[],
  inverted: boolean,
  family: Family,
): Box | undefined {
  const wanted = intervals(ranges.filter(({ from, to }) => from <= to).map(({ from, to }) => addressRange(from, to, family)));
  const found = inverted ? otherAddresses(wanted) : wanted;
  return found.length === 0 ? undefined : { [field]: found };
}

/** Of all combinations of the six flags those that have the value under the mask. */
function flagsBox(value: bigint, mask: bigint, inverted: boolean): Box | undefined {
  let found = 0n;
  for (let flags = 0n; flags < 64n; flags++) if (((flags & mask) === value) !== inverted) found |= 1n << flags;
  return found === 0n ? undefined : found === allFlags ? {} : { flags: found };
}

function isState(word: string): word is PacketState {
  return packetStates.some((state) => state === word);
}

function statesBox(words: readonly PacketState[], inverted: boolean): Box | undefined {
  const bits = stateBits(packetStates.filter((state) => words.includes(state) !== inverted));
  return bits === 0n ? undefined : { state: bits };
}

/** The options of a match that fields do not tell, as one question; by their values, not by their spelling. */
function opaqueStep(use: ExtensionUse, options: readonly OptionUse<unknown>[], rule: IptablesRule): Step {
  const [only] = options;
  const single = options.length === 1 ? only : undefined;
  const sorted = [...options].sort((a, b) => (a.name < b.name ? -1 : 1));
  const key = [
    `-m ${use.extension}`,
    ...sorted.map(({ name, value, inverted }) => `${inverted && !single ? "! " : ""}--${name} ${json(value)}`),
    // Options that nobody could read are told apart by the rule's text.
    ...(!optionsSayAll(use) || options.length === 0 ? [textOf(rule)] : []),
  ].join(" ");
  const written = single
    ? wordsOfOption(use, single)
    : [`-m ${use.extension}`, ...sorted.map((one) => `${one.inverted ? "! " : ""}${optionText(one)}`)].join(" ");
  // Words for the whole match stand for its options where no other inversion is among them, and no field has told some.
  const isWhole =
    options.length === Object.keys(use.options).length && (single !== undefined || options.every(({ inverted }) => !inverted));
  const words =
    (isWhole ? questionOf(use) : undefined) ??
    (asksOnlyForHeader(use) ? `it has a ${use.extension.toUpperCase()} header` : `"${written}" holds`);
  return { kind: "opaque", use, key, words, holds: !(single?.inverted ?? false) };
}

function wordsOfOption(use: ExtensionUse, option: OptionUse<unknown> | undefined): string {
  return `-m ${use.extension}${option ? ` ${optionText(option)}` : ""}`;
}

const optionText = ({ name, text }: OptionUse<unknown>): string => `--${name}${text === "" ? "" : ` ${text}`}`;

/** The rule as written, without the chain it stands in. */
export function textOf({ text }: IptablesRule): string {
  return text.split(/\s+/).slice(2).join(" ");
}

/** As JSON, with the numbers and sets that JSON has no form for. */
export function json(value: unknown): string {
  return JSON.stringify(value, (_, part: unknown) =>
    typeof part === "bigint" ? `${part}n` : part instanceof Set ? [...(part as Set<unknown>)] : part,
  );
}
