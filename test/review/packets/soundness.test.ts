import fc from "fast-check";
import { expect, it } from "vitest";
import { review } from "../dumps.js";
import { decide, dumpOf, smallFirewall, smallPackets } from "./small-firewalls.js";

const runs = { numRuns: 300, seed: 1 };

it("tells of an opening where a packet gets through that did not, and only there; the same for a closing", () => {
  let differing = 0;
  fc.assert(
    fc.property(smallFirewall, smallFirewall, (old, current) => {
      const report = review(dumpOf(current), dumpOf(old));
      const verdicts = smallPackets.map((packet) => [decide(old, packet).verdict, decide(current, packet).verdict]);
      const [opened, closed] = [
        verdicts.some(([was, is]) => was === "DROP" && is === "ACCEPT"),
        verdicts.some(([was, is]) => was === "ACCEPT" && is === "DROP"),
      ];
      if (opened || closed) differing++;
      // A policy is told of even where no packet comes to it.
      const [opens, closes] = [report.opens, report.closes].map((effects) =>
        effects.filter(({ sentence }) => !sentence.includes("policy")),
      );
      const policyChanged = old.policy !== current.policy;
      if (opened || closed) expect(report.verdict).not.toBe("safe");
      if (opens!.length > 0) expect(opened).toBe(true);
      if (closes!.length > 0) expect(closed).toBe(true);
      if (opened) expect(report.opens.length > 0 || policyChanged).toBe(true);
      if (closed) expect(report.closes.length > 0 || policyChanged).toBe(true);
    }),
    runs,
  );
  expect(differing).toBeGreaterThan(100);
}, 120_000);

it("calls no change of order harmless that changes a verdict", () => {
  let told = 0;
  fc.assert(
    fc.property(smallFirewall, fc.integer({ min: 0, max: 4 }), fc.integer({ min: 0, max: 4 }), (old, from, to) => {
      const input = [...old.input];
      if (from >= input.length || to >= input.length) return;
      input.splice(to, 0, ...input.splice(from, 1));
      const current = { ...old, input };
      const report = review(dumpOf(current), dumpOf(old));
      const differs = smallPackets.some((packet) => decide(old, packet).verdict !== decide(current, packet).verdict);
      if (differs) told++;
      expect(report.opens.length + report.closes.length > 0).toBe(differs);
    }),
    { ...runs, numRuns: 400 },
  );
  expect(told).toBeGreaterThan(10);
});

it("calls no rule unreachable that a packet matches", () => {
  let unreachable = 0;
  fc.assert(
    fc.property(smallFirewall, (firewall) => {
      const report = review(dumpOf(firewall));
      const hit = new Set(smallPackets.flatMap((packet) => decide(firewall, packet).matched));
      const rules = [...firewall.input, ...firewall.first, ...firewall.second];
      const firstLine = 7;
      for (const { code, span } of report.findings) {
        if (code !== "unreachable-rule") continue;
        unreachable++;
        expect(hit.has(rules[span.line - firstLine]!)).toBe(false);
      }
    }),
    runs,
  );
  expect(unreachable).toBeGreaterThan(100);
});
