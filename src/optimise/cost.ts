/**
 * Whether a look-up is cheaper than the rules it stands for. Measured on Linux 6.18 with nft 1.0.6, in nanoseconds a packet; ratios hold
 * elsewhere, as far as is known, and a form that does not clearly gain is not chosen.
 */

import { testCosts } from "../nft/test-order.js";
import { bytesOfField, type Field } from "./fields.js";

/** What is looked up, and how. */
export interface LookUp {
  readonly fields: readonly Field[];
  /** Elements are intervals. */
  readonly intervals: boolean;
  readonly counted: boolean;
  readonly elements: number;
  /** A packet goes on behind a rule that it matches, so that it passes the whole list. */
  readonly endless: boolean;
  /** Nanoseconds of tests that it needs beside those of its rules. */
  readonly beside: number;
}

/** An address under a mask. */
const maskedAddress = 5.4;

/**
 * The test that a rule of a list mostly ends with, for a packet that it does not match.
 *
 * @param intervals the field has intervals
 * @param several a set in place holds the values
 */
export function listedTestCost(field: Field, intervals: boolean, several: boolean): number {
  const more = several ? testCosts.setInPlace : 0;
  switch (field) {
    case "source":
    case "destination":
      return (intervals ? maskedAddress : testCosts.address) + more;
    case "source6":
    case "destination6":
      return testCosts.longAddress + more;
    case "inInterface":
    case "outInterface":
      return testCosts.interface;
    case "protocol":
      return testCosts.protocol;
    case "sourcePort":
    case "destinationPort":
      return testCosts.transport + (intervals ? testCosts.range : 0) + more;
  }
}

/** A packet that finds an element. */
function costOfHit({ fields, intervals, counted, elements }: LookUp): number {
  const growth = Math.log10(Math.max(elements, 1));
  // The kernel goes through the fields one by one, and from some thousand boxes on through more and more memory.
  if (intervals && fields.length > 1) return 410 + 60 * growth + 0.1 * elements + 100 * (fields.length - 2);
  if (intervals) return 130 + 100 * growth + (counted ? 30 : 0);
  const bytes = fields.reduce((sum, field) => sum + bytesOfField[field], 0);
  if (bytes <= 2) return counted ? 205 + 10 * growth : 120;
  if (bytes === 4 && fields.length === 1) return (counted ? 130 : 95) + 15 * growth;
  return (bytes <= 8 ? 155 : 215) + 20 * growth + (counted ? 40 : 0);
}

/**
 * Whether packets that match a rule in the middle of the list gain; those that match none gain more.
 *
 * @param listed the cost of each rule of the list, together
 */
export function paysOff(lookUp: LookUp, listed: number): boolean {
  return costOfHit(lookUp) + lookUp.beside < (lookUp.endless ? listed : listed / 2);
}

/** So few rules never pay, whatever they ask for. */
export const fewestRules = 8;
