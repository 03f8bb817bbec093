/** The type-of-service byte of IPv4, which is the traffic class of IPv6. */

import { Invalid, type ValueParser } from "../extension.js";
import { parseInteger, type ValueMask } from "./number.js";

/** The names of `iptables -m tos -h`; they stand for a value under the mask 0x3f. */
const names: ReadonlyMap<string, number> = new Map([
  ["minimize-delay", 0x10],
  ["maximize-throughput", 0x08],
  ["maximize-reliability", 0x04],
  ["minimize-cost", 0x02],
  ["normal-service", 0x00],
]);
const nameMask = 0x3f;

/** `value[/mask]` or a name in letters of either case; the mask is 0xff unless given. */
export const typeOfService: ValueParser<ValueMask> = (text) => {
  const named = names.get(text.toLowerCase());
  if (named !== undefined) return { value: named, mask: nameMask };
  const [valueText = "", maskText, ...more] = text.split("/");
  const value = parseInteger(valueText);
  const mask = maskText === undefined ? 0xffn : parseInteger(maskText);
  if (value === undefined || mask === undefined || value > 255n || mask > 255n || more.length > 0) {
    return new Invalid(`"${text}" is neither a name nor value/mask up to 255`);
  }
  return { value: Number(value), mask: Number(mask) };
};
