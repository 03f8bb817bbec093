/** What the search needs of a firewall in virtual time, whatever it is made of. */

import type { Outcome, Packet } from "./packet.js";

/** @typeParam State what it remembers at one moment */
export interface Firewall<State = unknown> {
  /** Forgets all hosts and counts. */
  reset(): void;
  save(): State;
  restore(state: State): void;
  /** Sends one packet through all hooks of its path. */
  send(packet: Packet): Outcome;
  /**
   * What it remembers as text, the same for states that go on in the same way from `time` on, in ticks.
   * @param horizon ticks after which no rule cares any more how old a stamp is
   */
  describeState(time: number, horizon: number): string;
  /** Stamps of a list of `recent`, in ticks; none where it keeps no stamps. */
  allStamps(list: string): readonly number[];
  /** When what it remembers runs out by itself, in ticks, after `time`. */
  expiries(time: number): readonly number[];
}
