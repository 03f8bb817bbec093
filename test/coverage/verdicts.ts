/** What becomes of the samples: each is translated, and judged by what the translator says of it. */

import type { OptionDefinition } from "../../src/extensions/extension.js";
import { matches, targets } from "../../src/extensions/registry.js";
import type { Family } from "../../src/iptables/ast.js";
import { requirements, type Requirements } from "../../src/nft/requirements.js";
import { consequence } from "../../src/rewrite/analyse.js";
import { translate, type Outcome, type TranslateOptions, type Translation } from "../../src/translate.js";
import { ipsets, matchSamples, packetTests, targetSamples, type Samples } from "./samples.js";

export interface Trial {
  readonly kind: "rule" | "match" | "target";
  readonly extension: string;
  /** Empty for the extension without any option. */
  readonly option: string;
  readonly inverted: boolean;
  readonly family: Family;
  /** As in the samples, without the family. */
  readonly text: string;
  readonly dump: string;
}

export interface Verdict {
  readonly outcome: Outcome;
  readonly script: string | undefined;
  readonly requirements: Requirements | undefined;
  /** Why the rule is refused, or how it differs. */
  readonly reasons: readonly string[];
}

/** All samples, plain and inverted, in both families, in the order of the registry. */
export function allTrials(): Trial[] {
  return [
    ...trialsOf("rule", { name: "" }, packetTests),
    ...matches.flatMap((match) => trialsOf("match", match, matchSamples[match.name] ?? {})),
    ...targets.flatMap((target) => trialsOf("target", target, targetSamples[target.name] ?? {})),
  ];
}

interface Named {
  readonly name: string;
  readonly family?: Family;
  readonly options?: Readonly<Record<string, OptionDefinition<unknown>>>;
}

function trialsOf(kind: Trial["kind"], { name, family, options }: Named, samples: Samples): Trial[] {
  return Object.entries(samples).flatMap(([option, texts]) => {
    const invertible = options?.[option]?.invertible ?? (kind === "rule" && option !== "jump" && option !== "goto");
    return [false, ...(invertible ? [true] : [])].flatMap((inverted) => texts.flatMap((sample) => {
      const only = /^-([46]) /.exec(sample)?.[1];
      const families = (["ipv4", "ipv6"] as const)
        .filter((one) => one === (family ?? one) && (only === undefined || one === `ipv${only}`) && !(one === "ipv6" && option === "fragment"));
      const plain = only === undefined ? sample : sample.slice(3);
      const text = inverted ? invert(plain, option) : plain;
      return families.map((one): Trial => ({ kind, extension: name, option, inverted, family: one, text, dump: dumpOf(text, one, kind) }));
    }));
  });
}

function invert(text: string, option: string): string {
  const place = text.search(new RegExp(`--${option}( |$)`));
  return place < 0 ? `! ${text}` : `${text.slice(0, place)}! ${text.slice(place)}`;
}

function dumpOf(text: string, family: Family, kind: Trial["kind"]): string {
  const placed = /^-t (\S+) -A (\S+) (.*)$/.exec(text);
  const [table, chain, words] = placed ? [placed[1]!, placed[2]!, placed[3]!] : ["filter", "FORWARD", text];
  const rule = kind === "match" || (kind === "rule" && !/-[jg] user/.test(words)) ? `${words} -j ${table === "filter" ? "DROP" : "ACCEPT"}` : words;
  const user = words.includes(" user") ? ":user - [0:0]\n" : "";
  return `*${table}\n:${chain} ACCEPT [0:0]\n${user}-A ${chain} ${family === "ipv4" ? rule : inIpv6(rule)}\nCOMMIT\n`;
}

/** The same with documentation addresses of IPv6. */
function inIpv6(text: string): string {
  return text
    .replace(/\b192\.0\.2\.([0-9]+)-192\.0\.2\.([0-9]+):([0-9]+-[0-9]+)/g, "[2001:db8::$1-2001:db8::$2]:$3")
    .replace(/\b192\.0\.2\.([0-9]+):([0-9]+)/g, "[2001:db8::$1]:$2")
    .replace(/\b192\.0\.2\.0\/24/g, "2001:db8::/64")
    .replace(/\b198\.51\.100\.0\/24/g, "2001:db8:1::/64")
    .replace(/\b192\.0\.2\.1\/255\.0\.0\.255/g, "2001:db8::1/ffff::ffff")
    .replace(/\b192\.0\.2\.([0-9]+)/g, "2001:db8::$1");
}

/** Its sets are given to a rule that asks for some. */
export function translateTrial({ dump, family, extension }: Pick<Trial, "dump" | "family" | "extension">, options: TranslateOptions = {}): Translation {
  const sets = extension === "set" || extension === "SET" ? { ipsets: [{ file: "ipsets", text: ipsets[family] }] } : {};
  return translate(dump, { ...sets, ...options, family });
}

export function judge({ dump, family, extension }: Trial, options: TranslateOptions = {}): Verdict {
  const { outcome, script, nft, diagnostics, iptables } = translateTrial({ dump, family, extension }, options);
  const rule = iptables[0]?.tables[0]?.chains[0]?.rules[0];
  const ending = rule ? `; ${consequence(rule)}` : "";
  const reasons = diagnostics.filter(({ severity }) => severity !== "note").map(({ message }) => {
    const withoutEnd = ending !== "" && message.endsWith(ending) ? message.slice(0, -ending.length) : message;
    return withoutEnd.replace(/^.*? cannot be translated: /, "").replace(/^(?:match|target|list) "[^"]*": /, "");
  });
  return { outcome, script, requirements: nft && outcome !== "refused" ? requirements(nft) : undefined, reasons };
}
