/** What /proc/net/xt_recent tells of the hosts on lists. */

import type { ListedHost } from "../../../captured-file.js";

/** Numbers that kernels are configured with (`CONFIG_HZ`). */
const usualTicksPerSecond = [100, 250, 300, 1000];

/** Milliseconds before the end in which all that is seen counts as seen then: a script that runs again runs as fast as it can. */
const justNow = 1000;

/** The kernel's clock: jiffies, and seconds of /proc/uptime, at two moments. */
interface Clock {
  readonly now: number;
  readonly millisecondsPerTick: number;
}

/**
 * Reads the files of the lists, each behind a line `list NAME`. A line of a host ends with the jiffies at which it was seen, once for
 * each time (xt_recent.c, `recent_seq_show`), in an order by chance; here they come by address. Lists without hosts are left out. Behind
 * them stand two lines `clock JIFFIES UPTIME`, some time apart; without them hosts count as seen at the end.
 */
export function readRecentHosts(text: string): { readonly list: string; readonly hosts: readonly ListedHost[] }[] {
  const lists: { list: string; hosts: ListedHost[] }[] = [];
  const lines = text.split("\n");
  const clock = clockOf(lines);
  for (const line of lines) {
    if (line.startsWith("list ")) lists.push({ list: line.slice("list ".length), hosts: [] });
    const [, address, ttl, stamps] = /^src=([0-9a-fA-F.:]+) ttl: ([0-9]+) .*oldest_pkt: [0-9]+ ([0-9, ]+)$/.exec(line) ?? [];
    if (address === undefined) continue;
    const ages = stamps!
      .split(", ")
      .map((stamp) => ageOf(Number(stamp), clock))
      .sort((a, b) => b - a);
    lists.at(-1)?.hosts.push({ address: shortAddress(address), ages, ttl: Number(ttl) });
  }
  for (const { hosts } of lists) hosts.sort((a, b) => (a.address < b.address ? -1 : 1));
  return lists.filter(({ hosts }) => hosts.length > 0);
}

function clockOf(lines: readonly string[]): Clock | undefined {
  const [first, second] = lines.flatMap((line) => {
    const [, jiffies, uptime] = /^clock ([0-9]+) ([0-9.]+)$/.exec(line) ?? [];
    return jiffies === undefined ? [] : [{ jiffies: Number(jiffies), uptime: Number(uptime) }];
  });
  if (!first || !second || second.uptime <= first.uptime) return undefined;
  const measured = (second.jiffies - first.jiffies) / (second.uptime - first.uptime);
  const far = (ticks: number): number => Math.abs(Math.log(measured / ticks));
  const ticksPerSecond = usualTicksPerSecond.reduce((best, one) => (far(one) < far(best) ? one : best));
  return { now: first.jiffies, millisecondsPerTick: 1000 / ticksPerSecond };
}

function ageOf(stamp: number, clock: Clock | undefined): number {
  const age = clock === undefined ? 0 : Math.round((clock.now - stamp) * clock.millisecondsPerTick);
  return age < justNow ? 0 : age;
}

/** IPv6 without the zeros in front, as it is written elsewhere. */
function shortAddress(address: string): string {
  return address.includes(":") ? new URL(`http://[${address}]`).hostname.slice(1, -1) : address;
}
