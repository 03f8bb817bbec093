import { expect, it } from "vitest";

import type { Machine, SavedRules } from "../../src/cutover/machine.js";
import { hostCommands } from "../../src/cutover/hosts.js";
import { planCutover, type Plan, type PlanRequest } from "../../src/cutover/plan.js";
import { translate } from "../../src/translate.js";

const rules = (...lines: readonly string[]): string => ["*filter", ":INPUT DROP [0:0]", ...lines, "COMMIT", ""].join("\n");
const saved = (text: string, variant: SavedRules["variant"] = "legacy", family: SavedRules["family"] = "ipv4"): SavedRules => ({
  ...{ variant, family, text },
  ...{ save: "save", restore: "restore", iptables: "iptables" },
});
const planFor = (machine: Partial<Machine>, request: Partial<PlanRequest> = {}) =>
  planCutover({
    machine: { live: new Set(), saved: [], ipsets: "", lists: [], tables: [], ownTables: "", ...machine },
    options: {},
    translate,
    acceptedLoss: 0,
    leaveToOwners: true,
    ...request,
  });

it("takes tables of iptables-nft away in the transaction that loads the new ones", () => {
  const plan = planFor({ saved: [saved(rules("-A INPUT -j ACCEPT"), "nft")] }) as Plan;
  expect(plan.script).toMatch(/add table ip filter\ndelete table ip filter\n[^]*add table ip ipt2nft\n/);
  expect(plan.lasting).not.toContain("table ip filter");
  expect(plan.old[0]!.emptied).toBeUndefined();
});

it("refuses two old firewalls, tables that nobody can show, a name that is taken, and losses", () => {
  const one = rules("-A INPUT -j ACCEPT");
  expect(planFor({ saved: [saved(one), saved(one, "nft")] })).toMatchObject({ obstacle: expect.stringContaining("two old firewalls") });
  expect(planFor({ saved: [saved(one), saved("# Table `nat' is incompatible, use 'nft' tool.\n", "nft")] })).toMatchObject({
    obstacle: expect.stringContaining("the nft table ip nat"),
  });
  expect(planFor({ saved: [saved(one, "nft")] }, { options: { table: "filter" } })).toMatchObject({
    obstacle: expect.stringContaining('the name "filter"'),
  });
  const lost = { saved: [saved(rules("-A INPUT -m string --string x --algo bm --icase -j DROP"))] };
  expect(planFor(lost)).toMatchObject({ obstacle: "1 rule would be lost; --accept-loss 1 goes on without" });
  expect(planFor(lost, { acceptedLoss: 1 })).toMatchObject({ rules: { refused: 1 } });
});

it("keeps the old rules of a family that the files have nothing of, and tells of a table that they lack", () => {
  const nat = "*nat\n:PREROUTING ACCEPT [0:0]\n-A PREROUTING -p tcp -j REDIRECT --to-ports 80\nCOMMIT\n";
  const plan = planFor(
    { saved: [saved(rules("-A INPUT -j ACCEPT") + nat), saved(rules("-A INPUT -j ACCEPT"), "legacy", "ipv6")] },
    { sources: [{ file: "new.v4", text: rules("-A INPUT -i lo -j ACCEPT"), family: "ipv4" }] },
  ) as Plan;
  expect(plan.old.map(({ family }) => family)).toEqual(["ipv4"]);
  expect(plan.staying.map(({ family }) => family)).toEqual(["ipv6"]);
  expect(plan.missingTables).toEqual(["ipv4 nat"]);
});

it("puts hosts on the lists of the new firewall with the time that is left to them", () => {
  const plan = planFor({
    saved: [
      saved(
        rules("-A INPUT -m recent --update --seconds 60 --name bad --rsource -j DROP", "-A INPUT -m recent --set --name bad --rsource"),
      ),
    ],
  }) as Plan;
  const commands = hostCommands(plan.translation, [
    { list: "bad", hosts: [{ address: "192.0.2.7", ttl: 64, ages: [100, 20] }] },
    { list: "unknown", hosts: [{ address: "192.0.2.8", ttl: 64, ages: [1] }] },
    { list: "bad", hosts: [{ address: "2001:0db8:0000:0000:0000:0000:0000:0001", ttl: 64, ages: [1] }] },
  ]);
  expect(commands).toMatch(/^add element ip ipt2nft \S+ \{ 192\.0\.2\.7 expires 40s4ms \}\n$/);
  expect(plan.windows).toEqual(new Map([["bad", 60]]));
});
