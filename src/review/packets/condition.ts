/** Which packets a rule matches. */

import { findMatch } from "../../extensions/registry.js";
import { recentUse } from "../../extensions/matches/recent.js";
import { addressBits, prefixLength, prefixMask } from "../../extensions/values/address.js";
import type { StateList } from "../../extensions/values/connection-state.js";
import type { IcmpType } from "../../extensions/values/icmp-type.js";
import type { NumberRange } from "../../extensions/values/number.js";
import type { AddressMask, ExtensionUse, Family, IptablesRule, OptionUse } from "../../iptables/ast.js";
import { addressRange, intersect, otherAddresses, stateBits, type Box, type IntervalField, type RecentQuestion } from "./box.js";
import { complement, intervals, type Intervals } from "./intervals.js";

/** Undefined if no packet can match. */
export function conditionOf(rule: IptablesRule, family: Family): Box | undefined {
  const parts: (Box | undefined)[] = [];
  if (rule.source) parts.push(addressBox("source", rule.source));
  if (rule.destination) parts.push(addressBox("destination", rule.destination));
  if (rule.inInterface) parts.push(interfaceBox("inInterface", rule.inInterface));
  if (rule.outInterface) parts.push(interfaceBox("outInterface", rule.outInterface));
  if (rule.protocol && rule.protocol.value !== 0)
    parts.push(numbers("protocol", [[rule.protocol.value, rule.protocol.value]], rule.protocol.inverted, 255n));
  if (rule.protocol?.value === 0 && rule.protocol.inverted) return undefined;
  if (rule.fragment) parts.push(answer("a second or further fragment", !rule.fragment.inverted));
  for (const use of rule.matches) parts.push(matchBox(use, family));
  let box: Box | undefined = {};
  for (const part of parts) box = box && part && intersect(box, part);
  return box;
}

const volatileExtensions = new Set([
  "limit",
  "hashlimit",
  "statistic",
  "quota",
  "connlimit",
  "connbytes",
  "recent",
  "rateest",
  "mark",
  "connmark",
  "connlabel",
  "dscp",
  "tos",
  "ttl",
  "hl",
  "set",
  "nfacct",
  "bpf",
  "string",
  "u32",
]);

/** Whether the same test may have another answer a rule later: it counts or remembers, or a rule between may change the packet. */
export function isVolatile({ extension, unknown }: ExtensionUse): boolean {
  return unknown === true || volatileExtensions.has(extension);
}

const answer = (test: string, holds: boolean): Box => ({ tests: new Map([[test, { holds }]]) });

function addressBox(field: "source" | "destination", { value, inverted, text }: OptionUse<AddressMask>): Box | undefined {
  if (value.mask === 0n) return inverted ? undefined : {};
  if (prefixLength(value.mask, value.family) === undefined) return answer(`${field} address ${text}`, !inverted);
  const whole = prefixMask(addressBits[value.family], value.family);
  const range = addressRange(value.address, value.address | (whole & ~value.mask), value.family);
  return { [field]: inverted ? otherAddresses([range]) : [range] };
}

function interfaceBox(field: "inInterface" | "outInterface", { value, inverted }: OptionUse<string>): Box | undefined {
  if (value === "+") return inverted ? undefined : {};
  return { [field]: inverted ? { pattern: "+", without: [value] } : { pattern: value, without: [] } };
}

function numbers(
  field: IntervalField,
  ranges: readonly (readonly [number, number])[],
  inverted: boolean,
  largest: bigint,
): Box | undefined {
  const set = intervals(ranges.map(([from, to]) => [BigInt(from), BigInt(to)]));
  const found: Intervals = inverted ? complement(set, largest) : set;
  return found.length === 0 ? undefined : { [field]: found };
}

const ports = (field: "sourcePort" | "destinationPort", { value, inverted }: OptionUse<unknown>): Box | undefined => {
  const ranges = Array.isArray(value) ? (value as NumberRange[]) : [value as NumberRange];
  return numbers(
    field,
    ranges.map(({ from, to }) => [from, to] as const),
    inverted,
    65535n,
  );
};

/** The one option that the test is, told apart by its value and not by its spelling. */
function optionTest(use: ExtensionUse, option: OptionUse<unknown>): string {
  return `-m ${use.extension} ${optionText(option)}`;
}

const optionText = ({ name, text }: OptionUse<unknown>): string => `--${name}${text === "" ? "" : ` ${text}`}`;

function matchBox(use: ExtensionUse, family: Family): Box | undefined {
  if (use.extension === "comment") return {};
  if (use.extension === "recent" && !use.unknown) return recentBox(use, family);
  const options = Object.values(use.options);
  const known = use.unknown ? undefined : readers[findMatch(use.extension)?.name ?? ""];
  let box: Box | undefined = {};
  const rest: OptionUse<unknown>[] = [];
  for (const option of options) {
    const read = known?.[option.name];
    const part: Box | undefined | "opaque" = read ? read(option, family) : "opaque";
    if (part === "opaque") rest.push(option);
    else box = box && part && intersect(box, part);
  }
  if (options.length === 0 && !known) rest.push({ name: "", value: undefined, text: "", inverted: false, span: use.span });
  if (rest.length === 0 || box === undefined) return box;
  const [only] = rest;
  const opaque =
    rest.length === 1 && only!.name !== ""
      ? answer(optionTest(use, only!), !only!.inverted)
      : answer(
          `-m ${use.extension}${rest
            .filter(({ name }) => name !== "")
            .map((one) => ` ${one.inverted ? "! " : ""}${optionText(one)}`)
            .sort()
            .join("")}`,
          true,
        );
  return intersect(box, opaque);
}

type Reader = (option: OptionUse<unknown>, family: Family) => Box | undefined | "opaque";

const portReaders: Readonly<Record<string, Reader>> = {
  "source-port": (option) => ports("sourcePort", option),
  "destination-port": (option) => ports("destinationPort", option),
};

/** Flags as numbers of their bits, in the order of RFC 793. */
const flagNames = ["fin", "syn", "rst", "psh", "ack", "urg"];
const flagBits = (names: readonly string[]): number => names.reduce((bits, name) => bits | (1 << flagNames.indexOf(name)), 0);

function flagsBox(mask: readonly string[], set: readonly string[], inverted: boolean): Box | undefined {
  const [tested, wanted] = [flagBits(mask), flagBits(set)];
  let found = 0n;
  for (let flags = 0; flags < 64; flags++) if (((flags & tested) === wanted) !== inverted) found |= 1n << BigInt(flags);
  return found === 0n ? undefined : { flags: found };
}

const icmp: Reader = ({ value, inverted }) => {
  const { type, code } = value as IcmpType;
  if (type === undefined) return inverted ? undefined : {};
  return numbers("icmp", [code === undefined ? [type * 256, type * 256 + 255] : [type * 256 + code, type * 256 + code]], inverted, 65535n);
};

const states: Reader = ({ value, inverted }) => {
  const { states: named, virtual } = value as StateList;
  if (virtual.length > 0) return "opaque";
  const bits = stateBits(named);
  const found = inverted ? stateBits(["invalid", "untracked", "new", "established", "related"]) ^ bits : bits;
  return found === 0n ? undefined : { state: found };
};

const range =
  (field: "source" | "destination"): Reader =>
  ({ value, inverted }, family) => {
    const { from, to } = value as { readonly from: bigint; readonly to: bigint };
    if (from > to) return inverted ? {} : undefined;
    const wanted = [addressRange(from, to, family)];
    const found = inverted ? otherAddresses(wanted) : wanted;
    return found.length === 0 ? undefined : { [field]: found };
  };

/** What the options of some matches say of the fields of a box; everything else is a test by itself. */
const readers: Readonly<Record<string, Readonly<Record<string, Reader>>>> = {
  tcp: {
    ...portReaders,
    syn: ({ inverted }) => flagsBox(["fin", "syn", "rst", "ack"], ["syn"], inverted),
    "tcp-flags": ({ value, inverted }) => {
      const { mask, set } = value as { readonly mask: readonly string[]; readonly set: readonly string[] };
      return flagsBox(mask, set, inverted);
    },
  },
  udp: portReaders,
  sctp: portReaders,
  dccp: portReaders,
  multiport: {
    "source-ports": (option) => ports("sourcePort", option),
    "destination-ports": (option) => ports("destinationPort", option),
  },
  icmp: { "icmp-type": icmp },
  icmp6: { "icmpv6-type": icmp },
  conntrack: { ctstate: states },
  state: { state: states },
  iprange: { "src-range": range("source"), "dst-range": range("destination") },
};

function recentBox(use: ExtensionUse, family: Family): Box | undefined {
  const { operation, inverted, list, side, seconds, hits, rttl } = recentUse(use, family);
  if (operation === "set") return inverted ? undefined : {};
  const question: RecentQuestion =
    operation === "remove" ? { list, side, seconds: undefined, hits: 1, rttl: false } : { list, side, seconds, hits, rttl };
  const host = side === "saddr" ? "the source" : "the destination";
  const often = hits === 1 ? "is" : `has ${hits} hits`;
  const window = seconds === undefined ? "" : hits === 1 ? `, seen in the last ${seconds} s` : ` in ${seconds} s`;
  const test = `${host} ${often} on list "${list}"${window}${rttl ? ", with the same TTL" : ""}`;
  return { tests: new Map([[test, { holds: !inverted, question }]]) };
}
