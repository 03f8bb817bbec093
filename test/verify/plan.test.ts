import { expect, it } from "vitest";

import { translate } from "../../src/index.js";
import { undecidable } from "../../src/verify/plan.js";

/** Why the rule is left out; undefined if it is played. */
function reasonFor(rule: string): string | undefined {
  const { iptables, diagnostics } = translate(`*mangle\n${rule}\nCOMMIT\n`, { family: "ipv4" });
  expect(diagnostics.filter(({ severity }) => severity === "error")).toEqual([]);
  return undecidable(iptables).get(`${iptables[0]!.tables[0]!.chains.flatMap(({ rules }) => rules)[0]!.span.file}:2`);
}

it.each([
  ["-A INPUT -m statistic --mode random --prob 0.5 -j DROP", "it decides by chance"],
  ["-A INPUT -m cpu --cpu 0 -j DROP", "it asks for the processor"],
  ["-A INPUT --match time --timestart 08:00 -j DROP", "it asks for the time of day"],
  ["-A INPUT --jump NFQUEUE", "a program decides, and none runs"],
  ["-A PREROUTING -j TEE --gateway 192.0.2.9", "its copies would be taken for packets"],
])("leaves out %s", (rule, reason) => {
  expect(reasonFor(rule)).toBe(reason);
});

it.each([
  '-A INPUT -m comment --comment "-m time of day" -j DROP',
  '-A INPUT -m comment --comment "statistic --mode random" -j LOG --log-prefix "-j TEE -m cpu "',
  "-A INPUT -m statistic --mode nth --every 2 --packet 0 -j DROP",
])("plays %s", (rule) => {
  expect(reasonFor(rule)).toBeUndefined();
});
