/**
 * Spellings of values that some version of iptables reads: each was tried in 1.8.7, 1.8.9 and 1.8.11 (both of iptables-legacy and
 * iptables-nft). What one of them loads is no error here; what all refuse is.
 */

import { describe, expect, it } from "vitest";

import type { Family } from "../../src/iptables/ast.js";
import { translate } from "../../src/translate.js";

/** Nothing here tracks connections, and so transport headers are asked of first fragments only. */
const firstFragment = /(?:ip frag-off & 0x1fff == 0|@th,0,24 >= 0) /;

function translated(
  rule: string,
  family: Family,
  table: string,
): { readonly errors: readonly string[]; readonly lines: readonly string[] } {
  const { script = "", diagnostics } = translate(`*${table}\n${rule}\nCOMMIT\n`, { family, counters: false });
  return {
    errors: diagnostics.filter(({ severity }) => severity === "error").map(({ span, message }) => `${span.line}:${span.column} ${message}`),
    lines: script.split("\n").flatMap((line) => (/^\t\t(?!type |#)/.test(line) ? [line.trim().replace(firstFragment, "")] : [])),
  };
}

/** Who reads it, the family, the table, the rule, and what the whole of its translation says. */
const read: readonly (readonly [by: string, family: 4 | 6, table: string, rule: string, nft: readonly string[]])[] = [
  ["all", 4, "filter", '-A INPUT -p tcp --dport " 22" -j DROP', ["tcp dport 22 drop"]],
  ["all", 4, "filter", "-A INPUT -p +17 -m length --length +5:+0x10 -j DROP", ["meta l4proto udp ip length 5-16 drop"]],
  ["1.8.7, 1.8.9", 4, "filter", "-A INPUT -p udp --dport 200:100 -j DROP", []],
  ["1.8.7, 1.8.9", 4, "filter", "-A INPUT -p udp ! --dport 200:100 -j DROP", ["udp dport 0-65535 drop"]],
  ["before 1.8", 4, "filter", "-A INPUT -p tcp --dport 200:100 -j DROP", []],
  ["all", 4, "filter", "-A INPUT -p tcp --dport dicom -j DROP", ["tcp dport 104 drop"]],
  ["1.8.9", 4, "filter", "-A INPUT -p icmp --icmp-type 255/0:255 -j DROP", ["meta l4proto icmp drop"]],
  ["1.8.9", 4, "filter", "-A INPUT -p icmp --icmp-type 3/1:4 -j DROP", ["icmp type destination-unreachable icmp code 1-4 drop"]],
  ["1.8.9", 4, "filter", "-A INPUT -p icmp --icmp-type 3/2:2 -j DROP", ["icmp type destination-unreachable icmp code 2 drop"]],
  ["1.8.9", 4, "filter", "-A INPUT -p icmp --icmp-type 3/4:1 -j DROP", []],
  ["1.8.11", 6, "filter", "-A INPUT -p icmpv6 --icmpv6-type mld-listener-q -j DROP", ["icmpv6 type mld-listener-query drop"]],
  ["1.8.11", 6, "filter", "-A INPUT -p icmpv6 --icmpv6-type mld-listener-reduction -j DROP", ["icmpv6 type mld-listener-done drop"]],
  ["all", 6, "filter", "-A INPUT -m ipv6header --header hopopt --soft -j DROP", ["exthdr hbh exists drop"]],
  ["all", 6, "filter", "-A INPUT -m ipv6header --header IPv6-Frag --soft -j DROP", ["exthdr frag exists drop"]],
  ["1.8.9", 4, "nat", "-A PREROUTING -p tcp -j DNAT --to-destination 192.0.2.1:ftp-data", ["meta l4proto tcp dnat to 192.0.2.1:20"]],
  ["1.8.9", 6, "nat", "-A PREROUTING -p tcp -j DNAT --to-destination [2001:db8::1]:x11-1", ["meta l4proto tcp dnat to [2001:db8::1]:6001"]],
  ["1.8.9", 4, "nat", "-A POSTROUTING -p tcp -j SNAT --to-source :http-alt", ["meta l4proto tcp snat to :8080"]],
  ["1.8.9", 4, "nat", "-A POSTROUTING -p tcp -j MASQUERADE --to-ports http-alt", ["meta l4proto tcp masquerade to :8080"]],
  ["all", 4, "nat", "-A PREROUTING -p tcp -j REDIRECT --to-ports http-alt", ["meta l4proto tcp redirect to :8080"]],
  ["1.8.7", 4, "nat", "-A PREROUTING -p tcp -j REDIRECT --to-ports 22-http-alt", ["meta l4proto tcp redirect to :22-8080"]],
  ["1.8.7", 4, "nat", "-A PREROUTING -p tcp -j DNAT --to-destination 192.000.0x2.011", ["meta l4proto tcp dnat to 192.0.2.9"]],
  // iptables-save 1.8.9 prints this, and no version reads it.
  ["none", 4, "nat", "-A POSTROUTING -p tcp -j SNAT --to-source 192.0.2.1:80-90/0", []],
  ["iptables-nft", 4, "filter", "-A INPUT -m limit --limit 1/day -j ACCEPT", ["limit rate 1/day burst 5 packets accept"]],
  ["iptables-nft", 4, "filter", "-A INPUT -m limit --limit 9/s --limit-burst 0 -j ACCEPT", ["limit rate 9/second burst 5 packets accept"]],
  ["all", 4, "filter", "-A INPUT -m time --datestop 2038-12-31 -j DROP", ["meta time < 2177366401 drop"]],
  ["all", 4, "filter", "-A INPUT -m time --datestart 2038-06-01 -j DROP", []],
  ["all", 4, "filter", "-A INPUT -m time --weekdays Mon, --kerneltz -j DROP", ["meta day 1 drop"]],
  ["all", 4, "filter", "-A OUTPUT -m owner --gid-owner 1:2 -j DROP", ["meta skgid 1-2 drop"]],
];

/** The family, the table, the rule, and the option that is blamed. */
const refused: readonly (readonly [family: 4 | 6, table: string, rule: string, option: string])[] = [
  [4, "filter", "-A INPUT -p tcp -m multiport --dports 200:100 -j DROP", "--dports"],
  [4, "filter", "-A INPUT -p tcp --dport 65536 -j DROP", "--dport"],
  [4, "filter", "-A INPUT -p tcp --dport HTTP -j DROP", "--dport"],
  [4, "filter", "-A INPUT -p icmp --icmp-type 3/:4 -j DROP", "--icmp-type"],
  [4, "filter", "-A INPUT -p icmp --icmp-type 3/1: -j DROP", "--icmp-type"],
  [4, "filter", "-A INPUT -p icmp --icmp-type 3/0:256 -j DROP", "--icmp-type"],
  [4, "filter", "-A INPUT -p icmp --icmp-type any/0:255 -j DROP", "--icmp-type"],
  [6, "filter", "-A INPUT -p icmpv6 --icmpv6-type mld-listener -j DROP", "--icmpv6-type"],
  [6, "filter", "-A INPUT -p icmpv6 --icmpv6-type any -j DROP", "--icmpv6-type"],
  [4, "filter", "-A INPUT -j NFQUEUE --queue-balance 4:0", "--queue-balance"],
  [4, "filter", "-A INPUT -j NFQUEUE --queue-balance :0", "--queue-balance"],
  [4, "filter", "-A INPUT -j NFQUEUE --queue-balance 65535:", "--queue-balance"],
  [4, "filter", "-A INPUT -j NFQUEUE --queue-balance 0:65535", "--queue-balance"],
  [4, "nat", "-A PREROUTING -p tcp -j DNAT --to-destination 192.0.2.1:http-80", "--to-destination"],
  [4, "nat", "-A PREROUTING -p tcp -j DNAT --to-destination 192.0.2.1:22-http", "--to-destination"],
  [4, "nat", "-A PREROUTING -p tcp -j REDIRECT --to-ports 22-80/http", "--to-ports"],
  [4, "nat", "-A PREROUTING -p tcp -j REDIRECT --to-ports 90-http", "--to-ports"],
  [4, "nat", "-A PREROUTING -p tcp -j DNAT --to-destination 192.0.2.1:90-80", "--to-destination"],
  [4, "filter", "-A INPUT -m time --datestop 2039-01-01 -j DROP", "--datestop"],
];

const families = { 4: "ipv4", 6: "ipv6" } as const;

describe("values as versions of iptables read them", () => {
  it.each(read)("%s, IPv%i, %s: %s", (_, family, table, rule, nft) => {
    expect(translated(rule, families[family], table)).toEqual({ errors: [], lines: nft });
  });

  it.each(refused)("refuses as all of them do, IPv%i, %s: %s", (family, table, rule, option) => {
    const place = `2:${rule.indexOf(option) + 1} option "${option}": `;
    expect(translated(rule, families[family], table).errors.map((error) => error.slice(0, place.length))).toEqual([place]);
  });

  it.each([":4", "0:4", "0x0:+4"])("balances over queues %s", (balance) => {
    const { iptables, outcome } = translate(`*filter\n-A INPUT -j NFQUEUE --queue-balance ${balance}\nCOMMIT\n`, { family: "ipv4" });
    const target = iptables[0]!.tables[0]!.chains.flatMap(({ rules }) => rules)[0]!.target;
    expect(target?.kind === "extension" && target.options["queue-balance"]?.value).toEqual({ from: 0, to: 4 });
    expect(outcome).not.toBe("invalid");
  });

  it("says where a range runs backwards, and translates the rest", () => {
    const rules = [
      "-A INPUT -p tcp --dport 200:100 -j DROP",
      "-A INPUT -p udp -m recent --set -m udp ! --sport 9:8",
      "-A INPUT -s 192.0.2.1 -j DROP",
    ];
    const { script, diagnostics } = translate(`*filter\n${rules.map((rule) => `${rule}\n`).join("")}COMMIT\n`, { family: "ipv4" });
    expect(
      diagnostics.filter(({ code }) => code === "empty-range").map(({ span, severity }) => [span.line, span.column, severity]),
    ).toEqual([
      [2, 17, "note"],
      [3, 42, "note"],
    ]);
    expect(script).toContain("ip saddr 192.0.2.1 counter drop");
  });
});
