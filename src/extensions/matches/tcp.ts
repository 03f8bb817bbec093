/**
 * `-m tcp`: ports, flags and options of TCP.
 *
 *     -p tcp -m tcp --dport 22 --tcp-flags FIN,SYN,RST,ACK SYN   →   tcp dport 22 tcp flags & (fin | syn | rst | ack) == syn
 *
 * man iptables-extensions, section "tcp".
 */

import { binary, exists, hex, match, payload, symbol, type Expression, type Statement } from "../../nft/ast.js";
import { defineMatch, Invalid, type Never, type ValueParser } from "../extension.js";
import { bitsTests, portFieldTests, rangesTest } from "../facts.js";
import { firstTcpFlags, flagBits, opening } from "../values/tcp-flags.js";
import { integer } from "../values/number.js";
import { comparedPorts, portRange, portTests } from "../values/port.js";
import { allOf } from "../values/range.js";

type Flag = (typeof firstTcpFlags)[number];

interface FlagTest {
  readonly mask: readonly Flag[];
  readonly set: readonly Flag[];
}

function parseFlagList(text: string): readonly Flag[] | Invalid {
  const flags = new Set<string>();
  for (const word of text.toLowerCase().split(",")) {
    if (word === "all") firstTcpFlags.forEach((flag) => flags.add(flag));
    else if (firstTcpFlags.some((flag) => flag === word)) flags.add(word);
    else if (word !== "none" && word !== "") return new Invalid(`"${word}" is not a TCP flag`);
  }
  return firstTcpFlags.filter((flag) => flags.has(flag));
}

const flagTest: ValueParser<FlagTest> = (text) => {
  const [maskText = "", setText = ""] = text.split(" ");
  const mask = parseFlagList(maskText);
  const set = parseFlagList(setText);
  if (mask instanceof Invalid) return mask;
  if (set instanceof Invalid) return set;
  return { mask, set };
};

function flags(names: readonly Flag[]): Expression {
  const [first, ...rest] = names.map((name): Expression => symbol(name));
  return first === undefined ? hex(0) : rest.reduce((all, flag) => binary(all, "|", flag), first);
}

function testFlags({ mask, set }: FlagTest, inverted: boolean): Statement | Never | undefined {
  const impossible = set.some((flag) => !mask.includes(flag));
  if (impossible || mask.length === 0) {
    return impossible === inverted ? undefined : { never: "the flags tested cannot have that value" };
  }
  return match(binary(payload("tcp", "flags"), "&", flags(mask)), flags(set), inverted);
}

export const tcp = defineMatch({
  name: "tcp",
  protocols: [6],
  options: {
    "source-port": { aliases: ["sport"], value: portRange, invertible: true },
    "destination-port": { aliases: ["dport"], value: portRange, invertible: true },
    "tcp-flags": { value: flagTest, words: 2, invertible: true },
    syn: { invertible: true, excludes: ["tcp-flags"] },
    "tcp-option": { value: integer(1, 255), invertible: true },
  },
  compared: ({ syn, "tcp-flags": tested, ...options }) => {
    const { "tcp-option": option } = options;
    const opens: FlagTest = { mask: ["fin", "syn", "rst", "ack"], set: ["syn"] };
    const flagsTested = tested?.value ?? (syn ? opens : undefined);
    return [comparedPorts(options), flagsTested, (tested ?? syn)?.inverted, option?.value, option?.inverted];
  },
  facts: {
    reads: ["transport"],
    condition: (options) => {
      const { syn, "tcp-flags": tested, "tcp-option": option } = options;
      return [
        ...portFieldTests(options),
        ...bitsTests("tcpFlags", tested && { ...tested, value: { value: flagBits(tested.value.set), mask: flagBits(tested.value.mask) } }),
        ...bitsTests("tcpFlags", syn && { ...syn, value: opening }),
        ...(option ? [rangesTest("tcpOption", option, [{ from: option.value, to: option.value }])] : []),
      ];
    },
    played: true,
  },
  translate(options) {
    const { "source-port": source, "destination-port": destination, "tcp-flags": tcpFlags, syn, "tcp-option": option } = options;
    const statements = allOf([
      ...portTests("tcp", source, destination),
      tcpFlags && testFlags(tcpFlags.value, tcpFlags.inverted),
      syn && testFlags({ mask: ["fin", "syn", "rst", "ack"], set: ["syn"] }, syn.inverted),
    ]);
    if (!Array.isArray(statements)) return statements;
    if (option) statements.push(exists({ kind: "tcp-option", option: String(option.value) }, !option.inverted));
    if (option?.value !== 1) return { statements };
    return { statements, approximations: [{ message: "nft does not see a no-operation in the last byte of the options", at: option }] };
  },
});
