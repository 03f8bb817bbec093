/**
 * `-m addrtype`: the kind of an address, by the routing tables.
 *
 *     -m addrtype --dst-type LOCAL                                →   fib daddr type local
 *     -m addrtype ! --src-type UNICAST,LOCAL --limit-iface-in     →   fib saddr . iif type != { unicast, local }
 *
 * For IPv6 the kernel (net/netfilter/xt_addrtype.c) reads a list differently: UNICAST, MULTICAST and UNSPEC are properties
 * of the address itself and must all hold, and of LOCAL, ANYCAST and UNREACHABLE one must.
 *
 * man iptables-extensions, section "addrtype".
 */

import type { Family } from "../../iptables/ast.js";
import {
  match,
  number,
  oneOf,
  payload,
  symbol,
  type Expression,
  type FibLookup,
  type Hook,
  type MatchStatement,
  type Statement,
} from "../../nft/ast.js";
import {
  defineMatch,
  Invalid,
  type Alternatives,
  type MatchTranslation,
  type Never,
  type Statements,
  type ValueParser,
} from "../extension.js";
import { wordTests } from "../facts.js";
import { addressLiteral } from "../values/address.js";

/** In the order of the kernel's numbers, from 0. nft 1.0.6 has no names for the last three. */
const types = [
  "unspec",
  "unicast",
  "local",
  "broadcast",
  "anycast",
  "multicast",
  "blackhole",
  "unreachable",
  "prohibit",
  "throw",
  "nat",
  "xresolve",
] as const;
type AddressType = (typeof types)[number];

const nftNames = types.slice(0, 9);
const typeExpression = (type: AddressType): Expression => (nftNames.includes(type) ? symbol(type) : number(types.indexOf(type)));

const typeList: ValueParser<readonly AddressType[]> = (text) => {
  const found = new Set<AddressType>();
  for (const part of text.toLowerCase().split(",")) {
    const type = part === "" ? undefined : types.find((word) => word.startsWith(part));
    if (type === undefined) return new Invalid(`"${part}" is not an address type`);
    found.add(type);
  }
  return types.filter((type) => found.has(type));
};

const ipv6Types: readonly AddressType[] = ["unspec", "unicast", "local", "anycast", "multicast", "unreachable"];
const routedTypes: readonly AddressType[] = ["local", "anycast", "unreachable"];
/** Every route that rejects is UNREACHABLE to xt_addrtype; nft tells them apart. */
const rejecting: readonly AddressType[] = ["unreachable", "blackhole", "prohibit", "throw"];

type Side = "saddr" | "daddr";

function ipv6Tests(side: Side, wanted: readonly AddressType[], lookup: FibLookup): MatchStatement[] {
  const field = payload("ip6", side);
  const unspecified = addressLiteral(0n, "ipv6");
  const multicast = { kind: "address", address: "ff00::", prefixLength: 8 } as const;
  const mapped = { kind: "address", address: "::ffff:0:0", prefixLength: 96 } as const;
  const tests: MatchStatement[] = [];
  if (wanted.includes("multicast")) tests.push(match(field, multicast));
  if (wanted.includes("unicast")) tests.push(match(field, oneOf([unspecified, mapped, multicast]), true));
  if (wanted.includes("unspec")) tests.push(match(field, unspecified));
  const routed = wanted.filter((type) => routedTypes.includes(type)).flatMap((type) => (type === "unreachable" ? rejecting : [type]));
  if (routed.length > 0) tests.push(match(lookup, oneOf(routed.map(typeExpression))));
  return tests;
}

const negated = (test: MatchStatement): MatchStatement => ({ ...test, operator: test.operator === "==" ? "!=" : "==" });

/** The ways in which one option holds; they do not overlap. */
function sideCases(side: Side, wanted: readonly AddressType[], inverted: boolean, lookup: FibLookup, family: Family): Statement[][] {
  if (family === "ipv4") return [[match(lookup, oneOf(wanted.map(typeExpression)), inverted)]];
  const tests = ipv6Tests(side, wanted, lookup);
  return inverted ? tests.map((test, index) => [...tests.slice(0, index), negated(test)]) : [tests];
}

const withoutInput: ReadonlySet<Hook> = new Set<Hook>(["output", "postrouting"]);
const withoutOutput: ReadonlySet<Hook> = new Set<Hook>(["prerouting", "input"]);

export const addrtype = defineMatch({
  name: "addrtype",
  options: {
    "src-type": { value: typeList, invertible: true },
    "dst-type": { value: typeList, invertible: true },
    "limit-iface-in": { excludes: ["limit-iface-out"] },
    "limit-iface-out": { excludes: ["limit-iface-in"] },
  },
  check(options, { family, chain }) {
    const { "src-type": source, "dst-type": destination } = options;
    if (!source && !destination) return new Invalid("needs --src-type or --dst-type");
    if (options["limit-iface-in"] && ["OUTPUT", "POSTROUTING"].includes(chain))
      return new Invalid(`--limit-iface-in is not allowed in ${chain}`);
    if (options["limit-iface-out"] && ["PREROUTING", "INPUT"].includes(chain))
      return new Invalid(`--limit-iface-out is not allowed in ${chain}`);
    const foreign =
      family === "ipv6" ? [...(source?.value ?? []), ...(destination?.value ?? [])].find((type) => !ipv6Types.includes(type)) : undefined;
    return foreign === undefined ? undefined : new Invalid(`IPv6 has no address type ${foreign.toUpperCase()}`);
  },
  facts: {
    reads: ["addresses", "routing"],
    condition: (options) => [
      ...wordTests("sourceType", options["src-type"], options["src-type"]?.value ?? []),
      ...wordTests("destinationType", options["dst-type"], options["dst-type"]?.value ?? []),
    ],
    played: true,
    words: ({ "src-type": source, "dst-type": destination, ...others }) => {
      if (Object.keys(others).length > 0) return undefined;
      return [source && `the source is of type ${source.text}`, destination && `the destination is of type ${destination.text}`]
        .filter((one) => one !== undefined)
        .join(" and ");
    },
  },
  translate(options, { family, hooks }): MatchTranslation {
    const device = options["limit-iface-in"] ? "iif" : options["limit-iface-out"] ? "oif" : undefined;
    const refused = device === "iif" ? withoutInput : device === "oif" ? withoutOutput : new Set<Hook>();
    const hook = [...hooks].find((name) => refused.has(name));
    if (hook !== undefined) return { untranslatable: `packets of the ${hook} hook have no such interface, so the kernel refuses the rule` };
    let cases: Statement[][] = [[]];
    for (const [side, use] of [
      ["saddr", options["src-type"]],
      ["daddr", options["dst-type"]],
    ] as const) {
      if (!use) continue;
      const lookup: FibLookup = { kind: "fib", flags: device === undefined ? [side] : [side, device], result: "type" };
      const these = sideCases(side, use.value, use.inverted, lookup, family);
      cases = cases.flatMap((before) => these.map((after) => [...before, ...after]));
    }
    const overRoutes =
      family === "ipv6" && device !== undefined
        ? [options["src-type"], options["dst-type"]].find((use) => use?.value.some((type) => type === "anycast" || type === "unreachable"))
        : undefined;
    if (!overRoutes) return oneOrMore(cases);
    const message =
      "in IPv6 nft looks for the route by every interface: an address that is anycast or unreachable by another one counts as such";
    return { ...oneOrMore(cases), approximations: [{ message, at: overRoutes }] };
  },
});

function oneOrMore(cases: readonly (readonly Statement[])[]): Statements | Alternatives | Never {
  const [only, ...more] = cases;
  if (only === undefined) return { never: "no address has such a type" };
  return more.length === 0 ? { statements: only } : { alternatives: cases };
}
