/** What a comparison on the kernel means for a case. */

import type { Difference, VerifyReport } from "../verify/verify.js";
import type { KernelResult, Problem } from "./result.js";

/**
 * A problem for each way in which packets are decided otherwise and for each rule that counts otherwise; not for what the
 * translator has announced.
 */
export function verifyProblems({ differences, counters }: Pick<VerifyReport, "differences" | "counters">): Problem[] {
  return [
    ...differences
      .filter(({ announced }) => announced === undefined)
      .map(
        (one): Problem => ({
          kind: "verify",
          message:
            `${one.count} ${one.count === 1 ? "packet is" : "packets are"} decided otherwise on the kernel: iptables ` +
            `${one.iptables}, nft ${one.nft}`,
          detail: timelineText(one),
        }),
      ),
    ...counters.differing.map(
      ({ file, line, rule, iptables, nft }): Problem => ({
        kind: "verify",
        message: `${file}:${line}: the rule counts otherwise on the kernel: iptables ${iptables}, nft ${nft}`,
        detail: `${rule}\n`,
      }),
    ),
  ];
}

/** Packets shown before the one that differs, itself included; `verify` shows all, and writes what plays them again. */
const shownPackets = 10;

function timelineText({ packet, timeline, rules }: Difference): string {
  const shown = timeline.slice(-shownPackets);
  const before = timeline.length > shown.length ? [`after ${timeline.length - shown.length} other packets`] : [];
  const sent =
    shown.length === 0
      ? [packet]
      : [...before, ...shown.map(({ at, packet: one, iptables, nft }) => `+${at.toFixed(3)} s  ${one}: iptables ${iptables}, nft ${nft}`)];
  const matched = (["iptables", "nft"] as const).flatMap((side) =>
    (rules?.[side] ?? []).map(({ file, line, rule }) => `${side} matches ${file}:${line}: ${rule}`),
  );
  return [...sent, ...matched].map((line) => `${line}\n`).join("");
}

/** The measures of the comparison. */
export function verifiedResult({
  packets,
  coverage,
  leftOut,
  notes,
}: Pick<VerifyReport, "packets" | "coverage" | "leftOut" | "notes">): KernelResult {
  return { verified: { packets, rules: coverage.rules, hit: coverage.hit, leftOut: leftOut.length }, notes };
}
