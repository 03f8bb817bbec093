/** Which packets of a region two forms of a table decide differently. */

import { intersect, type Answer, type Box, type RecentQuestion } from "../packets/box.js";
import { Effort, follow, TooManyPieces, type FollowedTable } from "../packets/paths.js";

export interface Difference {
  /** Dropped before, accepted now. */
  readonly opens: readonly Box[];
  /** Accepted before, dropped now. */
  readonly closes: readonly Box[];
}

/** Comparisons for one region on one side: about a tenth of a second. */
const effortPerRegion = 100_000;

/**
 * Sends the region into a built-in chain of both tables; undefined where that takes too many pieces. A missing table accepts
 * everything.
 */
export function differenceIn(
  region: Box,
  chain: string,
  old: FollowedTable | undefined,
  current: FollowedTable | undefined,
): Difference | undefined {
  try {
    const [before, after] = [old, current].map((table) =>
      table ? follow([region], chain, table, new Effort(effortPerRegion)) : { accepted: [region], dropped: [], elsewhere: [], back: [] },
    );
    const [acceptedBefore, acceptedAfter] = [
      [...before!.accepted, ...before!.back],
      [...after!.accepted, ...after!.back],
    ];
    return { opens: common(acceptedAfter, before!.dropped), closes: common(after!.dropped, acceptedBefore) };
  } catch (error) {
    if (error instanceof TooManyPieces) return undefined;
    throw error;
  }
}

function common(a: readonly Box[], b: readonly Box[]): Box[] {
  return a.flatMap((left) =>
    b.flatMap((right) => {
      const both = intersect(left, right);
      return both && isPossible(both) ? [both] : [];
    }),
  );
}

/** Whether the answers about lists go together: who has 4 hits in 10 s has 4 in 60 s. */
export function isPossible({ tests }: Box): boolean {
  const answers = [...(tests?.values() ?? [])].filter((answer): answer is Required<Answer> => answer.question !== undefined);
  return !answers.some((yes) => yes.holds && answers.some((no) => !no.holds && implies(yes.question, no.question)));
}

/** Whether a host for which the first holds is one for which the second does. */
export function implies(first: RecentQuestion, second: RecentQuestion): boolean {
  return (
    first.list === second.list &&
    first.side === second.side &&
    (first.rttl || !second.rttl) &&
    first.hits >= second.hits &&
    (second.seconds === undefined || (first.seconds !== undefined && first.seconds <= second.seconds))
  );
}
