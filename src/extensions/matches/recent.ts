/**
 * `-m recent`: lists of hosts with time stamps. This file only reads the options; what they become in nft is the work of
 * `rewrite/recent/`.
 *
 *     -m recent --update --seconds 60 --name ssh --rsource   →   ip saddr @ssh_recent update @ssh_recent { ip saddr }
 *
 * man iptables-extensions, section "recent"; which combinations are refused: measured with iptables 1.8.9 on Linux 6.18.
 */

import { greatest } from "../../append.js";
import type { ExtensionUse, Family, IptablesRule, OptionUse } from "../../iptables/ast.js";
import { defineMatch, Invalid, type ValueParser } from "../extension.js";
import { parseAddress } from "../values/address.js";
import { integer, parseInteger } from "../values/number.js";
import { cutToBytes } from "../values/text.js";

export type RecentOperation = "set" | "rcheck" | "update" | "remove";

/** The options of one `-m recent`, with defaults filled in. */
export interface RecentUse {
  readonly operation: RecentOperation;
  readonly inverted: boolean;
  /** Width of the window in seconds; absent: stamps of any age count. */
  readonly seconds: number | undefined;
  /** How many stamps must lie in the window; at least 1. */
  readonly hits: number;
  readonly reap: boolean;
  readonly rttl: boolean;
  readonly list: string;
  readonly side: "saddr" | "daddr";
  /** The mask this rule asks for; only that of the list's first rule counts. */
  readonly mask: bigint;
  readonly use: ExtensionUse;
}

/** The highest hit count of these uses, 1 if there are none. */
export function mostHits(uses: readonly RecentUse[]): number {
  return greatest(
    uses.map(({ hits }) => hits),
    1,
  );
}

/** iptables cuts longer names without a word. */
const longestName = 199;

const listName: ValueParser<string> = (text) => {
  if (text === "" || text === "." || text === ".." || text.includes("/")) return new Invalid(`"${text}" cannot name a list`);
  return cutToBytes(text, longestName);
};

const allOnes: Readonly<Record<Family, bigint>> = { ipv4: 2n ** 32n - 1n, ipv6: 2n ** 128n - 1n };

/**
 * A mask in the notation of inet_aton for IPv4: `255.255.255.0`, but also `24`, which is 0.0.0.24 and never what its
 * author meant.
 */
const mask: ValueParser<bigint> = (text, { family }) => {
  const value = family === "ipv4" ? parseLooseIpv4(text) : parseAddress(text, family);
  return value ?? new Invalid(`"${text}" is not an ${family === "ipv4" ? "IPv4" : "IPv6"} mask`);
};

function parseLooseIpv4(text: string): bigint | undefined {
  const parts = text.split(".").map(parseInteger);
  if (parts.length > 4) return undefined;
  let value = 0n;
  for (const [index, part] of parts.entries()) {
    const bits = index === parts.length - 1 ? BigInt(8 * (5 - parts.length)) : 8n;
    if (part === undefined || part >= 1n << bits) return undefined;
    value = (value << bits) | part;
  }
  return value;
}

const operations = ["set", "rcheck", "update", "remove"] as const;

export const recent = defineMatch({
  name: "recent",
  options: {
    set: { invertible: true, excludes: ["rcheck", "update", "remove"] },
    rcheck: { invertible: true, excludes: ["set", "update", "remove"] },
    update: { invertible: true, excludes: ["set", "rcheck", "remove"] },
    remove: { invertible: true, excludes: ["set", "rcheck", "update"] },
    seconds: { value: integer(1, 4294967295) },
    hitcount: { value: integer(0, 65535) },
    reap: {},
    rttl: {},
    name: { value: listName },
    mask: { value: mask },
    rsource: {},
    rdest: {},
  },
  check(options) {
    if (!operations.some((operation) => options[operation])) return new Invalid("needs one of --set, --rcheck, --update and --remove");
    const setting = options.set ?? options.remove;
    const conflicting = options.seconds ?? options.hitcount ?? options.rttl ?? options.reap;
    if (setting && conflicting) return new Invalid(`--${conflicting.name} cannot stand beside --${setting.name}`);
    if (options.reap && !options.seconds) return new Invalid("--reap needs --seconds");
    return undefined;
  },
  // A mask that is written is compared as it is written, though it be that of every list.
  compared: ({ name, rsource, rdest, hitcount, ...others }) => ({
    ...others,
    list: name?.value ?? "DEFAULT",
    destination: rdest !== undefined && (rsource === undefined || rsource.span.column < rdest.span.column),
    hits: hitcount?.value ?? 0,
  }),
  facts: {
    reads: (options) => [
      { memory: "recent", name: options.name?.value ?? "DEFAULT" },
      "addresses",
      ...(options.rttl ? ["ttl" as const] : []),
    ],
    condition: [],
    played: true,
  },
  translate() {
    return { untranslatable: "recent is rewritten as a whole list" };
  },
});

type RecentOptions = Readonly<Record<string, OptionUse<unknown> | undefined>>;

/** The uses of `recent` in a rule, in their order. */
export function recentUsesOf({ matches }: IptablesRule, family: Family): RecentUse[] {
  return matches.filter(({ extension, unknown }) => extension === recent.name && unknown !== true).map((use) => recentUse(use, family));
}

/** Reads a use of `recent` that the builder has checked. */
export function recentUse(use: ExtensionUse, family: Family): RecentUse {
  const options = use.options as RecentOptions;
  const operation = operations.find((name) => options[name]) ?? "rcheck";
  const { rsource, rdest } = options;
  const daddr = rdest !== undefined && (rsource === undefined || rsource.span.column < rdest.span.column);
  return {
    operation,
    inverted: options[operation]?.inverted ?? false,
    seconds: options["seconds"]?.value as number | undefined,
    hits: Math.max(1, (options["hitcount"]?.value as number | undefined) ?? 1),
    reap: options["reap"] !== undefined,
    rttl: options["rttl"] !== undefined,
    list: (options["name"]?.value as string | undefined) ?? "DEFAULT",
    side: daddr ? "daddr" : "saddr",
    mask: (options["mask"]?.value as bigint | undefined) ?? allOnes[family],
    use,
  };
}
