import { describe, expect, it } from "vitest";

import { align } from "../../src/rewrite/alignment.js";
import { translate, type Translation } from "../../src/translate.js";

function merged(ipv4: string, ipv6: string, options: { readonly keepSets?: boolean } = {}): Translation {
  return translate(
    [
      { file: "rules.v4", text: ipv4, family: "ipv4" },
      { file: "rules.v6", text: ipv6, family: "ipv6" },
    ],
    { inet: true, ...options },
  );
}

/** The filter table with these chains and rules. */
function filter(
  rules: readonly string[],
  { policy = "ACCEPT", chains = [] }: { readonly policy?: string; readonly chains?: readonly string[] } = {},
): string {
  return [
    "*filter",
    `:INPUT ${policy} [0:0]`,
    ":FORWARD ACCEPT [0:0]",
    ":OUTPUT ACCEPT [0:0]",
    ...chains.map((name) => `:${name} - [0:0]`),
    ...rules,
    "COMMIT",
    "",
  ].join("\n");
}

/** The lines of a chain, without its head. */
function chain(script: string | undefined, name: string): string[] | undefined {
  const lines = (script ?? "").split("\n").map((line) => line.trim());
  const start = lines.indexOf(`chain ${name} {`);
  return start < 0 ? undefined : lines.slice(start + 1, lines.indexOf("}", start)).filter((line) => !line.startsWith("type "));
}

const ssh = "-A INPUT -p tcp -m tcp --dport 22 -m conntrack --ctstate NEW -j ACCEPT";
const mail = "-A INPUT -p tcp -m tcp --dport 25 -m conntrack --ctstate NEW -j ACCEPT";
const web = "-A INPUT -p tcp -m tcp --dport 80 -m conntrack --ctstate NEW -j ACCEPT";

describe("one inet table", () => {
  it("writes once what stands on both sides, and keeps each side's order", () => {
    const { script } = merged(
      filter([ssh, "-A INPUT -s 192.0.2.1/32 -j DROP", "-A INPUT -i eth4 -j DROP", web, mail]),
      filter(["-A INPUT -i eth6 -j DROP", ssh, "-A INPUT -s 2001:db8::1/128 -j DROP", web, mail]),
    );
    expect(chain(script, "filter_INPUT")).toEqual([
      'meta nfproto ipv6 iifname "eth6" counter drop',
      "tcp dport 22 ct state new counter accept",
      "ip saddr 192.0.2.1 counter drop",
      'meta nfproto ipv4 iifname "eth4" counter drop',
      "ip6 saddr 2001:db8::1 counter drop",
      "tcp dport 80 ct state new counter accept",
      "tcp dport 25 ct state new counter accept",
    ]);
  });

  it("adds the counters up", () => {
    const { script } = merged(filter([`[1:40] ${ssh}`]), filter([`[2:60] ${ssh}`]));
    expect(chain(script, "filter_INPUT")).toEqual(["tcp dport 22 ct state new counter packets 3 bytes 100 accept"]);
  });

  it("keeps rules apart that count packets of their own: one limit for both would be half of two", () => {
    const limited = "-A INPUT -m limit --limit 5/sec -j ACCEPT";
    const { script } = merged(filter([ssh, web, limited]), filter([ssh, web, limited]));
    expect(chain(script, "filter_INPUT")?.slice(2)).toEqual([
      "meta nfproto ipv4 limit rate 5/second burst 5 packets counter accept",
      "meta nfproto ipv6 limit rate 5/second burst 5 packets counter accept",
    ]);
  });

  it("keeps base chains apart whose policies differ, since RETURN and -g end in the policy", () => {
    const { script } = merged(filter([ssh, "-A INPUT -i eth0 -j RETURN"], { policy: "DROP" }), filter([ssh]));
    expect(script).toContain("type filter hook input priority filter; policy drop;");
    expect(chain(script, "filter_INPUT")).toEqual([
      "meta nfproto ipv6 accept",
      "tcp dport 22 ct state new counter accept",
      'iifname "eth0" counter return',
    ]);
    expect(chain(script, "filter_INPUT_v6")).toEqual(["meta nfproto ipv4 accept", "tcp dport 22 ct state new counter accept"]);
  });

  it("sends the other family past a base chain that only one side has", () => {
    const { script } = merged(filter([ssh]), filter([ssh, "-A OUTPUT -j DROP"]));
    expect(chain(script, "filter_OUTPUT")).toEqual(["meta nfproto ipv4 accept", "counter drop"]);
  });

  it("keeps chains apart that have little in common, with names of their own", () => {
    const { script } = merged(
      filter([ssh, web, "-A INPUT -j services", "-A services -i eth4 -j DROP"], { chains: ["services"] }),
      filter([ssh, web, "-A INPUT -j services", "-A services -i eth6 -j DROP"], { chains: ["services"] }),
    );
    expect(chain(script, "filter_INPUT")?.slice(2)).toEqual([
      "meta nfproto ipv4 counter jump filter_services",
      "meta nfproto ipv6 counter jump filter_services_v6",
    ]);
    expect(chain(script, "filter_services")).toEqual(['iifname "eth4" counter drop']);
    expect(chain(script, "filter_services_v6")).toEqual(['iifname "eth6" counter drop']);
  });

  it("makes no circle of jumps that go in one direction on each side", () => {
    const rule = (name: string): string[] => [22, 23, 24].map((port) => `-A ${name} -p tcp -m tcp --dport ${port} -j ACCEPT`);
    const dump = (jump: string): string =>
      filter([...rule("INPUT"), "-A INPUT -j one", "-A INPUT -j two", ...rule("one"), ...rule("two"), jump], { chains: ["one", "two"] });
    const { script } = merged(dump("-A one -j two"), dump("-A two -j one"));
    expect(chain(script, "filter_one_v6")).toBeDefined();
    expect(chain(script, "filter_two_v6")?.at(-1)).toBe("counter jump filter_one_v6");
    expect(chain(script, "filter_one")?.at(-1)).toBe("counter jump filter_two");
  });

  it("keeps sets of both families under names that do not change", () => {
    const list = ["-A INPUT -m recent --set --name seen", "-A INPUT -m recent --rcheck --seconds 9 --name seen -j DROP"];
    const { script } = merged(filter(list), filter(list));
    expect(script).toMatch(/set seen_recent \{ type ipv4_addr/);
    expect(script).toMatch(/set seen_recent_v6 \{ type ipv6_addr/);
    expect(script).toContain("update @seen_recent_v6 { ip6 saddr }");
  });

  it("tells whose lines a comment means", () => {
    const geoip = "-A INPUT -m geoip --src-cc CN -j DROP";
    const { script } = merged(filter([ssh, web, geoip]), filter([ssh, geoip, web]));
    expect(script).toContain("# v4 not translated [untranslatable-match]");
    expect(script).toContain("# v6 not translated [untranslatable-match]");
  });

  it.each([
    ["one family only", filter([ssh]), "one family only"],
    ["packets copied", filter([ssh, "-A INPUT -j TEE --gateway 192.0.2.9"]), "TEE"],
    ["connections tracked on one side", filter(["-A INPUT -p tcp -m tcp --dport 22 -j ACCEPT"]), "only one of them tracks connections"],
  ])("stays with a table for each family, and says so: %s", (_, ipv4, reason) => {
    const { script, diagnostics, outcome } = reason.startsWith("one") ? translate(ipv4, { inet: true }) : merged(ipv4, filter([ssh]));
    expect(script).not.toContain("inet");
    expect(outcome).toBe("exact");
    expect(diagnostics.filter(({ code }) => code === "inet-not-merged").map(({ message }) => message)).toEqual([
      expect.stringContaining(reason),
    ]);
  });
});

describe("align", () => {
  it("finds the longest common subsequence", () => {
    expect(align(["a", "b", undefined, "c", "d"], ["b", "c", undefined, "a", "d"])).toEqual([
      [1, 0],
      [3, 1],
      [4, 4],
    ]);
  });

  it("takes what is unique as anchors in long sequences", () => {
    const first = Array.from({ length: 3000 }, (_, index) => `rule ${index}`);
    const second = ["new", ...first.flatMap((rule, index) => (index % 7 === 3 ? [] : index % 5 === 0 ? [rule, "new"] : [rule])), "end"];
    const pairs = align(["start", ...first], second);
    expect(pairs.length).toBe(first.length - Math.floor((first.length + 3) / 7));
    for (const [i, j] of pairs) expect(second[j]).toBe(first[i - 1]);
  });
});
