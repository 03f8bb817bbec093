/** Units of systemd that load a firewall when the machine starts. */

import { existsSync } from "node:fs";
import { join } from "node:path";

/** Those that load an old one. */
export const oldUnits = ["netfilter-persistent", "iptables", "ip6tables", "ufw", "firewalld", "shorewall", "shorewall6"] as const;

/** Where units are that a package or the administrator has installed. */
const unitFolders = ["etc/systemd/system", "lib/systemd/system", "usr/lib/systemd/system"];
/** Where those are that start with the machine; nftables of Debian starts with sysinit.target. */
const startFolders = ["etc/systemd/system/multi-user.target.wants", "etc/systemd/system/sysinit.target.wants"];

export interface BootUnits {
  readonly disable: readonly string[];
  readonly enable: readonly string[];
}

/**
 * What is to be changed so that the machine starts with the new firewall and not with the old one.
 * @param root the folder that stands for the machine's first
 */
export function bootUnits(root = "/"): BootUnits {
  return {
    disable: oldUnits.filter((unit) => isIn(startFolders, unit, root)),
    enable: isIn(unitFolders, "nftables", root) && !isIn(startFolders, "nftables", root) ? ["nftables"] : [],
  };
}

/** The way back: what is to be changed of the units that were to be changed then, and have been since. */
export function unitsBack(then: BootUnits, root = "/"): BootUnits {
  return {
    disable: then.enable.filter((unit) => isIn(startFolders, unit, root)),
    enable: then.disable.filter((unit) => !isIn(startFolders, unit, root)),
  };
}

function isIn(folders: readonly string[], unit: string, root: string): boolean {
  return folders.some((folder) => existsSync(join(root, folder, `${unit}.service`)));
}
