/** The addresses and ports that SNAT, DNAT, MASQUERADE and REDIRECT map to. */

import type { Family, OptionUse } from "../../iptables/ast.js";
import type { Expression, NatStatement } from "../../nft/ast.js";
import { Invalid, type CheckContext, type RuleContext, type Untranslatable, type ValueParser } from "../extension.js";
import { addressRangeExpression, parseAddress } from "../values/address.js";
import { integer, type NumberRange } from "../values/number.js";
import { port, rangeExpression } from "../values/port.js";
import { ipv4Endpoint, uniform, wholeIpv4Address } from "../values/uniform.js";

export interface NatRange {
  readonly address?: { readonly from: bigint; readonly to: bigint };
  readonly port?: PortRange;
}
interface PortRange extends NumberRange {
  /** Given as `/base`: the mapped port is `from` plus the distance of the old port from it. */
  readonly base?: number;
}

const portNumber = integer(0, 65535);

/** `from-to` with a dash behind a number: in what begins otherwise dashes belong to the name of a service. */
const portsForm = /^([ \t]*\+?[0-9][^-]*)-([^/]*)(?:\/(.*))?$/;

/** `port`, `from-to` or `from-to/base`; a single port and the base may be names of services (with dashes since iptables 1.8.9). */
const parsePorts: ValueParser<PortRange> = (text, context) => {
  const [, first, last, base] = portsForm.exec(text) ?? [];
  if (first === undefined || last === undefined) {
    const single = port(text, context);
    return single instanceof Invalid ? single : { from: single, to: single };
  }
  const range = rangeOf(text, portNumber(first, context), portNumber(last, context));
  const shiftedFrom = base === undefined ? undefined : port(base, context);
  if (range instanceof Invalid || shiftedFrom === undefined) return range;
  return shiftedFrom instanceof Invalid ? shiftedFrom : { ...range, base: shiftedFrom };
};

/** `port` or `from-to`; iptables 1.8.7 reads the name of a service behind the dash, too. */
const parseRedirectPorts: ValueParser<NumberRange> = (text, context) => {
  const [, first, last, base] = portsForm.exec(text) ?? [];
  if (first === undefined || last === undefined) {
    const single = port(text, context);
    return single instanceof Invalid ? single : { from: single, to: single };
  }
  if (base !== undefined) return new Invalid(`"${text}" is not a range of ports`);
  return rangeOf(text, portNumber(first, context), port(last, context));
};

function rangeOf(text: string, from: number | Invalid, to: number | Invalid): NumberRange | Invalid {
  if (from instanceof Invalid) return from;
  if (to instanceof Invalid) return to;
  return from > to ? new Invalid(`the range of ports "${text}" runs backwards`) : { from, to };
}

/** Here iptables reads whole numeric addresses only; the bytes may be octal or hexadecimal in 1.8.7. */
function parseWholeAddress(text: string, family: Family): bigint | Invalid {
  const whole = family === "ipv6" || text.split(".").length === 4;
  return (
    (whole ? parseAddress(text, family) : undefined) ?? new Invalid(`"${text}" is not an ${family === "ipv4" ? "IPv4" : "IPv6"} address`)
  );
}

/** `address`, `from-to` */
function parseAddresses(text: string, family: Family): NonNullable<NatRange["address"]> | Invalid {
  const dash = text.indexOf("-");
  const from = parseWholeAddress(dash === -1 ? text : text.slice(0, dash), family);
  const to = dash === -1 ? from : parseWholeAddress(text.slice(dash + 1), family);
  if (from instanceof Invalid) return from;
  if (to instanceof Invalid) return to;
  return { from, to };
}

/** Splits `addresses:ports`; IPv6 addresses in front of ports stand in brackets, and what lies between bracket and colon is dropped. */
function splitPorts(text: string, family: Family): readonly [addresses: string, ports: string | undefined] | Invalid {
  if (family === "ipv6" && text.startsWith("[")) {
    const end = text.indexOf("]");
    if (end === -1) return new Invalid(`"${text}" lacks the closing bracket`);
    const portsColon = text.indexOf(":", end);
    return [text.slice(1, end), portsColon === -1 ? undefined : text.slice(portsColon + 1)];
  }
  if (family === "ipv6" && !/^:(?!:)/.test(text)) return [text, undefined];
  const colon = text.indexOf(":");
  return colon === -1 ? [text, undefined] : [text.slice(0, colon), text.slice(colon + 1)];
}

/** `[address[-address]][:port[-port[/base]]]` */
export const natRange = uniform<NatRange>(
  (text, context) => {
    const split = splitPorts(text, context.family);
    if (split instanceof Invalid) return split;
    const [addressesText, portsText] = split;
    const ports = portsText === undefined ? undefined : parsePorts(portsText, context);
    if (ports instanceof Invalid) return ports;
    if (addressesText === "" && ports) return { port: ports };
    const addresses = parseAddresses(addressesText, context.family);
    if (addresses instanceof Invalid) return addresses;
    return ports ? { address: addresses, port: ports } : { address: addresses };
  },
  ipv4Endpoint,
  wholeIpv4Address,
);

/** `port[-port[/base]]` */
export const natPorts: ValueParser<NatRange> = (text, context) => onlyPorts(parsePorts(text, context));

/** `port[-port]` */
export const redirectPorts: ValueParser<NatRange> = (text, context) => onlyPorts(parseRedirectPorts(text, context));

function onlyPorts(ports: PortRange | Invalid): NatRange | Invalid {
  return ports instanceof Invalid ? ports : { port: ports };
}

/** TCP, UDP, DCCP, SCTP; and ICMP, whose id takes the place of the port. */
const protocolsWithPorts = new Set([6, 17, 33, 132, 1]);

/** iptables wants one of those protocols as soon as ports are given; it does not look whether `-p` is inverted. */
export function checkPorts(use: OptionUse<NatRange> | undefined, { protocol, protocolInverted }: CheckContext): Invalid | undefined {
  if (!use?.value.port || protocolInverted || (protocol !== undefined && protocolsWithPorts.has(protocol))) return undefined;
  return new Invalid("ports need -p tcp, udp, dccp or sctp");
}

/** The nft statement, or why there is none. */
export function natStatement(
  type: NatStatement["type"],
  use: OptionUse<NatRange> | undefined,
  flags: NonNullable<NatStatement["flags"]>,
  context: RuleContext,
): NatStatement | Untranslatable {
  const { address, port: ports } = use?.value ?? {};
  if (ports && context.protocol === undefined) {
    return { untranslatable: "nft maps ports only where the rule names the protocol", at: use, help: "write one rule for each protocol" };
  }
  if (ports?.base !== undefined) {
    return { untranslatable: "nft cannot shift a range of ports", at: use, help: "write one rule for each port" };
  }
  if (address && address.from > address.to) return { untranslatable: "the range of addresses runs backwards", at: use };
  const addressExpression: Expression | undefined = address && addressRangeExpression(address.from, address.to, context.family);
  return {
    kind: "nat",
    type,
    ...(addressExpression && { address: addressExpression }),
    ...(ports && { port: rangeExpression(ports) }),
    ...(flags.length > 0 && { flags }),
  };
}

/** The translation of a target that is one nat statement. */
export function natTranslation(
  ...[type, use, flags, context]: Parameters<typeof natStatement>
): { readonly statements: readonly [NatStatement] } | Untranslatable {
  const statement = natStatement(type, use, flags, context);
  return "untranslatable" in statement ? statement : { statements: [statement] };
}

type NatFlag = NonNullable<NatStatement["flags"]>[number];

/** iptables' flag options under the names that nft gives them, as far as they are there. */
export function natFlags(options: { readonly [Name in "random" | "random-fully" | "persistent"]?: unknown }): NatFlag[] {
  return [
    ...(options.random ? ["random" as const] : []),
    ...(options["random-fully"] ? ["fully-random" as const] : []),
    ...(options.persistent ? ["persistent" as const] : []),
  ];
}
