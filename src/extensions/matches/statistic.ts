/**
 * `-m statistic`: a share of the packets, at random or by turns.
 *
 *     -m statistic --mode random --probability 0.25             →   numgen random mod 4 0
 *     -m statistic --mode random --probability 0.33333333349    →   numgen random mod 2147483648 < 715827883
 *     -m statistic --mode nth --every 3 --packet 1              →   numgen inc mod 3 1
 *
 * The kernel draws 31 random bits and compares them with the probability times 2^31, rounded: the same fraction is written.
 * A counter of turns belongs to its rule on both sides, and packet `--packet` (from 0) of every round matches.
 *
 * man iptables-extensions, section "statistic".
 */

import { compare, match, number } from "../../nft/ast.js";
import { defineMatch, Invalid, type MatchTranslation, type ValueParser } from "../extension.js";
import { integer } from "../values/number.js";
import { oneOfWords } from "../values/text.js";

const whole = 2 ** 31;

/** The probability times 2^31. */
const probability: ValueParser<number> = (text) => {
  const value = /^(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:e[+-]?[0-9]+)?$/i.test(text) ? Number(text) : Number.NaN;
  return value >= 0 && value <= 1 ? Math.round(value * whole) : new Invalid(`"${text}" is not between 0 and 1`);
};

function randomTest(share: number, inverted: boolean): MatchTranslation {
  if (share === 0 || share === whole) {
    return (share === whole) !== inverted ? { statements: [] } : { never: "the probability is 0" };
  }
  let [below, modulus] = [share, whole];
  while (below % 2 === 0) [below, modulus] = [below / 2, modulus / 2];
  const draw = { kind: "numgen", mode: "random", modulus } as const;
  return { statements: [below === 1 ? match(draw, number(0), inverted) : compare(draw, inverted ? ">=" : "<", number(below))] };
}

const mode = oneOfWords(["random", "nth"]);
const count = integer(1, 4294967295);
const initial = integer(0, 4294967294);

export const statistic = defineMatch({
  name: "statistic",
  options: {
    mode: { value: mode, required: true },
    probability: { value: probability, invertible: true, excludes: ["every", "packet"] },
    every: { value: count, invertible: true, excludes: ["probability"] },
    packet: { value: initial, excludes: ["probability"] },
  },
  check({ mode: modeUse, probability: share, every, packet }) {
    if (modeUse?.value === "random") return share ? undefined : new Invalid("mode random needs --probability");
    if (!every) return new Invalid("mode nth needs --every");
    return packet && packet.value >= every.value ? new Invalid("--packet must be below --every") : undefined;
  },
  facts: {
    reads: ({ probability: share }) => (share ? ["chance"] : [{ memory: "turns" }]),
    condition: [],
    played: ({ probability: share }) => (share ? "it decides by chance" : true),
    recollection: ({ every, packet }) =>
      every && { kind: "turn", every: every.value, position: packet?.value ?? 0, inverted: every.inverted },
    // As if both drew the same number.
    implies: ({ probability: first }, { probability: second }) =>
      first !== undefined &&
      second !== undefined &&
      (first.inverted ? whole - first.value : first.value) <= (second.inverted ? whole - second.value : second.value),
    words: ({ probability: share, every, packet }) =>
      share
        ? `chance picks it (probability ${share.text})`
        : every && `it is one of every ${every.value} packets (the one at ${packet?.value ?? 0}, counted from 0)`,
  },
  translate({ probability: share, every, packet }): MatchTranslation {
    if (share) return randomTest(share.value, share.inverted);
    if (!every || every.value === 1) return every?.inverted ? { never: "every packet is excluded" } : { statements: [] };
    return { statements: [match({ kind: "numgen", mode: "inc", modulus: every.value }, number(packet?.value ?? 0), every.inverted)] };
  },
});
