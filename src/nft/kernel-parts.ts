/**
 * Parts of nf_tables that are modules of their own: a kernel may be built or installed without them, and one statement that needs such a
 * part keeps the whole script from loading. The names of modules are those of Linux 6.18 (net/netfilter/Makefile, net/ipv4 and
 * net/ipv6); older kernels have counters, objects and set types as modules, too, which come with nf_tables everywhere.
 */

import { assign, hex, keyword, keywordStatement, match, meta, number, payload, string, symbol, type NftHelper } from "./ast.js";
import type { NftScript, NftTable, Statement } from "./ast.js";

interface KernelPart {
  /** The modules, in a table of the family. */
  readonly modules: (family: NftTable["family"]) => readonly string[];
  /** A rule that needs it, to be tried on a kernel; conntrack helpers are declared in the table instead. */
  readonly sample: (family: NftTable["family"]) => readonly Statement[];
  /** Nearly every script needs it, or what is not said by a rule does: no script is made without it. */
  readonly indispensable?: true;
}

const familySuffix = { ip: "ipv4", ip6: "ipv6", inet: "inet" } as const;
const address = { ip: "192.0.2.1", ip6: "2001:db8::1", inet: "192.0.2.1" } as const;
const one =
  (...names: string[]) =>
  (): readonly string[] =>
    names;
const withFamily = (name: string) => (family: NftTable["family"]) => [name, `${name}_${familySuffix[family]}`];
const statements =
  (...sample: Statement[]) =>
  (): readonly Statement[] =>
    sample;
const source = (family: NftTable["family"]) => (family === "ip6" ? payload("ip6", "saddr") : payload("ip", "saddr"));

const parts = {
  connlimit: { modules: one("nft_connlimit"), sample: statements({ kind: "ct-count", over: true, count: 1 }) },
  conntrack: { modules: one("nft_ct"), sample: statements(keywordStatement("notrack")), indispensable: true },
  "ct-helper": { modules: one(), sample: statements() },
  dup: {
    modules: (family) => (family === "inet" ? ["nft_dup_ipv4", "nft_dup_ipv6"] : [`nft_dup_${familySuffix[family]}`]),
    sample: (family) => [{ kind: "dup", address: { kind: "address", address: address[family] } }],
  },
  fib: {
    modules: withFamily("nft_fib"),
    sample: statements(match({ kind: "fib", flags: ["daddr"], result: "type" }, symbol("local"))),
  },
  hash: {
    modules: one("nft_hash"),
    sample: (family) => [match({ kind: "jhash", key: source(family), modulus: 2 }, number(1))],
  },
  ipsec: { modules: one("nft_xfrm"), sample: statements(match(keyword("ipsec", "in", "reqid"), number(1))) },
  limit: { modules: one("nft_limit"), sample: statements({ kind: "limit", over: false, rate: 1, unit: "second" }), indispensable: true },
  log: { modules: one("nft_log"), sample: statements({ kind: "log" }) },
  masquerade: { modules: one("nft_masq"), sample: statements({ kind: "nat", type: "masquerade" }) },
  nat: {
    modules: one("nft_nat"),
    sample: (family) => [
      { kind: "nat", type: "snat", address: { kind: "address", address: address[family] }, ...(family === "inet" && { family: "ip" }) },
    ],
  },
  "nat-chain": { modules: one("nft_chain_nat"), sample: statements(), indispensable: true },
  numgen: { modules: one("nft_numgen"), sample: statements(match({ kind: "numgen", mode: "inc", modulus: 2 }, number(0))) },
  osf: { modules: one("nft_osf"), sample: statements(match(keyword("osf", "name"), string("Linux"))) },
  queue: { modules: one("nft_queue"), sample: statements({ kind: "queue", from: 0 }) },
  quota: { modules: one("nft_quota"), sample: statements({ kind: "quota", over: false, bytes: 1n }) },
  redirect: { modules: one("nft_redir"), sample: statements({ kind: "nat", type: "redirect" }) },
  reject: {
    modules: (family) => ["nft_reject", `nft_reject_${familySuffix[family]}`],
    sample: statements({ kind: "reject" }),
  },
  socket: { modules: one("nft_socket"), sample: statements(match(keyword("socket", "transparent"), number(1))) },
  synproxy: { modules: one("nft_synproxy"), sample: statements({ kind: "synproxy", timestamp: false, sackPermitted: false }) },
  tproxy: {
    modules: one("nft_tproxy"),
    sample: statements(match(meta("l4proto"), symbol("tcp")), { kind: "tproxy", port: number(1) }, assign(meta("mark"), hex(1))),
  },
} as const satisfies Record<string, KernelPart>;

export type KernelPartName = keyof typeof parts;

const kernelParts: Readonly<Record<KernelPartName, KernelPart>> = parts;

/** Those that a script can be made without, in alphabetical order. */
export const dispensableParts = (Object.keys(parts) as KernelPartName[]).filter((name) => kernelParts[name].indispensable !== true);

/** Modules of conntrack that know more than one protocol, or are not called after theirs. */
const helperModules: Readonly<Record<string, string>> = { "Q.931": "h323", RAS: "h323", "H.245": "h323", "netbios-ns": "netbios_ns" };

/** The modules of a part, as far as the helpers of the table tell. */
export function modulesOf(part: KernelPartName, family: NftTable["family"], helpers: readonly NftHelper[]): readonly string[] {
  if (part !== "ct-helper") return kernelParts[part].modules(family);
  // A helper that listens at another port has it in its name: ftp-2121.
  return helpers.map(({ type }) => `nf_conntrack_${helperModules[type] ?? type.replace(/-[0-9]+$/, "")}`);
}

/** A table that needs this part and no other: where it does not load and an empty one does, the kernel lacks the part. */
export function sampleOf(part: KernelPartName, family: NftTable["family"], helpers: readonly NftHelper[]): NftScript {
  const rule = { kind: "rule" as const, statements: kernelParts[part].sample(family) };
  const base =
    part === "nat-chain" ? { type: "nat" as const, hook: "postrouting" as const, priority: 100, policy: "accept" as const } : undefined;
  return {
    header: [],
    tables: [
      {
        family,
        name: "sample",
        helpers: part === "ct-helper" ? helpers : [],
        sets: [],
        chains: [{ name: "sample", ...(base && { base }), entries: rule.statements.length === 0 ? [] : [rule] }],
      },
    ],
    keepSets: false,
  };
}
