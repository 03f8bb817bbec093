/**
 * Changes that were once said to be safe to merge, each the least of its kind; what the kernel's code or the model of iptables says of
 * them.
 */

import { expect, it } from "vitest";

import { review } from "../dumps.js";

const filter = (...rules: readonly string[]): string =>
  `*filter\n:INPUT ACCEPT [0:0]\n${rules.map((rule) => `-A INPUT ${rule}\n`).join("")}COMMIT\n`;
const mangle = (...rules: readonly string[]): string =>
  `*mangle\n:PREROUTING ACCEPT [0:0]\n${rules.map((rule) => `-A PREROUTING ${rule}\n`).join("")}COMMIT\n`;

const marked = "-j MARK --set-xmark 0x10/0x10";
const banned = "-m recent --rcheck --name x --rsource -j DROP";
const fromNetwork = (rule: string): string => `-s 203.0.113.0/24 ${rule}`;
const untracked = "*raw\n:PREROUTING ACCEPT [0:0]\n-A PREROUTING -p udp -j CT --notrack\nCOMMIT\n";

it.each<readonly [what: string, old: string, current: string]>([
  ["all addresses, inverted", filter("-s 192.0.2.0/0 -j DROP"), filter("! -s 192.0.2.0/0 -j DROP")],
  ["all destinations, inverted", filter("-d 0.0.0.0/0 -j DROP"), filter("! -d 0.0.0.0/0 -j DROP")],
  ["all interfaces, inverted", filter("-i + -j DROP"), filter("! -i + -j DROP")],
  [
    "a rule that records before it asks for the port, behind one for another port",
    filter("-p tcp -m recent --set --name x --rsource -m tcp --dport 22 -j DROP", "-p tcp -m tcp --dport 80 -j ACCEPT", banned),
    filter("-p tcp -m tcp --dport 80 -j ACCEPT", "-p tcp -m recent --set --name x --rsource -m tcp --dport 22 -j DROP", banned),
  ],
  [
    "a rule that records and never matches, in front of a check",
    mangle(`-p udp -m recent --rcheck --name x --rsource ${marked}`, "-p udp -m recent ! --set --name x --rsource -j RETURN"),
    mangle("-p udp -m recent ! --set --name x --rsource -j RETURN", `-p udp -m recent --rcheck --name x --rsource ${marked}`),
  ],
  ...[`-m recent ! --update --seconds 4 --name x --rsource ${marked}`].map(
    (rule) =>
      [
        "a check behind `! --update`, of hosts that are not on the list",
        mangle("-m recent ! --update --seconds 1 --hitcount 2 --name x --rsource", rule),
        mangle("-m recent ! --update --seconds 1 --hitcount 2 --name x --rsource", fromNetwork(rule)),
      ] as const,
  ),
  ...[`-m recent --remove --name x --rsource -m recent --rcheck --name x --rdest ${marked}`].map(
    (rule) =>
      [
        "a check of the destination behind `--remove` of the source",
        mangle(rule, "-p tcp -m recent --set --name x --rdest"),
        mangle(fromNetwork(rule), "-p tcp -m recent --set --name x --rdest"),
      ] as const,
  ),
])("%s: not safe", (_, old, current) => {
  const report = review(current, old);
  expect(report.verdict).not.toBe("safe");
  expect(report.opens.length + report.closes.length + report.alters.length).toBeGreaterThan(0);
});

it.each([
  "-m connmark --mark 0x1/0x1",
  "-m connlabel --label 3",
  "-m connbytes --connbytes 3: --connbytes-mode packets --connbytes-dir both",
  "-m connlimit --connlimit-above 3",
])("--notrack in front of %s opens", (test) => {
  const rules = filter(`${test} -j DROP`);
  expect(review(untracked + rules, rules).opens.length).toBeGreaterThan(0);
});

it("a list's shorter mask opens, too, where hosts are taken off the list", () => {
  const rules = (mask: string): string =>
    filter(
      `-p udp -m recent --set --name x --mask ${mask} --rsource`,
      `-p tcp -m tcp --dport 9 -m recent --remove --name x --mask ${mask} --rsource`,
      `-m recent --rcheck --hitcount 3 --name x --mask ${mask} --rsource -j DROP`,
    );
  const report = review(rules("255.255.0.0"), rules("255.255.255.0"));
  expect([report.opens.length, report.closes.length].every((count) => count > 0)).toBe(true);
});
