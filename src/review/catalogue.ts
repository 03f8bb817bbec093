/** What the review itself can say: one entry for each code. Codes are stable: people suppress and baseline by them. */

import type { Severity } from "../diagnostic.js";

export interface CatalogueEntry {
  readonly severity: Severity;
  /** A phrase without a full stop. */
  readonly title: string;
  /** Whole sentences: what is wrong and what to do. */
  readonly explanation: string;
  /** Rules that show it, and what they should be; absent where a finding is about a change or a file. */
  readonly example?: { readonly bad: string; readonly good: string };
}

export const reviewCatalogue = {
  // traps in the original
  "unreachable-rule": {
    severity: "warning",
    title: "a rule that no packet reaches",
    explanation:
      "Rules before it decide about every packet it matches, or no jump sends such packets into its chain. Move it up, or take it out.",
    example: {
      bad: "-A INPUT -p tcp --dport 22 -j ACCEPT\n-A INPUT -s 203.0.113.0/24 -p tcp --dport 22 -j DROP",
      good: "-A INPUT -s 203.0.113.0/24 -p tcp --dport 22 -j DROP\n-A INPUT -p tcp --dport 22 -j ACCEPT",
    },
  },
  "list-never-fed": {
    severity: "warning",
    title: "a list whose hosts are recorded only where they are on it already",
    explanation:
      "Every --set of the list stands behind a check of the same list that has to match first, or where no packet comes. The list " +
      "stays empty and the check never matches. Record first, or in a rule of its own.",
    example: {
      bad: "-A INPUT -p tcp --dport 22 -m recent --update --seconds 60 --hitcount 4 --name ssh -m recent --set --name ssh -j DROP",
      good:
        "-A INPUT -p tcp --dport 22 -m recent --set --name ssh\n" +
        "-A INPUT -p tcp --dport 22 -m recent --update --seconds 60 --hitcount 4 --name ssh -j DROP",
    },
  },
  "list-never-set": {
    severity: "warning",
    title: "a list that is checked and that no rule sets",
    explanation:
      "No rule records hosts on the list, so its checks never match, unless a program writes to /proc/net/xt_recent. Such a program " +
      "has to use the pipes of ipt2nft-recent lists once the script is loaded.",
    example: {
      bad: "-A INPUT -m recent --rcheck --seconds 60 --name attackers -j DROP",
      good:
        "-A INPUT -m recent --rcheck --seconds 60 --name attackers -j DROP\n" +
        "-A INPUT -p tcp --dport 23 -m recent --set --name attackers -j DROP",
    },
  },
  "list-never-checked": {
    severity: "note",
    title: "a list that is set and that no rule checks",
    explanation: "Hosts are recorded and nothing decides by it. A check may have another name.",
    example: {
      bad: "-A INPUT -p tcp --dport 22 -m recent --set --name ssh",
      good:
        "-A INPUT -p tcp --dport 22 -m recent --set --name ssh\n" +
        "-A INPUT -p tcp --dport 22 -m recent --update --seconds 60 --hitcount 4 --name ssh -j DROP",
    },
  },
  "list-shared": {
    severity: "warning",
    title: "one list for traffic that has nothing to do with each other",
    explanation:
      "Several rules record on the list, for different traffic: hits of one kind count for the other. Lists are one over all tables, " +
      "and rules without --name share the list DEFAULT. Give each its own name.",
    example: {
      bad:
        "-A INPUT -p tcp --dport 22 -m recent --set\n-A INPUT -p tcp --dport 22 -m recent --update --seconds 60 --hitcount 4 -j DROP\n" +
        "-A INPUT -p tcp --dport 21 -m recent --set\n-A INPUT -p tcp --dport 21 -m recent --update --seconds 60 --hitcount 4 -j DROP",
      good:
        "-A INPUT -p tcp --dport 22 -m recent --set --name ssh\n" +
        "-A INPUT -p tcp --dport 22 -m recent --update --seconds 60 --hitcount 4 --name ssh -j DROP\n" +
        "-A INPUT -p tcp --dport 21 -m recent --set --name ftp\n" +
        "-A INPUT -p tcp --dport 21 -m recent --update --seconds 60 --hitcount 4 --name ftp -j DROP",
    },
  },
  "list-set-in-two-tables": {
    severity: "warning",
    title: "a packet that is recorded twice, in two tables",
    explanation: "Lists are one over all tables: a packet that passes both rules has two hits. Record in one table only, or use two names.",
    example: {
      bad:
        "*mangle\n" +
        "-A PREROUTING -p tcp --dport 22 -m recent --set --name ssh\n" +
        "*filter\n" +
        "-A INPUT -p tcp --dport 22 -m recent --set --name ssh\n" +
        "-A INPUT -p tcp --dport 22 -m recent --rcheck --seconds 60 --hitcount 4 --name ssh -j DROP",
      good:
        "*filter\n-A INPUT -p tcp --dport 22 -m recent --set --name ssh\n" +
        "-A INPUT -p tcp --dport 22 -m recent --rcheck --seconds 60 --hitcount 4 --name ssh -j DROP",
    },
  },
  "rttl-evaded": {
    severity: "warning",
    title: "a limit that a sender gets round by changing the TTL",
    explanation:
      "With --rttl a host counts only while its packets carry the TTL of its last hit. A sender chooses its TTL, and one that " +
      "changes it with every packet is never over the limit. Leave --rttl out, or accept that the limit holds only for the " +
      "well-behaved.",
    example: {
      bad:
        "-A INPUT -p udp --dport 53 -m recent --update --seconds 5 --hitcount 10 --rttl --name dns -j DROP\n" +
        "-A INPUT -p udp --dport 53 -m recent --set --name dns",
      good:
        "-A INPUT -p udp --dport 53 -m recent --update --seconds 5 --hitcount 10 --name dns -j DROP\n" +
        "-A INPUT -p udp --dport 53 -m recent --set --name dns",
    },
  },
  "hit-count-beyond-list": {
    severity: "note",
    title: "a hit count over what older kernels keep",
    explanation:
      "A list keeps 20 hits of a host (ip_pkt_list_tot). Linux before 3.19 refuses a rule that asks for more, and Linux before 6.11 " +
      "one that asks for more than 255.",
    example: {
      bad:
        "-A INPUT -p tcp --dport 80 -m recent --update --seconds 10 --hitcount 300 --name web -j DROP\n" +
        "-A INPUT -p tcp --dport 80 -m recent --set --name web",
      good:
        "-A INPUT -p tcp --dport 80 -m recent --update --seconds 1 --hitcount 20 --name web -j DROP\n" +
        "-A INPUT -p tcp --dport 80 -m recent --set --name web",
    },
  },
  "hits-without-window": {
    severity: "warning",
    title: "a hit count without seconds",
    explanation: "Without --seconds hits count for ever: a host that once had so many is stopped until the list forgets it. Add --seconds.",
    example: {
      bad:
        "-A INPUT -p tcp --dport 22 -m recent --set --name ssh\n" +
        "-A INPUT -p tcp --dport 22 -m recent --update --hitcount 4 --name ssh -j DROP",
      good:
        "-A INPUT -p tcp --dport 22 -m recent --set --name ssh\n" +
        "-A INPUT -p tcp --dport 22 -m recent --update --seconds 60 --hitcount 4 --name ssh -j DROP",
    },
  },
  "list-too-small": {
    severity: "note",
    title: "a long window on a list of 100 hosts",
    explanation:
      "A list keeps 100 hosts (ip_list_tot): packets from 100 other addresses push a host off the list long before its window is " +
      "over. The script keeps as many as --set-size says.",
    example: {
      bad:
        "-A INPUT -m recent --update --seconds 86400 --name scanners -j DROP\n" +
        "-A INPUT -p tcp --dport 139 -m recent --set --name scanners -j DROP",
      good:
        "-A INPUT -m recent --update --seconds 60 --name scanners -j DROP\n" +
        "-A INPUT -p tcp --dport 139 -m recent --set --name scanners -j DROP",
    },
  },
  "counts-every-packet": {
    severity: "warning",
    title: "a limit of connections that counts packets",
    explanation:
      "The --set matches packets of connections that are known, too, so one login may have many hits. Let it match new connections " +
      "only: -m conntrack --ctstate NEW, or --syn.",
    example: {
      bad:
        "-A INPUT -p tcp --dport 22 -m recent --set --name ssh\n" +
        "-A INPUT -p tcp --dport 22 -m recent --update --seconds 60 --hitcount 4 --name ssh -j DROP",
      good:
        "-A INPUT -p tcp --dport 22 -m conntrack --ctstate NEW -m recent --set --name ssh\n" +
        "-A INPUT -p tcp --dport 22 -m conntrack --ctstate NEW -m recent --update --seconds 60 --hitcount 4 --name ssh -j DROP",
    },
  },
  "mask-not-a-prefix": {
    severity: "warning",
    title: "a --mask that is no network's",
    explanation:
      "The argument of --mask is an address such as 255.255.255.0. A bare number is read as one, too: --mask 24 is 0.0.0.24, and " +
      "hosts that have nothing in common count as one.",
    example: {
      bad:
        "-A INPUT -p tcp --dport 22 -m recent --set --name ssh --mask 24\n" +
        "-A INPUT -p tcp --dport 22 -m recent --update --seconds 60 --hitcount 4 --name ssh --mask 24 -j DROP",
      good:
        "-A INPUT -p tcp --dport 22 -m recent --set --name ssh --mask 255.255.255.0\n" +
        "-A INPUT -p tcp --dport 22 -m recent --update --seconds 60 --hitcount 4 --name ssh --mask 255.255.255.0 -j DROP",
    },
  },
  "limit-that-stops": {
    severity: "warning",
    title: "a limit on what is dropped",
    explanation:
      "The match limit holds while the rate is not reached: the rule stops a few packets and lets the flood go on to the next rule. " +
      "Accept within the limit, and drop the rest.",
    example: {
      bad: "-A INPUT -p icmp --icmp-type 8 -m limit --limit 5/sec -j DROP",
      good: "-A INPUT -p icmp --icmp-type 8 -m limit --limit 5/sec -j ACCEPT\n-A INPUT -p icmp --icmp-type 8 -j DROP",
    },
  },
  "nothing-stopped": {
    severity: "warning",
    title: "rules that let through, in a chain that stops nothing behind them",
    explanation:
      "The policy is ACCEPT and no later rule stops anything, so the rule changes nothing: what it does not match gets through as " +
      "well. Set the policy to DROP, or end the chain with a rule that does.",
    example: {
      bad: ":INPUT ACCEPT [0:0]\n-A INPUT -p tcp --dport 22 -j ACCEPT",
      good: ":INPUT DROP [0:0]\n-A INPUT -p tcp --dport 22 -j ACCEPT",
    },
  },
  "ipv6-open": {
    severity: "warning",
    title: "IPv4 is protected and IPv6 is open",
    explanation:
      "The rules for IPv4 stop new connections that nothing allows, and those for IPv6 let all of them through. Most machines have " +
      "addresses of both families.",
    example: {
      bad: "iptables -P INPUT DROP\nip6tables -P INPUT ACCEPT",
      good: "iptables -P INPUT DROP\nip6tables -P INPUT DROP",
    },
  },
  "reachability-unknown": {
    severity: "note",
    title: "a chain too large to be followed rule by rule",
    explanation: "Whether rules of the chain can be reached was not worked out for all of them.",
  },

  // what a change does
  "change-opens": {
    severity: "warning",
    title: "a change that lets traffic through",
    explanation: "Traffic gets through with the new rules that the old ones stopped.",
  },
  "change-closes": {
    severity: "note",
    title: "a change that stops traffic",
    explanation: "Traffic is stopped by the new rules that the old ones let through.",
  },
  "change-not-judged": {
    severity: "warning",
    title: "a change of which it is not known what it does",
    explanation:
      "What the change opens or closes was not worked out, for the reason given: look at it yourself, or play both versions with verify.",
  },
  "change-locks-out": {
    severity: "warning",
    title: "a change that shuts out what is needed to reach the machine",
    explanation:
      "Before the change some packets of connections that are known, of SSH, or any at all came in, and none does with the new rules. " +
      "Whoever makes the change over the network loses the machine with it.",
  },
  "change-translation": {
    severity: "warning",
    title: "a change of address translation",
    explanation: "Packets get other addresses or ports than before, and so reach other machines or rules.",
  },
  "change-marks": {
    severity: "warning",
    title: "a change of what is marked or altered",
    explanation: "Packets are marked or altered differently, which may decide about them elsewhere.",
  },
  "change-refuses": {
    severity: "note",
    title: "a change of the answer to what is stopped",
    explanation: "Packets are stopped as before, and their senders are told something else, or nothing.",
  },
  "list-opens": {
    severity: "warning",
    title: "a list that stops less than before",
    explanation: "The change lets one host do more before the list stops it.",
  },
  "list-closes": {
    severity: "note",
    title: "a list that stops more than before",
    explanation: "The change lets one host do less before the list stops it.",
  },
  "old-unreadable": {
    severity: "warning",
    title: "an old dump that is no ruleset",
    explanation: "The old version cannot be read, so nothing is compared with it.",
  },

  // the script
  "script-drift": {
    severity: "error",
    title: "a committed script that is not equivalent to the rules",
    explanation:
      "The script in the repository has rules that the dump does not have, or lacks some. Make it anew from the dump, or say what is " +
      "meant in the dump.",
  },
  "script-text-differs": {
    severity: "warning",
    title: "a committed script of another text",
    explanation: "The script in the repository is not what the translator makes, and nft was not there to tell whether it means the same.",
  },
  "difference-found": {
    severity: "error",
    title: "traffic that the script decides otherwise",
    explanation: "A search in virtual time found packets for which iptables and the script differ: see the timeline.",
  },

  // suppressions
  "unused-suppression": {
    severity: "note",
    title: "a suppression of something that is not found",
    explanation: "The comment allows a finding that is not there. Take it out, so that it does not hide a later one.",
  },
  "invalid-suppression": {
    severity: "warning",
    title: "a suppression that says too little",
    explanation: "A suppression names a code and a reason: # ipt2nft-recent: allow CODE because of this.",
  },
  "stale-baseline": {
    severity: "note",
    title: "accepted findings that are gone",
    explanation: "The baseline accepts findings that are no longer there. Write it anew.",
  },
} as const satisfies Record<string, CatalogueEntry>;

export type ReviewCode = keyof typeof reviewCatalogue;

/** The entry of a code of the review's own; undefined for those of the translator. */
export function reviewEntry(code: string): CatalogueEntry | undefined {
  return Object.hasOwn(reviewCatalogue, code) ? reviewCatalogue[code as ReviewCode] : undefined;
}
