import { expect, test } from "vitest";

import { modelsOf } from "../../src/simulate/models.js";
import { plainPacket } from "../../src/simulate/packet-fields.js";
import { translate } from "../../src/translate.js";

const others = Array.from({ length: 40 }, (_, index) => `-A INPUT -p tcp -m tcp --dport ${1000 + index} -j ACCEPT\n`).join("");
const dump =
  `*mangle\n${others}-A INPUT -p tcp -m tcp --dport 22 -j MARK --set-mark 1\n-A INPUT -p udp -j MARK --set-mark 2\n` +
  `-A INPUT -m mark --mark 1 -m recent --set --name a\n${others}-A INPUT -m mark --mark 2 -j DROP\nCOMMIT\n` +
  `*filter\n${others}-A INPUT -m recent --rcheck --seconds 60 --hitcount 3 --name a -j DROP\n-A INPUT -p tcp -m tcp --dport 1039 -j DROP\nCOMMIT\n`;

test("in long chains a packet meets the rules that it matches as it is when it comes to them, at any time", () => {
  const { iptables, nft } = translate([{ file: "rules.v4", text: dump }]);
  const { xtables, nft: machine } = modelsOf(iptables[0]!, nft!.tables[0]!);
  const send = (time: number, change: object): string => {
    const packet = { ...plainPacket.ipv4, path: "input" as const, protocol: 6, destinationPort: 22, ...change, time };
    const verdicts = [xtables.send(packet).verdict, machine.send(packet).verdict];
    expect(verdicts[1]).toBe(verdicts[0]);
    return verdicts[0]!;
  };
  const knocks = [1000, 1100, 1200, 1300].map((time) => send(time, {}));
  expect(knocks).toEqual(["accept", "accept", "drop", "drop"]);
  // The same packet, as seen before, but from a host that is on no list, of another protocol, and to a port that a rule takes first.
  expect(send(1400, { source: 0xc000_0263n })).toBe("accept");
  expect(send(1500, { protocol: 17 })).toBe("drop");
  expect(send(1600, { source: 0xc000_0263n, destinationPort: 1039 })).toBe("accept");
  expect(send(1300 + 61 * 250, {})).toBe("accept");
});

test("a packet that was seen before costs no look at the rules of other ports", () => {
  const { iptables, nft } = translate([{ file: "rules.v4", text: dump }]);
  const { xtables } = modelsOf(iptables[0]!, nft!.tables[0]!);
  const costs = [1000, 1100].map((time) => {
    const before = xtables.asked;
    xtables.send({ ...plainPacket.ipv4, path: "input", protocol: 6, destinationPort: 80, time });
    return xtables.asked - before;
  });
  expect(costs[0]).toBeLessThan(60);
  expect(costs[1]).toBeLessThan(30);
});
