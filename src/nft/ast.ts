/**
 * The nft side as data. Nothing here is text of the nft language: `emit.ts` alone knows how a node is written,
 * quoted and escaped.
 */

import type { Span } from "../diagnostic.js";
import type { EarlierTable } from "./earlier-script.js";

// ---------------------------------------------------------------------------------------------- expressions

/** A bare word of the nft language, such as `established` or `echo-request`; never text from the input. */
export interface SymbolLiteral {
  readonly kind: "symbol";
  readonly name: string;
}
export interface NumberLiteral {
  readonly kind: "number";
  readonly value: number | bigint;
  readonly base?: 10 | 16;
}
/** Text that is written in double quotes (interface names, helper names). */
export interface StringLiteral {
  readonly kind: "string";
  readonly value: string;
}
/** An IPv4, IPv6 or hardware address, already validated and in canonical notation. */
export interface AddressLiteral {
  readonly kind: "address";
  readonly address: string;
  readonly prefixLength?: number;
}
export interface RangeLiteral {
  readonly kind: "range";
  readonly from: Expression;
  readonly to: Expression;
}
/** `{ a, b, c }` */
export interface AnonymousSet {
  readonly kind: "anonymous-set";
  readonly elements: readonly Expression[];
}
/** `a,b,c`: bits of a flag field. */
export interface FlagList {
  readonly kind: "flags";
  readonly flags: readonly string[];
}
/** `a . b . c` */
export interface Concatenation {
  readonly kind: "concatenation";
  readonly parts: readonly Expression[];
}
/** `@name` */
export interface SetReference {
  readonly kind: "set-reference";
  readonly set: string;
}
/** `expression map { key : value, … }` */
export interface MapLookup {
  readonly kind: "map";
  readonly key: Expression;
  readonly entries: readonly (readonly [Expression, Expression])[];
}

/** `expression map @name`: what the element gives that the key finds; where it finds none, the rule ends. */
export interface NamedMapLookup {
  readonly kind: "named-map";
  readonly key: Expression;
  readonly map: SetReference;
}

/** An element of a set with what belongs to it alone: `192.0.2.1 counter packets 0 bytes 0 timeout 30s comment "office"`. */
export interface SetElement {
  readonly kind: "element";
  readonly key: Expression;
  readonly counter?: CounterStatement;
  /** Milliseconds. */
  readonly timeout?: number;
  /** Milliseconds that are left of the timeout; all of it unless told. */
  readonly expires?: number;
  /** At most 128 bytes, no double quote. */
  readonly comment?: string;
  /** Of a packet that finds the element, in a map. */
  readonly verdict?: VerdictStatement | JumpStatement;
  /** What a map gives for it: an address, a port, both, or a mark. */
  readonly data?: Expression;
  /** The iptables rule that the element stands for. Not printed. */
  readonly origin?: Span;
}

/** A header field by name: `tcp dport`, `ip saddr`, `icmpv6 type`. */
export interface PayloadField {
  readonly kind: "payload";
  readonly protocol: string;
  readonly field: string;
}
/** `@nh,offset,length`, both in bits. */
export interface RawPayload {
  readonly kind: "raw-payload";
  readonly base: "ll" | "nh" | "th" | "ih";
  readonly offset: number;
  readonly length: number;
}
/** `exthdr frag exists`, `frag more-fragments`, `rt type` …; without a field the header itself, to be tested for existence. */
export interface ExtensionHeader {
  readonly kind: "extension-header";
  readonly header: string;
  readonly field?: string;
}
/** `tcp option maxseg size`; without a field the option itself, to be tested for existence. */
export interface TcpOption {
  readonly kind: "tcp-option";
  readonly option: string;
  readonly field?: string;
}
export interface MetaKey {
  readonly kind: "meta";
  readonly key: string;
}
export interface ConntrackKey {
  readonly kind: "ct";
  readonly key: string;
  readonly direction?: "original" | "reply";
}
/** `fib daddr . iif type` */
export interface FibLookup {
  readonly kind: "fib";
  readonly flags: readonly string[];
  readonly result: "type" | "oif" | "oifname";
}
/** `socket transparent`, `rt classid`, `osf name`, `ipsec in reqid` … : a fixed phrase of the language. */
export interface KeywordExpression {
  readonly kind: "keyword";
  readonly words: readonly string[];
}
/** `numgen inc mod 4 offset 1` */
export interface NumberGenerator {
  readonly kind: "numgen";
  readonly mode: "inc" | "random";
  readonly modulus: number;
  readonly offset?: number;
}
/** `jhash ip saddr . ip daddr mod 8 seed 0x1 offset 1` */
export interface HashExpression {
  readonly kind: "jhash";
  readonly key: Expression;
  readonly modulus: number;
  readonly seed?: number;
  readonly offset?: number;
}
export interface BinaryExpression {
  readonly kind: "binary";
  readonly operator: "&" | "|" | "^" | "<<" | ">>";
  readonly left: Expression;
  readonly right: Expression;
}

export type Expression =
  | SymbolLiteral
  | NumberLiteral
  | StringLiteral
  | AddressLiteral
  | RangeLiteral
  | AnonymousSet
  | FlagList
  | Concatenation
  | SetReference
  | MapLookup
  | NamedMapLookup
  | PayloadField
  | RawPayload
  | ExtensionHeader
  | TcpOption
  | MetaKey
  | ConntrackKey
  | FibLookup
  | KeywordExpression
  | NumberGenerator
  | HashExpression
  | BinaryExpression
  | SetElement;

// ----------------------------------------------------------------------------------------------- statements

export type Comparison = "==" | "!=" | "<" | ">" | "<=" | ">=";
export interface MatchStatement {
  readonly kind: "match";
  readonly left: Expression;
  readonly operator: Comparison;
  readonly right: Expression;
}
/** `exthdr frag exists`, `tcp option sack missing` */
export interface ExistenceStatement {
  readonly kind: "existence";
  readonly expression: Expression;
  readonly exists: boolean;
}
export interface CounterStatement {
  readonly kind: "counter";
  readonly packets: bigint;
  readonly bytes: bigint;
}
/** `limit rate [over] rate/unit burst N packets`; byte limits carry `bytes: true` (rate and burst are then in bytes). */
export interface LimitStatement {
  readonly kind: "limit";
  readonly over: boolean;
  readonly rate: number | bigint;
  readonly unit: "second" | "minute" | "hour" | "day" | "week";
  readonly burst?: number | bigint;
  readonly bytes?: boolean;
}
/** `quota [over] N bytes used M bytes` */
export interface QuotaStatement {
  readonly kind: "quota";
  readonly over: boolean;
  readonly bytes: bigint;
  readonly used?: bigint;
}
/** `ct count [over] N`; only inside a set update. */
export interface ConnectionCountStatement {
  readonly kind: "ct-count";
  readonly over: boolean;
  readonly count: number;
}
export interface LogStatement {
  readonly kind: "log";
  readonly prefix?: string;
  readonly level?: string;
  readonly flags?: readonly string[];
  readonly group?: number;
  readonly snaplen?: number;
  readonly queueThreshold?: number;
}
export interface RejectStatement {
  readonly kind: "reject";
  readonly with?: { readonly type: "tcp reset" } | { readonly type: "icmp" | "icmpv6"; readonly code: string };
}
export interface VerdictStatement {
  readonly kind: "verdict";
  readonly verdict: "accept" | "drop" | "return" | "continue";
}
export interface JumpStatement {
  readonly kind: "jump";
  readonly goto: boolean;
  readonly chain: string;
}
/** `key vmap @map`, or `key vmap { a : accept, b : jump c }`: the verdict of the element that is found. */
export interface VerdictMapStatement {
  readonly kind: "verdict-map";
  readonly key: Expression;
  readonly map: SetReference | AnonymousSet;
}
/** `expression set value`: `meta mark set 0x1`, `ip dscp set cs1`, `ct zone set 3`. */
export interface AssignmentStatement {
  readonly kind: "assignment";
  readonly target: Expression;
  readonly value: Expression;
}
/** `update @set { key timeout T : statements }`; timeout in milliseconds. */
export interface SetStatement {
  readonly kind: "set";
  readonly operation: "add" | "update" | "delete";
  readonly set: string;
  readonly key: Expression;
  readonly timeout?: number;
  readonly statements?: readonly Statement[];
}
/** `snat to addr:port random,persistent`; for masquerade and redirect there is no address. */
export interface NatStatement {
  readonly kind: "nat";
  readonly type: "snat" | "dnat" | "masquerade" | "redirect";
  readonly address?: Expression;
  readonly port?: Expression;
  readonly flags?: readonly ("random" | "fully-random" | "persistent")[];
  /** `snat prefix to …`: network address mapping, one to one. */
  readonly prefix?: boolean;
  /** Of the address, in a table of both families. */
  readonly family?: "ip" | "ip6";
  /** In place of address and port: what the element gives that the key finds in a named map. */
  readonly found?: { readonly key: Expression; readonly map: SetReference; readonly withPort: boolean };
}
export interface QueueStatement {
  readonly kind: "queue";
  readonly from: number;
  readonly to?: number;
  readonly flags?: readonly string[];
}
export interface DuplicateStatement {
  readonly kind: "dup";
  readonly address: Expression;
  readonly device?: string;
}
export interface TproxyStatement {
  readonly kind: "tproxy";
  readonly address?: Expression;
  readonly port?: Expression;
  /** Of the address, in a table of both families. */
  readonly family?: "ip" | "ip6";
}
export interface SynproxyStatement {
  readonly kind: "synproxy";
  readonly mss?: number;
  readonly wscale?: number;
  readonly timestamp: boolean;
  readonly sackPermitted: boolean;
}
/** A statement of one fixed phrase: `notrack`, `meta nftrace set 1`, `reset tcp option sack`. */
export interface KeywordStatement {
  readonly kind: "keyword-statement";
  readonly words: readonly string[];
}
/** `ct helper set "name"` and the like: a reference to a named object of the table. */
export interface ObjectStatement {
  readonly kind: "object";
  readonly type: "ct helper" | "ct timeout" | "ct expectation" | "counter" | "quota";
  readonly object: string;
}

export type Statement =
  | MatchStatement
  | ExistenceStatement
  | CounterStatement
  | LimitStatement
  | QuotaStatement
  | ConnectionCountStatement
  | LogStatement
  | RejectStatement
  | VerdictStatement
  | JumpStatement
  | VerdictMapStatement
  | AssignmentStatement
  | SetStatement
  | NatStatement
  | QueueStatement
  | DuplicateStatement
  | TproxyStatement
  | SynproxyStatement
  | KeywordStatement
  | ObjectStatement;

// --------------------------------------------------------------------------------------------------- ruleset

export interface NftRule {
  readonly kind: "rule";
  readonly statements: readonly Statement[];
  /** The iptables rules it comes of; absent in the chains that serve a list. Not printed. */
  readonly origins?: readonly Span[];
  /** The rule's own comment: kept by the kernel, at most 128 bytes, no double quote. */
  readonly comment?: string;
}
/** Lines of `#` comments in the script; each entry is one line. */
export interface NftComment {
  readonly kind: "comment";
  readonly lines: readonly string[];
  /** The iptables rules of which there is nothing but this. */
  readonly origins?: readonly Span[];
  /** The iptables rules that it stands above. */
  readonly above?: readonly Span[];
}

export type Hook = "prerouting" | "input" | "forward" | "output" | "postrouting";
export interface NftChain {
  readonly name: string;
  readonly base?: {
    readonly type: "filter" | "nat" | "route";
    readonly hook: Hook;
    readonly priority: number;
    readonly policy: "accept" | "drop";
  };
  /** Comment lines above the chain. */
  readonly comment?: readonly string[];
  /** The iptables chain whose rules it holds; `inPart`: the later ones stand in another chain. */
  readonly holds?: { readonly table: string; readonly chain: string; readonly inPart: boolean };
  readonly entries: readonly (NftRule | NftComment)[];
}
export interface NftSet {
  readonly name: string;
  /** Data types of the key's parts (`ipv4_addr`, `inet_service`) … */
  readonly type?: readonly string[];
  /** … or an expression whose type the key has. */
  readonly typeof?: Expression;
  readonly flags: readonly ("dynamic" | "timeout" | "interval" | "constant")[];
  /** Milliseconds. */
  readonly timeout?: number;
  /** Milliseconds. */
  readonly gcInterval?: number;
  readonly size?: number;
  readonly elements?: readonly Expression[];
  /** A map: every element gives a verdict … */
  readonly verdicts?: true;
  /** … or data of these types. */
  readonly data?: readonly string[];
  /** Each element stands for a rule of the input, and nothing else fills the set. */
  readonly ofRules?: true;
  /** Elements that a set begins with which rules fill: hosts of a list. */
  readonly hosts?: readonly SetElement[];
  /** Every element counts the packets that find it. */
  readonly counter?: boolean;
  /** Lines in front of the set in the script. */
  readonly comment?: readonly string[];
  /** What the kernel keeps with the set, at most 128 bytes; where the nft of the script cannot, it stands behind the set in the script. */
  readonly label?: string;
}
/** A named conntrack helper: `ct helper name { type "ftp" protocol tcp; }`. */
export interface NftHelper {
  readonly name: string;
  readonly type: string;
  readonly protocol: "tcp" | "udp";
}
export interface NftTable {
  readonly family: "ip" | "ip6" | "inet";
  readonly name: string;
  readonly helpers: readonly NftHelper[];
  readonly sets: readonly NftSet[];
  readonly chains: readonly NftChain[];
}
export interface NftScript {
  /** Comment lines at the top. */
  readonly header: readonly string[];
  readonly tables: readonly NftTable[];
  /** Keep the contents of the sets when the script is loaded again. */
  readonly keepSets: boolean;
  /** The version of nft that it is for; the present one unless told. */
  readonly targetNft?: string | undefined;
  /** What an earlier script has left in these tables under `keepSets`: chains and sets that this one lacks go. */
  readonly earlier?: readonly EarlierTable[];
  /** Tables of ours that this script takes the place of. */
  readonly replaced?: readonly Pick<NftTable, "family" | "name">[];
}

// ------------------------------------------------------------------------------------------------- shorthands

export const symbol = (name: string): SymbolLiteral => ({ kind: "symbol", name });
export const number = (value: number | bigint): NumberLiteral => ({ kind: "number", value });
export const hex = (value: number | bigint): NumberLiteral => ({ kind: "number", value, base: 16 });
export const string = (value: string): StringLiteral => ({ kind: "string", value });
export const range = (from: Expression, to: Expression): RangeLiteral => ({ kind: "range", from, to });
export const concatenation = (...parts: Expression[]): Concatenation => ({ kind: "concatenation", parts });
export const setReference = (set: string): SetReference => ({ kind: "set-reference", set });
export const payload = (protocol: string, field: string): PayloadField => ({ kind: "payload", protocol, field });
export const meta = (key: string): MetaKey => ({ kind: "meta", key });
export const ct = (key: string, direction?: "original" | "reply"): ConntrackKey =>
  direction === undefined ? { kind: "ct", key } : { kind: "ct", key, direction };
export const keyword = (...words: string[]): KeywordExpression => ({ kind: "keyword", words });
export const binary = (left: Expression, operator: BinaryExpression["operator"], right: Expression): BinaryExpression => ({
  kind: "binary",
  operator,
  left,
  right,
});

/** One value as itself, several as an anonymous set. */
export const oneOf = (elements: readonly Expression[]): Expression =>
  elements.length === 1 ? elements[0]! : { kind: "anonymous-set", elements };

/** `left == right`, or `left != right` when inverted. */
export const match = (left: Expression, right: Expression, inverted = false): MatchStatement => ({
  kind: "match",
  left,
  operator: inverted ? "!=" : "==",
  right,
});
export const compare = (left: Expression, operator: Comparison, right: Expression): MatchStatement => ({
  kind: "match",
  left,
  operator,
  right,
});
export const exists = (expression: Expression, present = true): ExistenceStatement => ({ kind: "existence", expression, exists: present });
export const assign = (target: Expression, value: Expression): AssignmentStatement => ({ kind: "assignment", target, value });
export const verdict = (name: VerdictStatement["verdict"]): VerdictStatement => ({ kind: "verdict", verdict: name });
export const jump = (chain: string): JumpStatement => ({ kind: "jump", goto: false, chain });
export const goto = (chain: string): JumpStatement => ({ kind: "jump", goto: true, chain });
export const keywordStatement = (...words: string[]): KeywordStatement => ({ kind: "keyword-statement", words });
export const updateSet = (set: string, key: Expression, statements?: readonly Statement[]): SetStatement =>
  statements === undefined ? { kind: "set", operation: "update", set, key } : { kind: "set", operation: "update", set, key, statements };
export const addToSet = (set: string, key: Expression, statements: readonly Statement[]): SetStatement => ({
  kind: "set",
  operation: "add",
  set,
  key,
  statements,
});
export const deleteFromSet = (set: string, key: Expression): SetStatement => ({ kind: "set", operation: "delete", set, key });
