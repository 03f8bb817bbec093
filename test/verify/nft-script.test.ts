import { expect, it } from "vitest";

import { isNftScript, scriptFault } from "../../src/verify/nft-script.js";
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

it.each<[script: string, line: number, column: number]>([
  ['include "/etc/shadow"\n', 1, 1],
  ['table ip x {\n\tinclude "/dev/zero"\n}\n', 2, 2],
  ['define a = 1; include"/x"', 1, 15],
  ['# "\ninclude "/x"', 2, 1],
  ['add table ip "#"; include "/x"', 1, 19],
  ['add set ip x y { comment "a\nb"; }\n1include "/x"', 3, 2],
  ["monitor", 1, 1],
])("refuses %j before nft sees it", (script, line, column) => {
  expect(scriptFault(script)).toMatchObject({ line, column });
});

it.each([
  '# include "/etc/shadow"\ntable ip x {\n}\n',
  'table ip x {\n\tchain y {\n\t\tcounter comment "include monitor"\n\t}\n}\n',
  "add chain ip x include-all\nadd set ip x monitor_hosts { type ipv4_addr; }\ndefine included = 1\n",
])("lets pass what is only called so: %j", (script) => {
  expect(scriptFault(script)).toBeUndefined();
});

it("lets every script of the corpus pass", () => {
  for (const one of readCases()) expect([one.name, scriptFault(readExpected(one).script ?? "")]).toEqual([one.name, undefined]);
});

it("takes time by the length of a text, not by its square", () => {
  const begin = performance.now();
  expect(isNftScript(`${"\n".repeat(500_000)}x`)).toBe(false);
  expect(scriptFault(`${'"#\n'.repeat(200_000)}x`)).toBeUndefined();
  expect(performance.now() - begin).toBeLessThan(2000);
});
