/**
 * Lists that are full, and lists that forget, on the kernel. A longer flood, as a campaign:
 * `FULL_SETS_HOSTS=100000 npx vitest run --project kernel test/kernel/full-sets`.
 */

import { beforeAll, expect, it } from "vitest";

import { translate, type TranslateOptions } from "../../src/index.js";
import type { Frame } from "../../src/verify/frame.js";
import { describeDifferences, type Report } from "../../src/verify/fate.js";
import { replayAll, ReplayError } from "../../src/verify/lab.js";
import { runInNamespace, withFiles } from "../../src/verify/namespace.js";
import { joined, serialize, udp } from "../../src/verify/packet.js";
import { ethernetFrame, fileHeader, recordOf } from "../../src/verify/pcap.js";
import { describeOnKernel } from "./requirements.js";

const hosts = Number(process.env["FULL_SETS_HOSTS"] ?? 70_000);

function dumpOf(rules: readonly string[]): string {
  return `*filter\n:INPUT DROP [0:0]\n:FORWARD ACCEPT [0:0]\n:OUTPUT DROP [0:0]\n${rules.map((rule) => `-A INPUT -p udp -m udp ${rule}\n`).join("")}COMMIT\n`;
}

function scriptOf(rules: readonly string[], options: TranslateOptions): string {
  return translate(dumpOf(rules), { family: "ipv4", ...options }).script!;
}

const visit = (at: number, source: string, destinationPort: number): Frame => ({
  at,
  packet: {
    source,
    destination: "192.0.2.1",
    transport: { kind: "udp", sourcePort: 1000 + (Math.round(at * 1000) % 60_000), destinationPort },
  },
});

/** More than the sets hold, and fewer than xt_recent keeps; their windows are over when the host comes. */
const strangers = Array.from({ length: 40 }, (_, index) => visit(index * 0.005, `198.51.100.${index + 1}`, 1));
const setSize = 10;
const host = "192.0.2.77";

interface Played {
  readonly name: string;
  readonly rules: readonly string[];
  readonly frames: readonly Frame[];
  readonly options: TranslateOptions;
}

const knocks = (...visits: readonly (readonly [at: number, port: number])[]): Frame[] => [
  ...strangers,
  ...visits.map(([at, port]) => visit(4 + at, host, port)),
];

const knowing: readonly Played[] = [
  {
    name: "a knock that is taken back when it is used",
    rules: [
      "--dport 1 -m recent --set --name K -j DROP",
      "--dport 22 -m recent --rcheck --seconds 2 --name K -m recent --remove --name K -j ACCEPT",
    ],
    frames: knocks([0, 1], [0.3, 22], [0.6, 22]),
    options: { setSize },
  },
  {
    name: "a removal that asks by itself",
    rules: [
      "--dport 1 -m recent --set --name K -j DROP",
      "--dport 22 -m recent --rcheck --seconds 2 --name K -j ACCEPT",
      "--dport 23 -m recent --remove --name K -j ACCEPT",
    ],
    frames: knocks([0, 1], [0.3, 22], [0.6, 23], [0.9, 22]),
    options: { setSize },
  },
  {
    name: "a throttle by an inverted update",
    rules: ["--dport 1 -m recent --set --name T -j DROP", "--dport 22 -m recent ! --update --seconds 2 --hitcount 4 --name T -j ACCEPT"],
    frames: knocks([0, 1], [0.2, 22], [0.4, 22], [0.6, 22], [0.8, 22], [1, 22]),
    options: { setSize },
  },
];

const forgetting: Played = {
  name: "a trap that forgets",
  rules: ["--dport 22 -m recent --update --name bl -j DROP", "--dport 1 -m recent --set --name bl -j DROP", "--dport 22 -j ACCEPT"],
  frames: [0, 1.5, 3, 5.5].map((at) => visit(at, host, at === 0 ? 1 : 22)),
  options: { forgetAfter: 2 },
};

function playAll(all: readonly Played[]): Promise<(Report | ReplayError)[]> {
  return replayAll(all.map(({ rules, frames, options }) => ({ dumps: { ipv4: dumpOf(rules) }, script: scriptOf(rules, options), frames })));
}

describeOnKernel("full sets", () => {
  let reports: (Report | ReplayError)[] = [];

  beforeAll(async () => {
    reports = await playAll([...knowing, forgetting]);
    // A busy machine may lose a frame; what differs twice was not lost.
    const doubtful = knowing.flatMap((_, index) => {
      const report = reports[index]!;
      return report instanceof ReplayError || report.differing.length > 0 ? [index] : [];
    });
    (await playAll(doubtful.map((index) => knowing[index]!))).forEach((report, position) => (reports[doubtful[position]!] = report));
  }, 60_000);

  it.each(knowing.map(({ name }, index) => ({ name, index })))("know a host as long as its window: $name", ({ index }) => {
    const report = reports[index]!;
    if (report instanceof ReplayError) throw report;
    expect(report.differing, describeDifferences(report)).toEqual([]);
    expect(report.outcomes.some(({ iptables }) => iptables.verdict === "accepted")).toBe(true);
  });

  it("forget a host after so long without a hit, and not before", () => {
    const report = reports[knowing.length]!;
    if (report instanceof ReplayError) throw report;
    expect(report.outcomes.map(({ nft }) => nft.verdict)).toEqual(["dropped", "dropped", "dropped", "accepted"]);
  });

  it("are of the size that a rule gives them where the script gives none, and of no other", async () => {
    const throttle = ["--dport 53 -m recent --set --name t", "--dport 53 -m recent --update --seconds 600 --hitcount 4 --name t -j DROP"];
    const flooded = await flood(scriptOf(throttle, { setSize: 65535 }), hosts);
    expect(flooded.largest).toBe(65535);
    expect(flooded.elements.get("t_few_0")).toBe(65535);
    const small = await flood(scriptOf(throttle, { setSize: 100 }), 500);
    expect(small.elements.get("t_few_0")).toBe(100);
    expect(small.largest).toBe(100);
  }, 120_000);

  it("stop those on the list whatever else comes, and let strangers pass", async () => {
    const trap = ["--dport 53 -m recent --name bl --rcheck -j DROP", "--dport 53 -m recent --name bl --set"];
    const { script, diagnostics } = translate(dumpOf(trap), { family: "ipv4", setSize: 100 });
    expect(diagnostics.map(({ code }) => code)).toContain("recent-list-full");
    // Each host comes three times: those that found room are dropped from then on, which the counter of the first rule tells.
    const { listing } = await flood(script!, 500, 3);
    expect(listing).toContain("ip saddr @bl_seen counter packets 200 ");
  }, 60_000);
});

interface Flooded {
  readonly largest: number;
  /** Elements of each set. */
  readonly elements: ReadonlyMap<string, number>;
  readonly listing: string;
}

/** Sends one packet of each of so many hosts, `times` over, at full speed. */
async function flood(script: string, count: number, times = 1): Promise<Flooded> {
  const [receiver, sender, address] = ["02:00:00:00:00:01", "02:00:00:00:00:02", "192.0.2.1"];
  const records = Array.from({ length: count }, (_, index) => {
    const number = index + 1;
    const [packet] = serialize(udp(`10.${number >> 16}.${(number >> 8) & 255}.${number & 255}`, address, 53), 1 + (index % 65_535));
    return recordOf({ at: 0, bytes: ethernetFrame(receiver, sender, packet!) });
  });
  return withFiles({ capture: joined([fileHeader, ...records]), "script.nft": script }, async (directory) => {
    const shell = `set -e
ip netns add n
ip link add s0 address ${sender} type veth peer name r0 address ${receiver} netns n
ip netns exec n sysctl -qw net.ipv4.conf.all.rp_filter=0 net.ipv4.conf.r0.rp_filter=0 net.ipv6.conf.all.disable_ipv6=1
ip netns exec n ip address add ${address}/24 dev r0; ip netns exec n ip link set r0 up; ip netns exec n ip route add default dev r0
sysctl -qw net.ipv6.conf.s0.disable_ipv6=1; ip link set s0 up
ip netns exec n nft -f ${directory}/script.nft
tcpreplay --intf1=s0 --topspeed --preload-pcap --quiet --loop=${times} ${directory}/capture >/dev/null 2>&1
sleep 0.3
ip netns exec n nft -nn list ruleset
`;
    return withFiles({ shell }, async (own) => {
      const { status, stdout, stderr } = await runInNamespace(`${own}/shell`, 100);
      if (status !== 0) throw new Error(stderr);
      const elements = new Map(
        [...stdout.matchAll(/\n\tset (\S+) \{([^]*?)\n\t\}/g)].map(([, name, body]) => [
          name!,
          (body!.match(/ \d+\.\d+\.\d+\.\d+/g) ?? []).length,
        ]),
      );
      return { largest: Math.max(...elements.values()), elements, listing: stdout };
    });
  });
}
