/**
 * `-m dccp`: ports and packet types of DCCP.
 *
 *     -p dccp -m dccp --dport 5001 --dccp-types REQUEST,RESPONSE   →   dccp dport 5001 dccp type { request, response }
 *
 * man iptables-extensions, section "dccp".
 */

import { match, number, oneOf, payload, symbol, type Expression } from "../../nft/ast.js";
import { defineMatch, Invalid, type MatchTranslation, type ValueParser } from "../extension.js";
import { portFieldTests } from "../facts.js";
import { integer } from "../values/number.js";
import { portRange, portTests } from "../values/port.js";
import { allOf } from "../values/range.js";

/** In the order of their numbers, from 0; `invalid` is number 10 and has no word in nft. */
const types = ["request", "response", "data", "ack", "dataack", "closereq", "close", "reset", "sync", "syncack", "invalid"] as const;

const typeList: ValueParser<readonly number[]> = (text) => {
  const found = new Set<number>();
  for (const part of text.toLowerCase().split(",")) {
    const type = types.findIndex((word) => word === part);
    if (type === -1) return new Invalid(`"${part}" is not a DCCP packet type`);
    found.add(type);
  }
  return [...found].sort((a, b) => a - b);
};

const typeExpression = (type: number): Expression => (type === 10 ? number(type) : symbol(types[type] ?? "request"));
const option = integer(1, 255);

export const dccp = defineMatch({
  name: "dccp",
  protocols: [33],
  options: {
    "source-port": { aliases: ["sport"], value: portRange, invertible: true },
    "destination-port": { aliases: ["dport"], value: portRange, invertible: true },
    "dccp-types": { value: typeList, invertible: true },
    "dccp-option": { value: option, invertible: true },
  },
  facts: {
    reads: ["transport"],
    condition: portFieldTests,
    played: true,
  },
  translate(options): MatchTranslation {
    const { "source-port": source, "destination-port": destination, "dccp-types": packetTypes, "dccp-option": dccpOption } = options;
    if (dccpOption) return { untranslatable: "nft 1.0.6 does not see DCCP options", at: dccpOption };
    const statements = allOf([
      ...portTests("dccp", source, destination),
      packetTypes && match(payload("dccp", "type"), oneOf(packetTypes.value.map(typeExpression)), packetTypes.inverted),
    ]);
    return Array.isArray(statements) ? { statements } : statements;
  },
});
