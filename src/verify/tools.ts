/** The programs that a comparison on the kernel needs, and what it takes to get those that are missing. */

import { Failure } from "../failure.js";
import type { IptablesVariant } from "./lab-script.js";
import { findProgram, runProgramSync } from "../run-program.js";
import { unshareArguments } from "./namespace.js";

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
  const missing = commands.filter(([command]) => findProgram(command) === undefined);
  const variant = (["legacy", "nft"] as const).find(
    (name) => findProgram(`iptables-${name}-restore`) !== undefined && findProgram(`ip6tables-${name}-restore`) !== undefined,
  );
  const packages = [...missing.map(([, name]) => name), ...(variant === undefined ? ["iptables"] : [])];
  if (packages.length > 0) {
    const names = [...missing.map(([command]) => command), ...(variant === undefined ? ["iptables-legacy-restore"] : [])];
    throw new Unable(`not installed: ${names.join(", ")}; install with: apt-get install ${[...new Set(packages)].join(" ")}`);
  }
  const namespaces = unshareArguments();
  if (namespaces === undefined) {
    throw new Unable(
      "namespaces cannot be made here: neither root, nor are user namespaces allowed (sysctl kernel.unprivileged_userns_clone, " +
        "user.max_user_namespaces, AppArmor)",
    );
  }
  const trial = runProgramSync({
    program: "unshare",
    arguments: [
      ...namespaces,
      "bash",
      "--norc",
      "-ec",
      `
    export XTABLES_LOCKFILE=/dev/null
    ip link add bridge0 type bridge
    ip link add veth0 type veth peer name veth1
    nft add table inet trial
    iptables-${variant!} -A INPUT -m recent --set`,
    ],
    seconds: 60,
    mostOutput: 1 << 20,
  });
  if (trial.kind !== "ended" || trial.status !== 0) {
    const said = trial.kind === "ended" ? trial.stderr.toString("utf8").trim() : trial.kind === "stopped" ? trial.reason : "";
    throw new Unable(`the kernel refuses a bridge, a veth pair, nft or iptables in a namespace: ${said}`);
  }
  return { variant: variant!, unprivileged: namespaces.includes("--user") };
}
