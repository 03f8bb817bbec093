/**
 * Which rules of a long chain a packet can match at all, remembered for packets that look alike to every test that asks the packet alone.
 * A search sends the same few packets at thousands of moments: only lists, sets and limits answer otherwise then.
 */

import type { Flight } from "./packet.js";

/** Chains of so few rules are run as they stand: to look a packet up costs more. */
const fewRules = 16;
/** Packets remembered for one chain. */
const mostShapes = 500;

type FlightField = "source" | "destination" | "sourcePort" | "destinationPort";

/** A field of the packet, and the one value that a test of a rule allows for it. */
export interface WantedValue {
  readonly field: FlightField;
  readonly value: bigint | number;
}

/** The tests of a rule in front of everything that remembers or changes something. */
export interface Front {
  /** They ask the flight alone, and not its time. */
  readonly tests: readonly ((flight: Flight) => boolean)[];
  /** What one of the tests wants, where that is a single value. */
  readonly wanted?: WantedValue | undefined;
}

export class Passing {
  private readonly all: readonly number[];
  /** Rules that want one value of a field, by that value: a packet is held only against those with its own. */
  private readonly byValue = new Map<FlightField, Map<bigint | number, number[]>>();
  private readonly others: readonly number[];
  private readonly known = new Map<string, readonly number[]>();

  /**
   * @param counter whose `asked` grows by each rule that a packet is held against
   */
  constructor(
    private readonly fronts: readonly Front[],
    private readonly counter: { asked: number },
  ) {
    this.all = [...fronts.keys()];
    this.others = this.all.filter((index) => {
      const { wanted } = fronts[index]!;
      if (!wanted) return true;
      let values = this.byValue.get(wanted.field);
      if (!values) this.byValue.set(wanted.field, (values = new Map<bigint | number, number[]>()));
      const known = values.get(wanted.value);
      if (known) known.push(index);
      else values.set(wanted.value, [index]);
      return false;
    });
  }

  /** The rules whose fronts hold, as their places in the chain. */
  of(flight: Flight): readonly number[] {
    if (this.all.length < fewRules) return this.all;
    const { shape } = flight;
    let found = this.known.get(shape);
    if (!found) {
      const candidates = [...this.byValue].flatMap(([field, values]) => values.get(flight[field]) ?? []);
      this.counter.asked += candidates.length + this.others.length;
      found = [...candidates, ...this.others]
        .filter((index) => this.fronts[index]!.tests.every((test) => test(flight)))
        .sort((a, b) => a - b);
      if (this.known.size >= mostShapes) this.known.clear();
      this.known.set(shape, found);
    }
    return found;
  }
}
