/**
 * What a rule wants declared in the table beside its statements: sets, chains, helpers, as values. Nothing is in the table until the
 * rule is written; up to then each has a symbolic name, which no name in nft can be.
 */

import type { Hook, NftHelper, NftSet, Statement } from "../nft/ast.js";

/** How an extension asks for a declaration; each returns the name by which statements speak of it. */
export interface Declare {
  /** A set for this rule alone. */
  set(preferredName: string, set: Omit<NftSet, "name">): string;
  /** The same set for the same preferred name in all rules of one table: for things two rules share (a hashlimit's name). */
  sharedSet(preferredName: string, set: Omit<NftSet, "name">): string;
  /** A conntrack helper, the same one for equal helpers. */
  helper(helper: Omit<NftHelper, "name">): string;
  /**
   * A chain of our own, holding these rules. With `base` the kernel calls it at that hook with policy accept, and the same preferred
   * name makes one chain in one table; it stands in the script where a set that its rules name does.
   */
  chain(preferredName: string, rules: readonly (readonly Statement[])[], base?: HookedAt): string;
}

export interface HookedAt {
  readonly hook: Hook;
  readonly priority: number;
}

export type Declaration = {
  /** Symbolic. */
  readonly name: string;
  /** The match that wants it, by its position in the rule; the target if absent. */
  readonly match?: number;
} & (
  | { readonly kind: "set"; readonly preferredName: string; readonly shared: boolean; readonly set: Omit<NftSet, "name"> }
  | { readonly kind: "helper"; readonly helper: Omit<NftHelper, "name"> }
  | {
      readonly kind: "chain";
      readonly preferredName: string;
      readonly rules: readonly (readonly Statement[])[];
      readonly base?: HookedAt;
    }
);

type WithoutPlace<Value> = Value extends unknown ? Omit<Value, "match"> : never;

const none: readonly Declaration[] = [];

/** Collects what one rule wants. */
export class Declarations implements Declare {
  /** Most rules want nothing, and there may be a hundred thousand. */
  private wanted: Declaration[] | undefined;
  /** The match that is being translated; the target if absent. */
  match: number | undefined;

  /** @param rule a text or number that no other rule of the table has */
  constructor(private readonly rule: string | number) {}

  get all(): readonly Declaration[] {
    return this.wanted ?? none;
  }

  set(preferredName: string, set: Omit<NftSet, "name">): string {
    return this.add({ kind: "set", name: this.ownName(preferredName), preferredName, shared: false, set });
  }

  sharedSet(preferredName: string, set: Omit<NftSet, "name">): string {
    return this.add({ kind: "set", name: `${preferredName}#`, preferredName, shared: true, set });
  }

  helper(helper: Omit<NftHelper, "name">): string {
    return this.add({ kind: "helper", name: `${helper.type}/${helper.protocol}#`, helper });
  }

  chain(preferredName: string, rules: readonly (readonly Statement[])[], base?: HookedAt): string {
    const name = base ? `${preferredName}#` : this.ownName(preferredName);
    return this.add({ kind: "chain", name, preferredName, rules, ...(base && { base }) });
  }

  private ownName(preferredName: string): string {
    return `${preferredName}#${this.rule}.${this.all.length}`;
  }

  private add(declaration: WithoutPlace<Declaration>): string {
    (this.wanted ??= []).push(this.match === undefined ? declaration : { ...declaration, match: this.match });
    return declaration.name;
  }
}
