/** Choices at random among what the surroundings offer. */

import type { AddressMask } from "../../iptables/ast.js";
import type { Random } from "../../random.js";
import { hostBehind, hostBitsOf, hostNumbers, type Net, type Needs } from "./net.js";

export interface Range<Value> {
  readonly from: Value;
  readonly to: Value;
}

export class Chooser {
  private nextPort: number;
  private nextHost = 0;

  /** `needs` is what the packets chosen so far ask of the surroundings. */
  constructor(
    readonly random: Random,
    readonly net: Net,
    public needs: Needs,
  ) {
    this.nextPort = 20_000 + Math.floor(random() * 10_000);
  }

  chance(probability: number): boolean {
    return this.random() < probability;
  }

  number(from: number, to: number): number {
    return from + Math.floor(this.random() * (to - from + 1));
  }

  pick<Value>(values: readonly Value[]): Value {
    return values[Math.floor(this.random() * values.length)]!;
  }

  /** A port that no packet had for a while, so that each packet is a connection of its own. */
  port(): number {
    this.nextPort = this.nextPort >= 60_000 ? 20_000 : this.nextPort + 1;
    return this.nextPort;
  }

  /** A host that no packet came from so far, unless all have sent. */
  source(interfaceName: string): bigint {
    const { first, last } = hostNumbers;
    this.nextHost += 1;
    return hostBehind(this.net, this.indexOf(interfaceName), first + (this.nextHost % (last - first)));
  }

  /** Some host behind an interface that only receives. */
  destination(interfaceName: string): bigint {
    return hostBehind(this.net, this.indexOf(interfaceName), this.number(5, 15));
  }

  /** An address of the network; small numbers, so that lists do not run over. */
  within(value: AddressMask): bigint {
    const bits = hostBitsOf(value);
    return value.address | (BigInt(this.chance(0.8) ? this.number(1, 9) : 0) & bits);
  }

  /** An address just outside of the network. */
  outside(value: AddressMask): bigint {
    const bits = value.mask
      .toString(2)
      .split("")
      .reverse()
      .flatMap((bit, index) => (bit === "1" ? [BigInt(index)] : []));
    return bits.length === 0 ? value.address : this.within(value) ^ (1n << (this.chance(0.6) ? bits[0]! : this.pick(bits.slice(0, 20))));
  }

  /** A number in one of the ranges, or just outside of all. */
  inRanges(ranges: readonly Range<number>[], inside: boolean, maximum: number, minimum = 0): number | undefined {
    const holds = (value: number): boolean => ranges.some(({ from, to }) => value >= from && value <= to);
    const candidates = inside
      ? ranges
          .map(({ from, to }) => [Math.max(from, minimum), Math.min(to, maximum)] as const)
          .flatMap(([from, to]) => [from, to, this.number(from, to)])
      : ranges.flatMap(({ from, to }) => [from - 1, to + 1]).concat(minimum, maximum, this.number(minimum, maximum));
    const fitting = candidates.filter((value) => value >= minimum && value <= maximum && holds(value) === inside);
    return fitting.length === 0 ? undefined : this.pick(fitting);
  }

  /** A number of so many bits whose bits under the mask are those of the value, or not all. */
  masked({ value, mask }: { readonly value: number; readonly mask: number }, holds: boolean, bits: number, before = 0): number {
    const all = 2 ** bits - 1;
    const good = (((before & ~mask) | (value & mask)) >>> 0) & all;
    if (holds) return good;
    const set = Array.from({ length: bits }, (_, bit) => bit).filter((bit) => (mask >>> bit) & 1);
    return set.length === 0 ? good : ((good ^ (1 << this.pick(set))) >>> 0) & all;
  }

  private indexOf(interfaceName: string): number {
    return Math.max(
      0,
      this.net.interfaces.findIndex(({ name }) => name === interfaceName),
    );
  }
}
