import { expect, test } from "vitest";

import { translate } from "../../src/index.js";
import { Witnesses } from "../../src/simulate/witness.js";
import { XtModel } from "../../src/simulate/xt-model.js";
import { seededRandom } from "../../src/random.js";
import type { Packet } from "../../src/simulate/packet.js";

/** A packet that comes to the last rule of INPUT. */
function reach(...rules: readonly string[]): Packet | undefined {
  const {
    iptables: [ruleset],
  } = translate(`*filter\n:side - [0:0]\n${rules.map((rule) => `-A ${rule}\n`).join("")}COMMIT\n`, { family: "ipv4" });
  const target = ruleset!.tables[0]!.chains.find(({ name }) => name === "INPUT")!.rules.at(-1)!;
  return new Witnesses(new XtModel(ruleset!), seededRandom(1)).reach(target);
}

const recent = "-m recent --set --name L";

test.each([
  [
    "its own tests hold",
    [`INPUT -s 203.0.113.0/24 -i ppp+ -p udp -m udp --dport 1000:1999 ! --sport 53 ${recent}`],
    { source: 0xcb00_7101n, inInterface: "ppp0", protocol: 17, destinationPort: 1000 },
  ],
  ["those behind the list hold, too", [`INPUT ${recent} -p tcp -m tcp --tcp-flags SYN,ACK SYN,ACK`], { protocol: 6, tcpFlags: 18 }],
  ["no rule before takes it", ["INPUT -p tcp -j DROP", "INPUT -p udp -m udp --dport 9 -j DROP", `INPUT ${recent}`], {}],
  ["a rule before sends it back", ["INPUT -j side", "side -p icmp -j RETURN", "side -j DROP", `INPUT ${recent}`], { protocol: 1 }],
  ["a mark is as it must be", [`INPUT -m mark --mark 0x4/0xc ${recent}`], { mark: 4 }],
  [
    "its state is not what others take",
    ["INPUT -m conntrack --ctstate NEW,ESTABLISHED -j ACCEPT", `INPUT ${recent}`],
    { state: "invalid" },
  ],
  ["a test without a model holds", [`INPUT -m pkttype --pkt-type multicast ${recent}`], { facts: new Set(["meta pkttype multicast"]) }],
])("%s", (_, rules, expected) => {
  expect(reach(...rules)).toMatchObject(expected);
});

test.each([
  ["its tests exclude each other", [`INPUT -p tcp ${recent} -s 192.0.2.1 -m iprange --src-range 198.51.100.1-198.51.100.9`]],
  ["a rule before takes everything", ["INPUT -j DROP", `INPUT ${recent}`]],
  ["a rule before takes every port", ["INPUT -p tcp -m tcp --dport 0:65535 -j DROP", `INPUT -p tcp ${recent}`]],
  ["a rule before takes every length", ["INPUT -m length --length 0:65535 -j DROP", `INPUT ${recent}`]],
  ["a rule before takes every TTL", ["INPUT -m ttl --ttl-lt 100 -j DROP", "INPUT -m ttl --ttl-gt 99 -j DROP", `INPUT ${recent}`]],
  ["a rule before takes every address", ["INPUT -m iprange --src-range 0.0.0.0-255.255.255.255 -j DROP", `INPUT ${recent}`]],
])("there is none where %s", (_, rules) => {
  const found = reach(...rules);
  // What stands behind the list need not hold for the list to be asked.
  if (rules.length === 1) expect(found).toMatchObject({ source: 0xc000_0201n });
  else expect(found).toBeUndefined();
});
