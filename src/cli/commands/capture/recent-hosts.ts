/** What /proc/net/xt_recent tells of the hosts on lists. */

import type { ListedHost } from "../../../captured-file.js";

/**
 * Reads the files of the lists, each behind a line `list NAME`. A line of a host ends with the jiffies at which it was seen, once for
 * each time (xt_recent.c, `recent_seq_show`), in an order by chance; here they come by address. Lists without hosts are left out.
 */
export function readRecentHosts(text: string): { readonly list: string; readonly hosts: readonly ListedHost[] }[] {
  const lists: { list: string; hosts: ListedHost[] }[] = [];
  for (const line of text.split("\n")) {
    if (line.startsWith("list ")) lists.push({ list: line.slice("list ".length), hosts: [] });
    const [, address, stamps] = /^src=([0-9a-fA-F.:]+) .*oldest_pkt: [0-9]+ ([0-9, ]+)$/.exec(line) ?? [];
    if (address !== undefined) lists.at(-1)?.hosts.push({ address: shortAddress(address), hits: stamps!.split(",").length });
  }
  for (const { hosts } of lists) hosts.sort((a, b) => (a.address < b.address ? -1 : 1));
  return lists.filter(({ hosts }) => hosts.length > 0);
}

/** IPv6 without the zeros in front, as it is written elsewhere. */
function shortAddress(address: string): string {
  return address.includes(":") ? new URL(`http://[${address}]`).hostname.slice(1, -1) : address;
}
