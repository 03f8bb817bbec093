/**
 * `-j CT`: how connection tracking is to treat the packet. The rule goes on.
 *
 *     -j CT --notrack                          →   notrack
 *     -i eth1 -j CT --zone 5                   →   iifname "eth1" ct zone set 5
 *     -p tcp --dport 21 -j CT --helper ftp     →   tcp dport 21 update @helped_ftp_tcp { ip saddr . ip daddr . tcp sport . tcp dport }
 *         and behind connection tracking           ip saddr . ip daddr . tcp sport . tcp dport @helped_ftp_tcp ct helper set "…"
 *                                                  delete @helped_ftp_tcp { … }
 *
 * A helper is set in two steps because iptables leaves a template for the connection to come, while nft's helper statement
 * works on the connection, which in table raw does not exist yet. The set carries the decision from one to the other.
 * man iptables-extensions, section "CT".
 */

import type { OptionUse } from "../../iptables/ast.js";
import {
  assign,
  concatenation,
  ct,
  keywordStatement,
  match,
  number,
  payload,
  setReference,
  symbol,
  type Expression,
  type Hook,
  type Statement,
} from "../../nft/ast.js";
import { declaredSize } from "../../nft/set-size.js";
import { defineTarget, Invalid, type RuleContext, type Untranslatable, type ValueParser } from "../extension.js";
import { integer } from "../values/number.js";
import { text, wordList } from "../values/text.js";

const zoneNumber = integer(0, 65535);
const zone: ValueParser<number | "mark"> = (value, context) => (value === "mark" ? "mark" : zoneNumber(value, context));

const protocolNames: Readonly<Record<number, "tcp" | "udp">> = { 6: "tcp", 17: "udp" };

/**
 * The helpers of the kernel (nf_conntrack_*), their protocol, and whether they know IPv6. A script that names any other one
 * would not load.
 */
const helpers: Readonly<Record<string, { readonly protocols: readonly ("tcp" | "udp")[]; readonly ipv6: boolean }>> = {
  ftp: { protocols: ["tcp"], ipv6: true },
  irc: { protocols: ["tcp"], ipv6: false },
  sip: { protocols: ["tcp", "udp"], ipv6: true },
  tftp: { protocols: ["udp"], ipv6: true },
  sane: { protocols: ["tcp"], ipv6: true },
  snmp: { protocols: ["udp"], ipv6: false },
  "netbios-ns": { protocols: ["udp"], ipv6: false },
  pptp: { protocols: ["tcp"], ipv6: false },
  amanda: { protocols: ["udp"], ipv6: true },
  RAS: { protocols: ["udp"], ipv6: true },
  "Q.931": { protocols: ["tcp"], ipv6: true },
};

/** Behind connection tracking (-200) and before anything of iptables (mangle, -150). */
const helperPriority = -190;
/** Milliseconds; the entry is read and deleted a few microseconds after it was written, unless the packet is dropped in between. */
const helperTimeout = 1000;

function helperStatement(use: OptionUse<string>, context: RuleContext): Statement | Untranslatable {
  const protocol = context.protocol === undefined ? undefined : protocolNames[context.protocol];
  const known = Object.hasOwn(helpers, use.value) ? helpers[use.value] : undefined;
  if (!known || !protocol || !known.protocols.includes(protocol) || (context.family === "ipv6" && !known.ipv6)) {
    return { untranslatable: `the kernel's own helpers have no "${use.value}" for this protocol`, at: use };
  }
  const [network, addressType] = context.family === "ipv4" ? (["ip", "ipv4_addr"] as const) : (["ip6", "ipv6_addr"] as const);
  const name = `${use.value.replace(/[^A-Za-z0-9]/g, "_")}_${protocol}`;
  const set = context.declare.sharedSet(`helped_${name}`, {
    type: [addressType, addressType, "inet_service", "inet_service"],
    flags: ["dynamic", "timeout"],
    timeout: helperTimeout,
    ...declaredSize(context.setSize),
  });
  const key: Expression = concatenation(
    payload(network, "saddr"),
    payload(network, "daddr"),
    payload(protocol, "sport"),
    payload(protocol, "dport"),
  );
  const object = context.declare.helper({ type: use.value, protocol });
  const hooks: readonly Hook[] = (["prerouting", "output"] as const).filter((hook) => context.hooks.has(hook));
  for (const hook of hooks) {
    // On a connection that is known already the helper's statement does nothing.
    context.declare.chain(
      `helper_${name}_${hook}`,
      [[match(key, setReference(set)), { kind: "object", type: "ct helper", object }, { kind: "set", operation: "delete", set, key }]],
      { hook, priority: helperPriority },
    );
  }
  return { kind: "set", operation: "update", set, key };
}

/**
 * Of all CT and NOTRACK rules that a packet meets the first decides. nft's statements heed that only in part, so where there
 * are others this one must ask: behind a template the state is "new", behind notrack "untracked", before both "invalid".
 */
const undecided = match(ct("state"), symbol("invalid"));

function hasRivals({ ruleset, rule }: RuleContext): boolean {
  if (!ruleset) return true;
  return ruleset.tables.some(
    (table) =>
      table.name === "raw" &&
      table.chains.some((chain) =>
        chain.rules.some(
          (other) =>
            other !== rule &&
            other.target?.kind === "extension" &&
            (other.target.extension === "CT" || other.target.extension === "NOTRACK"),
        ),
      ),
  );
}

const events = ["new", "related", "destroy", "reply", "assured", "protoinfo", "helper", "mark", "natseqinfo", "secmark"] as const;
const connectionEvents = wordList(events);
const expectationEvents = wordList(["new"]);
const zoneOptions = ["zone", "zone-orig", "zone-reply"] as const;

export const ctTarget = defineTarget({
  name: "CT",
  tables: ["raw"],
  options: {
    notrack: {},
    helper: { value: text(15) },
    timeout: { value: text(31) },
    ctevents: { value: connectionEvents },
    expevents: { value: expectationEvents },
    zone: { value: zone },
    "zone-orig": { value: zone },
    "zone-reply": { value: zone },
  },
  check(options, { protocol }) {
    return options.helper && options.helper.value !== "" && protocol === undefined
      ? new Invalid("--helper needs -p, not inverted")
      : undefined;
  },
  facts: {
    way: "continue",
    effects: (options) =>
      options.notrack
        ? [{ kind: "untracked" }]
        : [
            {
              kind: "other",
              of: "tracking",
              text: Object.values(options)
                .map((use) => `${use.name} ${use.text}`)
                .sort()
                .join(" "),
            },
          ],
    played: true,
    dependsOnHook: true,
    words: { does: "sets how connections are tracked for", done: "tracked in a way of their own" },
  },
  translate(options, context) {
    // The kernel looks at nothing else when it is told not to track.
    if (options.notrack) return { statements: [keywordStatement("notrack")] };
    for (const use of [options.ctevents, options.expevents]) {
      if (use) return { untranslatable: "nft sets events on a connection, and in table raw there is none yet", at: use };
    }
    if (options.timeout) {
      return {
        untranslatable: "timeout policies made with nfct are not visible to nft",
        at: options.timeout,
        help: "declare a ct timeout object in an nft table of your own",
      };
    }
    const zones = zoneOptions.flatMap((name) => options[name] ?? []);
    const last = zones.reduce<OptionUse<number | "mark"> | undefined>(
      (latest, use) => (latest && latest.span.column > use.span.column ? latest : use),
      undefined,
    );
    if (last?.value === "mark") {
      return { untranslatable: "nft cannot take a zone from the mark", at: last, help: "write one rule for each mark" };
    }
    const original = options["zone-orig"] !== undefined;
    const reply = options["zone-reply"] !== undefined;
    const direction = original === reply ? undefined : original ? "original" : "reply";
    const rivals = hasRivals(context);
    const statements: Statement[] = rivals ? [undecided] : [];
    // Even zone 0 leaves a template, which keeps later CT and NOTRACK rules from the packet.
    if (last || rivals || !options.helper?.value) statements.push(assign(ct("zone", direction), number(last?.value ?? 0)));
    if (options.helper?.value) {
      const helper = helperStatement(options.helper, context);
      if ("untranslatable" in helper) return helper;
      statements.push(helper);
    }
    return { statements };
  },
});
