import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";

import { bootUnits, unitsBack } from "../../../../src/cli/commands/cutover/boot-units.js";

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "ipt2nft-units-"));
});
afterEach(() => rmSync(root, { recursive: true }));

function put(...paths: readonly string[]): void {
  for (const path of paths) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), "");
  }
}

it("names the units that load the old firewall, and the one of nftables until it starts with the machine", () => {
  expect(bootUnits(root)).toEqual({ disable: [], enable: [] });
  put("lib/systemd/system/nftables.service", "lib/systemd/system/ufw.service");
  put("etc/systemd/system/multi-user.target.wants/netfilter-persistent.service");
  expect(bootUnits(root)).toEqual({ disable: ["netfilter-persistent"], enable: ["nftables"] });
  put("etc/systemd/system/sysinit.target.wants/nftables.service");
  expect(bootUnits(root)).toEqual({ disable: ["netfilter-persistent"], enable: [] });
});

it("names for the way back the units that were changed since, and no others", () => {
  put("lib/systemd/system/nftables.service", "etc/systemd/system/multi-user.target.wants/ufw.service");
  const then = bootUnits(root);
  expect(unitsBack(then, root)).toEqual({ disable: [], enable: [] });
  rmSync(join(root, "etc/systemd/system/multi-user.target.wants/ufw.service"));
  put("etc/systemd/system/sysinit.target.wants/nftables.service");
  expect(unitsBack(then, root)).toEqual({ disable: ["nftables"], enable: ["ufw"] });
});
