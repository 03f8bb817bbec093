/**
 * The files that xt_geoip_build of xtables-addons makes for the kernel: `CN.iv4` and `CN.iv6` hold the first and last addresses
 * of the country's ranges, one after the other. Today they stand in network byte order; older versions wrote them twice, into
 * the folders BE and LE, the latter with each word of 32 bits turned round.
 */

import type { Family } from "../iptables/ast.js";
import type { AddressRange } from "./ranges.js";

/** The ranges of one file; undefined if the bytes are not such a file. */
export function readPacked(bytes: Uint8Array, family: Family, littleEndian: boolean): AddressRange[] | undefined {
  const words = family === "ipv4" ? 1 : 4;
  const size = 4 * words;
  if (bytes.byteLength % (2 * size) !== 0) return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const address = (offset: number): bigint => {
    let value = 0n;
    for (let word = 0; word < words; word++) value = (value << 32n) | BigInt(view.getUint32(offset + 4 * word, littleEndian));
    return value;
  };
  const ranges: AddressRange[] = [];
  for (let offset = 0; offset < bytes.byteLength; offset += 2 * size) {
    const [from, to] = [address(offset), address(offset + size)];
    if (from > to) return undefined;
    ranges.push({ from, to });
  }
  return ranges;
}
