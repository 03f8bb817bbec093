/**
 * `-m geoip` of xtables-addons: the address lies in one of some countries. The user gives the countries' ranges (`--geoip`), which
 * become a set of their own for each list of countries; without them the rule is refused.
 *
 *     -m geoip --src-cc CN,RU   →   ip saddr @geoip_CN_RU
 *
 * man iptables-extensions of xtables-addons, section "geoip"; options: its file extensions/libxt_geoip.c.
 */

import { checkRanges, joined, type AddressRange, type Geoip } from "../../geoip/ranges.js";
import type { Family } from "../../iptables/ast.js";
import { match, payload, setReference, type Expression } from "../../nft/ast.js";
import { defineMatch, Invalid, type MatchTranslation, type ValueParser } from "../extension.js";
import { addressInterval } from "../values/address.js";

/** XT_GEOIP_MAX of xt_geoip.h. */
const mostCountries = 15;

/** Countries in upper case, each once, in the order of the alphabet. */
const countries: ValueParser<readonly string[]> = (text) => {
  const words = text.split(",");
  if (words.length > mostCountries) return new Invalid(`"${text}" names more than ${mostCountries} countries`);
  const wrong = words.find((word) => !/^[A-Za-z0-9]{2}$/.test(word));
  if (wrong !== undefined) return new Invalid(`"${wrong}" is not a country of two letters`);
  return [...new Set(words.map((word) => word.toUpperCase()))].sort();
};

export const geoip = defineMatch({
  name: "geoip",
  options: {
    "source-country": { aliases: ["src-cc"], value: countries, invertible: true, excludes: ["destination-country"] },
    "destination-country": { aliases: ["dst-cc"], value: countries, invertible: true },
  },
  check: (options) =>
    (options["source-country"] ?? options["destination-country"])
      ? undefined
      : new Invalid("needs --source-country or --destination-country"),
  facts: {
    reads: [{ memory: "geoip" }, "addresses"],
    condition: [],
    played: true,
    implies: (first, second) =>
      (["source-country", "destination-country"] as const).every((name) => {
        const [a, b] = [first[name], second[name]];
        if (!a || !b) return a === b;
        const [inner, outer] = a.inverted ? [b.value, a.value] : [a.value, b.value];
        return a.inverted === b.inverted && inner.every((country) => outer.includes(country));
      }),
    words: ({ "source-country": source, "destination-country": destination }) =>
      source && destination ? undefined : `the ${source ? "source" : "destination"} is in ${(source ?? destination)?.text ?? ""}`,
  },
  translate(options, context): MatchTranslation {
    const use = options["source-country"] ?? options["destination-country"];
    if (!use) return { never: "no country is named" };
    const { family } = context;
    if (!context.geoip) {
      return {
        untranslatable: "nothing says which addresses lie in which country",
        help: "give the ranges with --geoip: the directory of xt_geoip (/usr/share/xt_geoip), or a CSV file",
      };
    }
    const found = elementsOf(use.value, context.geoip, family);
    if ("missing" in found) {
      return { untranslatable: `the data of --geoip has no ${family === "ipv4" ? "IPv4" : "IPv6"} ranges of "${found.missing}"`, at: use };
    }
    const { elements } = found;
    if (elements.length === 0) return use.inverted ? { statements: [] } : { never: `no address lies in ${use.value.join(" or ")}` };
    const set = context.declare.sharedSet(`geoip_${use.value.join("_")}`, {
      type: [family === "ipv4" ? "ipv4_addr" : "ipv6_addr"],
      flags: ["interval"],
      elements,
      comment: [
        `the addresses of ${use.value.join(", ")}: ${elements.length} range${elements.length === 1 ? "" : "s"} of the data of --geoip`,
      ],
    });
    const field = payload(family === "ipv4" ? "ip" : "ip6", use.name === "source-country" ? "saddr" : "daddr");
    return { statements: [match(field, setReference(set), use.inverted)] };
  },
});

/** The elements of the set, or a country of which the data knows nothing. */
type Found = { readonly elements: readonly Expression[] } | { readonly missing: string };

const known = new WeakMap<Geoip, Map<string, Found>>();

function elementsOf(names: readonly string[], data: Geoip, family: Family): Found {
  let lists = known.get(data);
  if (!lists) known.set(data, (lists = new Map<string, Found>()));
  const id = `${family} ${names.join(" ")}`;
  let found = lists.get(id);
  if (!found) lists.set(id, (found = gather(names, data, family)));
  return found;
}

function gather(names: readonly string[], data: Geoip, family: Family): Found {
  const ranges: AddressRange[] = [];
  for (const name of names) {
    const own = data(name, family);
    if (!own) return { missing: name };
    checkRanges(own, name, family);
    for (const range of own) ranges.push(range);
  }
  return { elements: joined(ranges).map(({ from, to }) => addressInterval(from, to, family)) };
}
