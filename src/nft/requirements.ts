/** What a script needs of nft and of the kernel, found by walking its AST. */

import type { Expression, NftScript, NftSet, NftTable, Statement } from "./ast.js";
import { modulesOf, type KernelPartName } from "./kernel-parts.js";
import { hasZeroBurst, inequalitiesToSeparate, maskOf } from "./older.js";
import { features, isLoadable, isOlder, type Feature, type FeatureName } from "./versions.js";

export interface Versions {
  readonly nft: string;
  readonly kernel: string;
  /** What the versions are due to; empty where any script needs them. */
  readonly by: { readonly nft: readonly Feature[]; readonly kernel: readonly Feature[] };
}

export interface Requirements extends Versions {
  /** Modules of the kernel beside nf_tables itself, in alphabetical order. */
  readonly modules: readonly string[];
}

/** What loads the tables of a script at least. */
export function requirements(script: Pick<NftScript, "tables" | "targetNft">): Requirements {
  const found = new Set<FeatureName>(["base"]);
  const modules = new Set<string>();
  for (const table of script.tables) {
    const own = featuresOfTable(table, script.targetNft);
    for (const name of own) found.add(name);
    for (const part of partsOfFeatures(own)) for (const module of modulesOf(part, table.family, table.helpers)) modules.add(module);
  }
  return { ...highest(found), modules: [...modules].sort() };
}

/** The parts of the kernel that a table needs, in alphabetical order. */
export function kernelPartsOf(table: NftTable): readonly KernelPartName[] {
  return partsOfFeatures(featuresOfTable(table, undefined));
}

function partsOfFeatures(names: Iterable<FeatureName>): readonly KernelPartName[] {
  return [...new Set([...names].flatMap((name) => partOf(name) ?? []))].sort();
}

/** The part of the kernel that has it, where that is a module of its own. */
export function partOf(name: FeatureName): KernelPartName | undefined {
  const { part }: Feature = features[name];
  return part;
}

function featuresOfTable(table: NftTable, targetNft: string | undefined): Set<FeatureName> {
  const found = new Set<FeatureName>();
  if (table.helpers.length > 0) found.add("helper");
  for (const set of table.sets) {
    addFeaturesOfSet(set, found);
    if (set.label !== undefined && isLoadable("setComment", targetNft)) found.add("setComment");
  }
  let separates = false;
  let hasBurst = false;
  for (const chain of table.chains) {
    if (chain.base?.type === "nat") found.add("natChain");
    for (const entry of chain.entries) {
      if (entry.kind !== "rule") continue;
      if (entry.comment !== undefined) found.add("ruleComment");
      if (addFeaturesOfStatements(entry.statements, found)) separates = true;
      hasBurst ||= entry.statements.some(grantsNoBurst);
    }
  }
  // Scripts for an older nft spell these otherwise.
  if (separates && isLoadable("rangeOfOne", targetNft)) found.add("rangeOfOne");
  if (hasBurst && isLoadable("zeroBurst", targetNft)) found.add("zeroBurst");
  if (table.family === "inet" && table.chains.some(({ base }) => base && base.type !== "filter")) found.add("inetChain");
  return found;
}

export function highest(names: Iterable<FeatureName>): Versions {
  const all: Feature[] = [...names].map((name) => features[name]);
  const latest = (of: "nft" | "kernel"): string =>
    all.map((feature) => feature[of]).reduce((best, version) => (isOlder(best, version) ? version : best), features.base[of]);
  const [nft, kernel] = [latest("nft"), latest("kernel")];
  return {
    nft,
    kernel,
    by: {
      nft: nft === features.base.nft ? [] : all.filter((feature) => feature.nft === nft),
      kernel: kernel === features.base.kernel ? [] : all.filter((feature) => feature.kernel === kernel),
    },
  };
}

function grantsNoBurst(statement: Statement): boolean {
  return statement.kind === "set" ? statement.statements?.some(hasZeroBurst) === true : hasZeroBurst(statement);
}

export function addFeaturesOfSet(set: Omit<NftSet, "name">, found: Set<FeatureName>): void {
  const parts = set.type?.length ?? (set.typeof?.kind === "concatenation" ? set.typeof.parts.length : 1);
  if (set.flags.includes("dynamic")) found.add("dynamicSet");
  if (set.counter) found.add(set.verdicts || set.data ? "mapCounter" : "setCounter");
  if (set.flags.includes("interval") && parts > 1) found.add(set.counter ? "boxes" : "concatenatedIntervals");
  if (parts > 1) found.add("concatenation");
  if (set.typeof) {
    found.add("setTypeof");
    addFeaturesOf(set.typeof, found);
  }
  for (const element of [...(set.elements ?? []), ...(set.hosts ?? [])]) addFeaturesOf(element, found);
}

/** Whether some of the statements are comparisons that are kept apart. */
export function addFeaturesOfStatements(statements: readonly Statement[], found: Set<FeatureName>): boolean {
  for (const statement of statements) addFeaturesOfStatement(statement, found);
  const unequal = inequalitiesToSeparate(statements);
  if (unequal.length > 0) found.add("invertedRange");
  // What has no spelling without a range of one value.
  if (unequal.some((one) => maskOf(one) === undefined)) found.add("rangeOfOne");
  return unequal.length > 0;
}

function addFeaturesOfStatement(statement: Statement, found: Set<FeatureName>): void {
  switch (statement.kind) {
    case "counter":
    case "verdict":
    case "jump":
      return;
    case "reject":
      found.add("reject");
      return;
    case "match":
      if (statement.operator === "!=" && statement.right.kind === "range") found.add("invertedRange");
      if (statement.operator === "!=" && (statement.right.kind === "anonymous-set" || statement.right.kind === "set-reference"))
        found.add("invertedLookup");
      addFeaturesOf(statement.left, found);
      addFeaturesOf(statement.right, found);
      return;
    case "verdict-map":
      addFeaturesOf(statement.key, found);
      addFeaturesOf(statement.map, found);
      return;
    case "existence":
      found.add("existence");
      addFeaturesOf(statement.expression, found);
      return;
    case "limit":
      found.add("limit");
      return;
    case "quota":
      found.add("quota");
      return;
    case "ct-count":
      found.add("connectionCount");
      return;
    case "log":
      found.add(statement.level === "audit" ? "auditLog" : "logging");
      return;
    case "assignment":
      if (statement.target.kind === "payload" || statement.target.kind === "raw-payload") found.add("headerChange");
      if (statement.target.kind === "tcp-option") found.add("segmentSize");
      addFeaturesOf(statement.target, found);
      addFeaturesOf(statement.value, found);
      return;
    case "set":
      found.add(statement.operation === "delete" ? "setDeletion" : "dynamicSet");
      addFeaturesOf(statement.key, found);
      addFeaturesOfStatements(statement.statements ?? [], found);
      return;
    case "nat":
      found.add(statement.type === "masquerade" || statement.type === "redirect" ? statement.type : "nat");
      if (statement.prefix) found.add("networkMap");
      if (statement.found) {
        found.add("translationMap");
        addFeaturesOf(statement.found.key, found);
      }
      if (statement.address) addFeaturesOf(statement.address, found);
      if (statement.port) addFeaturesOf(statement.port, found);
      return;
    case "queue":
      found.add("queue");
      return;
    case "dup":
      found.add("duplicate");
      addFeaturesOf(statement.address, found);
      return;
    case "tproxy":
      found.add("tproxy");
      return;
    case "synproxy":
      found.add("synproxy");
      return;
    case "object":
      if (statement.type.startsWith("ct ")) found.add("conntrack");
      found.add(statement.type === "ct helper" ? "helper" : statement.type === "quota" ? "quota" : "conntrackObject");
      return;
    case "keyword-statement":
      found.add(featureOfPhrase(statement.words));
      return;
    default:
      found.add("other");
  }
}

function addFeaturesOf(expression: Expression, found: Set<FeatureName>): void {
  switch (expression.kind) {
    case "symbol":
    case "number":
    case "string":
    case "address":
    case "flags":
    case "set-reference":
      return;
    case "range":
      addFeaturesOf(expression.from, found);
      addFeaturesOf(expression.to, found);
      return;
    case "anonymous-set":
      for (const element of expression.elements) addFeaturesOf(element, found);
      return;
    case "concatenation":
      if (expression.parts.some(isTtl)) found.add("lengthlessKey");
      found.add(expression.parts.some(({ kind }) => kind === "range") ? "concatenatedIntervals" : "concatenation");
      for (const part of expression.parts) addFeaturesOf(part, found);
      return;
    case "element":
      if (expression.counter) found.add("setCounter");
      if (expression.expires !== undefined) found.add("elementExpiry");
      addFeaturesOf(expression.key, found);
      return;
    case "named-map":
      found.add("valueMap");
      addFeaturesOf(expression.key, found);
      return;
    case "map":
      addFeaturesOf(expression.key, found);
      for (const [key, value] of expression.entries) {
        addFeaturesOf(key, found);
        addFeaturesOf(value, found);
      }
      return;
    case "payload":
      if (expression.protocol === "th") found.add("transportOfAny");
      return;
    case "raw-payload":
      if (expression.base === "ih") found.add("innerHeader");
      return;
    case "extension-header":
      if (expression.header === "srh") found.add("segmentRouting");
      return;
    case "tcp-option":
      found.add(/^[0-9]/.test(expression.option) ? "tcpOptionByNumber" : "tcpOption");
      return;
    case "meta": {
      const feature = metaFeatures[expression.key];
      if (feature !== "base") found.add(feature ?? "other");
      return;
    }
    case "ct": {
      found.add("conntrack");
      const feature = conntrackFeatures[expression.key];
      if (feature !== "base") found.add(feature ?? "other");
      return;
    }
    case "fib":
      found.add("fib");
      return;
    case "keyword":
      found.add(featureOfPhrase(expression.words));
      return;
    case "numgen":
      found.add("generator");
      return;
    case "jhash":
      found.add("hash");
      addFeaturesOf(expression.key, found);
      return;
    case "binary":
      if (expression.operator === "<<" || expression.operator === ">>") found.add("shift");
      addFeaturesOf(expression.left, found);
      addFeaturesOf(expression.right, found);
      return;
    default:
      found.add("other");
  }
}

function isTtl(part: Expression): boolean {
  return part.kind === "payload" && (part.field === "ttl" || part.field === "hoplimit");
}

/** Those of `base` are as old as nftables, or nearly. */
const metaFeatures: Readonly<Record<string, FeatureName>> = {
  iif: "base",
  oif: "base",
  iifname: "base",
  oifname: "base",
  l4proto: "base",
  length: "base",
  mark: "base",
  nfproto: "base",
  priority: "base",
  protocol: "base",
  skgid: "base",
  skuid: "base",
  cgroup: "controlGroup",
  cpu: "deviceOrProcessor",
  iifgroup: "deviceOrProcessor",
  oifgroup: "deviceOrProcessor",
  pkttype: "deviceOrProcessor",
  ibrname: "bridgeName",
  obrname: "bridgeName",
  ipsec: "ipsecPolicy",
  time: "time",
  day: "time",
  hour: "time",
};

const conntrackFeatures: Readonly<Record<string, FeatureName>> = {
  direction: "base",
  expiration: "base",
  helper: "base",
  mark: "base",
  protocol: "base",
  "proto-src": "base",
  "proto-dst": "base",
  state: "base",
  status: "base",
  avgpkt: "conntrackValue",
  bytes: "conntrackValue",
  packets: "conntrackValue",
  zone: "conntrackValue",
  label: "conntrackLabel",
  "ip saddr": "conntrackAddress",
  "ip daddr": "conntrackAddress",
  "ip6 saddr": "conntrackAddress",
  "ip6 daddr": "conntrackAddress",
};

/** By the words a phrase begins with; the first that fits counts. */
const phrases: readonly (readonly [string, FeatureName])[] = [
  ["ipsec", "ipsec"],
  ["meta nftrace set", "base"],
  ["notrack", "notrack"],
  ["osf", "osf"],
  ["reset tcp option", "tcpOptionRemoval"],
  ["rt classid", "routeClass"],
  ["rt ipsec", "ipsec"],
  ["rt mtu", "routeMtu"],
  ["sctp chunk", "sctpChunk"],
  ["socket cgroupv2", "socketGroup"],
  ["socket mark", "socketMark"],
  ["socket transparent", "socket"],
  ["socket wildcard", "socketWildcard"],
];

function featureOfPhrase(words: readonly string[]): FeatureName {
  const text = words.join(" ");
  return phrases.find(([beginning]) => text === beginning || text.startsWith(`${beginning} `))?.[1] ?? "other";
}
