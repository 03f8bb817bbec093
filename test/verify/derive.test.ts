/** Packets found for rules, as far as it can be told without a kernel. */

import { describe, expect, it } from "vitest";

import { translate, type IptablesRule, type Source } from "../../src/index.js";
import type { View } from "../../src/verify/derive/condition.js";
import { IpsetReader } from "../../src/ipset/read-ipsets.js";
import { derive, type Derived } from "../../src/verify/derive/derive.js";
import { firewallOf } from "../../src/verify/derive/firewall.js";
import { interfacesFor, netOf } from "../../src/verify/derive/net.js";
import { World } from "../../src/verify/derive/world.js";
import { describePacket } from "../../src/verify/frame.js";
import { seededRandom } from "../../src/random.js";

function derived(
  rules: string,
  { family = "ipv4", extra = 0, sets = "" }: { readonly family?: "ipv4" | "ipv6"; readonly extra?: number; readonly sets?: string } = {},
): Derived & { readonly rules: readonly IptablesRule[] } {
  const sources: readonly Source[] = [{ file: "rules", family, text: rules }];
  const { iptables } = translate(sources);
  const reader = new IpsetReader();
  reader.readFile("sets.ipset", sets);
  const all = iptables
    .flatMap(({ tables }) => tables)
    .flatMap(({ chains }) => chains)
    .flatMap((chain) => chain.rules);
  return {
    ...derive({
      rulesets: iptables,
      interfaces: interfacesFor(iptables, reader.sets),
      sets: reader.sets,
      random: seededRandom(1),
      packets: 4000,
      extra,
    }),
    rules: all,
  };
}

/** How much of an address the list tells apart, as packets are made for it. */
function maskOf(rules: string): bigint {
  const [ruleset] = translate(rules, { family: "ipv4" }).iptables;
  const firewall = firewallOf(ruleset!, netOf(interfacesFor([ruleset!]), "ipv4"));
  const check = firewall.rules.flatMap(({ conditions }) => conditions).find(({ list }) => list !== undefined && !list.sets)!;
  const world = new World();
  const asked: bigint[] = [];
  world.entry = (_list, host) => {
    asked.push(host);
    return undefined;
  };
  check.test({ source: 2n ** 32n - 1n } as View, world);
  return asked[0]!;
}

const filter = (...rules: readonly string[]): string => `*filter\n${rules.join("\n")}\nCOMMIT\n`;
const packets = ({ batches }: Derived): string[] => batches.flatMap(({ frames }) => frames.map(({ packet }) => describePacket(packet)));

it.each([
  ["plain fields", filter("-A INPUT -s 192.0.2.0/24 -p tcp -m tcp --dport 22 --tcp-flags SYN,ACK SYN -j DROP")],
  ["inverted fields", filter("-A INPUT ! -s 192.0.2.0/24 ! -i eth0 -p udp -m udp ! --dport 53 -j DROP")],
  ["ports in ranges", filter("-A FORWARD -p udp -m multiport --dports 1:9,100 -m length --length 200:300 -j DROP")],
  ["a rule behind one that takes most packets", filter("-A INPUT -p tcp -j ACCEPT", "-A INPUT ! -p icmp -j ACCEPT", "-A INPUT -j DROP")],
  [
    "chains within chains",
    filter(
      ":a - [0:0]",
      ":b - [0:0]",
      "-A FORWARD -i eth1 -j a",
      "-A a -p tcp -j b",
      "-A a -j RETURN",
      "-A b -p tcp -m tcp --dport 80 -j RETURN",
      "-A b -s 198.51.100.7 -j DROP",
    ),
  ],
  [
    "a connection in every state",
    filter(
      "-A INPUT -m state --state ESTABLISHED -j ACCEPT",
      "-A INPUT -m state --state RELATED -j ACCEPT",
      "-A INPUT -m state --state INVALID -j DROP",
      "-A INPUT -m state --state NEW -j ACCEPT",
    ),
  ],
  [
    "a forwarded connection whose first packet only one side may send",
    filter(
      ":FORWARD DROP [0:0]",
      "-A FORWARD -m state --state ESTABLISHED,RELATED -j ACCEPT",
      "-A FORWARD -i eth1 -o eth0 -p tcp -m tcp --dport 443 -j ACCEPT",
    ),
  ],
  ["loopback", filter("-A INPUT -i lo -j ACCEPT", "-A INPUT -d 127.0.0.0/8 -j DROP", "-A OUTPUT -o lo -j ACCEPT")],
  [
    "the firewall's own packets",
    filter(
      "-A OUTPUT -p udp -m udp --dport 53 -j ACCEPT",
      "-A OUTPUT -p tcp -m tcp --sport 22 -m state --state ESTABLISHED -j ACCEPT",
      "-A OUTPUT -p icmp -m icmp --icmp-type echo-reply -j ACCEPT",
    ),
  ],
  ["a limit that is used up", filter("-A INPUT -p icmp -m limit --limit 1/hour --limit-burst 5 -j ACCEPT", "-A INPUT -p icmp -j DROP")],
  [
    "a hit count",
    filter(
      "-A INPUT -p tcp -m tcp --dport 22 -m recent --set --name L",
      "-A INPUT -p tcp -m tcp --dport 22 -m recent --update --seconds 60 --hitcount 9 --name L -j DROP",
    ),
  ],
  [
    "three knocks",
    filter(
      "-A INPUT -p tcp -m tcp --dport 22 -m recent --rcheck --seconds 5 --name C -j ACCEPT",
      "-A INPUT -p tcp -m tcp --dport 3 -m recent --rcheck --seconds 5 --name B -m recent --set --name C -j DROP",
      "-A INPUT -p tcp -m tcp --dport 2 -m recent --rcheck --seconds 5 --name A -m recent --set --name B -j DROP",
      "-A INPUT -p tcp -m tcp --dport 1 -m recent --set --name A -j DROP",
    ),
  ],
  [
    "a mark of another table",
    `*mangle\n-A PREROUTING -p tcp -m tcp --dport 80 -j MARK --set-mark 7\nCOMMIT\n${filter("-A INPUT -m mark --mark 7 -j ACCEPT", "-A INPUT -m mark ! --mark 7 -j DROP")}`,
  ],
  [
    "translated addresses",
    `*nat\n-A PREROUTING -d 192.0.2.1 -p tcp -m tcp --dport 80 -j DNAT --to-destination 198.51.100.10:8080\nCOMMIT\n${filter("-A FORWARD -d 198.51.100.10 -m conntrack --ctstate DNAT -j ACCEPT")}`,
  ],
  [
    "addresses that the firewall must have, and routes",
    filter(
      "-A INPUT -d 203.0.113.77 -j DROP",
      "-A FORWARD -d 10.1.2.0/24 -o eth7 -j DROP",
      "-A INPUT -m addrtype --dst-type MULTICAST -j DROP",
    ),
  ],
  [
    "fields of later headers",
    filter(
      "-A INPUT -p tcp -m tcp --tcp-option 8 -j DROP",
      "-A INPUT -p tcp -m tcp ! --tcp-option 2 -m tcpmss ! --mss 1000:2000 -j DROP",
      "-A INPUT -p tcp -m tcpmss --mss 1000:2000 -j DROP",
      "-A INPUT -p esp -m esp --espspi 500:600 -j DROP",
      "-A INPUT -p ah -m ah --ahspi 7 -j DROP",
    ),
  ],
  [
    "a hash limit that is used up",
    filter("-A INPUT -p udp -m hashlimit --hashlimit-above 5/sec --hashlimit-burst 6 --hashlimit-mode srcip --hashlimit-name h -j DROP"),
  ],
  [
    "marks that are copied under a mask",
    `*mangle\n-A PREROUTING -p udp -j MARK --set-xmark 0x1234/0xffff\n-A PREROUTING -p udp -j CONNMARK --save-mark --nfmask 0xff --ctmask 0xffffffff\nCOMMIT\n${filter("-A INPUT -m connmark --mark 0x34 -j DROP").replace("-A INPUT -m connmark --mark 0x1234 -j ACCEPT\n", "")}`,
  ],
  [
    "a class of traffic that another rule sets",
    `*mangle\n-A PREROUTING -p udp -j DSCP --set-dscp 8\nCOMMIT\n${filter("-A INPUT -p udp -m dscp --dscp 8 -j DROP")}`,
  ],
])("finds packets for %s", (_, rules) => {
  const { obstacles } = derived(rules);
  expect([...obstacles].map(([{ text }]) => text)).toEqual([]);
});

it("finds packets for rules of IPv6", () => {
  const { obstacles } = derived(
    filter(
      "-A INPUT -s 2001:db8::/32 -p ipv6-icmp -m icmp6 --icmpv6-type 128 -j DROP",
      "-A FORWARD -p tcp -m tcp --dport 80 -m hl --hl-lt 9 -j DROP",
    ),
    { family: "ipv6" },
  );
  expect(obstacles.size).toBe(0);
});

it("finds packets with and without a routing header", () => {
  const { obstacles, batches } = derived(
    filter("-A INPUT -m rt ! --rt-type 0 -j DROP", "-A INPUT -m rt --rt-type 0 -j DROP", "-A INPUT -m rt --rt-segsleft 0 -j ACCEPT"),
    { family: "ipv6" },
  );
  // The last rule is behind two that take every packet with the header.
  expect([...obstacles].map(([{ text }, { kind }]) => [text, kind])).toEqual([["-A INPUT -m rt --rt-segsleft 0 -j ACCEPT", "rule"]]);
  const types = batches.flatMap(({ frames }) =>
    frames.map(({ packet }) => packet.extensionHeaders?.find(([number]) => number === 43)?.[1][1]),
  );
  expect([types.includes(0), types.includes(undefined), types.some((type) => type !== undefined && type > 0)]).toEqual([true, true, true]);
});

it("takes for chance what no field of the packet tells, and only that", () => {
  const obstacleOf = (rule: string): unknown =>
    [...derived(filter("-A INPUT -p udp -j ACCEPT", rule)).obstacles.values()].map((obstacle) => obstacle.kind)[0];
  expect(obstacleOf("-A INPUT -m policy --dir in --pol ipsec -j DROP")).toBe("condition");
  expect(obstacleOf("-A INPUT -m policy --dir in --pol none -j DROP")).toBeUndefined();
  expect(obstacleOf('-A INPUT -m comment --comment "x" -j DROP')).toBeUndefined();
  expect(obstacleOf("-A INPUT -m string --algo bm --string x -j DROP")).toBeUndefined();
});

it("knows a list by the mask of the rule that the kernel gets first, wherever it stands in the dump", () => {
  // User chains come after built-in ones and in the order of their names.
  const rules = filter(
    ":late - [0:0]",
    ":early - [0:0]",
    "-A INPUT -j late",
    "-A late -p tcp -m tcp --dport 1 -m recent --set --name L --mask 255.255.255.255",
    "-A INPUT -p tcp -m tcp --dport 2 -m recent --rcheck --name L --mask 255.255.255.0 -j DROP",
  );
  expect(maskOf(rules)).toBe(0xffff_ff00n);
});

describe("a rule with an ipset gets packets in every element and beside it", () => {
  const found = (set: string, elements: readonly string[], directions: string): string => {
    const sets = [`create s ${set}`, ...elements.map((element) => `add s ${element}`)].join("\n");
    const rule = `-A FORWARD -m set --match-set s ${directions} -j ACCEPT`;
    return packets(derived(filter(":FORWARD DROP [0:0]", rule), { sets })).join("\n");
  };

  it.each([
    ["addresses", "hash:ip", ["203.0.113.10", "203.0.113.20"], "src", [" 203.0.113.10", " 203.0.113.20"], /203\.0\.113\.(?:9|11|19|21)\b/u],
    ["networks", "hash:net", ["203.0.113.64/28"], "dst", ["→ 203.0.113.64", "→ 203.0.113.79"], /→ 203\.0\.113\.(?:63|80)\b/u],
    [
      "an address and a port",
      "hash:ip,port",
      ["203.0.113.10,udp:53"],
      "dst,dst",
      ["udp", "→ 203.0.113.10:53"],
      /203\.0\.113\.(?:9|11):53|:5[24]$/mu,
    ],
    [
      "a message of ICMP",
      "hash:ip,port",
      ["203.0.113.10,icmp:8/0"],
      "src,src",
      ["icmp 8/0 203.0.113.10"],
      /icmp (?:8\/1|7\/255)|203\.0\.113\.(?:9|11)/u,
    ],
    ["ports alone", "bitmap:port range 0-1023", ["80", "443"], "dst", [":80", ":443"], /:(?:79|81|442|444)\b/u],
    [
      "addresses of a bitmap",
      "bitmap:ip range 203.0.113.0/24",
      ["203.0.113.7-203.0.113.8"],
      "src",
      [" 203.0.113.7", " 203.0.113.8"],
      /203\.0\.113\.[69]\b/u,
    ],
  ])("%s", (_, set, elements, directions, inside, outside) => {
    const text = found(set, elements, directions);
    for (const one of inside) expect(text).toContain(one);
    expect(text).toMatch(outside);
  });

  it("exceptions from a network, and a network behind an interface", () => {
    const text = found("hash:net,iface", ["203.0.113.0/24,eth0", "203.0.113.128/25,eth0 nomatch"], "src,src");
    expect(text).toMatch(/ 203\.0\.113\.(?:\d|\d\d|1[01]\d|12[0-7])[ :]/u);
    expect(text).toMatch(/ 203\.0\.113\.(?:12[89]|1[3-9]\d|2\d\d)[ :]/u);
  });

  it("sets of sets", () => {
    const sets =
      "create a hash:ip\nadd a 203.0.113.10\ncreate b hash:net\nadd b 198.51.100.128/25\ncreate all list:set\nadd all a\nadd all b\n";
    const text = packets(derived(filter("-A INPUT -m set --match-set all src -j DROP"), { sets })).join("\n");
    expect(text).toContain(" 203.0.113.10");
    expect(text).toMatch(/ 198\.51\.100\.(?:12[89]|1[3-9]\d|2\d\d)[ :]/u);
  });
});

it("says what is in the way of a rule that nothing reaches", () => {
  const { obstacles, rules } = derived(
    filter("-A INPUT -p tcp -j ACCEPT", "-A INPUT -p tcp -m tcp --dport 22 -j DROP", "-A INPUT -m recent --rcheck --name never -j DROP"),
  );
  expect(obstacles.get(rules[1]!)).toMatchObject({ kind: "rule", rule: { rule: rules[0] } });
  expect(obstacles.get(rules[2]!)).toMatchObject({ kind: "condition", condition: { kind: "list" } });
});

it("repeats a packet as often as a hit count asks", () => {
  const found = packets(
    derived(
      filter(
        "-A INPUT -p tcp -m tcp --dport 22 -m recent --set --name L",
        "-A INPUT -p tcp -m tcp --dport 22 -m recent --rcheck --seconds 60 --hitcount 9 --name L -j DROP",
      ),
    ),
  );
  const bySender = new Map<string, number>();
  for (const packet of found.filter((text) => text.includes(":22 ")))
    bySender.set(packet.split(":")[0]!, (bySender.get(packet.split(":")[0]!) ?? 0) + 1);
  expect(Math.max(...bySender.values())).toBeGreaterThanOrEqual(9);
});

it("sends from so few hosts at once that no list forgets one", () => {
  const rules = Array.from({ length: 150 }, (_, index) => `-A INPUT -p tcp -m tcp --dport ${index + 1} -m recent --set --name L -j DROP`);
  const { batches, obstacles } = derived(filter(...rules));
  expect(obstacles.size).toBe(0);
  expect(batches.length).toBeGreaterThan(1);
  for (const { frames } of batches) expect(new Set(frames.map(({ packet }) => packet.source)).size).toBeLessThanOrEqual(100);
});

it("gives every own packet of a batch a port of its own", () => {
  const { batches } = derived(filter(...[53, 123, 443].map((port) => `-A OUTPUT -p udp -m udp --dport ${port} -j ACCEPT`)), { extra: 200 });
  for (const { frames } of batches) {
    const ports = frames.flatMap(({ own, packet: { transport } }) => (own && "sourcePort" in transport ? [transport.sourcePort] : []));
    expect(ports.length).toBeGreaterThan(3);
    expect(new Set(ports).size).toBe(ports.length);
  }
});

it("makes the same packets of the same seed", () => {
  const rules = filter("-A INPUT -p tcp -m tcp --dport 22 -j DROP", "-A FORWARD -p udp -j DROP");
  expect(packets(derived(rules, { extra: 50 }))).toEqual(packets(derived(rules, { extra: 50 })));
});

it("makes packets for a ruleset without rules, too", () => {
  expect(packets(derived("*filter\n:INPUT DROP [0:0]\nCOMMIT\n", { extra: 20 })).length).toBeGreaterThan(10);
});
