/** The hosts on lists of `recent`, as commands that put them on the lists of the new firewall. */

import { formatAddress, parseAddress } from "../extensions/values/address.js";
import { emitSetCommands } from "../nft/set-commands.js";
import { hostElements } from "../rewrite/recent/host-elements.js";
import type { Translation } from "../translate.js";
import type { SeenHosts } from "./machine.js";

/**
 * Text for nft behind the script, in the same transaction: after it each host is over a limit, or under it, exactly as long as it would
 * have been. Lists that no rule asks are left out. A hit of which the time is not known counts as one of now.
 */
export function hostCommands({ listStores, nft }: Pick<Translation, "listStores" | "nft">, lists: readonly SeenHosts[]): string {
  return listStores
    .map(({ family, table, renamed, lists: stored }) => {
      const sets = new Set(nft?.tables.find((one) => one.family === table.family)?.sets.map(({ name }) => name));
      const elements = lists.flatMap(({ list, hosts }) => {
        const into = stored.get(list);
        if (!into) return [];
        // With a mask several lines of the file may be one host only by a fault of who wrote them there.
        const seen = new Set<string>();
        return hosts.flatMap(({ address, ttl, ages }) => {
          const value = address.includes(":") === (family === "ipv6") ? parseAddress(address, family) : undefined;
          const masked = value === undefined ? undefined : formatAddress(value & into.mask, family);
          if (masked === undefined || seen.has(masked)) return [];
          seen.add(masked);
          const hits = ages.map((age) => (age ?? 0) * 1000);
          return hostElements(into.stores, { address: masked, ages: hits, ttl })
            .map((element) => ({ ...element, set: renamed.get(element.set) ?? element.set }))
            .filter(({ set }) => sets.has(set));
        });
      });
      return emitSetCommands(table, [{ kind: "add", elements }]);
    })
    .join("");
}
