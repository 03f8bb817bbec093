/** The matches of iptables that have a model of their own here, written from iptables' side and not from the translation. */

import { addressBits, prefixMask } from "../extensions/values/address.js";
import type { StateList } from "../extensions/values/connection-state.js";
import type { AddressMask, ExtensionUse, IptablesRule, OptionUse } from "../iptables/ast.js";
import { icmpTypeOf, tcpFlagBits, tcpFlagsOf, type Flight } from "./packet.js";
import type { WantedValue } from "./passing.js";

/** Whether a packet matches. */
export type Test = (flight: Flight) => boolean;

interface Range {
  readonly from: number;
  readonly to: number;
}

/** `-s -d -i -o -p` of a rule. */
export function packetTests({ source, destination, inInterface, outInterface, protocol }: IptablesRule): Test[] {
  const tests: Test[] = [];
  if (source) tests.push(addressTest(source, (flight) => flight.source));
  if (destination) tests.push(addressTest(destination, (flight) => flight.destination));
  if (inInterface) tests.push(interfaceTest(inInterface, (flight) => flight.inInterface));
  if (outInterface) tests.push(interfaceTest(outInterface, (flight) => flight.outInterface));
  if (protocol) tests.push(({ packet }) => (protocol.value === 0 || protocol.value === packet.protocol) !== protocol.inverted);
  return tests;
}

/** A value that `packetTests` want of a rule's packets, or the match of ports that stands first: those are asked before any memory. */
export function wantedValue({ source, destination, matches: [first] }: IptablesRule): WantedValue | undefined {
  if (first && !first.unknown && (first.extension === "tcp" || first.extension === "udp")) {
    for (const [name, field] of [["destination-port", "destinationPort"] as const, ["source-port", "sourcePort"] as const]) {
      const option = first.options[name];
      const range = option?.value as Range | undefined;
      if (option && range && !option.inverted && range.from === range.to) return { field, value: range.from };
    }
  }
  for (const [field, option] of [["source", source] as const, ["destination", destination] as const])
    if (option && !option.inverted && isWholeAddress(option.value)) return { field, value: option.value.address };
  return undefined;
}

/** Whether the mask leaves no bit out. */
function isWholeAddress({ mask, family }: AddressMask): boolean {
  return mask === prefixMask(addressBits[family], family);
}

function addressTest({ value, inverted }: OptionUse<AddressMask>, read: (flight: Flight) => bigint): Test {
  return (flight) => ((read(flight) & value.mask) === value.address) !== inverted;
}

function interfaceTest({ value, inverted }: OptionUse<string>, read: (flight: Flight) => string): Test {
  if (!value.endsWith("+")) return (flight) => (read(flight) === value) !== inverted;
  const beginning = value.slice(0, -1);
  return (flight) => read(flight).startsWith(beginning) !== inverted;
}

/** The test of a match; `undefined` if it, or one of its options, has none here. */
export function matchTest(use: ExtensionUse): Test | undefined {
  switch (use.extension) {
    case "comment":
      return () => true;
    case "tcp":
      return portProtocolTest(6, use);
    case "udp":
      return portProtocolTest(17, use);
    case "multiport":
      return optionTests(use, multiportTest);
    case "state":
    case "conntrack":
      return optionTests(use, stateTest);
    case "mark":
      return optionTests(use, markTest);
    case "icmp":
      return icmpTest(1, use);
    case "icmp6":
      return icmpTest(58, use);
    case "length":
      return optionTests(use, ({ value, inverted }) => {
        const { from, to } = value as Range;
        return ({ packet }) => within(packet.length ?? 60, from, to) !== inverted;
      });
    case "iprange":
      return optionTests(use, addressRangeTest);
    default:
      return undefined;
  }
}

/** All options of a match must hold; `undefined` if one has no test. */
function optionTests(use: ExtensionUse, testOf: (option: OptionUse<unknown>) => Test | undefined): Test | undefined {
  const tests = Object.values(use.options).map(testOf);
  return tests.every((test) => test !== undefined) ? (flight) => tests.every((test) => test(flight)) : undefined;
}

const within = (value: number, from: number, to: number): boolean => value >= from && value <= to;

function portProtocolTest(protocol: number, use: ExtensionUse): Test | undefined {
  const options = optionTests(use, (option) => {
    switch (option.name) {
      case "source-port":
        return ({ sourcePort }) => inRange(sourcePort, option);
      case "destination-port":
        return ({ destinationPort }) => inRange(destinationPort, option);
      case "syn":
        return ({ packet }) => ((tcpFlagsOf(packet) & 0b10111) === tcpFlagBits["syn"]) !== option.inverted;
      case "tcp-flags": {
        const { mask, set } = option.value as { readonly mask: readonly string[]; readonly set: readonly string[] };
        return ({ packet }) => ((tcpFlagsOf(packet) & bitsOf(mask)) === bitsOf(set)) !== option.inverted;
      }
      default:
        return undefined;
    }
  });
  return options && ((flight) => flight.packet.protocol === protocol && options(flight));
}

function bitsOf(flags: readonly string[]): number {
  return flags.reduce((bits, flag) => bits | (tcpFlagBits[flag] ?? 0), 0);
}

function inRange(port: number, { value, inverted }: OptionUse<unknown>): boolean {
  const { from, to } = value as Range;
  return within(port, from, to) !== inverted;
}

function multiportTest({ name, value, inverted }: OptionUse<unknown>): Test {
  const ranges = value as readonly Range[];
  const listed = (port: number): boolean => ranges.some(({ from, to }) => within(port, from, to));
  switch (name) {
    case "source-ports":
      return ({ sourcePort }) => listed(sourcePort) !== inverted;
    case "destination-ports":
      return ({ destinationPort }) => listed(destinationPort) !== inverted;
    default:
      return ({ sourcePort, destinationPort }) => (listed(sourcePort) || listed(destinationPort)) !== inverted;
  }
}

function stateTest({ name, value, inverted }: OptionUse<unknown>): Test | undefined {
  if (name !== "state" && name !== "ctstate") return undefined;
  const { states, virtual } = value as StateList;
  if (virtual.length > 0) return undefined;
  return ({ state }) => states.includes(state) !== inverted;
}

function markTest({ value, inverted }: OptionUse<unknown>): Test {
  const wanted = value as { readonly value: number; readonly mask: number };
  const [mark, mask] = [BigInt(wanted.value), BigInt(wanted.mask)];
  return (flight) => ((flight.mark & mask) === mark) !== inverted;
}

function icmpTest(protocol: number, use: ExtensionUse): Test | undefined {
  const options = optionTests(use, ({ value, inverted }) => {
    const { type, codes } = value as { readonly type?: number; readonly codes?: Range };
    const hasCode = (code: number): boolean => codes === undefined || within(code, codes.from, codes.to);
    return ({ packet }) => ((type === undefined || type === icmpTypeOf(packet)) && hasCode(packet.icmpCode ?? 0)) !== inverted;
  });
  return options && ((flight) => flight.packet.protocol === protocol && options(flight));
}

function addressRangeTest({ name, value, inverted }: OptionUse<unknown>): Test {
  const { from, to } = value as { readonly from: bigint; readonly to: bigint };
  return (flight) => {
    const address = name === "src-range" ? flight.source : flight.destination;
    return (address >= from && address <= to) !== inverted;
  };
}
