/** The laboratory itself: that it sees every fate there is, and that it can see two rulesets differ. */

import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it } from "vitest";

import { defaultInterfaces, type Frame } from "../../src/verify/frame.js";
import { describeDifferences, type Fate } from "../../src/verify/fate.js";
import { replay } from "../../src/verify/lab.js";
import { closedEnvironment } from "../../src/run-program.js";
import { observerScript } from "../../src/verify/observer.js";
import { echoRequest, icmp, maximumSegmentOption, otherProtocol, tcp, udp, type Packet } from "../../src/verify/packet.js";
import { describeOnKernel } from "./requirements.js";

const host = "192.0.2.1";
const lan = "198.51.100.10";
const client = "203.0.113.7";
const host6 = "2001:db8::1";
const lan6 = "2001:db8:1::10";
const client6 = "2001:db8:2::7";

/** The packets 5 ms apart, by the first interface. */
function spaced(...packets: readonly Packet[]): Frame[] {
  return packets.map((packet, index) => ({ at: index * 0.005, packet }));
}

function summary({ verdict, reply }: Fate): string {
  return reply === undefined ? verdict : `${verdict}: ${reply}`;
}

describeOnKernel("lab", () => {
  it("tells accepted, forwarded, rejected and dropped packets apart", { timeout: 60_000 }, async () => {
    const dump = `*filter
:INPUT ACCEPT [0:0]
:FORWARD ACCEPT [0:0]
:OUTPUT ACCEPT [0:0]
-A INPUT -p tcp -m tcp --dport 1 -j DROP
-A INPUT -p tcp -m tcp --dport 2 -j REJECT --reject-with tcp-reset
-A INPUT -p tcp -m tcp --dport 3 -j REJECT --reject-with icmp-host-prohibited
-A INPUT -p udp -m udp --dport 4 -j REJECT
-A INPUT -p 47 -j DROP
-A INPUT -s 203.0.113.9/32 -p icmp -j DROP
-A FORWARD -p tcp -m tcp --dport 5 -j DROP
-A OUTPUT -p icmp -m icmp --icmp-type echo-reply -m length --length 100: -j DROP
COMMIT
`;
    const script = `table ip subject {
  chain input {
    type filter hook input priority 0; policy accept;
    tcp dport 1 drop
    tcp dport 2 reject with tcp reset
    tcp dport 3 reject with icmp type host-prohibited
    udp dport 4 reject
    ip protocol 47 drop
    ip saddr 203.0.113.9 icmp type 8 drop
  }
  chain forward { type filter hook forward priority 0; policy accept; tcp dport 5 drop; }
  chain output { type filter hook output priority 0; policy accept; icmp type echo-reply meta length >= 100 drop; }
}
`;
    const cases: readonly (readonly [Packet, string])[] = [
      [tcp(client, host, 1), "dropped"],
      [tcp(client, host, 2), "rejected: tcp reset"],
      [tcp(client, host, 2, { flags: ["ack"], sourcePort: 40_001 }), "rejected: tcp reset"],
      [tcp(client, host, 2, { flags: ["rst"], sourcePort: 40_002 }), "dropped"],
      [tcp(client, host, 3), "rejected: icmp 3/10"],
      [tcp(client, host, 9), "accepted: tcp reset"],
      [udp(client, host, 4), "rejected: icmp 3/3"],
      [udp(client, host, 9), "accepted: icmp 3/3"],
      [otherProtocol(client, host, 47), "dropped"],
      [tcp(client, lan, 5), "dropped"],
      [tcp(client, lan, 6), "forwarded"],
      [tcp(client, lan, 6, { ttl: 1 }), "rejected: icmp 11/0"],
      [echoRequest(client, host), "accepted: echo reply"],
      [echoRequest(client, host, { payload: new Uint8Array(200) }), "accepted"],
      // Told apart by their identifiers, as two programs that ping.
      [icmp(client, host, 8, 0, { rest: 0x5_0001 }), "accepted: echo reply"],
      [icmp("203.0.113.9", host, 8, 0, { rest: 0x6_0001 }), "dropped"],
      [icmp(client, host, 13, 0, { payload: new Uint8Array(12) }), "accepted"],
      [udp(client, lan, 6, { payload: new Uint8Array(300), fragmentSize: 104 }), "forwarded"],
    ];
    const report = await replay({ dumps: { ipv4: dump }, script, frames: spaced(...cases.map(([packet]) => packet)) });
    expect(report.outcomes.map(({ iptables }) => summary(iptables))).toEqual(cases.map(([, expected]) => expected));
    expect(describeDifferences(report)).toBe(`0 of ${cases.length} packets differ`);
    expect(report.skew).toBeLessThan(0.02);
  });

  it("sees marks, TTL, TOS, segment sizes, connection marks and translated addresses", { timeout: 60_000 }, async () => {
    const dump = `*mangle
-A PREROUTING -p tcp -m tcp --dport 80 -j MARK --set-xmark 0x7/0xffffffff
-A PREROUTING -p tcp -m tcp --dport 80 -j CONNMARK --set-xmark 0x9/0xffffffff
-A FORWARD -p tcp -m tcp --tcp-flags SYN,RST SYN -j TCPMSS --set-mss 1000
COMMIT
*nat
-A PREROUTING -d 192.0.2.1/32 -p tcp -m tcp --dport 80 -j DNAT --to-destination 198.51.100.10:8080
-A POSTROUTING -o eth1 -j MASQUERADE
COMMIT
`;
    const packet = tcp(client, host, 80, { ttl: 33, tos: 0x20, options: maximumSegmentOption(1400) });
    const report = await replay({ dumps: { ipv4: dump }, frames: spaced(packet) });
    expect(report.outcomes[0]?.iptables).toEqual({
      verdict: "forwarded",
      hook: "postrouting",
      sighting: {
        source: "198.51.100.1",
        destination: "198.51.100.10",
        sourcePort: 40_000,
        destinationPort: 8080,
        mark: 7,
        ttl: 32,
        tos: 0x20,
        maximumSegment: 1000,
        connectionState: 8,
        connectionMark: 9,
      },
    });
    expect(report.differing).toEqual([]);
  });

  it("plays both sides of a connection, on any interface", { timeout: 60_000 }, async () => {
    const dump = `*filter
:FORWARD DROP [0:0]
-A FORWARD -i eth2 -m state --state NEW -j ACCEPT
-A FORWARD -m state --state ESTABLISHED -j ACCEPT
COMMIT
`;
    const inner = "198.51.100.10";
    const outer = "203.0.113.7";
    const request = { sourcePort: 50_000, sequence: 1000 };
    const response = { sourcePort: 80, sequence: 9000 };
    const report = await replay({
      dumps: { ipv4: dump },
      interfaces: [defaultInterfaces[0]!, { name: "eth2", addresses: ["198.51.100.1/24"] }],
      frames: [
        { at: 0, packet: tcp(outer, inner, 80) },
        { at: 0.01, interface: "eth2", packet: tcp(inner, outer, 80, request) },
        { at: 0.02, packet: tcp(outer, inner, 50_000, { ...response, flags: ["syn", "ack"], acknowledgement: 1001 }) },
        {
          at: 0.03,
          interface: "eth2",
          packet: tcp(inner, outer, 80, { ...request, flags: ["ack"], sequence: 1001, acknowledgement: 9001 }),
        },
        { at: 0.04, packet: tcp(outer, inner, 50_001, { ...response, flags: ["syn", "ack"], acknowledgement: 1001 }) },
      ],
    });
    expect(report.outcomes.map(({ iptables }) => `${iptables.verdict} ${iptables.sighting?.connectionState ?? "-"}`)).toEqual([
      "dropped -",
      "forwarded 8",
      "forwarded 2",
      "forwarded 2",
      "dropped -",
    ]);
  });

  it("knows IPv6", { timeout: 60_000 }, async () => {
    const dump = `*filter
-A INPUT -p tcp -m tcp --dport 1 -j DROP
-A INPUT -p tcp -m tcp --dport 2 -j REJECT --reject-with tcp-reset
-A INPUT -p udp -m udp --dport 4 -j REJECT --reject-with icmp6-adm-prohibited
-A FORWARD -p tcp -m tcp --dport 5 -j DROP
COMMIT
`;
    const cases: readonly (readonly [Packet, string])[] = [
      [tcp(client6, host6, 1), "dropped"],
      [tcp(client6, host6, 2), "rejected: tcp reset"],
      [udp(client6, host6, 4), "rejected: icmp 1/1"],
      [udp(client6, host6, 9), "accepted: icmp 1/4"],
      [tcp(client6, lan6, 5), "dropped"],
      [tcp(client6, lan6, 6, { tos: 0xb8 }), "forwarded"],
      [echoRequest(client6, host6), "accepted: echo reply"],
      [udp(client6, lan6, 6, { payload: new Uint8Array(300), fragmentSize: 104 }), "forwarded"],
    ];
    const report = await replay({ dumps: { ipv6: dump }, frames: spaced(...cases.map(([packet]) => packet)) });
    expect(report.outcomes.map(({ iptables }) => summary(iptables))).toEqual(cases.map(([, expected]) => expected));
    expect(report.outcomes[5]?.nft.sighting?.tos).toBe(0xb8);
    expect(report.differing).toEqual([]);
  });

  it("sends packets of the firewall's own, to others and to itself, and sees how they are refused", { timeout: 60_000 }, async () => {
    const dump = `*filter
-A OUTPUT -p udp -m udp --dport 1 -j DROP
-A OUTPUT -p udp -m udp --dport 2 -j REJECT
-A OUTPUT -p tcp -m tcp --dport 3 -j REJECT --reject-with tcp-reset
-A OUTPUT -p tcp -m tcp --dport 4 -j DROP
-A INPUT -i lo -p udp -m udp --dport 6 -j DROP
COMMIT
*mangle
-A OUTPUT -p udp -m udp --dport 5 -j MARK --set-xmark 0x5/0xffffffff
COMMIT
*nat
-A POSTROUTING -o eth1 -j SNAT --to-source 198.51.100.99
COMMIT
`;
    const own = (packet: Packet): Frame => ({ at: 0, packet, own: true });
    const from = (sourcePort: number): { sourcePort: number } => ({ sourcePort });
    const frames = [
      own(udp(host, client, 1, from(30_001))),
      own(udp(host, client, 2, from(30_002))),
      own(tcp(host, client, 3, from(30_003))),
      own(tcp(host, client, 4, from(30_004))),
      own(udp(host, client, 5, { ...from(30_005), ttl: 9 })),
      own(udp("127.0.0.1", "127.0.0.1", 6, from(30_006))),
      own(udp("127.0.0.1", "127.0.0.1", 7, from(30_007))),
      own(tcp("198.51.100.1", lan, 8, from(30_008))),
    ].map((frame, index) => ({ ...frame, at: index * 0.005 }));
    // An answer from outside belongs to a connection that the firewall has opened.
    frames.push({ at: 0.1, packet: udp(client, host, 30_005, { sourcePort: 5 }) } as (typeof frames)[number]);
    const report = await replay({ dumps: { ipv4: dump }, frames });
    expect(report.outcomes.map(({ iptables }) => summary(iptables))).toEqual([
      "dropped",
      "rejected: icmp 3/3",
      "rejected: tcp reset",
      "dropped",
      "sent",
      "dropped",
      "accepted: icmp 3/3",
      "sent",
      "accepted",
    ]);
    expect(report.outcomes[4]?.iptables.sighting).toMatchObject({ mark: 5, ttl: 9, connectionState: 8, destinationPort: 5 });
    expect(report.outcomes[7]?.iptables.sighting).toMatchObject({ source: "198.51.100.99" });
    expect(report.outcomes[8]?.iptables.sighting).toMatchObject({ connectionState: 2 });
    expect(describeDifferences(report)).toBe("0 of 9 packets differ");
  });

  it("sees a script that lets one packet too many through", { timeout: 60_000 }, async () => {
    const dump = `*filter
-A INPUT -p udp -m udp --dport 53 -m recent --set --name DNS
-A INPUT -p udp -m udp --dport 53 -m recent --update --seconds 1 --hitcount 3 --name DNS -j DROP
COMMIT
`;
    // A token bucket, as a naive translation has it: right about the first packets, wrong about a steady sender.
    const script = `table ip subject {
  set dns { type ipv4_addr; flags dynamic; timeout 5s; }
  chain input { type filter hook input priority 0; udp dport 53 update @dns { ip saddr limit rate over 3/second burst 2 packets } drop; }
}
`;
    const frames = Array.from({ length: 20 }, (_, index) => ({ at: index * 0.15, packet: udp(client, host, 53) }));
    const report = await replay({ dumps: { ipv4: dump }, script, frames });
    expect(report.outcomes.filter(({ iptables }) => iptables.verdict === "dropped")).toHaveLength(18);
    expect(report.differing.length).toBeGreaterThan(3);
    expect(report.differing.every(({ iptables, nft }) => iptables.verdict === "dropped" && nft.verdict === "accepted")).toBe(true);
  });

  it("sends a packet of the firewall's own behind what comes before it, however late that is on its way", { timeout: 60_000 }, async () => {
    const directory = mkdtempSync(join(tmpdir(), "slow-player-"));
    const path = process.env["PATH"] ?? "";
    const player = spawnSync("sh", ["-c", "command -v tcpreplay"], { encoding: "utf8" }).stdout.trim();
    writeFileSync(join(directory, "tcpreplay"), `#!/bin/sh\nsleep 0.4\nexec ${player} "$@"\n`, { mode: 0o755 });
    process.env["PATH"] = `${directory}:${path}`;
    try {
      const port = { sourcePort: 30_010 };
      const report = await replay({
        dumps: { ipv4: "*filter\n-A INPUT -m conntrack --ctstate NEW -j ACCEPT\nCOMMIT\n" },
        frames: [
          { at: 0, packet: udp(client, host, port.sourcePort, { sourcePort: 9 }) },
          { at: 0.01, packet: udp(host, client, 9, port), own: true },
        ],
      });
      // Nobody listened yet when it came, and no connection was known; what is sent belongs to the connection.
      expect(report.outcomes.map(({ iptables }) => summary(iptables))).toEqual(["accepted: icmp 3/3", "sent"]);
      expect(report.outcomes.map(({ iptables }) => iptables.sighting?.connectionState)).toEqual([8, 2]);
    } finally {
      process.env["PATH"] = path;
      rmSync(directory, { recursive: true });
    }
  });

  it("says why a ruleset did not load", { timeout: 60_000 }, async () => {
    await expect(replay({ dumps: { ipv4: "*filter\n-A INPUT -j NOWHERE\nCOMMIT\n" }, frames: [] })).rejects.toThrow("iptables-restore");
    await expect(replay({ dumps: {}, script: "table ip x { chain y { jmp z; } }", frames: [] })).rejects.toThrow("syntax error");
  });

  it("loads its observer where nft may not enlarge its buffer, however many packets are the firewall's own", { timeout: 30_000 }, () => {
    const ports = Array.from({ length: 2000 }, (_, index) => 20_000 + index);
    const script = observerScript(["eth0", "eth1"], true, ports);
    const { status, stderr } = spawnSync("unshare", ["--user", "--map-root-user", "--net", "nft", "-f", "-"], {
      input: script,
      encoding: "utf8",
      env: closedEnvironment(),
    });
    expect([stderr, status]).toEqual(["", 0]);
  });
});
