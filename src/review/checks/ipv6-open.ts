/** New connections that nothing allows are stopped for IPv4, and none at all for IPv6. */

import { otherAddresses, stateBits, type Box } from "../packets/box.js";
import { sizeOf, type Intervals } from "../packets/intervals.js";
import { Effort, follow, TooManyPieces } from "../packets/paths.js";
import { remark, type Check, type CheckedTable } from "./check.js";

/** A new TCP connection from outside, to a port that no rule is likely to name. */
const stranger: Box = {
  protocol: [[6n, 6n]],
  state: stateBits(["new"]),
  flags: 1n << 2n,
  destinationPort: [[64_999n, 64_999n]],
  inInterface: { pattern: "+", without: ["lo"] },
};

export const ipv6Open: Check = ({ tables }) =>
  ["INPUT", "FORWARD"].flatMap((name) => {
    const [ipv4, ipv6] = (["ipv4", "ipv6"] as const).map((family) =>
      tables.filter((table) => table.family === family && table.followed.table.name !== "nat"),
    );
    const filter = ipv6!.find(({ followed }) => followed.table.name === "filter");
    if (ipv4!.length === 0 || !filter || !ipv4!.some((table) => stops(table, name)) || ipv6!.some((table) => stops(table, name))) return [];
    const chain = filter.followed.chains.get(name)?.chain;
    return [
      remark(
        "ipv6-open",
        chain?.span ?? filter.followed.table.span,
        `new connections ${name === "INPUT" ? "to" : "through"} this machine are stopped for IPv4 unless a rule allows them, and ` +
          "never for IPv6",
      ),
    ];
  });

function stops({ followed }: CheckedTable, name: string): boolean {
  try {
    // What only a list, a limit or certain addresses stop is no protection of everything.
    return follow([stranger], name, followed, new Effort(100_000)).dropped.some(
      ({ tests, source }) => ![...(tests?.values() ?? [])].some(({ holds }) => holds) && isMostOf(source),
    );
  } catch (error) {
    if (error instanceof TooManyPieces) return true;
    throw error;
  }
}

function isMostOf(addresses: Intervals | undefined): boolean {
  return addresses === undefined || sizeOf(addresses) > sizeOf(otherAddresses(addresses));
}
