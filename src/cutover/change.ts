/**
 * The change itself: the order of its steps, and what follows where one fails. README.md has the reasons.
 */

import type { OldRules, Plan } from "./plan.js";

export const steps = ["arm", "check-old", "mark", "load", "empty", "check-new", "wait"] as const;
export type Step = (typeof steps)[number];

/** Everything that a change does to the machine. Each may fail with an Error, and may be asked again. */
export interface ChangeEffects {
  /** Writes what the way back needs, and begins to watch; nothing has been changed before. */
  arm(): Promise<void>;
  /** What the machine's rules are now, without counters. */
  oldRules(old: OldRules): Promise<string>;
  /** From here on the way back restores the rules. */
  markChanged(): Promise<void>;
  /** One transaction, with the hosts that are on lists at this moment. */
  load(plan: Plan): Promise<void>;
  /** One table after the other, each in one step of the kernel. */
  empty(old: OldRules): Promise<void>;
  /** Throws where the new tables are not there, or a rule of the old firewall is. */
  checkNew(plan: Plan): Promise<void>;
  /** The time to confirm begins. */
  beginWaiting(): Promise<void>;
  /** Puts the old firewall back at once, or gives up what was armed. */
  rollBack(): Promise<void>;
  /** A line in the journal; a journal that cannot be written stops nothing. */
  note(step: Step, event: "begins" | "done" | "failed", detail?: string): void;
}

/** The machine has the old firewall, or the way back goes on trying to restore it. */
export class ChangeFailed extends Error {
  constructor(
    readonly step: Step,
    readonly reason: Error,
    /** What went wrong on the way back; undefined where the old firewall is restored. */
    readonly onTheWayBack: Error | undefined,
  ) {
    super(reason.message);
  }
}

/**
 * Changes the firewalls. Throws ChangeFailed where a step fails, after the way back.
 * @param rulesOf what differs between two readings of the same rules taken out
 */
export async function changeFirewall(plan: Plan, effects: ChangeEffects, rulesOf: (text: string) => string): Promise<void> {
  const work: Readonly<Record<Step, () => Promise<void>>> = {
    arm: () => effects.arm(),
    // Between the reading of the rules and here a program may have changed them.
    "check-old": async () => {
      for (const old of plan.old) {
        if ((await effects.oldRules(old)) !== rulesOf(old.text)) {
          throw new Error("the rules of the machine were changed while the new firewall was made; try again");
        }
      }
    },
    mark: () => effects.markChanged(),
    // Both firewalls decide for a moment: a packet passes that both let pass.
    load: () => effects.load(plan),
    empty: async () => {
      for (const old of plan.old) if (old.emptied) await effects.empty(old);
    },
    "check-new": () => effects.checkNew(plan),
    wait: () => effects.beginWaiting(),
  };
  for (const step of steps) {
    effects.note(step, "begins");
    try {
      await work[step]();
    } catch (error) {
      const reason = error instanceof Error ? error : new Error(String(error));
      effects.note(step, "failed", reason.message);
      throw new ChangeFailed(step, reason, await failureOf(() => effects.rollBack()));
    }
    effects.note(step, "done");
  }
}

async function failureOf(work: () => Promise<void>): Promise<Error | undefined> {
  try {
    await work();
    return undefined;
  } catch (error) {
    return error instanceof Error ? error : new Error(String(error));
  }
}
