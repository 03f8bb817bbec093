/**
 * `-m quota`: matches until so many bytes have passed.
 *
 *     -m quota --quota 1000000     →   quota 1000000 bytes
 *     -m quota ! --quota 1000000   →   quota over 1000000 bytes
 *
 * Both sides count the packet that is too large for the rest as passed, so nothing small slips in after it. Kernels before
 * 6.11 end an nft quota one byte earlier.
 *
 * man iptables-extensions, section "quota".
 */

import { defineMatch, Invalid, type ValueParser } from "../extension.js";
import { parseInteger } from "../values/number.js";

/** nft keeps quotas in signed 64-bit numbers. */
const largestQuota = (1n << 63n) - 1n;

const bytes: ValueParser<bigint> = (text) => {
  const value = parseInteger(text);
  return value === undefined || value >= 1n << 64n ? new Invalid(`"${text}" is not a number of bytes`) : value;
};

export const quota = defineMatch({
  name: "quota",
  options: { quota: { value: bytes, invertible: true, required: true } },
  facts: {
    reads: [{ memory: "quota" }],
    condition: [],
    played: true,
    growsWithUse: ({ quota: use }) => use?.inverted ?? false,
    implies: ({ quota: first }, { quota: second }) =>
      first !== undefined &&
      second !== undefined &&
      first.inverted === second.inverted &&
      (first.inverted ? first.value >= second.value : first.value <= second.value),
    words: ({ quota: use }) => use && `the rule's quota of ${use.text} bytes is not used up`,
  },
  translate({ quota: use }) {
    if (!use) return { never: "no quota is given" };
    if (use.value === 0n) return use.inverted ? { statements: [] } : { never: "a quota of 0 bytes is used up from the start" };
    const limit = use.value > largestQuota ? largestQuota : use.value;
    return { statements: [{ kind: "quota", over: use.inverted, bytes: limit }] };
  },
});
