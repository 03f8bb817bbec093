/** What is brought together, and above all what is not: each trap of sets and maps, and the wrong merges that `nft -o` makes. */

import { describe, expect, it } from "vitest";

import type { Family } from "../../src/iptables/ast.js";
import { renderJson } from "../../src/report/json.js";
import { translate, type TranslateOptions } from "../../src/translate.js";
import { optimise, type OptimiseOptions } from "../../src/optimise/optimise.js";
import { dumpOf } from "../rewrite/phases.js";
import { always, scriptOf } from "./equality.js";

/** Rules and sets of the optimised table, without comments and base chains. */
function optimised(
  rules: readonly string[],
  more: Partial<OptimiseOptions> & { readonly counters?: boolean; readonly table?: string; readonly family?: Family } = {},
): string[] {
  const { counters = false, table = "filter", family = "ipv4", ...options } = more;
  const { nft } = translate(dumpOf(table, ...rules), { family, counters });
  return scriptOf(optimise(nft!.tables[0]!, { ...always, sharingPays: () => false, ...options }).table)
    .split("\n")
    .map((line) => line.trim().replace("ip frag-off & 0x1fff == 0 ", ""))
    .filter((line) => line !== "" && !/^(#|type .* hook|chain|table|add|delete|\}$)/.test(line));
}

const input = (...rules: readonly string[]): string[] => rules.map((rule) => `INPUT ${rule}`);

describe("rules of one shape", () => {
  it("are one rule with a set", () => {
    expect(optimised(input("-s 192.0.2.1 -j DROP", "-s 192.0.2.9 -j DROP"))).toEqual([
      "set filter_INPUT_saddr { type ipv4_addr; size 2; elements = { 192.0.2.1, 192.0.2.9 }; }",
      "ip saddr @filter_INPUT_saddr drop",
    ]);
  });

  it("of other verdicts are one rule with a map", () => {
    expect(optimised(input("-s 192.0.2.1 -j DROP", "-s 192.0.2.9 -j ACCEPT"))).toEqual([
      "map filter_INPUT_saddr { type ipv4_addr : verdict; size 2; elements = { 192.0.2.1 : drop, 192.0.2.9 : accept }; }",
      "ip saddr vmap @filter_INPUT_saddr",
    ]);
  });

  it("ask what they share first, and the look-up that counts last", () => {
    const rules = input("-s 192.0.2.1 -i eth0 -p tcp --dport 22 -j DROP", "-s 192.0.2.9 -i eth0 -p tcp --dport 22 -j DROP");
    expect(optimised(rules, { counters: true })).toEqual([
      "set filter_INPUT_saddr { type ipv4_addr; size 2; counter; elements = { 192.0.2.1, 192.0.2.9 }; }",
      'tcp dport 22 iifname "eth0" ip saddr @filter_INPUT_saddr drop',
    ]);
  });

  it("reject alike", () => {
    expect(optimised(input("-s 192.0.2.1 -j REJECT", "-s 192.0.2.9 -j REJECT")).at(-1)).toBe("ip saddr @filter_INPUT_saddr reject");
  });

  it("with several fields are one rule with a concatenation, the protocol with its ports", () => {
    const rules = input("-s 192.0.2.1 -p tcp --dport 22 -j DROP", "-s 192.0.2.9 -p udp --dport 53 -j DROP");
    expect(optimised(rules)).toEqual([
      "set filter_INPUT_saddr_proto_dport { type ipv4_addr . inet_proto . inet_service; " +
        "elements = { 192.0.2.1 . tcp . 22, 192.0.2.9 . udp . 53 }; }",
      "ip saddr . meta l4proto . th dport @filter_INPUT_saddr_proto_dport drop",
    ]);
  });

  it("ask for ports by the name of the protocol where it is one", () => {
    expect(optimised(input("-p tcp --dport 22 -j DROP", "-p tcp --dport 80 -j DROP")).at(-1)).toBe("tcp dport @filter_INPUT_dport drop");
  });

  it("tell ports of several protocols apart by both", () => {
    expect(optimised(input("-p tcp --dport 53 -j DROP", "-p udp --dport 53 -j DROP"))).toEqual([
      "set filter_INPUT_proto_dport { type inet_proto . inet_service; elements = { tcp . 53, udp . 53 }; }",
      "meta l4proto . th dport @filter_INPUT_proto_dport drop",
    ]);
  });

  it("keep their comments", () => {
    const rules = input('-s 192.0.2.1 -m comment --comment "one" -j DROP', '-s 192.0.2.9 -m comment --comment "other" -j DROP');
    expect(optimised(rules)[0]).toContain('elements = { 192.0.2.1 comment "one", 192.0.2.9 comment "other" }');
  });

  it("dispatch to chains by one map", () => {
    const rules = ["-i eth0 -j ONE", "-i eth1 -j TWO", "-i eth2 -g TWO"].map((rule) => `INPUT ${rule}`);
    const dump = `*filter\n:INPUT ACCEPT [0:0]\n:ONE - [0:0]\n:TWO - [0:0]\n${rules.map((rule) => `-A ${rule}`).join("\n")}\n-A ONE -j DROP\n-A TWO -j DROP\nCOMMIT\n`;
    const { nft } = translate(dump, { family: "ipv4", counters: false });
    const script = scriptOf(optimise(nft!.tables[0]!, always).table);
    expect(script).toContain('elements = { "eth0" : jump filter_ONE, "eth1" : jump filter_TWO, "eth2" : goto filter_TWO }');
    expect(script).toContain("iifname vmap @filter_INPUT_iif");
  });
});

describe("new destinations", () => {
  const rules = ["-p tcp --dport 80 -j DNAT --to 198.51.100.7:81", "-p udp --dport 53 -j DNAT --to 198.51.100.8:53"].map(
    (rule) => `PREROUTING ${rule}`,
  );

  it("come from one map, behind a test of the protocols", () => {
    expect(optimised(rules, { table: "nat" })).toEqual([
      "map nat_PREROUTING_proto_dport { type inet_proto . inet_service : ipv4_addr . inet_service; " +
        "elements = { tcp . 80 : 198.51.100.7 . 81, udp . 53 : 198.51.100.8 . 53 }; }",
      "meta l4proto { tcp, udp } dnat ip addr . port to meta l4proto . th dport map @nat_PREROUTING_proto_dport",
    ]);
  });

  it("without ports are of another map than those with", () => {
    const mixed = ["PREROUTING -i eth0 -j DNAT --to 198.51.100.7", "PREROUTING -i eth1 -j DNAT --to 198.51.100.8", ...rules];
    expect(optimised(mixed, { table: "nat" }).slice(2)).toEqual([
      "dnat to iifname map @nat_PREROUTING_iif",
      "meta l4proto { tcp, udp } dnat ip addr . port to meta l4proto . th dport map @nat_PREROUTING_proto_dport",
    ]);
  });

  it.each([
    ["of sets that stay over a reload", rules, { keepSets: true }],
    ["of an nft whose maps do not count", rules, { counters: true, targetNft: "0.9.8" }],
    ["that the kernel draws", rules.map((rule) => `${rule} --random`), {}],
    ["of several addresses", rules.map((rule) => rule.replace(/100\.\d/, "100.7-198.51.100.9")), {}],
  ])("stay rules: %s", (_, some, options) => {
    expect(optimised(some, { table: "nat", ...options }).join(" ")).not.toContain("map");
  });
});

describe("new sources", () => {
  it("come from a map of their own", () => {
    const rules = ["-s 192.0.2.1 -j SNAT --to-source 198.51.100.1", "-s 192.0.2.2 -j SNAT --to-source 198.51.100.2"];
    expect(
      optimised(
        rules.map((rule) => `POSTROUTING -o eth0 ${rule}`),
        { table: "nat" },
      ),
    ).toEqual([
      "map nat_POSTROUTING_saddr { type ipv4_addr : ipv4_addr; size 2; elements = { 192.0.2.1 : 198.51.100.1, 192.0.2.2 : 198.51.100.2 }; }",
      'oifname "eth0" snat to ip saddr map @nat_POSTROUTING_saddr',
    ]);
  });
});

describe("networks and ranges in several fields", () => {
  it("are boxes of one set", () => {
    const rules = ["-s 10.0.0.0/8 -p tcp --dport 22 -j DROP", "-s 192.0.2.1 -p udp --dport 20:30 -j DROP"];
    expect(optimised(input(...rules), { counters: true })).toEqual([
      "set filter_INPUT_saddr_proto_dport { type ipv4_addr . inet_proto . inet_service; flags interval; counter; " +
        "elements = { 10.0.0.0/8 . tcp . 22, 192.0.2.1 . udp . 20-30 }; }",
      "ip saddr . meta l4proto . th dport @filter_INPUT_saddr_proto_dport drop",
    ]);
  });

  it("that overlap are cut up, the first rule has what both want, and calls come from a map", () => {
    const rules = ["-s 10.0.0.0/8 -p tcp --dport 22 -j DROP", "-s 10.0.0.0/7 -p tcp --dport 20:22 -j ACCEPT"];
    expect(optimised(input(...rules))).toEqual([
      "map filter_INPUT_saddr_dport { type ipv4_addr . inet_service : verdict; flags interval; elements = { " +
        "10.0.0.0/8 . 22 : drop, 11.0.0.0/8 . 20-22 : accept, 10.0.0.0/8 . 20-21 : accept }; }",
      "ip saddr . tcp dport vmap @filter_INPUT_saddr_dport",
    ]);
  });

  it("of which one has all of another leave that out, with what it counted", () => {
    const rules = [
      "-s 10.0.0.0/8 -d 192.0.2.0/24 -j DROP",
      "-s 10.1.0.0/16 -d 192.0.2.7 -j ACCEPT",
      "-s 11.0.0.0/8 -d 192.0.3.0/24 -j DROP",
    ];
    const { nft } = translate(dumpOf("filter", ...input(...rules)), { family: "ipv4" });
    const { table, leftOut } = optimise(nft!.tables[0]!, always);
    expect(scriptOf(table)).toContain("# no packet reaches the rule of line 3 behind line 2");
    expect(leftOut).toHaveLength(1);
  });

  it("stay rules where they stay over a reload, where nft does not list them, and where rules that mark share a packet", () => {
    const rules = input("-s 10.0.0.0/8 -p tcp --dport 22 -j DROP", "-s 192.0.2.1 -p tcp --dport 20:30 -j DROP");
    for (const more of [{ keepSets: true }, { targetNft: "0.9.8", counters: true }]) expect(optimised(rules, more)).toHaveLength(2);
    const marks = ["-s 10.0.0.0/8 -p tcp --dport 22 -j MARK --set-mark 1", "-s 10.1.0.0/16 -p tcp --dport 20:30 -j MARK --set-mark 2"];
    expect(optimised(input(...marks), { table: "mangle" })).toHaveLength(2);
  });
});

describe("tests that neighbours share", () => {
  const neighbours = ["-p tcp --dport 22 -j DROP", "-p tcp --dport 23 -m limit --limit 4/min -j ACCEPT", "-p tcp -s 192.0.2.7 -j LOG"];
  const shared = (rules: readonly string[], more: Partial<OptimiseOptions> & { readonly table?: string } = {}): string[] =>
    optimised(rules, { sharingPays: () => true, ...more });

  it("are asked once, and ports behind their protocol need no test of it", () => {
    expect(shared(input(...neighbours))).toEqual([
      "th dport 22 drop",
      "th dport 23 limit rate 4/minute burst 5 packets accept",
      "ip saddr 192.0.2.7 log",
      "meta l4proto tcp jump filter_INPUT_proto",
    ]);
  });

  it.each([
    ["return", "-p tcp -j RETURN"],
    ["ask for something else", "-p udp --dport 22 -j DROP"],
  ])("are those of neighbours alone: others %s", (_, other) => {
    const rules = input(neighbours[0]!, other, neighbours[1]!);
    expect(shared(rules)).toEqual(optimised(rules));
  });

  it("stay in the rule where nft wants them there", () => {
    const rules = ["-p tcp --dport 80 -j REDIRECT --to-ports 81", "-p tcp -s 192.0.2.7 --dport 81:90 -j REDIRECT --to-ports 82"];
    expect(
      shared(
        rules.map((rule) => `PREROUTING ${rule}`),
        { table: "nat", pays: () => false },
      ),
    ).toEqual([
      "tcp dport 80 redirect to :81",
      "ip saddr 192.0.2.7 tcp dport 81-90 redirect to :82",
      "meta l4proto tcp jump nat_PREROUTING_proto",
    ]);
  });

  it("stay where they are under calls as deep as the kernel follows", () => {
    const chains = Array.from({ length: 8 }, (_, index) => `C${index}`);
    const calls = chains.slice(1).map((chain, index) => `${chains[index]} -j ${chain}`);
    const dumpWith = (depth: number): string =>
      dumpOf("filter", `INPUT -j C${8 - depth}`, ...calls, ...neighbours.map((rule) => `C7 ${rule}`)).replace("COMMIT", "COMMIT");
    const found = [7, 8].map((depth) => {
      const { nft } = translate(
        dumpWith(depth).replace(/^\*filter$/m, `*filter\n${chains.map((chain) => `:${chain} - [0:0]`).join("\n")}`),
        {
          family: "ipv4",
        },
      );
      return scriptOf(optimise(nft!.tables[0]!, { ...always, pays: () => false }).table).includes("th dport");
    });
    expect(found).toEqual([true, false]);
  });

  it("are worth a chain from some ten ports on", () => {
    const ports = (count: number): string[] => input(...Array.from({ length: count }, (_, index) => `-p tcp --dport ${index * 2} -j LOG`));
    const measured = { pays: undefined, sharingPays: undefined, fewest: undefined } as unknown as Partial<OptimiseOptions>;
    expect(optimised(ports(8), measured)).toHaveLength(8);
    expect(optimised(ports(20), measured).at(-1)).toBe("meta l4proto tcp jump filter_INPUT_proto");
  });
});

it("makes no key that is longer than the kernel takes", () => {
  const rule = (host: number, protocol: string): string =>
    `FORWARD -s 2001:db8::${host} -d 2001:db8:1::${host} -i eth${host} -o br${host} -p ${protocol} --dport ${host} -j DROP`;
  const rules = [1, 2, 3].flatMap((host) => [rule(host, "tcp"), rule(host, "udp")]);
  expect(optimised(rules, { family: "ipv6" }).join("\n")).not.toContain("@filter");
  const within = rules.map((one) => one.replace(/ -o br\d/, ""));
  expect(optimised(within, { family: "ipv6" }).join("\n")).toContain("@filter");
});

describe("ports of this machine", () => {
  it("come from one map", () => {
    const rules = ["-p tcp --dport 80 -j REDIRECT --to-ports 8080", "-p tcp --dport 443 -j REDIRECT --to-ports 8443"];
    expect(
      optimised(
        rules.map((rule) => `PREROUTING ${rule}`),
        { table: "nat" },
      ),
    ).toEqual([
      "map nat_PREROUTING_dport { type inet_service : inet_service; elements = { 80 : 8080, 443 : 8443 }; }",
      "meta l4proto tcp redirect to :tcp dport map @nat_PREROUTING_dport",
    ]);
  });

  it("come from one map for the sources of a network, too", () => {
    const rules = ["-s 192.0.2.1 -p udp -j MASQUERADE --to-ports 1024", "-s 192.0.2.2 -p udp -j MASQUERADE --to-ports 1025"];
    expect(
      optimised(
        rules.map((rule) => `POSTROUTING ${rule}`),
        { table: "nat" },
      ),
    ).toEqual([
      "map nat_POSTROUTING_saddr { type ipv4_addr : inet_service; size 2; elements = { 192.0.2.1 : 1024, 192.0.2.2 : 1025 }; }",
      "meta l4proto udp masquerade to :ip saddr map @nat_POSTROUTING_saddr",
    ]);
  });

  it("stay rules where the kernel draws one of several, or the address stays what it was", () => {
    const rules = ["-p tcp --dport 80 -j REDIRECT --to-ports 8080-8090", "-p tcp --dport 81 -j REDIRECT", "-p tcp --dport 82 -j REDIRECT"];
    expect(
      optimised(
        rules.map((rule) => `PREROUTING ${rule}`),
        { table: "nat" },
      ),
    ).toEqual([
      "set nat_PREROUTING_dport { type inet_service; elements = { 81, 82 }; }",
      "tcp dport 80 redirect to :8080-8090",
      "tcp dport @nat_PREROUTING_dport redirect",
    ]);
  });
});

describe("new addresses of IPv6", () => {
  const rules = ["-p tcp --dport 80 -j DNAT --to [2001:db8::7]:81", "-p udp --dport 53 -j DNAT --to [2001:db8::8]:53"].map(
    (rule) => `PREROUTING ${rule}`,
  );

  it("come from one map", () => {
    expect(optimised(rules, { table: "nat", family: "ipv6" })).toEqual([
      "map nat_PREROUTING_proto_dport { type inet_proto . inet_service : ipv6_addr . inet_service; " +
        "elements = { tcp . 80 : 2001:db8::7 . 81, udp . 53 : 2001:db8::8 . 53 }; }",
      "meta l4proto { tcp, udp } dnat ip6 addr . port to meta l4proto . th dport map @nat_PREROUTING_proto_dport",
    ]);
    const sources = ["-s 2001:db8:1::1 -j SNAT --to 2001:db8::1", "-s 2001:db8:1::2 -j SNAT --to 2001:db8::2"];
    expect(
      optimised(
        sources.map((rule) => `POSTROUTING ${rule}`),
        { table: "nat", family: "ipv6" },
      ).at(-1),
    ).toBe("snat to ip6 saddr map @nat_POSTROUTING_saddr");
  });

  it("and those of IPv4 come from two maps in a table of both families", () => {
    const dumps = [rules, rules.map((rule) => rule.replace(/\[2001:db8::(\d)\]/, "192.0.2.$1"))].map((some) => dumpOf("nat", ...some));
    const sources = dumps.map((text, index) => ({ file: `${index}`, text, family: index === 0 ? ("ipv6" as const) : ("ipv4" as const) }));
    const { nft } = translate(sources, { inet: true, counters: false });
    const script = scriptOf(optimise(nft!.tables[0]!, always).table);
    expect(script).toContain("dnat ip6 addr . port to meta l4proto . th dport map @");
    expect(script).toContain("dnat ip addr . port to meta l4proto . th dport map @");
  });
});

describe("marks and classes", () => {
  const marking = (...rules: readonly string[]): string[] =>
    optimised(
      rules.map((rule) => `POSTROUTING ${rule}`),
      { table: "mangle" },
    );

  it("come from one map, behind which packets go on", () => {
    expect(marking("-s 192.0.2.1 -j MARK --set-mark 1", "-s 192.0.2.2 -j MARK --set-mark 2", "-j LOG")).toEqual([
      "map mangle_POSTROUTING_saddr { type ipv4_addr : mark; size 2; elements = { 192.0.2.1 : 0x1, 192.0.2.2 : 0x2 }; }",
      "meta mark set ip saddr map @mangle_POSTROUTING_saddr",
      "log",
    ]);
    expect(marking("-s 192.0.2.1 -j CONNMARK --set-mark 1", "-s 192.0.2.2 -j CONNMARK --set-mark 2").at(-1)).toBe(
      "ct mark set ip saddr map @mangle_POSTROUTING_saddr",
    );
    expect(marking("-s 192.0.2.1 -j CLASSIFY --set-class 1:1", "-s 192.0.2.2 -j CLASSIFY --set-class 1:2")).toEqual([
      "map mangle_POSTROUTING_saddr { type ipv4_addr : classid; size 2; elements = { 192.0.2.1 : 0x10001, 192.0.2.2 : 0x10002 }; }",
      "meta priority set ip saddr map @mangle_POSTROUTING_saddr",
    ]);
  });

  it("that are equal, or keep a part of the old one, are one rule with a set", () => {
    const equal = ["-s 192.0.2.1 -j MARK --set-mark 0x1/0x1", "-s 192.0.2.2 -j MARK --set-mark 0x1/0x1"];
    expect(marking(...equal).at(-1)).toBe("ip saddr @mangle_POSTROUTING_saddr meta mark set meta mark | 0x1");
    expect(marking("-s 192.0.2.1 -j MARK --set-mark 0x1/0x3", "-s 192.0.2.2 -j MARK --set-mark 0x2/0x3")).toHaveLength(2);
  });

  it("of a packet that two rules match stay rules: the last one has the last word", () => {
    expect(marking("-s 192.0.2.0/24 -j MARK --set-mark 1", "-s 192.0.2.2 -j MARK --set-mark 2")).toHaveLength(2);
  });

  it("move over rules of other packets, which end their way", () => {
    const rules = [
      "-s 192.0.2.1 -j MARK --set-mark 1",
      "-s 192.0.2.1 -j RETURN",
      "-s 192.0.2.2 -j MARK --set-mark 2",
      "-s 192.0.2.2 -j RETURN",
    ];
    expect(marking(...rules).slice(-2)).toEqual([
      "meta mark set ip saddr map @mangle_POSTROUTING_saddr",
      "ip saddr @mangle_POSTROUTING_saddr_2 return",
    ]);
  });
});

describe("behind a rule for all packets of an interface", () => {
  const publish = (bridge: string, port: number): string =>
    `PREROUTING ! -i ${bridge} -p tcp --dport ${port} -j DNAT --to-destination 192.0.2.7:${port}`;
  const merges = (...rules: readonly string[]): number =>
    optimised(rules, { table: "nat" }).filter((line) => line.includes(" map @nat_PREROUTING")).length;

  it("no other interface needs to be asked for", () => {
    const rules = ["PREROUTING -i br0 -j RETURN", "PREROUTING -i br1 -j RETURN", publish("br0", 80), publish("br1", 81)];
    expect(optimised(rules, { table: "nat" }).slice(-2)).toEqual([
      "iifname @nat_PREROUTING_iif return",
      "meta l4proto tcp dnat ip addr . port to tcp dport map @nat_PREROUTING_dport",
    ]);
  });

  it("of a beginning, and not the other way round", () => {
    expect(merges("PREROUTING -i br+ -j RETURN", publish("br0", 80), publish("br1", 81))).toBe(1);
    expect(merges("PREROUTING -i br0 -j RETURN", publish("br+", 80), publish("br1", 81))).toBe(0);
  });

  it("unless that rule lets some pass", () => {
    expect(merges("PREROUTING -i br0 -p tcp -j RETURN", publish("br0", 80), publish("br1", 81))).toBe(0);
    expect(merges("PREROUTING -i br0 -m conntrack --ctstate NEW -j RETURN", publish("br0", 80), publish("br1", 81))).toBe(0);
    expect(merges(publish("br0", 80), publish("br1", 81), "PREROUTING -i br0 -j RETURN")).toBe(0);
  });
});

describe("counters", () => {
  it("of rules go to their elements, and the pieces of one rule add up", () => {
    const dump = `*filter\n:INPUT ACCEPT [0:0]\n[7:420] -A INPUT -s 10.1.0.0/16 -j ACCEPT\n[3:180] -A INPUT -s 10.0.0.0/8 -j DROP\nCOMMIT\n`;
    const { nft } = translate(dump, { family: "ipv4" });
    const script = scriptOf(optimise(nft!.tables[0]!, always).table);
    expect(script.replaceAll(/\s+/g, " ")).toContain(
      "map filter_INPUT_saddr { type ipv4_addr : verdict; flags interval; counter; elements = { " +
        "10.1.0.0/16 counter packets 7 bytes 420 : accept, 10.0.0.0/16 counter packets 3 bytes 180 : drop, 10.2.0.0-10.255.255.255 : drop }; }",
    );
  });

  it("of a rule that no packet reaches stand in a comment", () => {
    const dump = `*filter\n:INPUT ACCEPT [0:0]\n-A INPUT -s 10.1.0.0/16 -j ACCEPT\n[3:180] -A INPUT -s 10.1.0.0/16 -p tcp -j DROP\nCOMMIT\n`;
    const { nft } = translate(dump, { family: "ipv4" });
    const script = scriptOf(optimise(nft!.tables[0]!, always).table);
    expect(script).toContain("# no packet reaches the rule of line 4 behind line 3; it counted 3 packets, 180 bytes");
  });

  it("need an nft that has them in maps: an older one gets a set for each verdict, where rules may move", () => {
    const rules = input("-s 192.0.2.1 -j DROP", "-s 192.0.2.2 -j ACCEPT", "-s 192.0.2.3 -j DROP", "-s 192.0.2.4 -j ACCEPT");
    expect(optimised(rules, { counters: true, targetNft: "0.9.8" })).toEqual([
      "set filter_INPUT_saddr { type ipv4_addr; size 2; counter; elements = { 192.0.2.1, 192.0.2.3 }; }",
      "set filter_INPUT_saddr_2 { type ipv4_addr; size 2; counter; elements = { 192.0.2.2, 192.0.2.4 }; }",
      "ip saddr @filter_INPUT_saddr drop",
      "ip saddr @filter_INPUT_saddr_2 accept",
    ]);
  });

  it("of sets that stay over a reload stand in the rule, and neighbours there are not counted apart", () => {
    const rules = input("-s 192.0.2.1 -j DROP", "-s 192.0.2.9 -j DROP");
    expect(optimised(rules, { counters: true, keepSets: true })).toEqual(["ip saddr { 192.0.2.1 counter, 192.0.2.9 counter } drop"]);
    expect(optimised(input("-s 10.0.0.0/8 -j DROP", "-s 11.0.0.0/8 -j DROP"), { counters: true, keepSets: true })).toHaveLength(2);
  });
});

describe("what stays apart", () => {
  const unchanged = (rules: readonly string[], options: Parameters<typeof optimised>[1] = {}): void => {
    const plain = optimised(rules, { ...options, fewest: Infinity });
    expect(optimised(rules, options)).toEqual(plain);
  };

  it.each([
    ["bits of TCP flags", ["-p tcp --tcp-flags SYN SYN -j DROP", "-p tcp --tcp-flags ACK ACK -j DROP"]],
    ["conntrack status", ["-m conntrack --ctstatus CONFIRMED -j DROP", "-m conntrack --ctstatus SEEN_REPLY -j DROP"]],
    ["address translation states", ["-m conntrack --ctstate SNAT -j DROP", "-m conntrack --ctstate DNAT -j DROP"]],
    ["conntrack states", ["-m conntrack --ctstate INVALID -j DROP", "-m conntrack --ctstate NEW,UNTRACKED -j DROP"]],
    ["masked marks", ["-m mark --mark 0x1/0xff -j DROP", "-m mark --mark 0x100/0xff00 -j DROP"]],
    ["negated addresses", ["! -s 192.0.2.1 -j DROP", "! -s 192.0.2.9 -j DROP"]],
    ["limits", ["-s 192.0.2.1 -m limit --limit 4/min -j ACCEPT", "-s 192.0.2.9 -m limit --limit 4/min -j ACCEPT"]],
    ["log lines", ["-s 192.0.2.1 -j LOG", "-s 192.0.2.9 -j LOG"]],
    ["what is said to connection tracking", ["-s 192.0.2.1 -j NOTRACK", "-s 192.0.2.9 -j NOTRACK"]],
    ["interfaces by their beginnings", ["-i eth+ -j DROP", "-i ppp+ -j DROP"]],
    ["lists of recent", ["-s 192.0.2.1 -m recent --set -j DROP", "-s 192.0.2.9 -m recent --set -j DROP"]],
    ["two ways of rejecting", ["-s 192.0.2.1 -j REJECT", "-s 192.0.2.9 -j REJECT --reject-with icmp-host-prohibited"]],
  ])("%s", (_, rules) =>
    rules[0]!.includes("NOTRACK")
      ? unchanged(
          rules.map((rule) => `PREROUTING ${rule}`),
          { table: "raw" },
        )
      : unchanged(input(...rules)),
  );

  it("two calls that one packet may make", () => {
    unchanged(["INPUT -s 10.0.0.0/8 -j one", "INPUT -s 10.1.0.0/16 -j one", "one -m mark --mark 1"]);
  });

  it("rules that would have to move over one of the same packets", () => {
    unchanged(input("-s 192.0.2.1 -j ACCEPT", "-i eth0 -j DROP", "-s 192.0.2.2 -j ACCEPT"));
  });

  it("rules that would eat or miss the tokens of a limit between them", () => {
    unchanged(input("-p tcp --dport 22 -j DROP", "-m limit --limit 1/hour -p tcp -j ACCEPT", "-p tcp --dport 23 -j DROP"));
  });

  it("lists for which a look-up is dearer", () => {
    const rules = (count: number): string[] => input(...Array.from({ length: count }, (_, index) => `-s 192.0.2.${index} -j DROP`));
    const measured = { pays: undefined, fewest: undefined } as unknown as Partial<OptimiseOptions>;
    expect(optimised(rules(30), measured)).toHaveLength(30);
    expect(optimised(rules(200), measured).at(-1)).toBe("ip saddr @filter_INPUT_saddr drop");
  });
});

it("moves over rules of other packets, whatever those do", () => {
  const rules = input("-s 192.0.2.1 -j ACCEPT", "-s 192.0.2.77 -m limit --limit 1/hour -j LOG", "-s 192.0.2.2 -j ACCEPT");
  expect(optimised(rules).at(-2)).toBe("ip saddr @filter_INPUT_saddr accept");
});

it("is an option of the translation, which tells of the lines that came together", () => {
  const rules = Array.from({ length: 300 }, (_, index) => `INPUT -s 10.0.${index >> 8}.${index & 255} -j DROP`);
  const options: TranslateOptions = { family: "ipv4", optimize: true };
  const translation = translate(dumpOf("filter", ...rules), options);
  expect(translation.script).toContain("# 300 rules in one look-up: lines 2-301");
  expect(translation.script).toContain("\t\tip saddr @filter_INPUT_saddr drop");
  expect(translate(dumpOf("filter", ...rules), { family: "ipv4" }).script).not.toContain("@");
  const { merges } = JSON.parse(renderJson({ outcome: "exact", diagnostics: [], messages: [], optimised: translation })) as {
    readonly merges: readonly { readonly rules: readonly unknown[] }[];
  };
  expect(merges).toMatchObject([{ table: "ip ipt2nft", chain: "filter_INPUT", form: "set", name: "filter_INPUT_saddr", elements: 300 }]);
  expect(merges[0]!.rules[0]).toEqual({ file: "<input>", line: 2 });
});

it("takes as many chains as a firewall may have", () => {
  const chains = Array.from({ length: 150_000 }, (_, index) => ({ name: `chain${index}`, entries: [] }));
  const table = { family: "ip" as const, name: "firewall", helpers: [], sets: [], chains };
  expect(optimise(table, { targetNft: undefined, keepSets: false }).table.chains).toHaveLength(chains.length);
});
