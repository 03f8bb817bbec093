/**
 * `-m hashlimit`: a rate for every host, network or port.
 *
 *     --hashlimit-above 10/min --hashlimit-burst 20 --hashlimit-mode srcip --hashlimit-name web
 *       →   update @hashlimit_web_above { ip saddr limit rate over 10/minute burst 20 packets }
 *
 * Both sides keep a bucket of tokens per key that holds the burst and starts full, and forget a key that has been silent for
 * `--hashlimit-htable-expire` (1 unit of the rate unless told; for bytes 15 s, with a burst 60 s). iptables counts in ticks and
 * nft in nanoseconds: within one tick of the next token the two can differ.
 *
 * Rules of one name share one table of keys, whose rate, mode and masks are those of the rule loaded first. Elements of an nft
 * set carry the sense of their limit (`over` or not), so `upto` and `above` need a set each.
 *
 * man iptables-extensions, section "hashlimit"; limits and defaults from libxt_hashlimit of iptables 1.8.9.
 */

import type { ExtensionUse, IptablesRuleset } from "../../iptables/ast.js";
import { rulesInLoadOrder } from "../../iptables/load-order.js";
import {
  concatenation,
  match,
  meta,
  oneOf,
  payload,
  updateSet,
  type Expression,
  type LimitStatement,
  type Statement,
} from "../../nft/ast.js";
import {
  defineMatch,
  Invalid,
  type MatchTranslation,
  type OptionUses,
  type Remark,
  type RuleContext,
  type ValueParser,
} from "../extension.js";
import { declaredSize } from "../../nft/set-size.js";
import type { Recollection } from "../facts.js";
import { addressBits, maskedField, prefixMask } from "../values/address.js";
import { integer } from "../values/number.js";
import { hasPorts, protocolExpression, protocolsWithPorts } from "../values/protocols.js";
import { text, wordList } from "../values/text.js";

const unitSeconds = { second: 1, minute: 60, hour: 3600, day: 86400 } as const;
type Unit = keyof typeof unitSeconds;

/** Packets per unit, or bytes per second. */
interface Rate {
  readonly amount: number;
  readonly unit: Unit;
  readonly bytes: boolean;
}

const units = Object.keys(unitSeconds) as Unit[];
/** iptables reckons the time between two packets in microseconds. */
const microseconds = 1_000_000;
const largestBurst = 1_000_000;
/** Bytes are counted in pieces of 16. */
const largestByteRate = 0xffffffff * 16;

const byteAmount = /^([0-9]+)([km]?)b/i;

function parseBytes(value: string): number | undefined {
  const parts = byteAmount.exec(value);
  if (!parts) return undefined;
  return Number(parts[1]) * { "": 1, k: 1024, m: 1024 * 1024 }[parts[2]!.toLowerCase() as "" | "k" | "m"];
}

const rate: ValueParser<Rate> = (value) => {
  const [amountText = "", unitText, ...more] = value.split("/");
  const unit = unitText === undefined ? "second" : units.find((name) => unitText !== "" && name.startsWith(unitText.toLowerCase()));
  if (more.length > 0 || unit === undefined) return new Invalid(`"${value}" is not a rate`);
  const bytes = unit === "second" ? parseBytes(amountText) : undefined;
  if (bytes !== undefined) {
    return bytes === 0 || bytes >= largestByteRate
      ? new Invalid(`"${value}" is not a rate that can be kept`)
      : { amount: bytes, unit, bytes: true };
  }
  // What follows the digits is not read: `512kb/min` is 512 packets a minute.
  const amount = parseInt(amountText, 10);
  if (!/^[0-9]/.test(amountText) || amount === 0) return new Invalid(`"${value}" is not a rate`);
  return amount > microseconds * unitSeconds[unit] ? new Invalid(`the rate "${value}" is too fast`) : { amount, unit, bytes: false };
};

/** nft multiplies rate plus burst by the nanoseconds of a second, in 64 bits. */
const largestNftByteRate = 18_000_000_000;

/** nft keeps the time that a full burst takes in nanoseconds, in 63 bits. */
function largestNftBurst({ amount, unit }: Rate): number {
  const betweenTokens = (BigInt(unitSeconds[unit]) * 1_000_000_000n) / BigInt(amount);
  return betweenTokens === 0n ? largestBurst : Number(((1n << 63n) - 1n) / betweenTokens);
}

/** A number of packets or, with a unit, of bytes. */
const burst: ValueParser<{ readonly amount: number; readonly bytes: boolean }> = (value, context) => {
  const bytes = parseBytes(value);
  if (bytes !== undefined) return bytes < 2 ** 32 ? { amount: bytes, bytes: true } : new Invalid(`"${value}" is too large`);
  const packets = integer(1, 0xffffffff)(value, context);
  return packets instanceof Invalid ? packets : { amount: packets, bytes: false };
};

/** Packets, where no burst is given. */
const usualBurst = 5;

const keyFields = { srcip: "source", dstip: "destination", srcport: "sourcePort", dstport: "destinationPort" } as const;
const keyWords = { srcip: "source", dstip: "destination", srcport: "source port", dstport: "destination port" } as const;

const modes = wordList(["srcip", "srcport", "dstip", "dstport"]);
/** Commas before and behind the words are passed over, as strtok does. */
const mode: typeof modes = (value, context) => {
  let [start, end] = [0, value.length];
  while (value[start] === ",") start += 1;
  while (end > start && value[end - 1] === ",") end -= 1;
  return modes(value.slice(start, end), context);
};
const prefix: ValueParser<number> = (value, context) => integer(0, addressBits[context.family])(value, context);
const name: ValueParser<string> = (value, context) =>
  value === "" || value.includes("/") || value === "." || value === ".."
    ? new Invalid(`"${value}" cannot be the name of a file`)
    : text(254)(value, context);
const count = { value: integer(0, 0xffffffff) } as const;

const options = {
  "hashlimit-upto": { aliases: ["hashlimit"], value: rate, invertible: true, excludes: ["hashlimit-above"] },
  "hashlimit-above": { value: rate, invertible: true, excludes: ["hashlimit-upto"] },
  "hashlimit-burst": { value: burst },
  "hashlimit-mode": { value: mode },
  "hashlimit-srcmask": { value: prefix },
  "hashlimit-dstmask": { value: prefix },
  "hashlimit-name": { value: name, required: true },
  "hashlimit-htable-size": count,
  "hashlimit-htable-max": count,
  "hashlimit-htable-expire": count,
  "hashlimit-htable-gcinterval": count,
  "hashlimit-rate-match": {},
  "hashlimit-rate-interval": { value: integer(1, 3600) },
} as const;

type Uses = OptionUses<typeof options>;

const rateOf = (uses: Uses): Rate | undefined => (uses["hashlimit-above"] ?? uses["hashlimit-upto"])?.value;

function isOver(uses: Uses): boolean {
  const use = uses["hashlimit-above"] ?? uses["hashlimit-upto"];
  return (uses["hashlimit-above"] !== undefined) !== (use?.inverted === true);
}

function rateFact(uses: Uses): Pick<Recollection & { kind: "bucket" }, "rate"> {
  const use = uses["hashlimit-above"] ?? uses["hashlimit-upto"];
  if (!use || use.value.bytes) return {};
  return { rate: { option: use.name, packets: use.value.amount, seconds: unitSeconds[use.value.unit] } };
}

/** Built once for a ruleset, which may have thousands of these matches. */
const usesByName = new WeakMap<IptablesRuleset, ReadonlyMap<string, readonly Uses[]>>();

/** All uses of a name in the order the kernel gets them. */
function usesOfName(ruleset: IptablesRuleset, wanted: string): readonly Uses[] {
  let byName = usesByName.get(ruleset);
  if (!byName) usesByName.set(ruleset, (byName = gatherUses(ruleset)));
  return byName.get(wanted) ?? [];
}

function gatherUses(ruleset: IptablesRuleset): Map<string, Uses[]> {
  const byName = new Map<string, Uses[]>();
  for (const { rule } of rulesInLoadOrder(ruleset)) {
    for (const match of rule.matches) {
      const uses = usesOf(match);
      const shared = uses?.["hashlimit-name"]?.value;
      if (!uses || shared === undefined) continue;
      const known = byName.get(shared);
      if (known) known.push(uses);
      else byName.set(shared, [uses]);
    }
  }
  return byName;
}

function usesOf(use: ExtensionUse): Uses | undefined {
  return use.extension === "hashlimit" && !use.unknown ? use.options : undefined;
}

/** What of a rule goes into its name's table of keys. */
function configuration(uses: Uses): string {
  const names = [
    "hashlimit-burst",
    "hashlimit-mode",
    "hashlimit-srcmask",
    "hashlimit-dstmask",
    "hashlimit-htable-max",
    "hashlimit-htable-expire",
  ] as const;
  return JSON.stringify([rateOf(uses), ...names.map((option) => uses[option]?.value)]);
}

interface Key {
  readonly parts: readonly Expression[];
  readonly types: readonly string[];
}

function addressKey(uses: Uses, context: RuleContext): Key {
  const { family } = context;
  const modes = uses["hashlimit-mode"]?.value ?? [];
  const protocol = family === "ipv4" ? "ip" : "ip6";
  const type = family === "ipv4" ? "ipv4_addr" : "ipv6_addr";
  const parts: Expression[] = [];
  for (const [wanted, field, option] of [
    ["srcip", "saddr", "hashlimit-srcmask"],
    ["dstip", "daddr", "hashlimit-dstmask"],
  ] as const) {
    if (!modes.includes(wanted)) continue;
    const mask = prefixMask(uses[option]?.value ?? addressBits[family], family);
    parts.push(maskedField(payload(protocol, field), { mask, family }));
  }
  return { parts, types: parts.map(() => type) };
}

function portKey(uses: Uses, protocol: string): Key {
  const modes = uses["hashlimit-mode"]?.value ?? [];
  const fields = [...(modes.includes("srcport") ? ["sport"] : []), ...(modes.includes("dstport") ? ["dport"] : [])];
  return { parts: fields.map((field) => payload(protocol, field)), types: fields.map(() => "inet_service") };
}

/** The one key of all packets: an address of which nothing is left. */
function commonKey(context: RuleContext): Key {
  const { family } = context;
  const field = payload(family === "ipv4" ? "ip" : "ip6", "saddr");
  return { parts: [maskedField(field, { mask: 0n, family })], types: [family === "ipv4" ? "ipv4_addr" : "ipv6_addr"] };
}

/** Milliseconds of silence after which iptables forgets a key. */
function expiry(uses: Uses, wanted: Rate): number {
  const told = uses["hashlimit-htable-expire"]?.value;
  if (told !== undefined && told > 0) return told;
  if (wanted.bytes) return uses["hashlimit-burst"] ? 60_000 : 15_000;
  return unitSeconds[wanted.unit] * 1000;
}

export const hashlimit = defineMatch({
  name: "hashlimit",
  options,
  check(uses: Uses) {
    const wanted = rateOf(uses);
    if (!wanted) return new Invalid("needs --hashlimit-upto or --hashlimit-above");
    const most = uses["hashlimit-burst"]?.value;
    if (!most) return undefined;
    if (wanted.bytes && most.amount < wanted.amount) return new Invalid(`a burst below the rate's ${wanted.amount} bytes`);
    if (!wanted.bytes && (most.bytes || most.amount > largestBurst))
      return new Invalid(`a burst that is not between 1 and ${largestBurst} packets`);
    return undefined;
  },
  compared(uses: Uses, { family }) {
    const { "hashlimit-upto": upto, "hashlimit-above": above, ...others } = uses;
    const told = (name: "srcmask" | "dstmask" | "htable-expire" | "htable-gcinterval"): number | undefined =>
      uses[`hashlimit-${name}`]?.value;
    const wanted = (above ?? upto)!.value;
    return {
      ...others,
      "hashlimit-htable-expire": told("htable-expire") ?? expiry(uses, wanted),
      "hashlimit-htable-gcinterval": told("htable-gcinterval") ?? 1000,
      "hashlimit-burst": uses["hashlimit-burst"]?.value ?? { amount: usualBurst, bytes: false },
      "hashlimit-mode": new Set(uses["hashlimit-mode"]?.value),
      masks: [told("srcmask") ?? addressBits[family], told("dstmask") ?? addressBits[family]],
      "hashlimit-srcmask": undefined,
      "hashlimit-dstmask": undefined,
      rate: wanted,
      over: isOver(uses),
    };
  },
  facts: {
    reads: (uses) => [{ memory: "hashlimit", name: uses["hashlimit-name"]?.value ?? "" }, "addresses"],
    condition: [],
    played: true,
    recollection: (uses) => ({
      kind: "bucket",
      ...rateFact(uses),
      burst: uses["hashlimit-burst"]?.value.amount ?? usualBurst,
      above: isOver(uses),
      name: `hashlimit ${uses["hashlimit-name"]?.value ?? ""}`,
      by: (uses["hashlimit-mode"]?.value ?? []).map((part) => keyFields[part]),
    }),
    growsWithUse: isOver,
    // The same keys counted: who stays within the smaller rate and burst stays within the larger.
    implies: (first, second) => {
      const [a, b] = [rateOf(first), rateOf(second)];
      const sameKeys = (
        ["hashlimit-mode", "hashlimit-srcmask", "hashlimit-dstmask", "hashlimit-htable-max", "hashlimit-htable-expire"] as const
      ).every((option) => first[option]?.text === second[option]?.text);
      if (!a || !b || !sameKeys || a.bytes !== b.bytes || isOver(first) !== isOver(second)) return false;
      const perSecond = ({ amount, unit }: Rate): number => amount / unitSeconds[unit];
      const [smaller, larger] = isOver(first) ? [b, a] : [a, b];
      const [less, more] = isOver(first) ? [second, first] : [first, second];
      const burstOf = (uses: Uses): number => uses["hashlimit-burst"]?.value.amount ?? usualBurst;
      return perSecond(smaller) <= perSecond(larger) && burstOf(less) <= burstOf(more);
    },
    words: (uses) => {
      const by = (uses["hashlimit-mode"]?.value ?? []).map((part) => keyWords[part]);
      const each = by.length === 0 ? "all packets together" : `each ${by.join(" and ")}`;
      const rateText = (uses["hashlimit-above"] ?? uses["hashlimit-upto"])?.text ?? "";
      const state = isOver(uses) ? "used up" : "not used up";
      return `the limit "${uses["hashlimit-name"]?.text ?? ""}" of ${rateText} for ${each} is ${state}`;
    },
  },
  translate(own, context): MatchTranslation {
    const nameUse = own["hashlimit-name"];
    const sharing = context.ruleset && nameUse ? usesOfName(context.ruleset, nameUse.value) : [];
    const uses = sharing[0] ?? own;
    const wanted = rateOf(uses);
    if (!nameUse || !wanted) return { never: "no rate is given" };
    if (own["hashlimit-rate-match"] ?? uses["hashlimit-rate-match"]) {
      return {
        untranslatable: "nft limits rates and does not measure them",
        help: "without --hashlimit-rate-match the rule can be translated; it then counts what exceeds the rate",
        at: own["hashlimit-rate-match"],
      };
    }

    const approximations: Remark[] = [];
    const notes: Remark[] = [];
    const over = isOver(own);
    const expire = expiry(uses, wanted);
    const most = uses["hashlimit-burst"]?.value;
    const bytes = wanted.bytes || (rateOf(own)?.bytes ?? false);
    if (configuration(uses) !== configuration(own)) {
      notes.push({
        code: "option-without-effect",
        message: `the name "${nameUse.value}" is shared, and the rate, mode and masks of the first rule loaded count`,
        at: nameUse,
      });
    }
    if (sharing.some((other) => isOver(other) !== over)) {
      approximations.push({
        message:
          `rules "upto" and "above" of the name "${nameUse.value}" count separately in nft: a packet that passes both takes a ` +
          "token from each, so later ones find more tokens than in iptables",
        at: nameUse,
      });
    }
    if (bytes !== wanted.bytes)
      return { untranslatable: `rules of the name "${nameUse.value}" count packets and bytes in one table`, at: nameUse };

    let limit: LimitStatement;
    let timeout = expire;
    if (wanted.bytes) {
      const seconds = most ? Math.ceil(most.amount / wanted.amount) : 0;
      const bytesPerSecond = Math.min(wanted.amount, largestNftByteRate);
      if (bytesPerSecond < wanted.amount) {
        approximations.push({
          message: `nft holds a rate of at most ${bytesPerSecond} bytes per second: traffic above that exceeds it earlier`,
        });
      }
      limit = {
        kind: "limit",
        over,
        rate: bytesPerSecond,
        unit: "second",
        burst: Math.min(seconds * wanted.amount, largestNftByteRate - bytesPerSecond),
        bytes: true,
      };
      approximations.push({
        message:
          "iptables counts every packet up to 16 bytes longer than it is: nft lets correspondingly more through before the rate is " +
          "exceeded" +
          (seconds > 0 ? "; and it grants the burst once per key, nft again after every pause" : ""),
      });
    } else {
      const asked = most?.amount ?? usualBurst;
      const packets = Math.min(asked, largestNftBurst(wanted));
      if (packets < asked) {
        approximations.push({
          message: `nft holds a burst of at most ${packets} packets at this rate: a key that sends more at once exceeds it earlier`,
          at: own["hashlimit-burst"],
        });
      }
      limit = { kind: "limit", over, rate: wanted.amount, unit: wanted.unit, burst: packets };
      // A bucket that is full again before its key is forgotten does not show when that happens. Any other starts again full,
      // in iptables at the first collection after the key has expired: the set waits as long as that can take, so it is never
      // the more generous one.
      if ((packets * unitSeconds[wanted.unit] * 1000) / wanted.amount > expire) {
        timeout = expire + (uses["hashlimit-htable-gcinterval"]?.value || 1000);
        approximations.push({
          message:
            `a key starts again with the full burst after ${timeout / 1000} s of silence; in iptables after ${expire / 1000} ` +
            `to ${timeout / 1000} s, so now and then a little earlier`,
          at: own["hashlimit-htable-expire"],
        });
      }
    }
    const largestTable = uses["hashlimit-htable-max"]?.value;
    if (largestTable !== undefined && largestTable > 0) {
      approximations.push({
        message: `with ${largestTable} keys iptables drops packets of further ones; in nft the rule does not match them`,
        at: own["hashlimit-htable-max"],
      });
    }

    const update = (key: Key, suffix: string): Statement => {
      const whole = key.parts.length > 0 ? key : commonKey(context);
      // The name tells the key's type: under --keep-sets the next script must not meet a set of that name and another type.
      const shape =
        whole.types.length === 1 && whole.types[0] !== "inet_service"
          ? ""
          : `_${whole.types.map((type) => (type === "inet_service" ? "port" : "address")).join("_")}`;
      const set = context.declare.sharedSet(`hashlimit_${nameUse.value}_${over ? "above" : "upto"}${shape}${suffix}`, {
        type: whole.types,
        flags: ["dynamic", "timeout"],
        timeout,
        ...declaredSize(largestTable !== undefined && largestTable > 0 ? largestTable : context.setSize),
      });
      return updateSet(set, whole.parts.length === 1 ? whole.parts[0]! : concatenation(...whole.parts), [limit]);
    };
    const addresses = addressKey(uses, context);
    const withPorts = (protocol: string): Key => {
      const ports = portKey(uses, protocol);
      return { parts: [...addresses.parts, ...ports.parts], types: [...addresses.types, ...ports.types] };
    };
    if (portKey(uses, "th").parts.length === 0) return { statements: [update(addresses, "")], approximations, notes };
    if (context.protocol !== undefined) {
      if (!hasPorts(context.protocol)) return { statements: [update(addresses, "_portless")], approximations, notes };
      const protocol = context.protocol === 6 ? "tcp" : context.protocol === 17 ? "udp" : "th";
      return { statements: [update(withPorts(protocol), "")], approximations, notes };
    }
    const known = oneOf(protocolsWithPorts.map((protocol) => protocolExpression(protocol)));
    return {
      alternatives: [
        [match(meta("l4proto"), known), update(withPorts("th"), "")],
        [match(meta("l4proto"), known, true), update(addresses, "_portless")],
      ],
      approximations,
      notes,
    };
  },
});
