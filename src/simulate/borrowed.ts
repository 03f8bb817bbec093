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
import type { Hook, NftSet, Statement } from "../nft/ast.js";
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

/** Makes the statements first, all of them; the machine, which needs the sets they name, at the end. */
export class Borrower {
  private readonly builder: TableBuilder;
  private readonly hooks = new Map<IptablesTable, Map<string, Set<Hook>>>();
  /** Sets that `-m set` asks, and sets of fixed elements: what is in them is nobody's concern here. */
  readonly opaqueSets = new Set<string>();
  private machine: NftMachine | undefined;

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

  /** Whether a group of a match holds. Only after all statements have been made. */
  test({ groups, negated }: Groups): (flight: Flight) => boolean {
    const rules = groups.map((statements) => this.running().rule(statements));
    return (flight) => rules.some((rule) => rule(flight) === "matched") !== negated;
  }

  /** Whether the answer to a match depends on nothing but the packet as it is. */
  asksPacket({ groups }: Groups): boolean {
    return groups.every((statements) => statements.every((statement) => asksPacket(statement, this.opaqueSets)));
  }

  /** Runs a target's statements. Only after all statements have been made. */
  effect(statements: readonly Statement[]): (flight: Flight) => RuleEnd {
    return this.running().rule(statements);
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
    return (this.machine ??= new NftMachine(this.builder.build(), { opaqueSets: this.opaqueSets }));
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
