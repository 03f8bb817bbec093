/** The rules of corpus/option: for every option of every extension one or more, plain and inverted, in both families. */

import type { OptionDefinition } from "../../src/extensions/extension.js";
import { matches, targets } from "../../src/extensions/registry.js";
import type { Family } from "../../src/iptables/ast.js";
import type { Source, TranslateOptions } from "../../src/translate.js";
import { readCases, type Case } from "../corpus/cases.js";

/** What a rule shows: an option of a match or of a target, or of what every rule may ask. */
export interface OptionRule {
  readonly kind: "rule" | "match" | "target";
  /** As the registry has it; empty for the kind `rule`. */
  readonly extension: string;
  /** Empty for the extension without any option. */
  readonly option: string;
  readonly inverted: boolean;
  readonly family: Family;
  /** As written, without `-A`. */
  readonly text: string;
  /** The rule alone, in its table, with its chain and those it may jump to. */
  readonly dump: string;
  /** The sets and the countries of its case. */
  readonly options: TranslateOptions;
}

interface Subject {
  readonly kind: OptionRule["kind"];
  readonly name: string;
  readonly options?: Readonly<Record<string, OptionDefinition<unknown>>>;
}

const subjects: readonly Subject[] = [
  { kind: "rule", name: "" },
  ...matches.filter(({ unavailable }) => !unavailable).map(({ name, options }): Subject => ({ kind: "match", name, options })),
  ...targets.filter(({ unavailable }) => !unavailable).map(({ name, options }): Subject => ({ kind: "target", name, options })),
];

/** The case that shows a subject's options. */
export function caseName({ kind, name }: Pick<Subject, "kind" | "name">): string {
  return kind === "rule" ? "option/every-rule" : `option/${kind}-${name.toLowerCase()}`;
}

/** All of them, in the order of the registry, then of an extension's options; a plain one before the inverted. */
export function optionRules(): OptionRule[] {
  const cases = new Map(readCases().map((one) => [one.name, one]));
  return subjects.flatMap((subject) => {
    const found = cases.get(caseName(subject));
    if (!found) return [];
    const rules = found.sources.flatMap((source) => rulesOf(subject, found, source));
    const order = ["", ...Object.keys(subject.options ?? {})];
    const rank = ({ option, inverted }: OptionRule): number => 2 * order.indexOf(option) + Number(inverted);
    return subject.kind === "rule" ? rules : rules.sort((a, b) => rank(a) - rank(b));
  });
}

/** The comment in front of rules names the option they show. */
const label = /^# (?:no option|(! )?--(\S+))$/;

function rulesOf({ kind, name }: Subject, { options }: Case, { file, text }: Source): OptionRule[] {
  const rules: OptionRule[] = [];
  let table = "";
  let chains: string[] = [];
  /** Undefined in front of the first label, where rules stand that others need. */
  let option: string | undefined;
  let inverted = false;
  for (const line of text.split("\n")) {
    const labelled = label.exec(line);
    if (labelled) [inverted, option] = [labelled[1] !== undefined, labelled[2] ?? ""];
    else if (line.startsWith("*")) [table, chains] = [line, []];
    else if (line.startsWith(":")) chains.push(line);
    else if (line.startsWith("-A ") && option !== undefined) {
      const needed = chains.filter((chain) => chain.startsWith(`:${line.split(" ")[1]!} `) || chain.includes(" - "));
      const dump = [table, ...needed, line, "COMMIT", ""].join("\n");
      const family = file.endsWith("6") ? "ipv6" : "ipv4";
      rules.push({ kind, extension: name, option, inverted, family, text: line.slice("-A ".length), dump, options });
    }
  }
  return rules;
}
