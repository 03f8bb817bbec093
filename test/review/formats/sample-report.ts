/** Reports to render: one with everything a report can hold, and one in which every text is hostile. */

import type { Span } from "../../../src/diagnostic.js";
import type { Finding, ReviewReport, Row } from "../../../src/review/report.js";

export function spanAt(line: number, column: number, length: number, file = "rules.v4"): Span {
  return { file, line, column, length };
}

export function finding(given: Partial<Finding> = {}): Finding {
  return {
    code: "untranslatable-match",
    severity: "warning",
    span: spanAt(14, 10, 20),
    message: 'match "geoip" cannot be translated',
    fingerprint: "0123456789abcdef",
    ...given,
  };
}

export function report(given: Partial<ReviewReport> = {}): ReviewReport {
  return {
    version: 1,
    tool: { name: "ipt2nft-recent", version: "0.1.0" },
    verdict: "safe",
    headline: "Safe to merge: nothing needs a look.",
    inputs: [{ role: "new", file: "rules.v4" }],
    lists: [],
    changes: [],
    opens: [],
    closes: [],
    alters: [],
    unjudged: [],
    findings: [],
    rows: [],
    scriptDiff: "",
    ...given,
  };
}

export function row(line: number, given: Partial<Row> = {}): Row {
  return {
    span: spanAt(line, 1, 30),
    table: "filter",
    chain: "INPUT",
    family: "ipv4",
    original: `-A INPUT -p tcp --dport ${line} -j ACCEPT`,
    nft: [`tcp dport ${line} counter accept`],
    scriptLines: [20 + line],
    notes: [],
    findings: [],
    ...given,
  };
}

const geoip = "-A INPUT -m geoip --src-cc CN -j DROP";
const ssh = "-A INPUT -p tcp --dport 22 -m recent --update --seconds 10 --hitcount 4 --name SSH --rttl -j DROP";

export const sampleReport: ReviewReport = report({
  verdict: "look",
  headline: "Look at 3 things before merging: 1 error, 2 warnings, and traffic that opens.",
  inputs: [
    { role: "old", file: "rules.v4", ref: "origin/main" },
    { role: "new", file: "rules.v4" },
    { role: "new", file: "rules.v6" },
  ],
  lists: [
    {
      name: "SSH",
      sentence: "TCP to port 22: 4 hits in 10 s from one address are dropped.",
      status: "changed",
      change: "window shortened from 60 s to 10 s, so an attacker gets 6 times the attempts",
      direction: "opens",
      form: "approximated: --rttl compares with every TTL of the window",
      rules: [spanAt(6, 1, 60), spanAt(7, 1, 98)],
    },
    {
      name: "WEB",
      sentence: "TCP to ports 80 and 443: 100 hits in 60 s from one address are rejected.",
      status: "unchanged",
      form: "exact",
      rules: [spanAt(8, 1, 40)],
    },
  ],
  changes: [
    {
      kind: "changed",
      table: "filter",
      chain: "INPUT",
      family: "ipv4",
      direction: "opens",
      before: { text: ssh.replace("10", "60"), span: spanAt(7, 1, 98, "rules.v4 (origin/main)") },
      after: { text: ssh, span: spanAt(7, 1, 98) },
      meaning: "the window of list SSH is 10 s, it was 60 s",
    },
    {
      kind: "added",
      table: "filter",
      chain: "INPUT",
      family: "ipv4",
      direction: "opens",
      after: { text: "-A INPUT -p tcp --dport 23 -j ACCEPT", span: spanAt(9, 1, 36) },
      meaning: "accepts TCP to port 23 from anywhere",
    },
    {
      kind: "policy",
      table: "filter",
      chain: "FORWARD",
      family: "ipv6",
      direction: "closes",
      meaning: "the policy is DROP, it was ACCEPT",
    },
  ],
  opens: [{ sentence: "TCP to port 23 from anywhere to this machine", span: spanAt(9, 1, 36) }],
  closes: [{ sentence: "IPv6 that this machine forwards", span: spanAt(3, 1, 15, "rules.v6") }],
  findings: [
    finding({
      code: "recent-window-shortened",
      severity: "error",
      span: spanAt(7, 52, 12),
      message: 'list "SSH" lets 18 attempts a minute through, it was 3',
      source: ssh,
      fingerprint: "1111111111111111",
      help: "put the window back to 60 s",
      timeline: {
        title: "three attempts every 11 s",
        events: [
          {
            at: 0,
            host: "192.0.2.1",
            packet: "tcp 192.0.2.1:40000 to 198.51.100.1:22, new",
            iptables: "accept",
            nft: "accept",
            why: "no stamp yet",
          },
          { at: 0.25, host: "192.0.2.1", iptables: "accept", nft: "accept" },
          { at: 9.996, host: "2001:db8:0:0:1:2:3:4", iptables: "drop", nft: "drop", why: "4 stamps within 10 s" },
          { at: 21.5, host: "192.0.2.1", iptables: "drop", nft: "accept", why: "iptables has 4 stamps of another TTL, nft has 3" },
        ],
      },
    }),
    finding({
      span: spanAt(14, 10, 20),
      message: 'match "geoip" cannot be translated: without the rule the firewall is more open',
      source: geoip,
      help: "load the ranges into a named set",
      fingerprint: "2222222222222222",
    }),
    finding({
      code: "recent-rttl",
      span: spanAt(7, 85, 6),
      message: "every TTL of the window is compared, not only the last",
      source: ssh,
      fingerprint: "3333333333333333",
      suppressed: { by: "baseline", reason: "agreed in the review of May" },
    }),
    finding({
      code: "recent-list-size",
      severity: "note",
      span: spanAt(6, 1, 60),
      message: "xt_recent forgets all but the last 100 hosts",
      fingerprint: "4444444444444444",
    }),
  ],
  rows: [
    row(5, { original: "-A INPUT -i lo -j ACCEPT", nft: ['iifname "lo" counter accept'] }),
    row(6, {
      original: "-A INPUT -p tcp --dport 22 -m recent --set --name SSH",
      nft: ["tcp dport 22 counter jump SSH_hits"],
      scriptLines: [30],
      findings: [3],
      notes: ["one nft rule with that of line 7"],
    }),
    row(7, {
      original: ssh,
      nft: ["tcp dport 22 counter jump SSH_hits", "counter drop"],
      scriptLines: [30, 44],
      findings: [0, 2],
      change: "changed",
    }),
    row(8, {
      original: "-A INPUT -p tcp -m multiport --dports 80,443 -m recent --update --seconds 60 --hitcount 100 --name WEB -j REJECT",
      nft: Array.from({ length: 24 }, (_, index) => `add @WEB_hit_${index} { ip saddr }`),
      scriptLines: Array.from({ length: 24 }, (_, index) => 50 + index),
    }),
    row(9, { original: "-A INPUT -p tcp --dport 23 -j ACCEPT", change: "added" }),
    row(14, { original: geoip, nft: [], scriptLines: [], findings: [1] }),
    row(20, { chain: "FORWARD", original: "-A FORWARD -j LOG", nft: ['counter log prefix ""'] }),
    row(4, { span: spanAt(4, 1, 30, "rules.v6"), chain: "FORWARD", family: "ipv6" }),
  ],
  scriptDiff:
    "--- before\n+++ after\n@@ -1,3 +1,3 @@\n table ip ipt2nft {\n-\tset SSH_recent { type ipv4_addr; timeout 60s4ms; }\n+\tset SSH_recent { type ipv4_addr; timeout 10s4ms; }\n }\n",
});

/** Members whose values are words of ours, which no input reaches. */
const ownMembers = new Set([
  "verdict",
  "role",
  "status",
  "direction",
  "kind",
  "family",
  "severity",
  "by",
  "iptables",
  "nft",
  "fingerprint",
]);
const ownWords = new Set(["added", "moved", "changed"]);

/** What breaks out of HTML, XML, JSON, links, workflow commands and terminals where text is not escaped. */
export const hostileText =
  "\"'><script>alert(1)</script><img src=x onerror=alert(1)></style></title>]]><!--\n::error::broken out\r\n##[add-mask]x\n%0A::warning::y " +
  "](javascript:alert(1)) \u001b]8;;x\u0007 \u202e\ud800\uffff\u0000 &amp; \\ ` @here {0} --> -- </svg>";

/** The sample with the hostile text in every place that holds text. */
export const hostileReport: ReviewReport = withText(sampleReport, (text) => `${hostileText}${text}`);

function withText<Value>(value: Value, change: (text: string) => string): Value {
  const walk = (part: unknown, key: string): unknown => {
    if (typeof part === "string") return ownMembers.has(key) || ownWords.has(part) ? part : change(part);
    if (Array.isArray(part)) return part.map((one) => walk(one, key === "nft" ? "lines" : key));
    if (typeof part === "object" && part !== null)
      return Object.fromEntries(Object.entries(part).map(([name, one]) => [name, walk(one, name)]));
    return part;
  };
  return walk(value, "") as Value;
}

/** A character other than a newline that nobody sees, or that changes how others are shown. */
export const invisible = /[^\P{Cc}\n]|[\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/u;
