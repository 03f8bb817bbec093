import { expect, it } from "vitest";

import { diagnostic } from "../../src/diagnostic.js";
import { renderText } from "../../src/report/text.js";
import { translate } from "../../src/translate.js";

it("errors of one kind have an end, and the others are counted", () => {
  const span = (line: number): Parameters<typeof diagnostic>[1] => ({ file: "rules.v4", line, column: 1, length: 1 });
  const errors = Array.from({ length: 30 }, (_, index) => diagnostic("unknown-option", span(index + 1), `no such option: ${index}`));
  const other = diagnostic("missing-commit", span(31), "the table has no COMMIT");
  const lines = renderText([...errors, other], [], { color: false }).split("\n");
  expect(lines.filter((line) => line.includes("no such option"))).toHaveLength(20);
  expect(lines.slice(-3)).toEqual([
    "rules.v4:31:1: error: the table has no COMMIT [missing-commit]",
    "error: 10 more of the same kind [unknown-option]",
    "",
  ]);
});

it.each([
  ["-m recent --set –rsource", '"–rsource" begins with a dash (U+2013), not with hyphens', "write --rsource"],
  ["—j DROP", '"—j" begins with a dash (U+2014), not with hyphens', "write -j"],
  ["-j DNAT [unsupported revision]", "iptables-save could not print what stands here: it is too old for the rule", expect.any(String)],
  ["-d 192.0.2.1 -dport 22 -j ACCEPT", '"-dport" is read as "-d" with the address "port", which is a name', "write --dport"],
  ["-sport 22 -j ACCEPT", '"-sport" is read as "-s" with the address "port", which is a name', "write --sport"],
])("%s: the cause is named", (rule, message, help) => {
  const { diagnostics } = translate(`*nat\n-A PREROUTING -p tcp ${rule}\nCOMMIT\n`, { family: "ipv4" });
  expect(diagnostics.filter(({ severity }) => severity === "error")).toMatchObject([{ message, help }]);
});

it("a file of user chains alone is told apart", () => {
  const text = (chain: string): string => `*filter\n:INPUT ACCEPT [0:0]\n:user - [0:0]\n-A ${chain} -j DROP\nCOMMIT\n`;
  const codes = (chain: string): string[] => translate(text(chain), { family: "ipv4" }).diagnostics.map(({ code }) => code);
  expect(codes("user")).toContain("no-built-in-chain");
  expect(codes("INPUT")).not.toContain("no-built-in-chain");
});

it("more hits than an exact form holds: no help leads to one", () => {
  const rule = (hits: number): string =>
    `*filter\n-A INPUT -m recent --set\n-A INPUT -m recent --update --seconds 60 --hitcount ${hits} -j DROP\nCOMMIT\n`;
  const helpOf = (hits: number): string | undefined =>
    translate(rule(hits), { family: "ipv4", recent: "limit" }).diagnostics.find(({ code }) => code === "recent-limit-form")?.help;
  expect(helpOf(300)).toBe("no exact form holds more than 255 hits");
  expect(helpOf(200)).toBe("--recent exact writes an exact window");
});
