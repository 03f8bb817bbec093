/**
 * `-m multiport`: up to fifteen ports, a range counting as two.
 *
 *     -p tcp -m multiport --dports 22,80,8000:8080   →   tcp dport { 22, 80, 8000-8080 }
 *     -p udp -m multiport --ports 53,123             →   udp sport { 53, 123 }   or   udp sport != { 53, 123 } udp dport { 53, 123 }
 *
 * man iptables-extensions, section "multiport".
 */

import { match, oneOf, payload, type Expression } from "../../nft/ast.js";
import { defineMatch, Invalid, type MatchTranslation } from "../extension.js";
import { rangesTest } from "../facts.js";
import type { NumberRange } from "../values/number.js";
import { port } from "../values/port.js";
import { rangeExpression } from "../values/range.js";
import { onePort, severalPorts, uniform } from "../values/uniform.js";

const maximumPorts = 15;

const portList = uniform<readonly NumberRange[]>(
  (text, context) => {
    const ranges: NumberRange[] = [];
    let count = 0;
    for (const item of text.split(",")) {
      const [first = "", second, ...more] = item.split(":");
      if (more.length > 0) return new Invalid(`"${item}" is not a range of ports`);
      const from = port(first, context);
      const to = second === undefined ? from : port(second, context);
      if (from instanceof Invalid) return from;
      if (to instanceof Invalid) return to;
      if (second !== undefined && from >= to) return new Invalid(`the range of ports "${item}" does not run upwards`);
      ranges.push({ from, to });
      count += second === undefined ? 1 : 2;
    }
    return count > maximumPorts ? new Invalid(`more than ${maximumPorts} ports (a range counts as two)`) : ranges;
  },
  onePort,
  severalPorts,
);

/** The same ports without overlaps, which a set with intervals cannot hold; in the order given if there are none. */
function disjoint(ranges: readonly NumberRange[]): readonly NumberRange[] {
  const merged: { from: number; to: number }[] = [];
  for (const { from, to } of [...ranges].sort((a, b) => a.from - b.from)) {
    const last = merged.at(-1);
    if (last && from <= last.to) last.to = Math.max(last.to, to);
    else merged.push({ from, to });
  }
  return merged.length === ranges.length ? ranges : merged;
}

const protocolWords: Readonly<Record<number, string>> = { 6: "tcp", 17: "udp", 33: "dccp", 132: "sctp", 136: "udplite" };

export const multiport = defineMatch({
  name: "multiport",
  options: {
    "source-ports": {
      aliases: ["sports", "source-port", "sport"],
      value: portList,
      invertible: true,
      excludes: ["destination-ports", "ports"],
    },
    "destination-ports": {
      aliases: ["dports", "destination-port", "dport"],
      value: portList,
      invertible: true,
      excludes: ["source-ports", "ports"],
    },
    ports: { aliases: ["port"], value: portList, invertible: true, excludes: ["source-ports", "destination-ports"] },
  },
  check(options, { protocol }) {
    if (protocol === undefined || protocolWords[protocol] === undefined) {
      return new Invalid("needs -p tcp, udp, udplite, sctp or dccp");
    }
    return options["source-ports"] || options["destination-ports"] || options.ports ? undefined : new Invalid("needs an option");
  },
  facts: {
    reads: ["transport"],
    condition: (options) =>
      (
        [
          ["source-ports", ["sourcePort"]],
          ["destination-ports", ["destinationPort"]],
          ["ports", ["sourcePort", "destinationPort"]],
        ] as const
      ).flatMap(([name, fields]) => (options[name] ? [rangesTest(fields, options[name], options[name].value)] : [])),
    played: true,
  },
  translate(options, { protocol }): MatchTranslation {
    const word = protocol === undefined ? undefined : protocolWords[protocol];
    const use = options["source-ports"] ?? options["destination-ports"] ?? options.ports;
    if (word === undefined || use === undefined) return { untranslatable: "it has no protocol with ports" };
    const source = payload(word, "sport");
    const destination = payload(word, "dport");
    const ports: Expression = oneOf(disjoint(use.value).map(rangeExpression));
    if (use !== options.ports) return { statements: [match(options["source-ports"] ? source : destination, ports, use.inverted)] };
    if (use.inverted) return { statements: [match(source, ports, true), match(destination, ports, true)] };
    return { alternatives: [[match(source, ports)], [match(source, ports, true), match(destination, ports)]] };
  },
});
