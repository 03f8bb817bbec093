/** All extensions, in one sorted list each. */

import type { Family } from "../iptables/ast.js";
import type { MatchExtension, TargetExtension } from "./extension.js";
import { recent } from "./matches/recent.js";
import { tcp } from "./matches/tcp.js";

export const matches: readonly MatchExtension[] = [
  recent,
  tcp,
];

export const targets: readonly TargetExtension[] = [
];

function byName<Extension extends { readonly name: string; readonly aliases?: readonly string[] }>(list: readonly Extension[]): ReadonlyMap<string, Extension> {
  return new Map(list.flatMap((extension) => [extension.name, ...(extension.aliases ?? [])].map((name) => [name, extension] as const)));
}

const matchesByName = byName(matches);
const targetsByName = byName(targets);

export function findMatch(name: string): MatchExtension | undefined {
  return matchesByName.get(name);
}

export function findTarget(name: string): TargetExtension | undefined {
  return targetsByName.get(name);
}

/** The match that `-p` loads when one of its options is met without `-m`. */
export function matchForProtocol(protocol: number, family: Family): MatchExtension | undefined {
  return matches.find((match) => match.protocols?.includes(protocol) && (match.family ?? family) === family);
}
