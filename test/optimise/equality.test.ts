/**
 * The optimised table beside the plain one, as models: equal verdicts, marks, log lines, and counters of every line.
 *
 * `OPTIMISE_RULESETS=100000 npx vitest run --project unit test/optimise/equality` for a campaign.
 */

import fc from "fast-check";
import { expect, it } from "vitest";

import { expectAgreement, tables } from "./equality.js";
import {
  drawnPackets,
  packetsInIpv6,
  temptingDump,
  temptingRules,
  temptingSources,
  temptingTranslations,
  translationDump,
} from "./tempting.js";

const eitherFamily = fc.constantFrom("ipv4" as const, "ipv4" as const, "ipv6" as const);
const rulesets = Number(process.env["OPTIMISE_RULESETS"] ?? 100);

it("decides, marks, logs and counts as the plain table", { timeout: 3_600_000 }, () => {
  let [merged, boxes, sharing] = [0, 0, 0];
  fc.assert(
    fc.property(temptingRules, drawnPackets, eitherFamily, (rules, packets, family) => {
      const { plain, optimised, merges, inBoxes, shared } = tables([temptingDump(rules, family)], [family]);
      merged += merges;
      boxes += inBoxes;
      sharing += shared;
      const schedule = family === "ipv4" ? packets : packetsInIpv6(packets);
      expectAgreement(plain, optimised, schedule, family);
    }),
    { numRuns: rulesets },
  );
  expect(merged).toBeGreaterThan(rulesets / 4);
  expect(boxes).toBeGreaterThan(rulesets / 20);
  expect(sharing).toBeGreaterThan(rulesets / 20);
});

it.each([
  ["destinations", temptingTranslations, "PREROUTING", "input"],
  ["sources", temptingSources, "POSTROUTING", "forward"],
] as const)("translates %s as the plain table", { timeout: 3_600_000 }, (_, translations, chain, path) => {
  let merged = 0;
  fc.assert(
    fc.property(translations, drawnPackets, eitherFamily, (rules, packets, family) => {
      const { plain, optimised, merges } = tables([translationDump(rules, chain, family)], [family]);
      merged += merges;
      const drawn = family === "ipv4" ? packets : packetsInIpv6(packets);
      const schedule = drawn.map((packet) => ({ ...packet, state: "new" as const, path, outInterface: path === "input" ? "" : "eth1" }));
      expectAgreement(plain, optimised, schedule, family);
    }),
    { numRuns: Math.ceil(rulesets / 2) },
  );
  expect(merged).toBeGreaterThan(rulesets / 8);
});

it("and in one table of both families", { timeout: 3_600_000 }, () => {
  fc.assert(
    fc.property(temptingRules, temptingRules, fc.boolean(), drawnPackets, (rules, others, alike, packets) => {
      const dumps = [temptingDump(rules), temptingDump(alike ? rules : others, "ipv6")];
      const { plain, optimised } = tables(dumps, ["ipv4", "ipv6"]);
      // Where only one side tracks connections there are two.
      fc.pre(plain.family === "inet");
      expectAgreement(plain, optimised, packets, "ipv4");
      expectAgreement(plain, optimised, packetsInIpv6(packets), "ipv6");
    }),
    { numRuns: Math.ceil(rulesets / 4) },
  );
});
