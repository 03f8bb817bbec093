import { expect, it } from "vitest";

import { changeFirewall, ChangeFailed, steps, type ChangeEffects, type Step } from "../../src/cutover/change.js";
import { planCutover, type Plan } from "../../src/cutover/plan.js";
import { rulesOf } from "../../src/cutover/saved-rules.js";
import { translate } from "../../src/translate.js";

const text = "*filter\n:INPUT DROP [0:0]\n-A INPUT -i lo -j ACCEPT\nCOMMIT\n";

const programs = { save: "iptables-legacy-save", restore: "iptables-legacy-restore", iptables: "iptables-legacy" };
const plan = planCutover({
  machine: {
    live: new Set(),
    saved: [{ variant: "legacy", family: "ipv4", text, encoding: "utf8", ...programs }],
    ipsets: "",
    ipsetsEncoding: "utf8",
    lists: [],
    tables: [{ family: "inet", name: "other" }],
    ownTables: "",
  },
  options: {},
  translate,
  acceptedLoss: 0,
  leaveToOwners: true,
}) as Plan;

/** A machine on which one step fails. */
class FakeMachine implements ChangeEffects {
  readonly done: string[] = [];

  constructor(
    private readonly failing?: Step,
    private readonly rules = text,
    private readonly backFails = false,
  ) {}

  private async step(name: Step): Promise<void> {
    if (name === this.failing) throw new Error(`no ${name}`);
    this.done.push(name);
  }

  arm = (): Promise<void> => this.step("arm");
  oldRules = async (): Promise<string> => {
    await this.step("check-old");
    return rulesOf(this.rules);
  };
  markChanged = (): Promise<void> => this.step("mark");
  load = (): Promise<void> => this.step("load");
  empty = (): Promise<void> => this.step("empty");
  checkNew = (): Promise<void> => this.step("check-new");
  beginWaiting = (): Promise<void> => this.step("wait");
  rollBack = async (): Promise<void> => {
    if (this.backFails) throw new Error("no way back");
    this.done.push("roll back");
  };
  note = (): void => undefined;
}

it("takes its steps in order", async () => {
  const machine = new FakeMachine();
  await changeFirewall(plan, machine, rulesOf);
  expect(machine.done).toEqual(steps);
});

it.each(steps)("rolls back where %s fails, and does nothing more", async (step) => {
  const machine = new FakeMachine(step);
  await expect(changeFirewall(plan, machine, rulesOf)).rejects.toMatchObject({ step, message: `no ${step}`, onTheWayBack: undefined });
  expect(machine.done).toEqual([...steps.slice(0, steps.indexOf(step)), "roll back"]);
});

it("touches nothing where the rules were changed meanwhile", async () => {
  const machine = new FakeMachine(undefined, text.replace("lo", "eth0"));
  await expect(changeFirewall(plan, machine, rulesOf)).rejects.toBeInstanceOf(ChangeFailed);
  expect(machine.done).toEqual(["arm", "check-old", "roll back"]);
});

it("tells where the way back fails, too", async () => {
  const changed = changeFirewall(plan, new FakeMachine("empty", text, true), rulesOf);
  await expect(changed).rejects.toMatchObject({ step: "empty", onTheWayBack: { message: "no way back" } });
});

it("plans the script, the emptied tables and the way back", () => {
  expect(plan.rules).toEqual({ exact: 1, approximated: 0, refused: 0 });
  expect(plan.script).toContain('iifname "lo"');
  expect(plan.old.map(({ emptied }) => emptied?.text)).toEqual(["*filter\n:INPUT ACCEPT [0:0]\nCOMMIT\n"]);
  expect(plan.removal).toContain("add table ip ipt2nft\ndelete table ip ipt2nft\n");
  expect(plan.otherTables).toEqual([{ family: "inet", name: "other" }]);
});
