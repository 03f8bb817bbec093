/** Hosts that are on lists when a firewall is captured: they begin on the lists of the script, with their hits as old as they are. */

import type { ListedHost, RecentHosts } from "../../captured-file.js";
import { diagnostic, printable, type Diagnostic } from "../../diagnostic.js";
import { formatAddress, parseHost } from "../../extensions/values/address.js";
import type { Family } from "../../iptables/ast.js";
import type { Expression, NftTable, SetElement } from "../../nft/ast.js";
import { isLoadable } from "../../nft/versions.js";
import { hostElements, type HostElement } from "./host-elements.js";
import type { HostStore } from "./host-stores.js";
import { isQuietRemoval, type ListUsage } from "./usage.js";
import { windowTime } from "./window.js";
import { unknownHostText } from "./remarks.js";

/** A list of the script. */
export interface WrittenList {
  readonly usage: ListUsage;
  readonly stores: readonly HostStore[];
}

export interface CarryOptions {
  readonly family: Family;
  readonly setSize: number;
  readonly keepSets: boolean;
  readonly targetNft: string | undefined;
}

/** The table with the hosts of these lists on it, and what is to be said of those that are not, or not as they were. */
export function carryHosts(
  table: NftTable,
  lists: ReadonlyMap<string, WrittenList>,
  captured: readonly RecentHosts[],
  options: CarryOptions,
): { readonly table: NftTable; readonly diagnostics: readonly Diagnostic[] } {
  const diagnostics: Diagnostic[] = [];
  const elements = new Map<string, SetElement[]>();
  for (const { list, hosts, span } of captured) {
    const written = lists.get(list);
    const own = hosts.filter(({ address }) => address.includes(":") === (options.family === "ipv6"));
    if (!written || own.length === 0) continue;
    const { carried, remarks } = sorted(written, own, options);
    for (const { hosts: left, text } of remarks) {
      if (left.length > 0) diagnostics.push(diagnostic("recent-hosts", span, `list "${printable(list)}": ${text(left)}`, helpFor(options)));
    }
    for (const { address, ages, ttl } of carried) {
      for (const element of hostElements(written.stores, { address, ages, ttl })) {
        const known = elements.get(element.set);
        const made = elementOf(element, options);
        if (known) known.push(made);
        else elements.set(element.set, [made]);
      }
    }
  }
  if (elements.size === 0) return { table, diagnostics };
  const sets = table.sets.map((set) => {
    const hosts = elements.get(set.name);
    return hosts ? { ...set, hosts } : set;
  });
  return { table: { ...table, sets }, diagnostics };
}

interface Remark {
  readonly hosts: readonly ListedHost[];
  readonly text: (hosts: readonly ListedHost[]) => string;
}

/** Which hosts are carried over, and what is said of the others. */
function sorted(
  { usage, stores }: WrittenList,
  hosts: readonly ListedHost[],
  { family, setSize, keepSets }: CarryOptions,
): { readonly carried: readonly ListedHost[]; readonly remarks: readonly Remark[] } {
  // A host that no packet can have, as the list's mask cuts addresses, is on the list and never found there.
  const found = hosts.filter(({ address }) => {
    const number = parseHost(address, family);
    return number !== undefined && (number & usage.mask) === number;
  });
  const asking = usage.uses.filter((use) => use.operation !== "set" && !isQuietRemoval(use));
  const effects = [...new Set(asking.map((use) => unknownHostText(use, "such hosts")))].join("; ");
  const newest = ({ ages }: ListedHost): number => Math.min(...ages);
  const byAge = [...found].sort((a, b) => newest(a) - newest(b));
  const carried = keepSets ? [] : byAge.slice(0, setSize);
  const missing = asking.length === 0 ? [] : byAge.slice(carried.length);
  const lacks = keepSets ? "on it" : "that the sets have no room for";
  const without = (left: readonly ListedHost[]): string =>
    `the script begins without ${left.length === 1 ? "the host" : `the ${left.length} hosts`} ${lacks}, ` +
    `${named(left)}; until they are recorded again: ${effects}`;
  const limits = stores.filter((store) => store.kind === "limit");
  const unbanned = carried.filter((host) =>
    limits.some((store) => newest(host) < windowTime(store.window.seconds) && hostElements([store], host).length === 0),
  );
  const hits = Math.max(...limits.map(({ window }) => window.hits));
  const fresh = (left: readonly ListedHost[]): string =>
    `what ${named(left)} sent before counts for nothing in the limit until there is a ban: up to ${hits - 1} hits more of a host pass ` +
    "than with xt_recent";
  return {
    carried,
    remarks: [
      { hosts: missing, text: without },
      { hosts: unbanned, text: fresh },
    ],
  };
}

/** Hosts that a warning names. */
const mostHosts = 5;

function named(hosts: readonly ListedHost[]): string {
  const more = hosts.length - mostHosts;
  return (
    hosts
      .slice(0, mostHosts)
      .map(({ address }) => address)
      .join(", ") + (more > 0 ? ` and ${more} more` : "")
  );
}

function helpFor({ keepSets }: CarryOptions): string | undefined {
  return keepSets ? "--keep-sets leaves to the sets what they hold; a script without it begins with the hosts of the file" : undefined;
}

function elementOf({ address, digit, expires }: HostElement, { family, targetNft }: CarryOptions): SetElement {
  const host: Expression = { kind: "address", address: formatAddress(parseHost(address, family)!, family) };
  const part: Expression[] = digit === undefined ? [] : [{ kind: "number", value: BigInt(digit) }];
  const key: Expression = part.length === 0 ? host : { kind: "concatenation", parts: [host, ...part] };
  if (expires === undefined) return { kind: "element", key };
  // Only cosmetically another: what refreshes an element gives it the timeout of its set.
  return isLoadable("elementExpiry", targetNft) ? { kind: "element", key, expires } : { kind: "element", key, timeout: expires };
}
