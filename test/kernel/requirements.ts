/** What the tests on the kernel need of the machine, and what happens where it is missing. */

import { spawnSync } from "node:child_process";
import { describe, it } from "vitest";

import { unshareArguments } from "./namespace.js";

const commands = ["unshare", "nsenter", "ip", "bridge", "sysctl", "nft", "iptables-legacy-restore", "ip6tables-legacy-restore", "tcpreplay"];
const packages = "nftables iptables iproute2 procps util-linux tcpreplay";

/** A reason why nothing can be tested on this kernel, or undefined. */
export const missingRequirement: string | undefined = findMissing();

function findMissing(): string | undefined {
  const environment = { ...process.env, PATH: `${process.env["PATH"] ?? ""}:/usr/sbin:/sbin` };
  const missing = commands.filter((command) => spawnSync("bash", ["-c", `command -v ${command}`], { stdio: "ignore", env: environment }).status !== 0);
  if (missing.length > 0) return `not installed: ${missing.join(", ")} (Debian packages ${packages})`;
  if (unshareArguments === undefined) return "neither root nor allowed to make user namespaces";
  const trial = spawnSync("unshare", [...unshareArguments, "bash", "-ec", `
    export XTABLES_LOCKFILE=/dev/null
    ip link add bridge0 type bridge
    ip link add veth0 type veth peer name veth1
    nft add table inet trial
    iptables-legacy -A INPUT -m recent --set`], { encoding: "utf8", env: environment });
  return trial.status === 0 ? undefined : `the kernel refuses a bridge, a veth pair, nft or iptables: ${trial.stderr.trim()}`;
}

/**
 * A suite that loads rules into the kernel. Where the kernel or a tool is missing it is skipped and its title says why;
 * with CI=true it fails instead, because there the tools are to be installed.
 */
export function describeOnKernel(title: string, define: () => void): void {
  if (missingRequirement === undefined) describe(title, define);
  else if (process.env["CI"] === "true") {
    describe(title, () => {
      it("finds what it needs on this machine", () => {
        throw new Error(missingRequirement);
      });
    });
  } else describe.skip(`${title} (skipped: ${missingRequirement})`, define);
}
