/** What has to be said about the lists of a ruleset: where the sets differ from xt_recent, and traps in the rules themselves. */

import { diagnostic, printable, type Diagnostic } from "../../diagnostic.js";
import { features } from "../../nft/versions.js";
import type { IptablesRuleset } from "../../iptables/ast.js";
import { limitRate } from "./limit.js";
import { windowsOf, type ListForm } from "./form.js";
import { isQuietRemoval } from "./list.js";
import { gatherLists, isCheck, type ListUsage, type PlacedUse } from "./usage.js";

/** From here on N * HZ does not fit into 32 bits on HZ=250 (measured); other kernels wrap earlier (HZ=1000) or later (HZ=100). */
const firstWrapping = 17179870;

/** Hosts on a list unless the module is told otherwise (`ip_list_tot`). */
const hostsPerList = 100;

export interface ListFacts {
  readonly usage: ListUsage;
  readonly form: ListForm;
  /** How much longer than by xt_recent a flooding host may stay blocked, in seconds; 0 where no window is written as a ring. */
  readonly longestMute: number;
}

export function recentRemarks(facts: readonly ListFacts[], setSize: number): Diagnostic[] {
  return [...facts.flatMap(listRemarks), ...generalNotes(facts, setSize)];
}

function listRemarks({ usage, form }: ListFacts): Diagnostic[] {
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
      if (use.rttl) say("recent-rttl", rttlText(use, form));
      if (use.reap && reapMatters(usage, use)) {
        say(
          "recent-reap",
          `--reap is left out: a host that xt_recent would have taken off the list after ${use.seconds} s stays on it, ` +
            "so rules that ask for it without --seconds, with more seconds, or with --remove still find it",
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
          form.ringless ? `an exact window needs nft ${features.setDeletion.nft}` : "--recent exact writes an exact window",
        );
      }
    }
  }
  const first = usage.uses.find(isCheck);
  if (first && !usage.uses.some(({ operation }) => operation === "set")) {
    found.push(
      diagnostic(
        "recent-never-set",
        first.use.span,
        `list "${printable(usage.name)}" is checked but no rule sets it`,
        'if a program writes to /proc/net/xt_recent, let it use "nft add element" instead',
      ),
    );
  }
  return found;
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

/** Which option a diagnostic blames. */
const optionOf: Readonly<Record<string, string>> = {
  "recent-mask": "mask",
  "recent-rttl": "rttl",
  "recent-reap": "reap",
  "recent-seconds-overflow": "seconds",
  "recent-limit-form": "hitcount",
};

function rttlText({ inverted }: PlacedUse, { keepsTtl, forgetsTtl }: ListForm): string {
  if (inverted) {
    return (
      "--rttl is left out of an inverted match: where the TTL differs from that of the host's last hit, xt_recent matches and " +
      "the script does not"
    );
  }
  if (forgetsTtl) {
    return (
      `--rttl is left out, because a set of addresses and TTLs needs nft ${features.lengthlessKey.nft}: ` +
      "where the TTL differs from that of the host's last hit, the script matches and xt_recent does not"
    );
  }
  return !keepsTtl
    ? "--rttl is left out, because the list is used where packets carry the TTL they came with and where a router has taken one off: " +
        "where the TTL differs from that of the host's last hit, the script matches and xt_recent does not"
    : "--rttl compares with every TTL the host was seen with in the window, xt_recent with the last one only: " +
        "a host that alternates between TTLs matches more often";
}

/** Only where some rule can tell a reaped host from one that has merely grown old. */
function reapMatters(usage: ListUsage, reaping: PlacedUse): boolean {
  return usage.uses.some(
    (use) =>
      (use.operation === "remove" && !isQuietRemoval(use)) ||
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
          "hosts that it would have forgotten are still known",
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
