import { expect, it } from "vitest";

import type { Machine, SavedRules } from "../../src/cutover/machine.js";
import { differenceFromReviewed } from "../../src/cutover/reviewed.js";

const table = (name: string, ...lines: readonly string[]): string => [`*${name}`, ...lines, "COMMIT", ""].join("\n");
const filter = (...rules: readonly string[]): string => table("filter", ":INPUT DROP [0:0]", ":FORWARD ACCEPT [0:0]", ...rules);
const ssh = "-A INPUT -p tcp -m tcp --dport 22 -j ACCEPT";
const web = "-A INPUT -p tcp -m tcp --dport 80 -j ACCEPT";

const saved = (text: string, variant: SavedRules["variant"] = "legacy", family: SavedRules["family"] = "ipv4"): SavedRules => ({
  ...{ variant, family, text, encoding: "utf8" as const },
  ...{ save: "save", restore: "restore", iptables: "iptables" },
});
const machineWith = (...all: readonly SavedRules[]): Machine => ({
  ...{ live: new Set<string>(), saved: all, ipsets: "", ipsetsEncoding: "utf8", lists: [], tables: [], ownTables: "" },
});
const ipv4 = (text: string) => ({ family: "ipv4" as const, text });

it("takes the same rules for the same, whatever was counted, and whatever tables stand there that decide nothing", () => {
  const empty = table("mangle", ":PREROUTING ACCEPT [7:420]");
  const nat = table("nat", ":PREROUTING ACCEPT [0:0]", "-A PREROUTING -p tcp -m tcp --dport 80 -j REDIRECT --to-ports 8080");
  const machine = machineWith(saved(`# Generated\n${empty}${nat}${filter(`[3:180] ${ssh}`, web)}`), saved(empty, "nft"));
  expect(differenceFromReviewed(machine, true, [ipv4(filter(ssh, `[9:9] ${web}`).replace("[0:0]", "[5:300]") + nat)])).toBeUndefined();
});

it("names a rule that came, one that went, another policy, and another order", () => {
  const machine = machineWith(saved(filter(ssh, web)));
  expect(differenceFromReviewed(machine, true, [ipv4(filter(ssh))])).toContain(`"ipv4 filter: ${web}" came`);
  expect(differenceFromReviewed(machine, true, [ipv4(filter(ssh, web, web))])).toContain(`"ipv4 filter: ${web}" went`);
  expect(differenceFromReviewed(machine, true, [ipv4(filter(ssh, web).replace("DROP", "ACCEPT"))])).toMatch(
    /:INPUT DROP" came, .*:INPUT ACCEPT" went/,
  );
  expect(differenceFromReviewed(machine, true, [ipv4(filter(web, ssh))])).toContain("in the order");
});

it("sees rules that nobody has reviewed: of the other family, and of the other kind of iptables", () => {
  const reviewed = [ipv4(filter(ssh))];
  expect(differenceFromReviewed(machineWith(saved(filter(ssh)), saved(filter(web), "legacy", "ipv6")), true, reviewed)).toContain(
    'lines came, the first "ipv6 filter: :FORWARD ACCEPT"',
  );
  expect(differenceFromReviewed(machineWith(saved(filter(ssh)), saved(filter(web), "nft")), true, reviewed)).toContain("came");
});

it("leaves out what live programs keep up, unless their chains go as well", () => {
  const docker = (address: string): string => `-A FORWARD -d ${address} ! -i docker0 -o docker0 -p tcp -m tcp --dport 80 -j ACCEPT`;
  const machine = { ...machineWith(saved(filter(ssh, docker("172.17.0.2/32")))), live: new Set(["Docker"]) };
  const before = [ipv4(filter(ssh, docker("172.17.0.3/32")))];
  expect(differenceFromReviewed(machine, true, before)).toBeUndefined();
  expect(differenceFromReviewed(machine, false, before)).toContain("came");
});
