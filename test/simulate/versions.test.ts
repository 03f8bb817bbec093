import { describe, expect, test } from "vitest";

import { translate } from "../../src/index.js";
import type { ChangeTimeline } from "../../src/simulate/timeline.js";
import { searchVersions, type VersionSearch } from "../../src/simulate/versions.js";

function rulesets(rules: readonly string[]): ReturnType<typeof translate>["iptables"] {
  return translate(`*filter\n${rules.map((rule) => `-A INPUT ${rule}\n`).join("")}COMMIT\n`, { family: "ipv4" }).iptables;
}

function search(old: readonly string[], current: readonly string[]): VersionSearch[] {
  return searchVersions({ rulesets: rulesets(old) }, { rulesets: rulesets(current) }, { schedules: 1000 });
}

function verdicts(timeline: ChangeTimeline | undefined): string[] {
  return (timeline?.events ?? []).map(({ old, new: now }) => (old === now ? old : `${old} to ${now}`));
}

const set = "-p tcp --dport 22 -m recent --set --name SSH";
const update = (window: string): string => `-p tcp --dport 22 -m recent --update ${window} --name SSH -j DROP`;

describe("the shortest traffic that shows what a change of a list does", () => {
  test("a hit count raised opens: as many packets as the old one", () => {
    const [found] = search([set, update("--seconds 60 --hitcount 4")], [set, update("--seconds 60 --hitcount 6")]);
    expect(verdicts(found?.opens)).toEqual(["accept", "accept", "accept", "drop to accept"]);
    expect(found?.closes).toBeUndefined();
    expect(found?.opens?.events.at(-1)?.why).toContain("decided by line 3 of the old rules and no rule, but the policy of the new");
  });

  test("a window shortened opens after a pause", () => {
    const [found] = search([set, update("--seconds 60 --hitcount 2")], [set, update("--seconds 30 --hitcount 2")]);
    const [first, last] = found!.opens!.events;
    expect(verdicts(found?.opens)).toEqual(["accept", "drop to accept"]);
    expect(last!.at - first!.at).toBeGreaterThan(30);
    expect(last!.at - first!.at).toBeLessThanOrEqual(60);
  });

  test("--update to --rcheck opens: further tries of a blocked host no longer count", () => {
    const rcheck = update("--seconds 60 --hitcount 2").replace("--update", "--rcheck");
    const [found] = search([update("--seconds 60 --hitcount 2"), set], [rcheck, set]);
    expect(verdicts(found?.opens).at(-1)).toBe("drop to accept");
    expect(found?.closes).toBeUndefined();
  });

  test("a --set moved to another port opens one and closes the other", () => {
    const other = "-p tcp --dport 2222 -m recent --set --name SSH";
    const check = "-p tcp -m recent --rcheck --seconds 60 --name SSH -j DROP";
    const [found] = search([check, set], [check, other]);
    expect(found?.opens?.events[0]?.packet).toContain(":22,");
    expect(found?.closes?.events[0]?.packet).toContain(":2222,");
  });

  test("nothing is found where nothing changed, or what changed decides nothing", () => {
    expect(search([set, update("--seconds 60 --hitcount 4")], [set, update("--seconds 60 --hitcount 4")])).toEqual([
      { list: "SSH", family: "ipv4" },
    ]);
    const log = set.replace("-m recent", "-m recent").concat(" -j LOG");
    expect(search([set], [log])).toEqual([{ list: "SSH", family: "ipv4" }]);
  });

  test("a list that only one version has", () => {
    const [found] = search(["-p tcp --dport 80 -j ACCEPT"], [set, update("--seconds 60 --hitcount 4")]);
    expect(verdicts(found?.closes)).toEqual(["accept", "accept", "accept", "accept to drop"]);
  });

  test("rules that the models do not know are not searched", () => {
    const unknown = "-p tcp --dport 22 -m recent --set --name SSH -m bpf --bytecode 1,6 0 0 0";
    expect(search([unknown, update("--seconds 60 --hitcount 4")], [unknown, update("--seconds 60 --hitcount 6")])).toEqual([
      { list: "SSH", family: "ipv4" },
    ]);
  });
});
