/** What has to be said about the lists of a ruleset: where the sets differ from xt_recent, and traps in the rules themselves. */

import { recentUsesOf, type RecentUse } from "../../extensions/matches/recent.js";
import { rulesInLoadOrder } from "../../iptables/load-order.js";
import { diagnostic, printable, type Diagnostic } from "../../diagnostic.js";
import { judgementOf } from "../../extensions/described.js";
import type { IptablesRuleset } from "../../iptables/ast.js";
import { features } from "../../nft/versions.js";
import { ttlChanges } from "./last-ttl.js";
import { formOfGroup, isShortBan, type FusedGroup } from "./fused.js";
import { limitRate } from "./limit.js";
import { isTooLarge, keptFor, largestRing, windowsOf, type ListForm } from "./form.js";
import { asksForPresence, gatherLists, isCheck, isQuietRemoval, type ListUsage, type PlacedUse } from "./usage.js";

/** From here on N * HZ does not fit into 32 bits on HZ=250 (measured); other kernels wrap earlier (HZ=1000) or later (HZ=100). */
const firstWrapping = 17179870;

/** Hosts on a list unless the module is told otherwise (`ip_list_tot`). */
const hostsPerList = 100;

export interface ListFacts {
  readonly usage: ListUsage;
  readonly form: ListForm;
  /** The rules that become one walk, if they do. */
  readonly fused: FusedGroup | undefined;
  /** How much longer than by xt_recent a flooding host may stay blocked, in seconds; 0 where no window is written as a ring. */
  readonly longestMute: number;
}

export function recentRemarks(facts: readonly ListFacts[], setSize: number): Diagnostic[] {
  return [...facts.flatMap(listRemarks), ...generalNotes(facts, setSize)];
}

function listRemarks({ usage, form, fused }: ListFacts): Diagnostic[] {
  const bans = fused !== undefined && isShortBan(formOfGroup(fused, form));
  const limits = windowsOf(usage, form).filter(form.asLimit);
  const found: Diagnostic[] = [];
  for (const use of usage.uses) {
    const span = use.use.span;
    const say = (code: Parameters<typeof diagnostic>[0], message: string, help?: string): void => {
      found.push(
        diagnostic(code, use.use.options[optionOf[code] ?? ""]?.span ?? span, `list "${printable(usage.name)}": ${message}`, help),
      );
    };
    if (use.mask !== usage.mask)
      say("recent-mask", "its mask is that of the rule loaded first; xt_recent ignores this one, and so does the script");
    if (isCheck(use)) {
      if (bans) {
        say(
          "recent-ban-form",
          `written as a ban: a host that was over the limit comes back after ${use.seconds} s without a try only, with xt_recent as soon ` +
            `as fewer than ${use.hits} of its hits lie in ${use.seconds} s, so one that goes on trying more slowly is stopped longer; ` +
            "until its first try over the limit nothing differs, and nothing passes that xt_recent stops",
          "--recent exact writes an exact window",
        );
      }
      if (form.flat && usesRing(use, form, fused)) {
        say(
          "recent-deep-chains",
          "the chains that lead to this rule and those of its window would nest deeper than the kernel allows, so a host's last hit is " +
            "found in a slower way: where packets of one host come on several processors in the same microseconds, some more can pass " +
            "than by xt_recent, or some can be stopped before the limit; packets that come one after the other are decided as by xt_recent",
          "fewer chains on the way to the rule, or fewer hits, leave more room",
        );
      }
      if (use.rttl) say("recent-rttl", rttlText(use, form));
      if (use.reap && reapMatters(usage, use)) {
        say(
          "recent-reap",
          "--reap is left out, because it takes off the host that has been silent for longest, whenever another one on the list meets " +
            `this rule, and nft cannot find that one: a host that xt_recent would have taken off after ${use.seconds} s or later stays ` +
            "on the list, so rules that ask for it without --seconds, with more seconds, by ! --update or with --remove still find it",
        );
      }
      if (use.seconds !== undefined && use.seconds >= firstWrapping) {
        say(
          "recent-seconds-overflow",
          `${use.seconds} seconds overflow xt_recent's 32-bit clock, which then sees a shorter window; ` +
            "the script uses the seconds as written and so matches for longer",
        );
      }
      const window = limits.find(({ seconds, hits }) => seconds === use.seconds && hits === use.hits);
      if (window) {
        say(
          "recent-limit-form",
          `written as a limit of ${limitRate(window).text} burst ${window.hits - 1} with a ban of ${window.seconds} s: ` +
            `up to ${2 * window.hits - 1} hits of one host can pass in ${window.seconds} s before its first ban (xt_recent: ` +
            `${window.hits - 1}), ` +
            `a host that stays under the rate is never banned, and a banned one only comes back after ${window.seconds} s of silence`,
          window.hits > largestRing
            ? `no exact form holds more than ${largestRing} hits`
            : form.ringless
              ? `an exact window needs nft ${features.setDeletion.nft}`
              : "--recent exact writes an exact window",
        );
      }
    }
  }
  found.push(...fullListRemarks(usage, form));
  const first = usage.uses.find(isCheck);
  if (first && !usage.uses.some(({ operation }) => operation === "set")) {
    found.push(
      diagnostic(
        "recent-never-set",
        first.use.span,
        `list "${printable(usage.name)}" is checked but no rule sets it`,
        'if a program writes to /proc/net/xt_recent, let it use "ipt2nft-recent lists pipes" instead',
      ),
    );
  }
  return found;
}

/** Whether a check of several hits looks for them on a ring. */
function usesRing({ seconds, hits, ...use }: PlacedUse, form: ListForm, fused: FusedGroup | undefined): boolean {
  if (seconds === undefined || hits === 1 || isTooLarge({ seconds, hits, ...use }, form) || form.asLimit({ seconds, hits })) return false;
  return fused === undefined || ["ring", "short ban on a ring"].includes(formOfGroup(fused, form));
}

/** What becomes of hosts that a list without seconds has no room for, or that `--forget-after` takes off it. */
function fullListRemarks(usage: ListUsage, form: ListForm): Diagnostic[] {
  // What no rule of ours records is not filled by packets.
  if (!usage.uses.some(({ operation }) => operation === "set")) return [];
  const asking = usage.uses.filter(
    (use) =>
      !isTooLarge(use, form) &&
      ((asksForPresence(use) && !isQuietRemoval(use)) || (isCheck(use) && use.seconds === undefined && use.hits > 1)),
  );
  const [first] = asking;
  if (!first) return [];
  const name = `list "${printable(usage.name)}"`;
  const kept = keptFor(usage, form);
  const consequences = (hosts: string): string => [...new Set(asking.map((use) => unknownHostText(use, hosts)))].join("; ");
  if (kept !== undefined) {
    return [
      diagnostic(
        "recent-forget-after",
        first.use.span,
        `${name}: a host is taken off it ${durationText(kept)} after its last hit, by xt_recent only when ${hostsPerList} others have ` +
          `come since; ${consequences("such hosts")}. While ${form.setSize} hosts are on it, the same goes for new ones`,
      ),
    ];
  }
  return [
    diagnostic(
      "recent-list-full",
      first.use.span,
      `${name}: nothing leaves it by itself, since rules ask it without seconds: once ${form.setSize} hosts are on it, these rules ` +
        `do not know new ones until its sets are emptied; ${consequences("new hosts")}`,
      "--forget-after 30d takes hosts off such lists 30 days after their last hit; --set-size gives them more room",
    ),
  ];
}

/** What the rule does with hosts that the list should know and does not. */
export function unknownHostText({ table, rule, inverted, operation, seconds }: PlacedUse, hosts: string): string {
  if (operation === "update" && inverted && seconds !== undefined)
    return `hits of ${hosts} that the rule would record are not recorded, so a hit count is reached later: the firewall is more open`;
  const judgement = judgementOf(rule, table.name);
  if (judgement === undefined) return `the rule ${inverted ? "matches" : "does not match"} packets of ${hosts}`;
  const moreOpen = (judgement === "stops") !== inverted;
  return (
    (inverted ? `the rule ${judgement} packets of ${hosts} too` : `packets of ${hosts} that the rule ${judgement} go on to the next rule`) +
    `: the firewall is more ${moreOpen ? "open" : "closed"}`
  );
}

/** Whole seconds in the largest unit that divides them. */
function durationText(seconds: number): string {
  const units = [
    ["day", 86400],
    ["hour", 3600],
    ["minute", 60],
  ] as const;
  const [word, length] = units.find(([, length]) => seconds % length === 0) ?? (["second", 1] as const);
  return `${seconds / length} ${word}${seconds === length ? "" : "s"}`;
}

/**
 * xt_recent has one list for both families, with the mask of whichever rule comes first. One of IPv4 that says its mask, as
 * every rule printed by iptables-save does, cuts IPv6 addresses to their first 32 bits (measured).
 */
export function bothFamiliesRemarks(rulesets: readonly IptablesRuleset[]): Diagnostic[] {
  const ipv4 = rulesets.find(({ family }) => family === "ipv4");
  const ipv6 = rulesets.find(({ family }) => family === "ipv6");
  if (!ipv4 || !ipv6) return [];
  const lists = gatherLists(ipv4);
  return [...gatherLists(ipv6).values()].flatMap((list) => {
    const creator = lists.get(list.name)?.uses[0]?.use;
    if (!creator?.options["mask"]) return [];
    return [
      diagnostic(
        "recent-both-families",
        list.uses[0]!.use.span,
        `list "${printable(list.name)}" is one for IPv4 and IPv6 in xt_recent: if the IPv4 rules are loaded first, it tells IPv6 ` +
          "hosts apart by their first " +
          "32 bits only, so that many count as one; in the script each host counts for itself, and fewer packets match",
      ),
    ];
  });
}

/** Bytes of kernel memory that lists may take without a word. */
const muchMemory = 64 * 1024 * 1024;

/**
 * @param bytes that the lists of all rulesets take when their sets are full
 * @param setSize elements of a set
 */
export function memoryRemarks(rulesets: readonly IptablesRuleset[], bytes: number, setSize: number): Diagnostic[] {
  if (bytes <= muchMemory) return [];
  const first = firstUse(rulesets);
  if (!first) return [];
  return [
    diagnostic(
      "recent-memory",
      first.use.span,
      `empty lists take next to no memory; if each came to hold ${setSize} hosts that come as often as its rules count, the sets ` +
        `would take ${Math.ceil(bytes / 1e6)} MB of the kernel's`,
      "--set-size bounds the hosts of a list; --recent limit needs two sets for a hit count",
    ),
  ];
}

/** The one that makes the first list. */
function firstUse(rulesets: readonly IptablesRuleset[]): RecentUse | undefined {
  for (const ruleset of rulesets) {
    for (const { rule } of rulesInLoadOrder(ruleset)) {
      const [first] = recentUsesOf(rule, ruleset.family);
      if (first) return first;
    }
  }
  return undefined;
}

/** Which option a diagnostic blames. */
const optionOf: Readonly<Record<string, string>> = {
  "recent-mask": "mask",
  "recent-rttl": "rttl",
  "recent-reap": "reap",
  "recent-seconds-overflow": "seconds",
  "recent-limit-form": "hitcount",
  "recent-ban-form": "hitcount",
  "recent-deep-chains": "hitcount",
};

function rttlText({ inverted }: PlacedUse, { ttl }: ListForm): string {
  if (ttl) {
    return (
      `while a host's TTL changes more than ${ttlChanges.rate} times a second, --rttl compares with an older one than that of its last ` +
      "hit: some of the host's packets match that xt_recent does not match, and others do not match that it does"
    );
  }
  const [matches, other] = inverted ? ["xt_recent matches", "the script does not"] : ["the script matches", "xt_recent does not"];
  return (
    `--rttl is left out, because keeping the last TTL of a host needs nft ${features.setDeletion.nft}, which deletes from sets in rules: ` +
    `where the TTL differs from that of the host's last hit, ${matches} and ${other}`
  );
}

/** Only where some rule can tell a reaped host from one that has merely grown old. */
function reapMatters(usage: ListUsage, reaping: PlacedUse): boolean {
  return usage.uses.some(
    (use) =>
      (use.operation === "remove" && !use.knownPresent && !isQuietRemoval(use)) ||
      (isCheck(use) && ((use.inverted && use.operation === "update") || use.seconds === undefined || use.seconds > reaping.seconds!)),
  );
}

/** Lists that a note names; kube-proxy makes one for every endpoint. */
const mostNames = 5;

function generalNotes(facts: readonly ListFacts[], setSize: number): Diagnostic[] {
  const found: Diagnostic[] = [];
  const names = (some: readonly ListFacts[]): string => {
    const quoted = some
      .slice(0, mostNames)
      .map(({ usage }) => `"${printable(usage.name)}"`)
      .join(", ");
    return some.length > mostNames ? `${quoted} and ${some.length - mostNames} more` : quoted;
  };
  const first = (some: readonly ListFacts[]) => some[0]!.usage.uses[0]!.use.span;
  if (facts.length > 0) {
    found.push(
      diagnostic(
        "recent-list-size",
        first(facts),
        `xt_recent forgets all but the last ${hostsPerList} hosts of a list (unless ip_list_tot says otherwise), the sets for ` +
          `${names(facts)} hold ${setSize}: ` +
          `hosts that it would have forgotten are still known, and while ${setSize} are on a list no new one is recorded`,
      ),
    );
  }
  const long = facts.filter(({ fused, form }) => fused && fused.pushes > 0 && formOfGroup(fused, form) === "ring");
  if (long.length > 0) {
    const { fused } = long[0]!;
    found.push(
      diagnostic(
        "recent-long-form",
        first(long),
        `the exact window of ${names(long)} takes ${fused!.window.hits} slots and the chains that find them; --recent ban writes a short ` +
          "one in its place, which lets nothing pass that xt_recent stops, and keeps a host that was over the limit out until it is silent",
      ),
    );
  }
  const guarded = facts.filter(({ longestMute }) => longestMute > 0);
  if (guarded.length > 0) {
    const longest = Math.max(...guarded.map(({ longestMute }) => longestMute));
    found.push(
      diagnostic(
        "recent-flood-guard",
        first(guarded),
        `a host that is over the limit of ${names(guarded)} and goes on with more than 20 tries a second stays blocked up to about ` +
          `${Math.ceil(longest * 100) / 100} s longer than by xt_recent, never shorter`,
      ),
    );
  }
  return found;
}
