/**
 * What a script takes of the kernel's memory: loaded and empty, and for each host on a list.
 *
 * The kernel does not tell what a ruleset takes. So the memory that it says it uses itself (slab that cannot be reclaimed, vmalloc,
 * per-processor) is read before and after; it is that of the whole machine, so the middle of several turns counts. The tables of large
 * sets are pages of their own, which count as slab.
 */

import { existsSync, readdirSync, readFileSync } from "node:fs";

import { translate, type Source, type TranslateOptions, type Translation } from "../../src/translate.js";
import type { Family } from "../../src/iptables/ast.js";
import { recentUsesOf } from "../../src/extensions/matches/recent.js";
import { runInNamespace, withFiles } from "../../src/verify/namespace.js";
import { joined, serialize, udp } from "../../src/verify/packet.js";
import { ethernetFrame, fileHeader, recordOf } from "../../src/verify/pcap.js";
import { kubeProxy, kubeServicesWithAffinity } from "../generators/kube-proxy.js";

interface Subject {
  readonly name: string;
  readonly script: string;
  readonly lists: number;
  readonly sets: number;
}

interface Load {
  /** Middle of the turns. */
  readonly kilobytes: number;
  /** Longest of the turns. */
  readonly seconds: number;
}

const turns = 5;

const used = `used() { awk '/^(SUnreclaim|VmallocUsed|Percpu):/ { sum += $2 } END { print sum }' /proc/meminfo; }
settle() { sleep 0.3; }
`;

function subjectOf(name: string, { script, nft, iptables }: Pick<Translation, "script" | "nft" | "iptables">): Subject {
  if (script === undefined || nft === undefined) throw new Error(`${name} is no ruleset`);
  const lists = new Set(
    iptables.flatMap(({ family, tables }) =>
      tables.flatMap(({ chains }) =>
        chains.flatMap(({ rules }) => rules.flatMap((rule) => recentUsesOf(rule, family).map(({ list }) => `${family} ${list}`))),
      ),
    ),
  );
  return { name, script, lists: lists.size, sets: nft.tables.reduce((sum, { sets }) => sum + sets.length, 0) };
}

function machines(): Subject[] {
  const folder = "corpus/machine";
  return readdirSync(folder).map((name) => {
    const read = (file: string): Source[] => {
      const path = `${folder}/${name}/${file}`;
      return existsSync(path) ? [{ file, text: readFileSync(path, "utf8") }] : [];
    };
    const [options] = read("options.json").map(({ text }) => JSON.parse(text) as TranslateOptions);
    return subjectOf(name, translate([...read("rules.v4"), ...read("rules.v6")], { ...options, ipsets: read("sets.ipset") }));
  });
}

/** Loads each script into a namespace of its own, `turns` times. */
async function loads(subjects: readonly Subject[]): Promise<Load[]> {
  const files = Object.fromEntries(subjects.map(({ script }, index) => [`${index}.nft`, script]));
  return withFiles(files, async (directory) => {
    const script = `set -e
${used}
for turn in {1..${turns}}; do
  for i in {0..${subjects.length - 1}}; do
    ip netns add n
    # The first rule of a namespace brings what all share.
    ip netns exec n nft 'table ip own { chain c { type filter hook input priority 0; ct state new; }; }'
    settle; before=$(used); start=$EPOCHREALTIME
    ip netns exec n nft -f ${directory}/$i.nft
    end=$EPOCHREALTIME; settle
    echo "load $i $(( $(used) - before )) $(( \${end/./} - \${start/./} ))"
    ip netns exec n nft flush ruleset; ip netns del n; settle
  done
done
`;
    const lines = await outputOf(script, 900);
    return subjects.map((_, index): Load => {
      const mine = lines.filter(([word, number]) => word === "load" && Number(number) === index);
      return { kilobytes: median(mine.map((line) => Number(line[2]))), seconds: Math.max(...mine.map((line) => Number(line[3]))) / 1e6 };
    });
  });
}

interface Filling {
  readonly name: string;
  readonly rules: readonly string[];
  /** Packets of each host. */
  readonly hits: number;
  readonly family?: Family;
}

const rule = "-A INPUT -p udp -m udp --dport 53 -m recent";

const fillings: readonly Filling[] = [
  { name: "one window of one hit", rules: [`${rule} --set --name l`, `${rule} --rcheck --seconds 600 --name l -j LOG`], hits: 1 },
  ...[4, 20].flatMap((hits): Filling[] => {
    const rules = [`${rule} --set --name l`, `${rule} --update --seconds 600 --hitcount ${hits} --name l -j LOG`];
    return [1, 2 * hits].map((each) => ({
      name: `set, update, ${hits} hits: hosts that came ${each === 1 ? "once" : `${each} times`}`,
      rules,
      hits: each,
    }));
  }),
  ...[1, 8].map(
    (hits): Filling => ({
      name: `set, update, 4 hits, IPv6: hosts that came ${hits === 1 ? "once" : `${hits} times`}`,
      rules: [`${rule} --set --name l`, `${rule} --update --seconds 600 --hitcount 4 --name l -j LOG`],
      hits,
      family: "ipv6",
    }),
  ),
  {
    name: "update with --rttl, set, 4 hits: hosts that came 8 times",
    rules: [`${rule} --update --seconds 600 --hitcount 4 --rttl --name l -j LOG`, `${rule} --set --name l`],
    hits: 8,
  },
  {
    name: "set, update in two windows, 4 and 10 hits: hosts that came 20 times",
    rules: [
      `${rule} --set --name l`,
      `${rule} --update --seconds 600 --hitcount 4 --name l -j LOG`,
      `${rule} --update --seconds 3600 --hitcount 10 --name l -j LOG`,
    ],
    hits: 20,
  },
];

const most = 65_535;
const [receiver, sender] = ["02:00:00:00:00:01", "02:00:00:00:00:02"];
const addresses: Readonly<Record<Family, string>> = { ipv4: "192.0.2.1", ipv6: "2001:db8::1" };

/** One packet of each host; so many hosts no documentation network of IPv4 has. */
function capture(family: Family): Uint8Array {
  const records = Array.from({ length: most }, (_, index) => {
    const number = index + 1;
    const source = family === "ipv4" ? `10.${number >> 16}.${(number >> 8) & 255}.${number & 255}` : `2001:db8:2::${number.toString(16)}`;
    const [packet] = serialize(udp(source, addresses[family], 53), 1 + (index % 65_535));
    return recordOf({ at: 0, bytes: ethernetFrame(receiver, sender, packet!) });
  });
  return joined([fileHeader, ...records]);
}

/** Kilobytes that a full list takes beyond an empty one. */
async function fills(): Promise<number[]> {
  const scripts = fillings.map(({ rules, family = "ipv4" }) => {
    const dump = ["*filter", ":INPUT ACCEPT [0:0]", ":FORWARD ACCEPT [0:0]", ":OUTPUT ACCEPT [0:0]", ...rules, "COMMIT", ""].join("\n");
    // What LOG would write is nobody's concern.
    return translate(dump, { family, counters: false }).script!.replaceAll(/\blog\b[^\n]*/g, "continue");
  });
  const files = {
    "capture.ipv4": capture("ipv4"),
    "capture.ipv6": capture("ipv6"),
    ...Object.fromEntries(scripts.map((script, index) => [`${index}.nft`, script])),
  };
  return withFiles(files, async (directory) => {
    const script = `set -e
${used}
hits=(${fillings.map(({ hits }) => hits).join(" ")})
families=(${fillings.map(({ family = "ipv4" }) => family).join(" ")})
for turn in {1..3}; do
  for i in {0..${fillings.length - 1}}; do
    ip netns add n
    ip link add s0 address ${sender} type veth peer name r0 address ${receiver} netns n
    ip netns exec n sysctl -qw net.ipv4.conf.all.rp_filter=0 net.ipv4.conf.r0.rp_filter=0 net.ipv6.conf.r0.accept_dad=0
    ip netns exec n ip link set r0 up
    ip netns exec n ip address add ${addresses.ipv4}/24 dev r0; ip netns exec n ip route add default dev r0
    ip netns exec n ip address add ${addresses.ipv6}/64 dev r0 nodad; ip netns exec n ip -6 route add default dev r0
    sysctl -qw net.ipv6.conf.s0.disable_ipv6=1; ip link set s0 up
    ip netns exec n nft -f ${directory}/$i.nft
    ip netns exec n nft 'table inet sink { chain input { type filter hook input priority 300; policy drop; }; }'
    settle; before=$(used)
    tcpreplay --intf1=s0 --topspeed --preload-pcap --quiet --loop=\${hits[$i]} ${directory}/capture.\${families[$i]} >${directory}/out 2>&1
    settle
    echo "fill $i $(( $(used) - before ))"
    ip link del s0; ip netns del n; sleep 1
  done
done
`;
    const lines = await outputOf(script, 900);
    return fillings.map((_, index) =>
      median(lines.filter(([word, number]) => word === "fill" && Number(number) === index).map((line) => Number(line[2]))),
    );
  });
}

async function outputOf(script: string, deadline: number): Promise<string[][]> {
  return withFiles({ script }, async (directory) => {
    const { status, stdout, stderr } = await runInNamespace(`${directory}/script`, deadline);
    if (status !== 0) throw new Error(stderr);
    return stdout.split("\n").map((line) => line.split(" "));
  });
}

function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? NaN;
}

/** Tables as Markdown: each machine of the corpus and 1,500 services of kube-proxy, loaded and empty; and full lists. */
export async function measureMemory(): Promise<string> {
  const services = translate(kubeProxy(kubeServicesWithAffinity(1_500)), { family: "ipv4" });
  const subjects = [...machines(), subjectOf("1,500 services of kube-proxy with affinity", services)];
  const loaded = await loads(subjects);
  const full = await fills();
  return [
    "| script, loaded and empty | lists | sets | kB | s |",
    "|---|---|---|---|---|",
    ...subjects.map(
      ({ name, lists, sets }, index) =>
        `| ${name} | ${lists} | ${sets} | ${loaded[index]!.kilobytes} | ${loaded[index]!.seconds.toFixed(2)} |`,
    ),
    "",
    `| list of ${most} hosts | kB | bytes a host |`,
    "|---|---|---|",
    ...fillings.map(({ name }, index) => `| ${name} | ${full[index]!} | ${Math.round((full[index]! * 1024) / most)} |`),
    "",
  ].join("\n");
}
