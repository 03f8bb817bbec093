/** Ports and services of TCP, UDP and their kin. */

import type { OptionUse } from "../../iptables/ast.js";
import { payload, type Statement } from "../../nft/ast.js";
import { Invalid, type Never, type ValueParser } from "../extension.js";
import { integer, type NumberRange } from "./number.js";
import { rangeTest } from "./range.js";
import { services } from "./services.js";
import { onePort, uniform } from "./uniform.js";

export { rangeExpression } from "./range.js";

const portNumber = integer(0, 65535);

/** A port number or the name of a service. */
export const port: ValueParser<number> = (text, context) => {
  const value = portNumber(text, context);
  if (!(value instanceof Invalid) || /^[0-9]+$/.test(text)) return value;
  return services.get(text) ?? new Invalid(`"${text}" is neither a port nor a known service`);
};

/** What iptables compares of the ports of a match: every port where none are written. */
export function comparedPorts({
  "source-port": source,
  "destination-port": destination,
}: Readonly<Partial<Record<"source-port" | "destination-port", OptionUse<NumberRange>>>>): unknown {
  return [source, destination].map((use) => [use?.value ?? { from: 0, to: 65535 }, use?.inverted ?? false]);
}

/**
 * `port` or `from:to`; a missing end is 0 or 65535. One that runs backwards holds no port: for udp and dccp iptables 1.8.7 and 1.8.9
 * take it, for tcp and sctp only older ones did, but the kernel holds what they left.
 */
export const portRange = uniform<NumberRange>((text, context) => {
  const [first = "", second, ...more] = text.split(":");
  if (more.length > 0) return new Invalid(`"${text}" is not a range of ports`);
  const from = first === "" && second !== undefined ? 0 : port(first, context);
  const to = second === undefined ? from : second === "" ? 65535 : port(second, context);
  if (from instanceof Invalid) return from;
  if (to instanceof Invalid) return to;
  return { from, to };
}, onePort);

type PortUse = OptionUse<NumberRange> | undefined;

/** The tests of source and destination ports that `tcp`, `udp`, `sctp` and `dccp` share. */
export function portTests(protocol: string, source: PortUse, destination: PortUse): (Statement | Never)[] {
  const tests: (Statement | Never)[] = [];
  if (source) tests.push(rangeTest(payload(protocol, "sport"), source.value, source.inverted, 65535));
  if (destination) tests.push(rangeTest(payload(protocol, "dport"), destination.value, destination.inverted, 65535));
  return tests;
}
