/** Renders docs/coverage.md from the registry and what becomes of the rules of corpus/option. */

import { matches, targets } from "../../src/extensions/registry.js";
import { highest } from "../../src/nft/requirements.js";
import { features, isOlder, type Feature } from "../../src/nft/versions.js";
import type { Outcome } from "../../src/translate.js";
import { optionRules, type OptionRule } from "./options.js";
import { judge, type Verdict } from "./verdicts.js";

interface Judged extends OptionRule {
  readonly verdict: Verdict;
}

const baseline = highest([]);

export function renderCoverage(): string {
  const judged = optionRules().map((rule): Judged => ({ ...rule, verdict: judge(rule) }));
  const of = (kind: OptionRule["kind"], extension: string): Judged[] =>
    judged.filter((one) => one.kind === kind && one.extension === extension);
  const known = [...matches, ...targets].filter(({ unavailable }) => !unavailable);
  const outcomes = worstByOption(judged);
  const count = (outcome: Outcome): number => outcomes.filter((one) => one === outcome).length;
  return `${[
    "# Coverage",
    "",
    "What becomes of every option of every match and target that iptables has. `npm run coverage` writes this page: it translates the",
    "rules of corpus/option, one or more for each option, plain and inverted, in both families, and notes what the translator says of",
    "each. The tests load all of them into the kernel. Rules that ask for an ipset or for countries get these in a file (`--ipset`, `--geoip`).",
    "",
    "- **exact**: every packet is decided, and changed, as by iptables.",
    "- **approximate**: a warning tells how it differs, and in which direction.",
    "- **refused**: the rule stands as a comment in the script, and a warning tells what that opens or closes.",
    "",
    `The versions are the least that load the script of the rule. Where nothing is written, nft ${baseline.nft} and Linux ${baseline.kernel} do: no`,
    "script of this translator loads into older ones. [Below](#versions) stands what they are due to. `--target-nft VERSION` makes a script",
    "for an older nft: what that one cannot load is replaced, or refused.",
    "",
    `${known.length} matches and targets are read; of their options, inverted ones counted apart, ${count("exact")} are exact, ${count("approximated")} approximate in at`,
    `least one form, ${count("refused")} refused in at least one. ${matches.length + targets.length - known.length} more come from outside of the kernel, or are gone from it, and are refused by name.`,
    "",
    "## Every rule",
    "",
    ...table(of("rule", "")),
    "",
    "## Matches",
    ...matches.filter(({ unavailable }) => !unavailable).flatMap(({ name, family }) => section(`-m ${name}`, family, of("match", name))),
    "",
    "## Targets",
    ...targets.filter(({ unavailable }) => !unavailable).flatMap(({ name, family }) => section(`-j ${name}`, family, of("target", name))),
    "",
    "## Refused by name",
    "",
    "Their options are not read.",
    "",
    "| name | why | instead |",
    "|---|---|---|",
    ...matches.flatMap(({ name, unavailable }) =>
      unavailable ? [row(`\`-m ${name}\``, cell(unavailable.reason), cell(unavailable.help))] : [],
    ),
    ...targets.flatMap(({ name, unavailable }) =>
      unavailable ? [row(`\`-j ${name}\``, cell(unavailable.reason), cell(unavailable.help))] : [],
    ),
    "",
    "## Versions",
    "",
    "The least nft and Linux that load a thing. A version may be later than the true one, where the source tells only a release by which the",
    "thing was there, and never earlier; what no source was found for has the versions on which it was measured.",
    "",
    "| what | nft | Linux | source |",
    "|---|---|---|---|",
    ...(Object.values(features) as Feature[]).map(({ name, nft, kernel, source }) => row(cell(name), nft, kernel, cell(source))),
  ].join("\n")}\n`;
}

function section(title: string, family: string | undefined, judged: readonly Judged[]): string[] {
  return ["", `### \`${title}\``, "", ...(family ? [`${family === "ipv4" ? "IPv4" : "IPv6"} only.`, ""] : []), ...table(judged)];
}

function table(judged: readonly Judged[]): string[] {
  const withVersions = judged.some(({ verdict }) => version("nft", [verdict]) !== "" || version("kernel", [verdict]) !== "");
  const withRemarks = judged.some(({ verdict }) => verdict.reasons.length > 0);
  const cells = (all: readonly (readonly [boolean, string])[]): string => row(...all.filter(([shown]) => shown).map(([, text]) => text));
  const columns = (option: string, outcome: string, nft: string, kernel: string, remark: string): string =>
    cells([
      [true, option],
      [true, outcome],
      [withVersions, nft],
      [withVersions, kernel],
      [withRemarks, remark],
    ]);
  return [
    columns("option", "translation", "nft", "Linux", "why, or how it differs"),
    columns("---", "---", "---", "---", "---"),
    ...groupBy(judged, ({ option, inverted }) => `${inverted ? "! " : ""}${option}`).flatMap(([, rules]) => {
      const alike = groupBy(rules, ({ verdict }) => `${verdict.outcome} ${verdict.reasons.join("; ")}`);
      return alike.map(([, group]) => {
        const verdicts = group.map(({ verdict }) => verdict);
        return columns(
          label(group, rules),
          word(verdicts[0]!.outcome),
          version("nft", verdicts),
          version("kernel", verdicts),
          cell(verdicts[0]!.reasons.join("; ")),
        );
      });
    }),
  ];
}

/** The option, and what tells this group of its rules from the others. */
function label(group: readonly Judged[], all: readonly Judged[]): string {
  const { option, inverted } = group[0]!;
  const name = option === "" ? "none" : `\`${inverted ? "! " : ""}--${option}\``;
  if (group.length === all.length) return name;
  const texts = [...new Set(group.map(shortText))];
  const families = new Set(group.map(({ family }) => family));
  const otherTexts = all.filter((one) => !group.includes(one)).map(shortText);
  const family = families.size === 1 ? (families.has("ipv4") ? "IPv4" : "IPv6") : undefined;
  const differ = texts.some((text) => !otherTexts.includes(text)) || family === undefined;
  const shown = differ ? texts.map((text) => `\`${text.replaceAll("|", "\\|")}\``).join(", ") : "";
  return `${name}${family ? `, ${family}` : ""}${shown === "" ? "" : `: ${shown}`}`;
}

/** The rule without its chain, and of a match only the match. */
function shortText({ kind, text }: OptionRule): string {
  const words = text.replace(/^\S+ /, "");
  if (kind === "target") return words.replace(/^.*?(?=-j )/, "");
  return words.replace(/ -j (?:DROP|ACCEPT)$/, "").replace(kind === "match" ? /^.*?(?=-m )/ : "", "");
}

function word(outcome: Outcome): string {
  return outcome === "approximated" ? "approximate" : outcome;
}

/** The latest that any of them needs; empty if that is what every script needs, or if there is none. */
function version(of: "nft" | "kernel", verdicts: readonly Verdict[]): string {
  const latest = verdicts.reduce(
    (best, { requirements }) => (requirements && isOlder(best, requirements[of]) ? requirements[of] : best),
    baseline[of],
  );
  return latest === baseline[of] ? "" : latest;
}

/** For each option, plain or inverted, the worst of its rules. */
function worstByOption(judged: readonly Judged[]): Outcome[] {
  const options = groupBy(
    judged.filter(({ kind }) => kind !== "rule"),
    ({ kind, extension, option, inverted }) => `${kind} ${extension} ${inverted} ${option}`,
  );
  return options.map(
    ([, rules]) =>
      (["invalid", "refused", "approximated"] as const).find((outcome) => rules.some(({ verdict }) => verdict.outcome === outcome)) ??
      "exact",
  );
}

function groupBy<Item>(items: readonly Item[], key: (item: Item) => string): [string, Item[]][] {
  const groups = new Map<string, Item[]>();
  for (const item of items) {
    const known = groups.get(key(item));
    if (known) known.push(item);
    else groups.set(key(item), [item]);
  }
  return [...groups];
}

function row(...cells: readonly string[]): string {
  return `| ${cells.join(" | ")} |`;
}

/** Text that stays within its cell. */
function cell(text: string): string {
  return text.replaceAll("|", "\\|").replaceAll("<", "&lt;");
}
