import { expect, it } from "vitest";

import { isNftScript } from "../../src/verify/nft-script.js";
import { readCases, readExpected } from "../corpus/cases.js";

it.each([
  "table ip filter {\n}\n",
  "#!/usr/sbin/nft -f\nflush ruleset\n",
  "add table inet x\nadd chain inet x y\n",
  "define lan = eth0\n",
  'include "/etc/nftables.d/*.nft"\n',
])("takes %j for a script", (text) => {
  expect(isNftScript(text)).toBe(true);
});

it.each([
  "*filter\n:INPUT ACCEPT [0:0]\nCOMMIT\n",
  "iptables -A INPUT -j DROP\n",
  "create SSH hash:ip\n",
  "",
  '*filter\n-A INPUT -m comment --comment "table ip x {" -j DROP\nCOMMIT\n',
])("takes %j for no script", (text) => {
  expect(isNftScript(text)).toBe(false);
});

it("tells every script of the corpus from every dump", () => {
  for (const one of readCases()) {
    const { script } = readExpected(one);
    if (script !== undefined) expect([one.name, isNftScript(script)]).toEqual([one.name, true]);
    for (const { text } of one.sources) expect([one.name, isNftScript(text)]).toEqual([one.name, false]);
  }
});
