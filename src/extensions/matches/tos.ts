/**
 * `-m tos`: the type-of-service byte (IPv4) or traffic class (IPv6), with the two bits nft's `dscp` leaves out.
 *
 *     -m tos --tos 0x10/0x3f   →   @nh,8,8 & 0x3f == 0x10           (IPv4)
 *     -m tos --tos 0x10/0x3f   →   @nh,0,16 & 0x3f0 == 0x100        (IPv6, whose class begins in mid-byte)
 *
 * man iptables-extensions, section "tos".
 */

import { defineMatch } from "../extension.js";
import { bitsTests } from "../facts.js";
import type { RawPayload } from "../../nft/ast.js";
import { maskedTest } from "../values/mask.js";
import { typeOfService } from "../values/tos.js";

const ipv4Byte: RawPayload = { kind: "raw-payload", base: "nh", offset: 8, length: 8 };
/** Version, class and four bits of the flow label: nft 1.0.6 shifts a field of 8 bits that begins at bit 4 the wrong way. */
const ipv6Word: RawPayload = { kind: "raw-payload", base: "nh", offset: 0, length: 16 };

export const tos = defineMatch({
  name: "tos",
  options: { tos: { value: typeOfService, invertible: true, required: true } },
  facts: {
    reads: ["tos"],
    condition: ({ tos: use }) => bitsTests("tos", use),
    played: true,
  },
  translate({ tos: use }, { family }) {
    if (!use) return { statements: [] };
    const { value, mask } = use.value;
    const test =
      family === "ipv4"
        ? maskedTest(ipv4Byte, { value, mask }, use.inverted, 0xff)
        : maskedTest(ipv6Word, { value: value << 4, mask: mask << 4 }, use.inverted, 0xffff);
    return test === undefined ? { statements: [] } : "kind" in test ? { statements: [test] } : test;
  },
});
