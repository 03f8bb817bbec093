/** What the tests on the kernel need of the machine, and what happens where it is missing. */

import { describe, it } from "vitest";

import { findTools, Unable } from "../../src/verify/tools.js";

/** A reason why nothing can be tested on this kernel, or undefined. */
export const missingRequirement: string | undefined = findMissing();

function findMissing(): string | undefined {
  try {
    return findTools().variant === "legacy" ? undefined : "not installed: iptables-legacy-restore";
  } catch (error) {
    if (error instanceof Unable) return error.message;
    throw error;
  }
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
