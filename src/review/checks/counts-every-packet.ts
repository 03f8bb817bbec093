/** A limit on connections whose `--set` counts packets of known connections, too. */

import { printable } from "../../diagnostic.js";
import { consequenceOf, type ReviewedUse } from "../lists/list-use.js";
import { intersect, stateBits, type Box } from "../packets/box.js";
import { conditionOf } from "../packets/condition.js";
import { arrivalAt, Effort, deepest, someArrive, TooManyPieces, type FollowedChain, type FollowedTable } from "../packets/paths.js";
import { remark, type Check, type CheckedTable } from "./check.js";

const tcp = 6n;
/** ACK and nothing else: a packet in the middle of a connection. */
const acknowledgement: Box = { protocol: [[tcp, tcp]], state: stateBits(["established"]), flags: 1n << 16n };

export const countsEveryPacket: Check = ({ tables, lists }) =>
  lists.flatMap((list) => {
    if (!list.checks.some((check) => check.hits > 1 && consequenceOf(check) === "stops")) return [];
    const set = list.sets.find((one) => {
      const table = tables.find(({ followed }) => followed.table === one.table);
      // Only the first packet of a connection comes through table nat.
      return table && one.table.name !== "nat" && countsAcknowledgements(one, table);
    });
    return set
      ? [
          remark(
            "counts-every-packet",
            set.use.span,
            `list "${printable(list.name)}" counts every packet of a connection and not only its first`,
            "let the rule match new connections only: -m conntrack --ctstate NEW, or --syn",
          ),
        ]
      : [];
  });

function countsAcknowledgements(set: ReviewedUse, { followed, entries }: CheckedTable): boolean {
  const [entry, condition] = [entries.get(set.chain.name), conditionOf(set.rule, set.family)];
  const arriving = entry && condition && intersect(entry, condition);
  const known = arriving?.destinationPort && intersect(arriving, acknowledgement);
  const chain = followed.chains.get(set.chain.name);
  if (!known || !chain) return false;
  try {
    return getsBy(
      known,
      chain.rules.findIndex(({ rule }) => rule === set.rule),
      chain,
      followed,
    );
  } catch (error) {
    if (error instanceof TooManyPieces) return false;
    throw error;
  }
}

/** Whether any of the packets comes to this rule, through the chains that lead to it. */
function getsBy(box: Box, index: number, chain: FollowedChain, table: FollowedTable, level = 0): boolean {
  if (level > deepest) throw TooManyPieces.thrown;
  const effort = new Effort(20_000);
  if (!someArrive(index, box, chain, effort) && arrivalAt(index, box, chain, table, effort).left.length === 0) return false;
  if (chain.chain.policy !== undefined) return true;
  return [...table.chains.values()].some((caller) =>
    caller.rules.some(({ action, condition }, at) => {
      const inside = action.kind === "jump" && action.chain === chain.chain.name && condition ? intersect(box, condition) : undefined;
      return inside !== undefined && getsBy(inside, at, caller, table, level + 1);
    }),
  );
}
