/**
 * `-m conntrack`: what connection tracking knows about the packet's connection.
 *
 *     -m conntrack --ctstate RELATED,ESTABLISHED             →   ct state established,related
 *     -m conntrack ! --ctstatus ASSURED                      →   ct status & assured == 0x0
 *     -m conntrack --ctorigdst 192.0.2.0/24 --ctdir REPLY    →   ct direction reply ct original ip daddr 192.0.2.0/24
 *     -m conntrack --ctstate NEW,DNAT                        →   ct state new   or   ct state != new ct status dnat
 *
 * Settled in net/netfilter/xt_conntrack.c: packets without a connection match by their state alone, whatever other options
 * ask; without `--ctstate` they never match. SNAT and DNAT are bits of the connection. Seconds of `--ctexpire` are whole
 * seconds left.
 *
 * man iptables-extensions, section "conntrack".
 */

import type { AddressMask, Family, OptionUse } from "../../iptables/ast.js";
import { binary, compare, ct, hex, match, meta, number, oneOf, range, symbol, type Expression, type Statement } from "../../nft/ast.js";
import { defineMatch, Invalid, type MatchTranslation, type Never, type ValueParser } from "../extension.js";
import { wordTests } from "../facts.js";
import { addressBits, addressMask, addressMatch, parseHost, prefixLength, prefixMask } from "../values/address.js";
import { packetStates, stateCases, stateList, stateTest, statusTest, type StateCase } from "../values/connection-state.js";
import { unorderedRange, type NumberRange } from "../values/number.js";
import { portRange } from "../values/port.js";
import { protocol as protocolNumber, protocolExpression, protocolName } from "../values/protocols.js";
import { rangeTest } from "../values/range.js";

/**
 * Short addresses are the resolver's here (`10.1` is 10.0.0.1), unlike after `-s`, and a mask that is not a prefix counts as
 * all ones (libxtables 1.8.9; measured).
 */
const connectionAddress: ValueParser<AddressMask> = (text, context) => {
  const [host = "", ...mask] = text.split("/");
  const whole = addressMask(text, context);
  const address = parseHost(host, context.family);
  if (whole instanceof Invalid || address === undefined)
    return whole instanceof Invalid ? whole : new Invalid(`"${host}" is not an address`);
  const isPrefix = mask.length > 0 && prefixLength(whole.mask, context.family) !== undefined;
  return isPrefix
    ? { ...whole, address: address & whole.mask }
    : { ...whole, address, mask: prefixMask(addressBits[context.family], context.family) };
};

const statusWords = ["none", "expected", "seen_reply", "assured", "confirmed"] as const;

/** NONE adds no bit: with nothing beside it the test of the kernel never holds. */
const statusList: ValueParser<readonly string[]> = (text) => {
  const found = new Set<string>();
  for (const part of text.toLowerCase().split(",")) {
    const status = part === "" ? undefined : statusWords.find((word) => word.startsWith(part));
    if (status === undefined) return new Invalid(`"${part}" is not a connection status`);
    found.add(status);
  }
  return statusWords.filter((word) => word !== "none" && found.has(word)).map((word) => word.replace("_", "-"));
};

const direction: ValueParser<"original" | "reply"> = (text) =>
  (["original", "reply"] as const).find((word) => word === text.toLowerCase()) ?? new Invalid(`"${text}" is neither ORIGINAL nor REPLY`);

/** The kernel's milliseconds wrap at 2^32; no lifetime reaches that. */
const maximumSeconds = 4_294_966;

function expirationTest(use: OptionUse<NumberRange>): Statement | Never {
  const { from, to } = use.value;
  const field = ct("expiration");
  if (from > maximumSeconds || from > to) {
    return use.inverted ? compare(field, ">=", symbol("0s")) : { never: "no lifetime is in that range" };
  }
  if (to > maximumSeconds) return compare(field, use.inverted ? "<" : ">=", symbol(`${from}s`));
  return match(field, range(symbol(`${from}s`), symbol(`${to}s999ms`)), use.inverted);
}

/** Protocols for which connections have ports, or a number in their place; all others have 0. */
const protocolsWithPorts = [1, 6, 17, 33, 47, 58, 132, 136];

type PortOption = "ctorigsrcport" | "ctorigdstport" | "ctreplsrcport" | "ctrepldstport";
const portKeys: Readonly<Record<PortOption, readonly ["original" | "reply", string]>> = {
  ctorigsrcport: ["original", "proto-src"],
  ctorigdstport: ["original", "proto-dst"],
  ctreplsrcport: ["reply", "proto-src"],
  ctrepldstport: ["reply", "proto-dst"],
};
type AddressOption = "ctorigsrc" | "ctorigdst" | "ctreplsrc" | "ctrepldst";
const addressKeys: Readonly<Record<AddressOption, readonly ["original" | "reply", string]>> = {
  ctorigsrc: ["original", "saddr"],
  ctorigdst: ["original", "daddr"],
  ctreplsrc: ["reply", "saddr"],
  ctrepldst: ["reply", "daddr"],
};

/**
 * nft takes a connection's port only once it knows the protocol, so a test of the protocol goes before: that of `--ctproto`
 * (which is written anyway, and is enough where the protocol has a name), that of the rule, or the list of those with ports.
 * @param tested the number of `--ctproto`
 * @param known whether the test of `--ctproto` is one from which nft learns the protocol
 * @param rule the number of `-p`
 */
function portCases(
  uses: readonly (readonly [PortOption, OptionUse<NumberRange>])[],
  tested: number | undefined,
  known: boolean,
  rule: number | undefined,
): Statement[][] | Never {
  const tests: Statement[] = [];
  let zeroMatches = true;
  for (const [option, use] of uses) {
    const test = rangeTest(ct(portKeys[option][1], portKeys[option][0]), use.value, use.inverted, 65535);
    if (!("kind" in test)) return test;
    tests.push(test);
    zeroMatches &&= (use.value.from === 0) !== use.inverted;
  }
  if (tested !== undefined) {
    if (!protocolsWithPorts.includes(tested)) return zeroMatches ? [[]] : { never: "connections of that protocol have no ports" };
    if (known && protocolName(tested) !== undefined) return [tests];
  }
  if (rule !== undefined && (tested === undefined || !known)) return [[match(meta("l4proto"), protocolExpression(rule)), ...tests]];
  const withPorts = oneOf(protocolsWithPorts.map(protocolExpression));
  const field = ct("protocol");
  const cases: Statement[][] = [[match(field, withPorts), ...tests]];
  if (zeroMatches && tested === undefined) cases.push([match(field, withPorts, true)]);
  return cases;
}

const addressField = (option: AddressOption, family: Family): Expression =>
  ct(`${family === "ipv4" ? "ip" : "ip6"} ${addressKeys[option][1]}`, addressKeys[option][0]);

const port = { value: portRange, invertible: true } as const;
const address = { value: connectionAddress, invertible: true } as const;

export const conntrack = defineMatch({
  name: "conntrack",
  options: {
    ctstate: { value: stateList(["invalid", "new", "established", "related", "untracked", "snat", "dnat"]), invertible: true },
    ctproto: { value: protocolNumber, invertible: true },
    ctorigsrc: address,
    ctorigdst: address,
    ctreplsrc: address,
    ctrepldst: address,
    ctorigsrcport: port,
    ctorigdstport: port,
    ctreplsrcport: port,
    ctrepldstport: port,
    ctstatus: { value: statusList, invertible: true },
    ctexpire: { value: unorderedRange(0, 4294967295), invertible: true },
    ctdir: { value: direction },
  },
  check(options) {
    return Object.keys(options).length === 0 ? new Invalid("needs an option") : undefined;
  },
  facts: {
    reads: ["tracking"],
    condition: ({ ctstate, ctdir }) => [
      ...wordTests("state", ctstate, [...(ctstate?.value.states ?? []), ...(ctstate?.value.virtual ?? [])]),
      ...wordTests("direction", ctdir, ctdir ? [ctdir.value] : []),
    ],
    played: true,
  },
  translate(options, { family, protocol, rule }): MatchTranslation {
    const { ctstate, ctproto, ctstatus, ctexpire, ctdir } = options;
    const tests: (Statement | Never)[] = [];
    if (ctdir) tests.push(match(ct("direction"), symbol(ctdir.value)));
    for (const option of ["ctorigsrc", "ctorigdst", "ctreplsrc", "ctrepldst"] as const) {
      const use = options[option];
      if (use) tests.push(addressMatch(addressField(option, family), use.value, use.inverted));
    }
    // nft takes `ct protocol tcp` for the packet's protocol as well, and refuses the rule if another one is tested; an ICMP
    // error belongs to a connection of another protocol than its own. From a masked value it concludes nothing;
    // nft 1.1.3 does from a range.
    const known =
      ctproto !== undefined &&
      (protocol === ctproto.value || (protocol === undefined && !rule.matches.some(({ extension }) => extension === "ah")));
    if (ctproto) {
      const { value, inverted } = ctproto;
      tests.push(
        known || inverted
          ? match(ct("protocol"), protocolExpression(value), inverted)
          : match(binary(ct("protocol"), "&", hex(0xff)), number(value)),
      );
    }
    if (ctstatus && ctstatus.value.length > 0) tests.push(statusTest(ctstatus.value, ctstatus.inverted));
    else if (ctstatus && !ctstatus.inverted) tests.push({ never: "status NONE holds for no connection in the kernel" });
    if (ctexpire) tests.push(expirationTest(ctexpire));

    const ports = (["ctorigsrcport", "ctorigdstport", "ctreplsrcport", "ctrepldstport"] as const).flatMap((option) => {
      const use = options[option];
      return use ? [[option, use] as const] : [];
    });
    const tested = ctproto && !ctproto.inverted ? ctproto.value : undefined;
    const byPort = ports.length === 0 ? [[]] : portCases(ports, tested, known, protocol);

    // What has to hold of a connection, in ways that do not overlap; none if nothing can satisfy it.
    const never = tests.find((test): test is Never => !("kind" in test)) ?? (Array.isArray(byPort) ? undefined : byPort);
    const statements = tests.filter((test): test is Statement => "kind" in test);
    const connectionCases = never || !Array.isArray(byPort) ? [] : byPort.map((group) => [...statements, ...group]);

    const asksConnection = Object.keys(options).some((name) => name !== "ctstate");
    const cases: StateCase[] = ctstate
      ? stateCases(ctstate.value, ctstate.inverted, asksConnection)
      : [{ statements: statements.length > 0 || ports.length > 0 ? [] : stateTest(packetStates.slice(2)), connection: true }];
    const alternatives = cases.flatMap((one) =>
      one.connection === true ? connectionCases.map((group) => [...one.statements, ...group]) : [one.statements],
    );
    const [only, ...more] = alternatives;
    if (only === undefined) return never ?? { never: "every connection state is excluded" };
    return more.length === 0 ? { statements: only } : { alternatives };
  },
});
