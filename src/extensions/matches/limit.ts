/**
 * `-m limit`: a rate with a burst, one bucket per rule.
 *
 *     -m limit --limit 5/min --limit-burst 10   →   limit rate 5/minute burst 10 packets
 *
 * Both sides are token buckets of the same size, xt_limit's in ticks of the kernel's clock, nft's in nanoseconds. iptables
 * and xt_limit round the time one packet costs (libxt_limit.c to 0.1 ms, net/netfilter/xt_limit.c to 1/32000 s, or to whole
 * seconds above 13 s): where that moves the rate by more than a thousandth, the rounded rate is written. Their 32-bit
 * product of cost and burst may wrap; then the burst that is left is written.
 *
 * man iptables-extensions, section "limit".
 */

import type { OptionUse } from "../../iptables/ast.js";
import type { Statement } from "../../nft/ast.js";
import { defineMatch, Invalid, type Remark, type ValueParser } from "../extension.js";
import { integer } from "../values/number.js";

const units = ["second", "minute", "hour", "day", "week"] as const;
type Unit = (typeof units)[number];
const secondsPer: Readonly<Record<Unit, number>> = { second: 1, minute: 60, hour: 3600, day: 86400, week: 604800 };

/** `cost`: what one packet takes out of the bucket, in 0.1 ms, as iptables hands it to the kernel. */
interface Rate {
  readonly count: number;
  readonly unit: Unit;
  readonly cost: number;
}

const rate: ValueParser<Rate> = (text) => {
  // Digits as atoi reads them: what follows up to the unit counts for nothing.
  const [, digits = "", unitText] = /^([0-9]+)(?:\.[0-9]*)?(?:\/?([a-z]+))?$/i.exec(text) ?? [];
  const unit = unitText === undefined ? "second" : units.slice(0, 4).find((word) => word.startsWith(unitText.toLowerCase()));
  const count = Number(digits);
  if (digits === "" || count === 0 || unit === undefined) return new Invalid(`"${text}" is not a rate`);
  if (count / secondsPer[unit] > 10000) return new Invalid(`the rate "${text}" is above 10000 packets a second`);
  return { count, unit, cost: Math.floor((10000 * secondsPer[unit]) / count) };
};

/** user2credits() of xt_limit.c for a clock of 250 or 1000 ticks: 32,000 credits a second, in 32 bits. */
function credits(cost: number): number {
  const perSecond = 32000;
  const wrapped = cost % 2 ** 32;
  return wrapped > Math.floor(0xffffffff / perSecond)
    ? (Math.floor(wrapped / 10000) * perSecond) % 2 ** 32
    : Math.floor((wrapped * perSecond) / 10000);
}

/** Of a clock of 250 ticks a second: above that rate a bucket of one packet is full again at every tick. */
const creditsPerTick = 128;

const tolerance = 1 / 1000;

/** The rate the kernel grants, in the smallest unit that holds it closely enough as a whole number. */
function grantedRate({ count, unit, cost }: Rate): { readonly rate: number; readonly unit: Unit } {
  const perSecond = 32000 / credits(cost);
  if (Math.abs(count / secondsPer[unit] / perSecond - 1) <= tolerance) return { rate: count, unit };
  for (const candidate of units) {
    const whole = Math.round(perSecond * secondsPer[candidate]);
    if (whole > 0 && Math.abs(whole / secondsPer[candidate] / perSecond - 1) <= tolerance) return { rate: whole, unit: candidate };
  }
  return { rate: Math.round(perSecond * secondsPer.week), unit: "week" };
}

const usual: Rate = { count: 3, unit: "hour", cost: 12_000_000 };
const usualBurst = 5;

/** xt_limit refuses a burst of 0, and one that its arithmetic cannot hold; iptables-nft has nft count, which takes both. */
function isRefusedByXtables(cost: number, burst: number): boolean {
  return burst === 0 || credits(cost * burst) < credits(cost);
}

/** nft reads a burst of 0 packets as the usual one. */
const burstOf = (use: OptionUse<number> | undefined): number => (use === undefined || use.value === 0 ? usualBurst : use.value);

export const limit = defineMatch({
  name: "limit",
  options: {
    limit: { value: rate },
    "limit-burst": { value: integer(0, 10000) },
  },
  compared: (options) => [options.limit?.value.cost ?? usual.cost, options["limit-burst"]?.value ?? usualBurst],
  facts: {
    reads: [{ memory: "limit" }],
    condition: [],
    played: true,
    recollection: ({ limit: use, "limit-burst": burst }) => ({
      kind: "bucket",
      burst: burstOf(burst),
      above: false,
      by: [],
      ...(use && { rate: { option: use.name, packets: use.value.count, seconds: secondsPer[use.value.unit] } }),
    }),
    growsWithUse: () => false,
    implies: (first, second) =>
      (first.limit?.value ?? usual).cost >= (second.limit?.value ?? usual).cost &&
      burstOf(first["limit-burst"]) <= burstOf(second["limit-burst"]),
    words: ({ limit: use, "limit-burst": burst }) => `the limit of ${use?.text ?? "3/hour"} in bursts of ${burstOf(burst)} is not used up`,
  },
  translate({ limit: rateUse, "limit-burst": burstUse }) {
    const wanted = rateUse?.value ?? usual;
    const wantedBurst = burstOf(burstUse);
    if (isRefusedByXtables(wanted.cost, burstUse?.value ?? usualBurst)) {
      const message = "xt_limit refuses that burst at that rate; it is written as iptables-nft writes it";
      const statement: Statement = { kind: "limit", over: false, rate: wanted.count, unit: wanted.unit, burst: wantedBurst };
      return { statements: [statement], notes: [{ message, at: burstUse ?? rateUse }] };
    }
    const granted = grantedRate(wanted);
    // What the bucket holds, in packets; not always a whole number.
    const capacity = credits(wanted.cost * wantedBurst) / credits(wanted.cost);
    const burst = Math.round(capacity);
    const approximations: Remark[] = [];
    if (granted.rate !== wanted.count || granted.unit !== wanted.unit) {
      approximations.push({
        message:
          `xt_limit rounds ${wanted.count}/${wanted.unit} to about ${granted.rate}/${granted.unit}, which is written; ` +
          "the two differ by less than 0.1 %, in either direction",
        at: rateUse,
      });
    }
    if (credits(wanted.cost) <= creditsPerTick) {
      approximations.push({
        message:
          "xt_limit fills its bucket only at ticks of the kernel's clock, nft all the time; at this rate the two differ in either " +
          "direction",
        at: rateUse,
      });
    }
    if (burst !== wantedBurst || Math.abs(capacity - burst) > 0.01) {
      const difference = capacity > burst + 0.01 ? ", so less is let through" : capacity < burst - 0.01 ? ", so more is let through" : "";
      approximations.push({
        message:
          `the kernel's arithmetic makes a burst of ${wantedBurst} at this rate one of ${Number(capacity.toFixed(2))}; ` +
          `${burst} is written${difference}`,
        at: burstUse ?? rateUse,
      });
    }
    return { statements: [{ kind: "limit", over: false, rate: granted.rate, unit: granted.unit, burst }], approximations };
  },
});
