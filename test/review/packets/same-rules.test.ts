import { describe, expect, it } from "vitest";
import type { IptablesChain, IptablesRuleset } from "../../../src/iptables/ast.js";
import { noteSameRules, sameChain, sameRule } from "../../../src/review/packets/same-rules.js";
import { stepsOf } from "../../../src/review/packets/steps.js";
import { translate } from "../../../src/translate.js";
import { dump, review } from "../dumps.js";

function rulesets(file: string, ...lines: readonly string[]): readonly IptablesRuleset[] {
  return translate([{ file, text: dump(...lines), family: "ipv4" }]).iptables;
}

function chain(all: readonly IptablesRuleset[], name: string): IptablesChain {
  return all[0]!.tables[0]!.chains.find((one) => one.name === name)!;
}

describe("noteSameRules", () => {
  it("finds rules at other lines, and chains that are the same throughout", () => {
    const old = rulesets("old", "-A INPUT -p tcp --dport 22 -j ACCEPT", "-A FORWARD -j DROP");
    const current = rulesets("new", "-A INPUT -i lo -j ACCEPT", "-A INPUT -p tcp --dport 22 -j ACCEPT", "[5:6] -A FORWARD -j DROP");
    noteSameRules(old, current);
    expect(sameRule(chain(old, "INPUT").rules[0]!)).toBe(chain(current, "INPUT").rules[1]);
    expect(sameChain(chain(old, "INPUT"))).toBeUndefined();
    expect(sameChain(chain(old, "FORWARD"))).toBe(chain(current, "FORWARD"));
  });

  it("takes rules of one text for different where they were read differently", () => {
    const text = "-A INPUT -s 192.0.2.1,192.0.2.2 -j ACCEPT";
    const [old, current] = [rulesets("old", text), rulesets("new", "-A INPUT -i lo -j ACCEPT", text)];
    noteSameRules(old, current);
    const [first, second] = chain(old, "INPUT").rules;
    // The text alone leads to the last of the two.
    expect(sameRule(first!)).toBeUndefined();
    expect(sameRule(second!)).toBe(chain(current, "INPUT").rules[2]);

    const jump = "-A INPUT -j LOG";
    const [toChain, toTarget] = [rulesets("old", ":LOG - [0:0]", jump), rulesets("new", jump)];
    const [called, logging] = [toChain, toTarget].map((all) => chain(all, "INPUT").rules[0]!);
    expect([called!.target?.kind, logging!.target?.kind]).toEqual(["chain", "extension"]);
    noteSameRules(toChain, toTarget);
    expect(sameRule(called!)).toBeUndefined();
  });

  it("leads nobody in a circle who compares a ruleset with itself, or in both directions", () => {
    const lines = ["-A INPUT -p tcp --dport 22 -j ACCEPT"];
    const [old, current] = [rulesets("old", ...lines), rulesets("new", ...lines)];
    noteSameRules(old, old);
    noteSameRules(old, current);
    noteSameRules(current, old);
    for (const one of [old, current]) expect(stepsOf(chain(one, "INPUT").rules[0]!, "ipv4")).toHaveLength(1);
  });
});

describe("a review of a large dump with one change", () => {
  const hosts = Array.from({ length: 500 }, (_, index) => `192.0.2.${index % 250}`);
  const lines = hosts.map((host, index) => `-A INPUT -s ${host}/32 -p tcp -m tcp --dport ${1000 + index} -j ACCEPT`);
  const changed = lines.with(300, "-A INPUT -s 192.0.2.50/32 -p tcp -m tcp --dport 9 -j ACCEPT");
  const policy = ":INPUT DROP [0:0]";

  it("tells that change alone, though the old script is made another way", () => {
    const { changes, scriptDiff, opens, closes } = review(dump(policy, ...changed), dump(policy, ...lines));
    expect(changes).toHaveLength(1);
    expect([opens.length, closes.length]).toEqual([1, 1]);
    expect(scriptDiff.split("\n").filter((line) => /^[-+]\t/.test(line))).toEqual([
      "-\t\tip saddr 192.0.2.50 tcp dport 1300 ip frag-off & 0x1fff == 0 counter accept",
      "+\t\tip saddr 192.0.2.50 tcp dport 9 ip frag-off & 0x1fff == 0 counter accept",
    ]);
  });

  it("finds in the old version what it finds in the new one: a rule behind another that takes all its packets is nothing new", () => {
    const dead = "-A INPUT -s 192.0.2.1/32 -p tcp -m tcp --dport 1001 -j DROP";
    const findings = review(dump(policy, ...changed, dead), dump(policy, ...lines, dead)).findings;
    expect(findings.filter(({ code }) => code === "unreachable-rule")).toMatchObject([{ unchanged: true }]);
  });
});
