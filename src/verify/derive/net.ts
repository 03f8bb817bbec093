/** The firewall's surroundings: interfaces, its own addresses, and what lies behind which interface. */

import { addressBits, formatAddress, parseAddress } from "../../extensions/values/address.js";
import type { Ipset } from "../../ipset/ast.js";
import type { AddressMask, Family, IptablesRuleset, OptionUse } from "../../iptables/ast.js";
import { families } from "../../iptables/family.js";
import type { Interface } from "../frame.js";

/** Documentation addresses first, then further networks of the same kind for rulesets with many interfaces. */
const subnets: readonly (readonly [ipv4: string, ipv6: string])[] = [
  ["192.0.2", "2001:db8"],
  ["198.51.100", "2001:db8:1"],
  ["203.0.113", "2001:db8:2"],
  ...Array.from({ length: 21 }, (_, index): readonly [string, string] => [`198.51.${101 + index}`, `2001:db8:${(3 + index).toString(16)}`]),
];

/** Hosts of a subnet that packets come from; those from 200 on belong to the rhythms of lists. */
export const hostNumbers = { first: 20, last: 180, rhythms: 200 } as const;

/** Sequence numbers do not matter, no answer is held back for coming too soon, and packets from loopback addresses are looked at. */
const settings = [
  "sysctl -eqw net.netfilter.nf_conntrack_tcp_be_liberal=1 || true",
  "sysctl -eqw net.ipv4.icmp_msgs_per_sec=1000000 net.ipv4.icmp_msgs_burst=1000000 || true",
  "sysctl -eqw net.ipv6.icmp.ratemask=255 net.ipv4.icmp_echo_ignore_broadcasts=0 || true",
  "sysctl -eqw net.ipv4.conf.all.route_localnet=1 || true",
];

export type AddressKind = "local" | "broadcast" | "multicast" | "unicast" | "unspecified";

/** What packets need beyond the interfaces: further addresses of the firewall, hosts behind an interface. */
export interface Needs {
  readonly locals: ReadonlySet<bigint>;
  readonly routes: ReadonlyMap<bigint, string>;
}
export const noNeeds: Needs = { locals: new Set(), routes: new Map() };

/** One family's view of the surroundings. */
export interface Net {
  readonly family: Family;
  readonly interfaces: readonly Interface[];
  /** Of the interfaces, in their order. */
  readonly locals: readonly bigint[];
}

export const wholeMask: Readonly<Record<Family, bigint>> = { ipv4: (1n << 32n) - 1n, ipv6: (1n << 128n) - 1n };

/** Interfaces for all names that the rules and their ipsets know, `eth0` and `eth1` where they know fewer than two. */
export function interfacesFor(rulesets: readonly IptablesRuleset[], sets: ReadonlyMap<string, Ipset> = new Map()): Interface[] {
  const names: string[] = [];
  const addName = (known: string): void => {
    const name = known.replace(/\+$/u, "0");
    const possible = /^[a-zA-Z0-9][\w.@:-]{0,14}$/u.test(name) && !/[:@]/u.test(name) && !/^(?:lo|all|default)$/u.test(name);
    if (possible && !names.includes(name) && names.length < subnets.length - 2) names.push(name);
  };
  const add = (use: OptionUse<string> | undefined): void => {
    if (use) addName(use.value);
  };
  for (const rule of rulesets
    .flatMap(({ tables }) => tables)
    .flatMap(({ chains }) => chains)
    .flatMap(({ rules }) => rules)) {
    add(rule.inInterface);
    add(rule.outInterface);
  }
  for (const part of [...sets.values()].flatMap(({ elements }) => [...elements.values()]).flatMap(({ parts }) => parts)) {
    if (part.kind === "interface" && !part.physical) addName(part.wildcard ? `${part.name}+` : part.name);
  }
  for (const fallback of ["eth0", "eth1"]) if (names.length < 2 && !names.includes(fallback)) names.push(fallback);
  return names.map((name, index) => ({ name, addresses: [`${subnets[index]![0]}.1/24`, `${subnets[index]![1]}::1/64`] }));
}

export function netOf(interfaces: readonly Interface[], family: Family): Net {
  const locals = interfaces
    .flatMap(({ addresses }) => addresses.filter((text) => text.includes(":") === (family === "ipv6")))
    .map((text) => parseAddress(text.split("/")[0]!, family)!);
  return { family, interfaces, locals };
}

/** The address of a host behind an interface. */
export function hostBehind(net: Net, interfaceIndex: number, host: number): bigint {
  return net.locals[interfaceIndex]! + BigInt(host - 1);
}

const subnetBits: Readonly<Record<Family, bigint>> = { ipv4: 8n, ipv6: 64n };

export function isLoopback(address: bigint, family: Family): boolean {
  return family === "ipv4" ? address >> 24n === 127n : address === 1n;
}

export function kindOf(net: Net, needs: Needs, address: bigint): AddressKind {
  const { family, locals } = net;
  if (address === 0n) return "unspecified";
  // A group stays one although the firewall has it as an address.
  if (isMulticast(address, family)) return "multicast";
  if (isLoopback(address, family) || locals.includes(address) || needs.locals.has(address)) return "local";
  if (family === "ipv6") return "unicast";
  const bits = subnetBits.ipv4;
  const ofSubnet = locals.some((local) => local >> bits === address >> bits);
  return address === wholeMask.ipv4 || (ofSubnet && (address & 0xffn) === 0xffn) ? "broadcast" : "unicast";
}

/** Where a packet to the address leaves. */
export function routeTo({ family, locals, interfaces }: Net, needs: Needs, address: bigint): string {
  const behind = needs.routes.get(address);
  if (behind !== undefined) return behind;
  const bits = subnetBits[family];
  const index = locals.findIndex((local) => local >> bits === address >> bits);
  return interfaces[Math.max(index, 0)]!.name;
}

/** Belongs to one link, here that of the first interface. */
export function isLinkLocal(address: bigint, family: Family): boolean {
  return family === "ipv6" && address >> 118n === 0x3fan;
}

/** Can be an address of the firewall. */
export function canBeLocal(address: bigint, family: Family): boolean {
  if (family === "ipv6") return address > 1n;
  const first = address >> 24n;
  return first !== 0n && first !== 127n && first < 240n;
}

/** Can be a host behind an interface. */
export function canBeRemote(address: bigint, family: Family): boolean {
  if (family === "ipv6") return address > 1n && address >> 120n !== 0xffn && address >> 118n !== 0x3fan;
  const first = address >> 24n;
  return first !== 0n && first !== 127n && first < 224n;
}

/** Shell lines that make the needs of packets come true, for both namespaces. */
export function prepareScript(needs: Readonly<Record<Family, Needs>>, interfaces: readonly Interface[]): string {
  const first = interfaces[0]!.name;
  const lines = families.flatMap((family) => {
    const flag = family === "ipv4" ? "-4" : "-6";
    const bits = addressBits[family];
    return [
      ...[...needs[family].locals].map(
        (address) =>
          `ip ${flag} address add ${formatAddress(address, family)}/${bits} dev ${first}${
            isMulticast(address, family) ? " autojoin" : family === "ipv6" ? " nodad" : ""
          } 2>/dev/null || true`,
      ),
      ...[...needs[family].routes].map(
        ([address, name]) => `ip ${flag} route replace ${formatAddress(address, family)}/${bits} dev ${name} 2>/dev/null || true`,
      ),
    ];
  });
  return [...lines, ...settings].join("\n");
}

function isMulticast(address: bigint, family: Family): boolean {
  return family === "ipv4" ? address >> 28n === 0xen : address >> 120n === 0xffn;
}

/** The host bits of a mask. */
export function hostBitsOf({ mask, family }: AddressMask): bigint {
  return ~mask & wholeMask[family];
}
