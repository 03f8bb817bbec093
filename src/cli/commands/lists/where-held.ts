/** Which lists and sets hold an address. */

import { formatAddress, parseAddress, prefixMask } from "../../../extensions/values/address.js";
import type { Family } from "../../../iptables/ast.js";
import { hostOf } from "../../../lists/hosts.js";
import type { ListedSet } from "../../../lists/listing.js";
import { hostJson } from "../../../lists/render.js";
import { visible } from "../../../report/visible.js";
import { hitsWords, lastSeenWords, stateWords } from "../../../lists/words.js";
import type { Reading } from "./kernel.js";

export interface HostReport {
  readonly held: boolean;
  readonly text: string;
  readonly json: unknown;
}

export function hostReport({ lists, others }: Reading, { family, value }: { readonly family: Family; readonly value: bigint }): HostReport {
  const address = formatAddress(value, family);
  const found = lists.flatMap((list) =>
    list.sides
      .filter((side) => side.family === family)
      .flatMap((side) => {
        const kept = side.mask === undefined ? address : formatAddress(value & side.mask, family);
        const host = hostOf(side, kept);
        return host ? [{ list: list.name, host }] : [];
      }),
  );
  const sets = others.filter(
    ({ set, table }) =>
      isOfFamily(set, family, table.family) && set.elements.some(({ key }) => key.some((part) => covers(part, value, family))),
  );
  const lines = [
    ...found.map(({ list, host }) => {
      const hits = hitsWords(host);
      const kept = host.address === address ? "" : ` as ${host.address}`;
      return `list ${visible(list)}${kept}: ${stateWords(host)}${hits === "" ? "" : `; hits: ${hits}`}; last seen ${lastSeenWords(host)}\n`;
    }),
    ...sets.map(({ table, set }) => `set ${table.family} ${table.name} ${set.name}\n`),
  ];
  return {
    held: lines.length > 0,
    text: lines.length > 0 ? lines.join("") : `Nothing in the table holds ${address}.\n`,
    json: {
      address,
      lists: found.map(({ list, host }) => ({ list, ...hostJson(host) })),
      sets: sets.map(({ table, set }) => ({ family: table.family, table: table.name, set: set.name })),
    },
  };
}

function isOfFamily({ type }: ListedSet, family: Family, table: "ip" | "ip6" | "inet"): boolean {
  if (!/addr\b/.test(type)) return false;
  if (table !== "inet") return (table === "ip") === (family === "ipv4");
  return (family === "ipv6") === /ipv6_addr|\bip6 /.test(type);
}

/** Whether an element such as `192.0.2.1`, `192.0.2.0/24` or `192.0.2.1-192.0.2.9` holds the address. */
function covers(part: string, value: bigint, family: Family): boolean {
  const [from = "", to] = part.split("-");
  const [network = "", length] = from.split("/");
  if (!/^[0-9a-f.:]+$/.test(network) || !/[.:]/.test(network)) return false;
  const first = parseAddress(network, family);
  if (first === undefined) return false;
  if (to !== undefined) return first <= value && value <= (parseAddress(to, family) ?? first);
  return length === undefined ? first === value : (value & prefixMask(Number(length), family)) === first;
}
