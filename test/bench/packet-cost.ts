/**
 * What a packet costs in processor time under iptables and under our script, above a namespace without rules.
 *
 * Packets go through a veth pair with tcpreplay: the far end receives them in the sender's own system call, so the sender's
 * processor time holds all that the rules cost, whatever else the machine does meanwhile.
 */

import { translate, type Family, type TranslateOptions } from "../../src/index.js";
import { families } from "../../src/iptables/family.js";
import { runInNamespace, withFiles } from "../../src/verify/namespace.js";
import { joined, serialize, udp } from "../../src/verify/packet.js";
import { ethernetFrame, fileHeader, recordOf } from "../../src/verify/pcap.js";
import { shapes, type Form, type Shape } from "./shapes.js";

export interface Traffic {
  readonly name: string;
  /** Hosts that send, each once in a capture. */
  readonly hosts: number;
  /** How often the capture is sent in one turn. */
  readonly loops: number;
  /** The same packets go before each measured turn, because a flood is cheap only once it is known for one. */
  readonly preceded?: boolean;
  /** Seconds from the beginning of a turn to that of the next, for the effect of windows; 0 does not wait. */
  readonly period: number;
  /** Length of the window in seconds. */
  readonly window: (shape: Shape) => number;
  /** Turns measured, and turns before them that are not. */
  readonly turns: number;
  readonly warmUp: number;
  /** Every turn finds empty lists. */
  readonly fresh?: boolean;
  /** Shapes set up at once: so many that their turns fit into the period. */
  readonly together: number;
  readonly measures?: (shape: Shape) => boolean;
}

export const traffics: readonly Traffic[] = [
  { name: "1 host", hosts: 1, loops: 60_000, preceded: true, period: 0, window: () => 60, turns: 9, warmUp: 1, together: shapes.length },
  { name: "64 hosts", hosts: 64, loops: 1_000, preceded: true, period: 0, window: () => 60, turns: 9, warmUp: 1, together: shapes.length },
  // Two hits in a window at most, so a count of two needs a shorter one.
  { name: "slow", hosts: 20_000, loops: 1, period: 2.5, window: ({ hits }) => (hits > 2 ? 4 : 2), turns: 9, warmUp: 3, together: 2 },
  {
    name: "blocked",
    hosts: 20_000,
    loops: 1,
    period: 2.5,
    window: () => 20,
    turns: 7,
    warmUp: 6,
    together: 2,
    measures: ({ hits }) => hits <= 4,
  },
  { name: "spoofed", hosts: 200_000, loops: 1, period: 0, window: () => 60, turns: 5, warmUp: 0, together: 4, fresh: true },
];

export interface Cost {
  readonly traffic: string;
  readonly shape: string;
  readonly form: string;
  /** Microseconds of processor time per packet, from the lower quartiles of the turns, and half the distance between the quartiles. */
  readonly microseconds: number;
  readonly spread: number;
}

interface Subject {
  readonly name: string;
  readonly load: string;
  readonly files: Readonly<Record<string, string>>;
}

const receiver = "02:00:00:00:00:01";
const sender = "02:00:00:00:00:02";

interface Net {
  /** Of the interface that receives, and of a host by its number. */
  readonly address: string;
  readonly prefix: number;
  source(number: number): string;
  readonly table: string;
  readonly iptables: string;
}

/** So many hosts no documentation network of IPv4 has. */
const nets: Readonly<Record<Family, Net>> = {
  ipv4: {
    address: "192.0.2.1",
    prefix: 24,
    source: (number) => `10.${number >> 16}.${(number >> 8) & 255}.${number & 255}`,
    table: "ip",
    iptables: "iptables-legacy",
  },
  ipv6: {
    address: "2001:db8::1",
    prefix: 64,
    source: (number) => `2001:db8:2::${(number >> 16).toString(16)}:${(number & 0xffff).toString(16)}`,
    table: "ip6",
    iptables: "ip6tables-legacy",
  },
};

/** Behind every hook's chain at the usual priority. */
const sink = "table inet sink { chain input { type filter hook input priority 300; policy drop; }; }\n";

/** One packet of each host. */
function capture(hosts: number, family: Family): Uint8Array {
  const { address, source } = nets[family];
  const records = Array.from({ length: hosts }, (_, index) => {
    const [packet] = serialize(udp(source(index + 1), address, 53), 1 + (index % 65_535));
    return recordOf({ at: 0, bytes: ethernetFrame(receiver, sender, packet!) });
  });
  return joined([fileHeader, ...records]);
}

function subjectsOf(shape: Shape, seconds: number): Subject[] {
  const dump = shape.dump(seconds);
  const { family } = shape;
  const iptables: Subject = { name: "iptables", load: `${nets[family].iptables}-restore <`, files: { dump } };
  return [
    iptables,
    ...shape.forms.map((form): Subject => {
      const options: TranslateOptions = { ...optionsOf(form), family };
      const { script, diagnostics } = translate(dump, options);
      if (script === undefined) throw new Error(diagnostics.map(({ message }) => message).join("\n"));
      return { name: form, load: "nft -f", files: { script } };
    }),
  ];
}

export function optionsOf(form: Form): TranslateOptions {
  switch (form) {
    case "plain":
      return {};
    case "optimised":
      return { optimize: true };
    case "optimised, no counters":
      return { optimize: true, counters: false };
    default:
      return { recent: form };
  }
}

/** The script for one set of namespaces; it prints a line of subject and seconds of processor time for each turn. */
function bashScript(traffic: Traffic, family: Family, subjects: readonly Subject[], directory: string): string {
  const { address, prefix, table, iptables } = nets[family];
  const { loops, period, turns, warmUp, fresh = false, preceded = false } = traffic;
  const send = `tcpreplay --intf1=s$i --topspeed --preload-pcap --quiet --loop=${loops} ${directory}/capture >${directory}/out-$i 2>&1`;
  const loads = subjects.map((subject, index) => {
    const file = Object.keys(subject.files)[0];
    return file === undefined ? "" : `load_${index}() { ip netns exec n${index} ${subject.load} ${directory}/${index}-${file}; }`;
  });
  return `
set -e
TIMEFORMAT='%3U %3S'
${loads.join("\n")}
for i in {0..${subjects.length - 1}}; do
  ip netns add n$i
  ip link add s$i address ${sender} type veth peer name r0 address ${receiver} netns n$i
  ip netns exec n$i sysctl -qw net.ipv4.conf.all.rp_filter=0 net.ipv4.conf.default.rp_filter=0 net.ipv4.conf.r0.rp_filter=0 net.ipv6.conf.r0.accept_dad=0 net.ipv6.conf.all.disable_ipv6=${family === "ipv4" ? 1 : 0}
  ip netns exec n$i ip link set r0 up
  ip netns exec n$i ip address add ${address}/${prefix} dev r0
  ip netns exec n$i ip ${family === "ipv4" ? "" : "-6"} route add default dev r0
  sysctl -qw net.ipv6.conf.s$i.disable_ipv6=1
  ip link set s$i up
  ip netns exec n$i nft -f ${directory}/sink
done
${fresh ? "" : subjects.map((_, index) => (loads[index] === "" ? "" : `load_${index}`)).join("\n")}
for turn in {1..${warmUp + turns}}; do
  start=$EPOCHREALTIME
  for i in {0..${subjects.length - 1}}; do
    ${fresh ? `if declare -F load_$i >/dev/null; then ip netns exec n$i nft delete table ${table} ipt2nft 2>/dev/null || true; ip netns exec n$i ${iptables} -F; load_$i; sleep 0.1; fi` : ""}
    ${preceded ? send : ""}
    took=$( { time ${send}; } 2>&1 )
    if ((turn > ${warmUp})); then echo "cost $i $took"; fi
  done
  wait=$(( (${Math.round(period * 1e6)} - (\${EPOCHREALTIME/./} - \${start/./})) ))
  if ((wait > 0)); then sleep $((wait / 1000000)).$(printf %06d $((wait % 1000000))); elif ((${period > 0 ? 1 : 0})); then echo "late $wait"; fi
done
`;
}

export function median(values: readonly number[], share = 0.5): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? NaN;
}

/** Measures the shapes under one kind of traffic, some at a time, with an empty namespace in every turn. */
export async function measurePackets(traffic: Traffic, chosen: readonly Shape[]): Promise<Cost[]> {
  const measured = chosen.filter((shape) => traffic.measures?.(shape) ?? true);
  const costs: Cost[] = [];
  for (const family of families) {
    const some = measured.filter((shape) => shape.family === family);
    if (some.length > 0) costs.push(...(await measureFamily(traffic, family, some)));
  }
  return costs;
}

async function measureFamily(traffic: Traffic, family: Family, measured: readonly Shape[]): Promise<Cost[]> {
  const content = capture(traffic.hosts, family);
  const costs: Cost[] = [];
  for (let start = 0; start < measured.length; start += traffic.together) {
    const group = measured.slice(start, start + traffic.together);
    const labelled = group.flatMap((shape) => subjectsOf(shape, traffic.window(shape)).map((subject) => ({ shape, subject })));
    const subjects: Subject[] = [{ name: "empty", load: "", files: {} }, ...labelled.map(({ subject }) => subject)];
    const files = Object.fromEntries(
      subjects.flatMap(({ files }, index) => Object.entries(files).map(([name, text]) => [`${index}-${name}`, text])),
    );
    const seconds = await withFiles({ capture: content, sink, ...files }, async (directory) => {
      return withFiles({ script: bashScript(traffic, family, subjects, directory) }, async (scriptDirectory) => {
        const result = await runInNamespace(`${scriptDirectory}/script`, 900);
        if (result.status !== 0) throw new Error(result.stderr);
        const late = result.stdout.split("\n").filter((line) => line.startsWith("late")).length;
        if (late > 0) process.stderr.write(`${traffic.name}: ${late} turns were longer than their period\n`);
        return readTimes(result.stdout, subjects.length);
      });
    });
    const packets = traffic.hosts * traffic.loops;
    labelled.forEach(({ shape, subject }, index) => {
      const above = seconds[index + 1]!.map((time, turn) => ((time - seconds[0]![turn]!) / packets) * 1e6);
      costs.push({
        traffic: traffic.name,
        shape: shape.name,
        form: subject.name,
        // What else the machine does makes a turn longer, never shorter.
        microseconds: ((median(seconds[index + 1]!, 0.25) - median(seconds[0]!, 0.25)) / packets) * 1e6,
        spread: (median(above, 0.75) - median(above, 0.25)) / 2,
      });
    });
  }
  return costs;
}

function readTimes(output: string, subjects: number): number[][] {
  const times = Array.from({ length: subjects }, (): number[] => []);
  for (const [, subject, user, system] of output.matchAll(/^cost (\d+) ([\d.]+) ([\d.]+)$/gm))
    times[Number(subject)]!.push(Number(user) + Number(system));
  return times;
}

/** A row per shape and form: the costs and, in brackets, their ratios to those of iptables. */
export function packetTable(costs: readonly Cost[]): string {
  const kinds = [...new Set(costs.map(({ traffic }) => traffic))];
  const rows = new Map<string, string[]>();
  for (const cost of costs) {
    const row = rows.get(`${cost.shape} | ${cost.form}`) ?? kinds.map(() => "");
    const reference = costs.find(({ traffic, shape, form }) => traffic === cost.traffic && shape === cost.shape && form === "iptables");
    const ratio = cost.form === "iptables" || !reference ? "" : ` (${(cost.microseconds / reference.microseconds).toFixed(2)})`;
    row[kinds.indexOf(cost.traffic)] = `${cost.microseconds.toFixed(2)}${ratio} ±${cost.spread.toFixed(2)}`;
    rows.set(`${cost.shape} | ${cost.form}`, row);
  }
  return [
    `| rules | form | ${kinds.join(" | ")} |`,
    `|---|---|${kinds.map(() => "---|").join("")}`,
    ...[...rows].map(([name, cells]) => `| ${name} | ${cells.join(" | ")} |`),
    "",
  ].join("\n");
}
