/**
 * `-m u32`: tests of four bytes of the packet.
 *
 *     --u32 "6 & 0xFF = 17 && 2 & 0xFFFF = 0x100:0x200"   →   @nh,48,32 & 0xff == 0x11 @nh,16,32 & 0xffff == 0x100-0x200
 *     --u32 "0 >> 22 & 0x3C @ 4 >> 16 = 80"               →   @th,32,32 & 0xffff0000 == 0x500000
 *
 * nft 1.0.6 fails on shifts of raw payload, so shifts move to the mask and the values. Of the jumps (`@`) two are known: over the
 * IPv4 header, and from there over the TCP header.
 *
 * man iptables-extensions, section "u32".
 */

import { binary, compare, hex, match, meta, number, oneOf, range, type Expression, type Statement } from "../../nft/ast.js";
import { defineMatch, Invalid, type Remark, type ValueParser } from "../extension.js";
import { parseInteger } from "../values/number.js";
import { bytesAt, lastPayloadOffset } from "../values/raw-payload.js";

const largest = 0xffffffff;
const wholeMask = 0xffffffffn;

interface Step {
  readonly operator: "&" | "<<" | ">>" | "@";
  readonly operand: number;
}
interface Bounds {
  readonly from: number;
  readonly to: number;
}
interface Test {
  readonly start: number;
  readonly steps: readonly Step[];
  readonly values: readonly Bounds[];
}

const program: ValueParser<readonly Test[]> = (text) => {
  const tests: Test[] = [];
  for (const part of text.split("&&")) {
    const sides = part.split("=");
    const [location = "", wanted = ""] = sides;
    if (sides.length !== 2) return new Invalid(`"${part.trim()}" is not "location = value"`);
    const words = location.match(/<<|>>|[&@]|[^\s&@<>]+|[<>]/g) ?? [];
    const numbers = words.filter((_, index) => index % 2 === 0).map(parseWord);
    const operators = words.filter((_, index) => index % 2 === 1);
    const values = wanted.split(",").map((value) => {
      const [from = "", to = from, ...more] = value.split(":").map((side) => side.trim());
      return more.length > 0 ? undefined : [parseWord(from), parseWord(to)];
    });
    if (words.length % 2 === 0 || numbers.includes(undefined)) return new Invalid(`"${location.trim()}" is not a location`);
    if (numbers.length > 10 || values.length > 10) return new Invalid("more than 10 numbers in a location or ranges in a value");
    const bounds: Bounds[] = [];
    for (const value of values) {
      const [from, to] = value ?? [];
      if (from === undefined || to === undefined) return new Invalid(`"${wanted.trim()}" is not a list of values`);
      bounds.push({ from, to });
    }
    const steps: Step[] = [];
    for (const [index, operator] of operators.entries()) {
      if (operator !== "&" && operator !== "<<" && operator !== ">>" && operator !== "@")
        return new Invalid(`"${operator}" is not an operator`);
      const operand = numbers[index + 1]!;
      if ((operator === "<<" || operator === ">>") && operand > 31) return new Invalid(`a shift by ${operand} bits`);
      steps.push({ operator, operand });
    }
    tests.push({ start: numbers[0]!, steps, values: bounds });
  }
  return tests.length > 10 ? new Invalid("more than 10 tests") : tests;
};

function parseWord(word: string): number | undefined {
  const value = parseInteger(word);
  return value === undefined || value > BigInt(largest) ? undefined : Number(value);
}

/** Four bytes of the packet, a mask over them, and how far to the left the masked bytes are moved (to the right if negative). */
interface Location {
  readonly base: "nh" | "th" | "ih";
  readonly offset: number;
  readonly mask: bigint;
  readonly shift: number;
}

function isSteps(steps: readonly Step[], expected: string): boolean {
  return steps.map(({ operator, operand }) => `${operator}${operand}`).join(" ") === expected;
}

/** Reads the jumps at the front and folds the rest into one mask and one shift; `undefined` for any other jump. */
function locate(test: Test): Location | undefined {
  let base: Location["base"] = "nh";
  let offset = test.start;
  let steps = test.steps;
  for (
    let jumpAt = steps.findIndex(({ operator }) => operator === "@");
    jumpAt !== -1;
    jumpAt = steps.findIndex(({ operator }) => operator === "@")
  ) {
    const way = steps.slice(0, jumpAt);
    if (base === "nh" && offset === 0 && isSteps(way, ">>22 &60")) base = "th";
    else if (base === "th" && offset === 12 && isSteps(way, ">>26 &60")) base = "ih";
    else return undefined;
    offset = steps[jumpAt]!.operand;
    steps = steps.slice(jumpAt + 1);
  }
  let mask = wholeMask;
  let shift = 0;
  // Bits that a shift pushes out of the 32 are no longer part of the value: the mask loses them where they stand in the packet.
  const moved = (value: bigint): bigint => (shift >= 0 ? value << BigInt(shift) : value >> BigInt(-shift));
  const movedBack = (value: bigint): bigint => (shift >= 0 ? value >> BigInt(shift) : value << BigInt(-shift));
  for (const { operator, operand } of steps) {
    if (operator === "&") mask &= movedBack(moved(mask) & BigInt(operand));
    else {
      shift += operator === "<<" ? operand : -operand;
      mask &= movedBack(moved(mask) & wholeMask);
    }
  }
  return { base, offset, mask, shift };
}

/** The values as those of the masked bytes where they stand in the packet, sorted and merged; empty if none can occur. */
function valuesInPlace({ mask, shift }: Location, values: readonly Bounds[]): { from: bigint; to: bigint }[] {
  const places: { from: bigint; to: bigint }[] = [];
  for (const value of values) {
    let [from, to] = [BigInt(value.from), BigInt(value.to)];
    if (shift >= 0) [from, to] = [(from + (1n << BigInt(shift)) - 1n) >> BigInt(shift), to >> BigInt(shift)];
    else [from, to] = [from << BigInt(-shift), ((to + 1n) << BigInt(-shift)) - 1n];
    if (to > mask) to = mask;
    if (from > to || (from === to && (from & ~mask) !== 0n)) continue;
    places.push({ from, to });
  }
  places.sort((a, b) => (a.from < b.from ? -1 : a.from > b.from ? 1 : 0));
  const merged: { from: bigint; to: bigint }[] = [];
  for (const place of places) {
    const last = merged.at(-1);
    if (last && place.from <= last.to + 1n) last.to = last.to > place.to ? last.to : place.to;
    else merged.push(place);
  }
  return merged;
}

function testStatement(location: Location, places: readonly { from: bigint; to: bigint }[], inverted: boolean): Statement {
  const field = bytesAt(location.base, location.offset, 4);
  const left: Expression = location.mask === wholeMask ? field : binary(field, "&", hex(location.mask));
  return match(
    left,
    oneOf(
      places.map(({ from, to }) => {
        // Bits below the mask are zero, so a single value may be written as one.
        const single = from === to || ((from & location.mask) === from && (to & location.mask) === from);
        return single ? hex(from) : range(hex(from), hex(to));
      }),
    ),
    inverted,
  );
}

export const u32 = defineMatch({
  name: "u32",
  options: { u32: { value: program, invertible: true, required: true } },
  facts: {
    reads: ["packet", "tos", "ttl", "addresses"],
    condition: [],
    played: true,
  },
  translate({ u32: use }, context) {
    if (!use) return { never: "no test is given" };
    const tests: { location: Location; places: { from: bigint; to: bigint }[] }[] = [];
    let isTcp = context.protocol === 6;
    let isWhole = false;
    const approximations: Remark[] = [];
    for (const test of use.value) {
      const location = locate(test);
      if (!location || (location.base !== "nh" && context.family === "ipv6")) {
        return {
          untranslatable: "nft cannot take an offset from the packet, except over the IPv4 and TCP headers",
          help: "name the header's field instead, as in: udp dport 53",
          at: use,
        };
      }
      if (location.base === "ih" && !isTcp) {
        return { untranslatable: "nft jumps over a TCP header only in a TCP packet, and the rule has no -p tcp", at: use };
      }
      if (location.offset > lastPayloadOffset) {
        return { untranslatable: `an offset above ${lastPayloadOffset} bytes does not load on kernels before 6.14`, at: use };
      }
      if (location.base !== "nh" && !isWhole && approximations.length === 0) {
        approximations.push({
          message:
            `later fragments of a packet ${use.inverted ? "match" : "do not match"}: nft finds no transport header in them, and iptables ` +
            "looks at whatever stands there",
          at: use,
        });
      }
      const places = valuesInPlace(location, test.values);
      const [only] = places;
      const asksFor = (start: number, mask: bigint, value: bigint): boolean =>
        location.base === "nh" &&
        location.offset === start &&
        location.mask === mask &&
        places.length === 1 &&
        only?.from === value &&
        only.to === value;
      if (asksFor(6, 0xffn, 6n) || asksFor(9, 0xff000000n, 0x06000000n)) isTcp = true;
      if (asksFor(4, 0x3fffn, 0n) || asksFor(4, 0x1fffn, 0n)) isWhole = true;
      tests.push({ location, places });
    }

    // A test that no value passes fails, if not for its value then because the packet is too short for it.
    const impossible = tests.some(({ places }) => places.length === 0);
    if (!use.inverted) {
      if (impossible) return { never: "one of the tests asks for a value that cannot occur" };
      return { statements: tests.map(({ location, places }) => testStatement(location, places, false)), approximations };
    }
    if (impossible) return { statements: [] };
    // Behind the header a packet may end anywhere, which fails a test and its inversion alike.
    if (tests.some(({ location }) => location.base !== "nh"))
      return { unless: [tests.map(({ location, places }) => testStatement(location, places, false))], approximations };
    const alternatives: Statement[][] = [];
    const before: Statement[] = [];
    for (const { location, places } of tests) {
      const end = location.offset + 4;
      // The header itself is always there; beyond it a packet may end, which iptables counts as a failed test.
      if (end > (context.family === "ipv4" ? 20 : 40)) alternatives.push([...before, compare(meta("length"), "<", number(end))]);
      const coversAll = places.length === 1 && places[0]!.from === 0n && places[0]!.to === location.mask;
      if (!coversAll) alternatives.push([...before, testStatement(location, places, true)]);
      before.push(testStatement(location, places, false));
    }
    return alternatives.length === 0 ? { never: "every packet passes all tests" } : { alternatives };
  },
});
