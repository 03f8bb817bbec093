/**
 * Matches and targets without a model of their own, borrowed from the translation: the nft statements of each are run for
 * iptables' side by a machine that has nothing else in it.
 *
 * So a search sees where such a rule stands and when it is asked, though not whether its own nft form is right: that is
 * `verify`'s to say.
 */

import type { MatchTranslation, OptionDefinitions, OptionUses, RuleContext } from "../extensions/extension.js";
import { findMatch, findTarget } from "../extensions/registry.js";
import type { Geoip } from "../geoip/ranges.js";
import type { ExtensionUse, IptablesChain, IptablesRule, IptablesRuleset, IptablesTable } from "../iptables/ast.js";
import type { Hook, NftSet, NftTable, Statement } from "../nft/ast.js";
import { reachableHooks } from "../rewrite/hooks.js";
import { TableBuilder } from "../rewrite/table-builder.js";
import { asksPacket, NftMachine, type MachineState, type RuleEnd } from "./nft-machine.js";
import type { Flight } from "./packet.js";

/** Where a match or target stands. */
export interface Place {
  readonly table: IptablesTable;
  readonly chain: IptablesChain;
  readonly rule: IptablesRule;
}

/** Ways in which a match can hold: all statements of one group. `negated`: it holds where none of the groups does. */
export interface Groups {
  readonly groups: readonly (readonly Statement[])[];
  readonly negated: boolean;
}

/** Of a translated match; `undefined` if there is no translation. */
export function groupsOf(translation: MatchTranslation): Groups | undefined {
  if ("statements" in translation) return { groups: [translation.statements], negated: false };
  if ("alternatives" in translation) return { groups: translation.alternatives, negated: false };
  if ("anyOf" in translation) return { groups: translation.anyOf, negated: false };
  if ("unless" in translation) return { groups: translation.unless, negated: true };
  if ("never" in translation) return { groups: [], negated: false };
  if ("comment" in translation) return { groups: [[]], negated: false };
  return undefined;
}

/** The statements of all matches and targets of a ruleset, and the sets that they name. */
export class BorrowedStatements {
  private readonly builder: TableBuilder;
  private readonly hooks = new Map<IptablesTable, Map<string, Set<Hook>>>();
  /** Sets that `-m set` asks, and sets of fixed elements: what is in them is nobody's concern here. */
  readonly opaqueSets = new Set<string>();
  private made: NftTable | undefined;

  constructor(
    private readonly ruleset: IptablesRuleset,
    private readonly setSize: number,
    private readonly geoip: Geoip | undefined,
  ) {
    this.builder = new TableBuilder(ruleset.family, "borrowed");
  }

  match(use: ExtensionUse, place: Place): Groups | undefined {
    const extension = use.unknown ? undefined : findMatch(use.extension);
    return (
      extension && groupsOf(extension.translate(use.options as OptionUses<OptionDefinitions>, this.context(place, use.extension === "set")))
    );
  }

  /** The statements of a target; `undefined` if it has none. */
  target(use: ExtensionUse, place: Place): readonly Statement[] | undefined {
    const extension = use.unknown ? undefined : findTarget(use.extension);
    if (!extension || (extension.tables && !extension.tables.includes(place.table.name))) return undefined;
    const translation = extension.translate(use.options as OptionUses<OptionDefinitions>, this.context(place, use.extension === "SET"));
    return "untranslatable" in translation ? undefined : translation.statements;
  }

  /** Whether the answer to a match depends on nothing but the packet as it is. */
  asksPacket({ groups }: Groups): boolean {
    return groups.every((statements) => statements.every((statement) => asksPacket(statement, this.opaqueSets)));
  }

  /** What the statements name. Only after all statements have been made. */
  table(): NftTable {
    return (this.made ??= this.builder.build());
  }

  private context({ table, chain, rule }: Place, opaque: boolean): RuleContext {
    let hooks = this.hooks.get(table);
    if (!hooks) this.hooks.set(table, (hooks = reachableHooks(table)));
    const named = (name: string, { elements }: Omit<NftSet, "name">): string => {
      if (opaque || elements) this.opaqueSets.add(name);
      return name;
    };
    const { protocol } = rule;
    return {
      family: this.ruleset.family,
      table: table.name,
      rule,
      ruleset: this.ruleset,
      hooks: hooks.get(chain.name) ?? new Set(),
      protocol: protocol && !protocol.inverted && protocol.value !== 0 ? protocol.value : undefined,
      // Packets here are whole.
      reassembles: true,
      counters: false,
      setSize: this.setSize,
      ...(this.geoip && { geoip: this.geoip }),
      declare: {
        set: (preferredName, set) => named(this.builder.set(preferredName, set), set),
        sharedSet: (preferredName, set) => named(this.builder.sharedSet(preferredName, set), set),
        chain: (preferredName, rules, base) => this.builder.ownChain(preferredName, rules, base),
        helper: (helper) => this.builder.helper(helper),
      },
    };
  }
}

/** Runs borrowed statements, with sets and limits of its own. Only after all statements have been made. */
export class Borrower {
  private machine: NftMachine | undefined;

  constructor(private readonly borrowed: BorrowedStatements) {}

  /** Whether a group of a match holds. */
  test({ groups, negated }: Groups): (flight: Flight) => boolean {
    const rules = groups.map((statements) => this.running().rule(statements));
    return (flight) => rules.some((rule) => rule(flight) === "matched") !== negated;
  }

  /** Runs a target's statements. */
  effect(statements: readonly Statement[]): (flight: Flight) => RuleEnd {
    return this.running().rule(statements);
  }

  /** Throws `NotModelled` for statements that cannot be run. */
  refuseUnknown(statements: readonly Statement[]): void {
    this.running().refuseUnknown(statements);
  }

  reset(): void {
    this.machine?.reset();
  }

  save(): MachineState {
    return this.running().save();
  }

  restore(state: MachineState): void {
    this.running().restore(state);
  }

  describeState(time: number): string {
    return this.running().describeState(time);
  }

  private running(): NftMachine {
    return (this.machine ??= new NftMachine(this.borrowed.table(), { opaqueSets: this.borrowed.opaqueSets }));
  }
}
