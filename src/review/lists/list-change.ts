/** What changed about a list, with its effect in numbers. */

import { consequenceOf, isOfOwnHit, ownHitCounts, type ReviewedList, type ReviewedUse } from "./list-use.js";

export interface ListChange {
  readonly words: string;
  readonly direction: "opens" | "closes" | "neither";
}

/** Undefined where nothing about it changed. */
export function listChange(old: ReviewedList, current: ReviewedList): ListChange | undefined {
  if (old.meaning === current.meaning) return undefined;
  const parts = [...feeding(old, current), ...checks(old, current)];
  if (parts.length === 0) return { words: "its rules changed", direction: "neither" };
  const directions = new Set(parts.map(({ direction }) => direction).filter((one) => one !== "neither"));
  const [only] = directions;
  return {
    words: parts.map(({ words }) => words).join("; "),
    direction: directions.size === 1 ? only! : directions.size === 2 ? "opens" : "neither",
  };
}

/** What it means if a check matches less often. */
function rarer(check: ReviewedUse | undefined): ListChange["direction"] {
  const consequence = check && consequenceOf(check);
  const opens = (consequence === "stops") !== (check?.inverted ?? false);
  return consequence === undefined || consequence === "other" ? "neither" : opens ? "opens" : "closes";
}

const opposite = { opens: "closes", closes: "opens", neither: "neither" } as const;

function feeding(old: ReviewedList, current: ReviewedList): ListChange[] {
  const check = current.checks[0] ?? old.checks[0];
  if (old.sets.length > 0 && current.sets.length === 0 && current.checks.length > 0) {
    return [{ words: "no rule records hosts on it any more, so its checks never match", direction: rarer(check) }];
  }
  if (old.sets.length === 0 && current.sets.length > 0)
    return [{ words: "hosts are recorded on it now", direction: opposite[rarer(check)] }];
  return [];
}

function checks(old: ReviewedList, current: ReviewedList): ListChange[] {
  if (current.checks.length === 0 && old.checks.length > 0)
    return [{ words: "no rule asks for it any more", direction: rarer(old.checks[0]) }];
  if (old.checks.length === 0 && current.checks.length > 0)
    return [{ words: "a rule asks for it now", direction: opposite[rarer(current.checks[0])] }];
  if (old.checks.length !== current.checks.length) {
    const fewer = current.checks.length < old.checks.length;
    return [
      {
        words: `${current.checks.length} rules ask for it instead of ${old.checks.length}`,
        direction: fewer ? rarer(old.checks[0]) : opposite[rarer(current.checks[0])],
      },
    ];
  }
  const parts = old.checks.flatMap((before, index) => checkChange(before, old, current.checks[index]!, current));
  // A check that only logs has the same window, and less to say about it.
  return parts.filter(
    ({ words }, index) =>
      !parts.some((other, at) => at !== index && other.words.startsWith(words) && (other.words !== words || at < index)),
  );
}

function checkChange(before: ReviewedUse, old: ReviewedList, after: ReviewedUse, current: ReviewedList): ListChange[] {
  const parts: ListChange[] = [];
  const [ownBefore, ownAfter] = [ownHitCounts(before, old), ownHitCounts(after, current)];
  const bothFed = old.sets.length > 0 && current.sets.length > 0;
  if (before.seconds !== after.seconds || before.hits !== after.hits || (bothFed && ownBefore !== ownAfter)) {
    parts.push(windowChange(before, ownBefore, after, ownAfter));
  }
  if (before.operation !== after.operation && before.inverted === after.inverted) {
    const clears = after.operation === "rcheck";
    parts.push({
      words: clears
        ? "a host over the limit that goes on is let in again when its recorded hits are old enough: its further tries no longer " +
          "count (--update to --rcheck)"
        : "a host over the limit stays there as long as it goes on: its further tries count (--rcheck to --update)",
      direction: clears ? rarer(after) : opposite[rarer(after)],
    });
  }
  // Behind the packet's own hit it is always true.
  if (before.rttl !== after.rttl && !(isOfOwnHit(before, old) && isOfOwnHit(after, current))) {
    parts.push({
      words: after.rttl
        ? "hits count only for packets with the TTL of the host's last hit, which a sender can change at will (--rttl)"
        : "hits count whatever their TTL (no --rttl any more)",
      direction: after.rttl ? rarer(after) : opposite[rarer(after)],
    });
  }
  const [was, is] = [consequenceOf(before), consequenceOf(after)];
  if (was !== is) {
    parts.push({
      words: `a match ${consequenceWords[was]} before and ${consequenceWords[is]} now`,
      direction: was === "stops" || is === "passes" ? "opens" : "closes",
    });
  }
  return parts;
}

const consequenceWords = { stops: "stopped packets", passes: "let packets through", other: "decided nothing by itself" } as const;

function windowChange(before: ReviewedUse, ownBefore: boolean, after: ReviewedUse, ownAfter: boolean): ListChange {
  const words: string[] = [];
  if (before.seconds !== after.seconds) {
    if (before.seconds === undefined) words.push(`hits count for ${after.seconds} s now, and counted for ever`);
    else if (after.seconds === undefined) words.push(`hits count for ever now, and counted for ${before.seconds} s`);
    else words.push(`window ${after.seconds < before.seconds ? "shortened" : "lengthened"} from ${before.seconds} s to ${after.seconds} s`);
  }
  if (before.hits !== after.hits)
    words.push(`hit count ${after.hits < before.hits ? "lowered" : "raised"} from ${before.hits} to ${after.hits}`);
  if (ownBefore !== ownAfter) words.push(`a packet's own hit ${ownAfter ? "counts now, and did not" : "no longer counts"}`);
  const [passedBefore, passedAfter] = [passing(before, ownBefore), passing(after, ownAfter)];
  const [rateBefore, rateAfter] = [passedBefore / (before.seconds ?? Infinity), passedAfter / (after.seconds ?? Infinity)];
  const looser = rateAfter > rateBefore || (rateAfter === rateBefore && passedAfter > passedBefore);
  const direction = looser ? rarer(after) : opposite[rarer(after)];
  const stops = consequenceOf(after) === "stops" && !after.inverted;
  return { words: words.join(", ") + (stops ? effect(before, passedBefore, after, passedAfter) : ""), direction };
}

/** Hits of one host that get by before the check matches. */
function passing({ hits }: ReviewedUse, ownHit: boolean): number {
  return ownHit ? hits - 1 : hits;
}

function effect(before: ReviewedUse, passedBefore: number, after: ReviewedUse, passedAfter: number): string {
  if (before.seconds === undefined || after.seconds === undefined || passedBefore === 0 || passedAfter === 0) return "";
  const times = passedAfter / after.seconds / (passedBefore / before.seconds);
  const tries = `${passedBefore} in ${before.seconds} s before, ${passedAfter} in ${after.seconds} s now`;
  if (times === 1) return `, so an attacker gets as many attempts in the long run, in other bursts (${tries})`;
  return times > 1
    ? `, so an attacker gets ${rounded(times)} times the attempts (${tries})`
    : `, so an attacker gets ${rounded(times * 100)} % of the attempts (${tries})`;
}

/** Two significant digits. */
function rounded(number: number): string {
  return String(Number(number.toPrecision(2)));
}
