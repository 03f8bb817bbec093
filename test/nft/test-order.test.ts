import { describe, expect, it } from "vitest";

import type { Statement } from "../../src/nft/ast.js";
import { emitStatement } from "../../src/nft/emit.js";
import { inOrderOfCost } from "../../src/nft/test-order.js";
import { translate } from "../../src/translate.js";

/** The statements of the only rule of a dump. */
function statementsOf(rule: string): readonly Statement[] {
  const { nft } = translate(`*filter\n:INPUT ACCEPT [0:0]\n-A INPUT ${rule}\nCOMMIT\n`, { family: "ipv4", counters: false });
  const entries = nft!.tables[0]!.chains[0]!.entries;
  return entries.flatMap((entry) => (entry.kind === "rule" ? entry.statements : []));
}

const written = (rule: string): string => statementsOf(rule).map(emitStatement).join(" ");

describe("the tests of a rule stand in the order of their costs", () => {
  it.each([
    ["-i eth0 -s 192.0.2.1 -j DROP", 'ip saddr 192.0.2.1 iifname "eth0" drop'],
    ["-i eth0 -p tcp -m tcp --dport 22 -m conntrack --ctstate NEW -j DROP", 'tcp dport 22 iifname "eth0" ct state new drop'],
    ["-i eth0 -p tcp -m multiport --dports 22,80 -m state --state NEW -j DROP", 'iifname "eth0" ct state new tcp dport { 22, 80 } drop'],
  ])("%s", (rule, expected) => expect(written(rule)).toBe(expected));

  it("a port behind the test of its protocol", () => {
    expect(written("-p tcp -m multiport --sports 22,80 -m multiport --dports 22 -j DROP")).toMatch(
      /^meta l4proto tcp.* tcp dport|^tcp dport/,
    );
  });

  it.each([
    ["a limit", "-i eth0 -m limit --limit 1/sec -m mark --mark 1 -j DROP", /iifname "eth0" limit rate .* meta mark 0x1/],
    ["a set that rules fill", "-m recent --name x --rcheck -m mark --mark 1 -j DROP", /@.* meta mark 0x1/],
    ["a choice at random", "-i eth0 -m statistic --mode random --probability 0.5 -m mark --mark 1 -j DROP", /numgen.* meta mark 0x1/],
  ])("and none moves over %s", (_, rule, expected) => expect(written(rule)).toMatch(expected));

  it("and what is in order stays the same array", () => {
    const statements = statementsOf("-s 192.0.2.1 -i eth0 -j DROP");
    expect(inOrderOfCost(statements)).toBe(statements);
  });
});
