/**
 * A reference model of iptables with xt_recent in virtual time: what the kernel does with a packet, written down from
 * measurements (Linux 6.18, HZ=250, iptables 1.8.9) and not from the translation, so that the two can be compared.
 *
 * A list holds entries, one per masked address, in the order of their last touch. An entry has the TTL of its last touch and
 * a ring of stamps. Two facts decide most cases: the condition of `--rcheck` and `--update` is inverted before the side
 * effect is decided (`! --update` touches where the condition fails), and a stamp that is exactly N seconds old counts.
 */

import { recentUse, type RecentUse } from "../extensions/matches/recent.js";
import type {
  AddressMask, ExtensionUse, IptablesChain, IptablesRule, IptablesRuleset, IptablesTable, OptionUse,
} from "../iptables/ast.js";
import { baseChainOf } from "../nft/base-chains.js";
import type { Hook } from "../nft/ast.js";
import { hooksOf, NotModelled, ticksPerSecond, type Outcome, type Packet, type Verdict } from "./packet.js";

export interface XtOptions {
  /** Hosts a list remembers (`ip_list_tot`); `Infinity` for lists that never forget. 100 unless told. */
  readonly listSize?: number;
  /** The answer of `-m limit`, which has no model here. It holds unless told. */
  readonly limit?: (rule: IptablesRule) => boolean;
}

interface Entry {
  ttl: number;
  /** In ticks; the newest last. */
  stamps: number[];
}

interface List {
  readonly mask: bigint;
  /** Stamps kept for each host. */
  readonly ring: number;
  /** The least recently touched first. */
  readonly entries: Map<bigint, Entry>;
}

/** Stamps that the list's ring must hold for a rule: measured by filling rings and counting what is kept. */
function ringFor({ use }: RecentUse): number {
  const hits = Number(use.options["hitcount"]?.value ?? 0);
  return hits === 0 ? 32 : 2 ** Math.ceil(Math.log2(hits));
}

const builtInOrder = ["PREROUTING", "INPUT", "FORWARD", "OUTPUT", "POSTROUTING"];

/** The order in which iptables hands a table's chains to the kernel: the first rule that names a list fixes its mask. */
function loadOrder(table: IptablesTable): IptablesChain[] {
  const rank = (chain: IptablesChain): number => (chain.policy === undefined ? builtInOrder.length : builtInOrder.indexOf(chain.name));
  return [...table.chains].sort((a, b) => rank(a) - rank(b) || (a.name < b.name ? -1 : a.name > b.name ? 1 : 0));
}

type RuleEnd = { readonly kind: "verdict"; readonly verdict: Verdict } | { readonly kind: "return" };

interface BaseChain { readonly chain: IptablesChain; readonly table: CompiledTable; readonly priority: number }
interface CompiledTable { readonly chains: ReadonlyMap<string, IptablesChain> }

export class XtModel {
  private readonly lists = new Map<string, List>();
  private readonly uses = new Map<ExtensionUse, RecentUse>();
  private readonly hooks = new Map<Hook, BaseChain[]>();
  private readonly listSize: number;
  private readonly limit: (rule: IptablesRule) => boolean;
  private logs: string[] = [];
  /** Packets that each rule has matched. */
  readonly counts = new Map<IptablesRule, number>();

  constructor(ruleset: IptablesRuleset, { listSize = 100, limit = () => true }: XtOptions = {}) {
    this.listSize = listSize;
    this.limit = limit;
    const lists = new Map<string, { mask: bigint; ring: number }>();
    for (const table of ruleset.tables) {
      for (const chain of loadOrder(table)) {
        for (const match of chain.rules.flatMap((rule) => rule.matches)) {
          if (match.extension !== "recent") continue;
          const use = recentUse(match, ruleset.family);
          this.uses.set(match, use);
          const list = lists.get(use.list) ?? { mask: use.mask, ring: 1 };
          lists.set(use.list, { ...list, ring: Math.max(list.ring, ringFor(use)) });
        }
      }
      this.addBaseChains(table);
    }
    for (const [name, list] of lists) this.lists.set(name, { ...list, entries: new Map() });
  }

  private addBaseChains(table: IptablesTable): void {
    const compiled = { chains: new Map(table.chains.map((chain) => [chain.name, chain])) };
    for (const chain of table.chains) {
      if (chain.policy === undefined) continue;
      const base = baseChainOf(table.name, chain.name, "accept")?.base;
      if (!base) throw new NotModelled(`no hook for chain ${chain.name} of table ${table.name}`);
      const chains = this.hooks.get(base.hook) ?? [];
      chains.push({ chain, table: compiled, priority: base.priority });
      chains.sort((a, b) => a.priority - b.priority);
      this.hooks.set(base.hook, chains);
    }
  }

  /** Forgets all hosts and counts. */
  reset(): void {
    for (const list of this.lists.values()) list.entries.clear();
    this.counts.clear();
  }

  /** Sends one packet through all hooks of its path. */
  send(packet: Packet): Outcome {
    this.logs = [];
    for (const hook of hooksOf(packet.path)) {
      for (const { chain, table } of this.hooks.get(hook) ?? []) {
        const end = this.runChain(chain, table, packet);
        const verdict = end.kind === "verdict" ? end.verdict : chain.policy === "DROP" ? "drop" : "accept";
        if (verdict === "drop") return { verdict, logs: this.logs };
      }
    }
    return { verdict: "accept", logs: this.logs };
  }

  /** The stamps of a host in ticks, the newest last; `undefined` if it is not on the list. */
  stamps(list: string, address: bigint): readonly number[] | undefined {
    const found = this.lists.get(list);
    return found?.entries.get(address & found.mask)?.stamps;
  }

  private runChain(chain: IptablesChain, table: CompiledTable, packet: Packet): RuleEnd {
    for (const rule of chain.rules) {
      if (!this.matches(rule, packet)) continue;
      this.counts.set(rule, (this.counts.get(rule) ?? 0) + 1);
      const { target } = rule;
      if (!target) continue;
      if (target.kind === "chain") {
        const called = table.chains.get(target.chain);
        if (!called) throw new NotModelled(`no chain ${target.chain}`);
        const end = this.runChain(called, table, packet);
        if (end.kind === "verdict" || target.goto) return end;
        continue;
      }
      switch (target.extension) {
        case "ACCEPT": return { kind: "verdict", verdict: "accept" };
        case "DROP": case "REJECT": return { kind: "verdict", verdict: "drop" };
        case "RETURN": return { kind: "return" };
        case "LOG": this.logs.push(String(target.options["log-prefix"]?.value ?? "")); break;
        case "MARK": case "CONNMARK": break;
        default: throw new NotModelled(`target ${target.extension}`);
      }
    }
    return { kind: "return" };
  }

  // -------------------------------------------------------------------------------------------------- matches

  private matches(rule: IptablesRule, packet: Packet): boolean {
    if (rule.fragment) throw new NotModelled("-f");
    if (rule.source && !addressMatches(rule.source, packet.source)) return false;
    if (rule.destination && !addressMatches(rule.destination, packet.destination)) return false;
    if (rule.inInterface && !interfaceMatches(rule.inInterface, packet.inInterface)) return false;
    if (rule.outInterface && !interfaceMatches(rule.outInterface, packet.outInterface)) return false;
    if (rule.protocol && (rule.protocol.value === 0 || rule.protocol.value === packet.protocol) === rule.protocol.inverted) return false;
    return rule.matches.every((match) => this.matchHolds(match, rule, packet));
  }

  private matchHolds(match: ExtensionUse, rule: IptablesRule, packet: Packet): boolean {
    switch (match.extension) {
      case "recent": return this.recent(this.uses.get(match)!, packet);
      case "comment": return true;
      case "limit": return this.limit(rule);
      case "tcp": return packet.protocol === 6 && portsMatch(match, packet);
      case "udp": return packet.protocol === 17 && portsMatch(match, packet);
      default: throw new NotModelled(`match ${match.extension}`);
    }
  }

  private recent(use: RecentUse, packet: Packet): boolean {
    const list = this.lists.get(use.list)!;
    const address = (use.side === "saddr" ? packet.source : packet.destination) & list.mask;
    const found = list.entries.get(address);
    const entry = found && use.rttl && found.ttl !== 0 && found.ttl !== packet.ttl ? undefined : found;
    if (!entry) {
      if (use.operation !== "set") return use.inverted;
      if (list.entries.size >= this.listSize) list.entries.delete(list.entries.keys().next().value!);
      list.entries.set(address, { ttl: packet.ttl, stamps: [packet.time] });
      return !use.inverted;
    }
    switch (use.operation) {
      case "set":
        touch(list, address, entry, packet);
        return !use.inverted;
      case "remove":
        list.entries.delete(address);
        return !use.inverted;
      case "rcheck": case "update": {
        const oldest = use.seconds === undefined ? -Infinity : packet.time - use.seconds * ticksPerSecond;
        const holds = entry.stamps.filter((stamp) => stamp >= oldest).length >= use.hits;
        const result = holds !== use.inverted;
        const touches = use.operation === "update" && result;
        if (use.reap) reap(list, oldest, touches ? entry : undefined);
        if (touches) touch(list, address, entry, packet);
        return result;
      }
    }
  }
}

/** A new stamp, the packet's TTL, and the place of the most recently touched. */
function touch(list: List, address: bigint, entry: Entry, packet: Packet): void {
  entry.stamps.push(packet.time);
  if (entry.stamps.length > list.ring) entry.stamps.shift();
  entry.ttl = packet.ttl;
  list.entries.delete(address);
  list.entries.set(address, entry);
}

/** At most one entry goes, the least recently touched, whichever host it is of. */
function reap(list: List, oldest: number, spared: Entry | undefined): void {
  const [head] = list.entries;
  if (head && head[1] !== spared && head[1].stamps.at(-1)! < oldest) list.entries.delete(head[0]);
}

function addressMatches({ value, inverted }: OptionUse<AddressMask>, address: bigint): boolean {
  return ((address & value.mask) === value.address) !== inverted;
}

function interfaceMatches({ value, inverted }: OptionUse<string>, name: string): boolean {
  const equal = value.endsWith("+") ? name.startsWith(value.slice(0, -1)) : name === value;
  return equal !== inverted;
}

function portsMatch(match: ExtensionUse, packet: Packet): boolean {
  return Object.values(match.options).every((option) => {
    if (option.name !== "source-port" && option.name !== "destination-port") throw new NotModelled(`option --${option.name}`);
    const { from, to } = option.value as { from: number; to: number };
    const port = option.name === "source-port" ? packet.sourcePort : packet.destinationPort;
    return (port >= from && port <= to) !== option.inverted;
  });
}
