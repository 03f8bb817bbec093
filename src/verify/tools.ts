/** The programs that a comparison on the kernel needs, and what it takes to get those that are missing. */

import { spawnSync } from "node:child_process";

import { Failure } from "../failure.js";
import type { IptablesVariant } from "./lab-script.js";
import { environment, unshareArguments } from "./namespace.js";

/** A reason why nothing can be compared on this machine, told to the user as it is. */
export class Unable extends Failure {}

const commands: readonly (readonly [command: string, debianPackage: string])[] = [
  ["unshare", "util-linux"],
  ["nsenter", "util-linux"],
  ["mount", "mount"],
  ["ip", "iproute2"],
  ["bridge", "iproute2"],
  ["sysctl", "procps"],
  ["nft", "nftables"],
  ["tcpreplay", "tcpreplay"],
];

export interface Tools {
  readonly variant: IptablesVariant;
  /** Sets up namespaces as an ordinary user. */
  readonly unprivileged: boolean;
}

let found: Tools | undefined;

/** Throws `Unable` with the command that installs what is missing. */
export function findTools(): Tools {
  return (found ??= lookForTools());
}

function lookForTools(): Tools {
  if (process.platform !== "linux") throw new Unable("the kernel that decides is Linux; this is another system");
  const missing = commands.filter(([command]) => !isInstalled(command));
  const variant = (["legacy", "nft"] as const).find(
    (name) => isInstalled(`iptables-${name}-restore`) && isInstalled(`ip6tables-${name}-restore`),
  );
  const packages = [...missing.map(([, name]) => name), ...(variant === undefined ? ["iptables"] : [])];
  if (packages.length > 0) {
    const names = [...missing.map(([command]) => command), ...(variant === undefined ? ["iptables-legacy-restore"] : [])];
    throw new Unable(`not installed: ${names.join(", ")}; install with: apt-get install ${[...new Set(packages)].join(" ")}`);
  }
  if (unshareArguments === undefined) {
    throw new Unable(
      "namespaces cannot be made here: neither root, nor are user namespaces allowed (sysctl kernel.unprivileged_userns_clone, " +
        "user.max_user_namespaces, AppArmor)",
    );
  }
  const trial = spawnSync(
    "unshare",
    [
      ...unshareArguments,
      "bash",
      "-ec",
      `
    export XTABLES_LOCKFILE=/dev/null
    ip link add bridge0 type bridge
    ip link add veth0 type veth peer name veth1
    nft add table inet trial
    iptables-${variant!} -A INPUT -m recent --set`,
    ],
    { encoding: "utf8", env: environment() },
  );
  if (trial.status !== 0)
    throw new Unable(`the kernel refuses a bridge, a veth pair, nft or iptables in a namespace: ${trial.stderr.trim()}`);
  return { variant: variant!, unprivileged: unshareArguments.includes("--user") };
}

function isInstalled(command: string): boolean {
  return spawnSync("bash", ["-c", `command -v ${command}`], { stdio: "ignore", env: environment() }).status === 0;
}
