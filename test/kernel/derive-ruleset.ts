/** Rulesets at random: dumps that iptables-restore loads, over the matches and targets that the registry translates. */

import type { Family } from "../../src/iptables/ast.js";
import { shuffled } from "../../src/random.js";
import type { Random } from "../../src/random.js";

/** Part of a rule, and the protocol without which iptables refuses it. */
interface Part {
  readonly text: string;
  readonly protocol?: string;
}

interface Place {
  readonly table: string;
  readonly hook: string;
  readonly family: Family;
}

class Generator {
  constructor(
    readonly random: Random,
    readonly family: Family,
  ) {}

  chance(probability: number): boolean {
    return this.random() < probability;
  }
  number(from: number, to: number): number {
    return from + Math.floor(this.random() * (to - from + 1));
  }
  pick<Value>(values: readonly Value[]): Value {
    return values[Math.floor(this.random() * values.length)]!;
  }
  not(probability = 0.3): string {
    return this.chance(probability) ? "! " : "";
  }
  some<Value>(values: readonly Value[], from: number, to: number): Value[] {
    return shuffled(values, this.random).slice(0, this.number(from, to));
  }
  port(): number {
    return this.chance(0.7) ? this.pick(ports) : this.number(0, 65_535);
  }
  portRange(): string {
    if (this.chance(0.6)) return String(this.port());
    const [from, to] = [this.port(), this.port()].sort((a, b) => a - b) as [number, number];
    return this.pick([`${from}:${to}`, `${from}:`, `:${to}`]);
  }
  hex(bits: number): string {
    return `0x${this.number(0, 2 ** bits - 1).toString(16)}`;
  }
  valueMask(bits: number): string {
    const mask = this.pick([2 ** bits - 1, 0xff, 0xf0, 0x3, 1, this.number(0, 2 ** bits - 1)]) % 2 ** bits;
    return this.chance(0.4) ? this.hex(4) : `0x${(this.number(0, 2 ** bits - 1) & mask).toString(16)}/0x${mask.toString(16)}`;
  }
  address(local: boolean): string {
    const ipv6 = this.family === "ipv6";
    const host = local
      ? this.pick(ipv6 ? localAddresses.ipv6 : localAddresses.ipv4)
      : this.pick(ipv6 ? remoteAddresses.ipv6 : remoteAddresses.ipv4);
    if (this.chance(0.4)) return host;
    if (this.chance(0.08)) return ipv6 ? `${host}/ffff:ffff:ffff::00ff` : `${host}/255.255.0.${this.pick([1, 3, 255])}`;
    return `${host}/${ipv6 ? this.pick([0, 16, 32, 48, 64, 64, 120, 126, 128]) : this.pick([0, 8, 16, 24, 24, 25, 28, 30, 31, 32])}`;
  }
  bareAddress(): string {
    return this.pick([...localAddresses[this.family], ...remoteAddresses[this.family]]);
  }
}

const ports = [1, 21, 22, 25, 53, 80, 123, 443, 1023, 1024, 3306, 6000, 8080, 32_768, 65_535];
const localAddresses: Record<Family, readonly string[]> = { ipv4: ["192.0.2.1", "198.51.100.1"], ipv6: ["2001:db8::1", "2001:db8:1::1"] };
const remoteAddresses: Record<Family, readonly string[]> = {
  ipv4: ["192.0.2.20", "192.0.2.77", "198.51.100.10", "198.51.100.200", "203.0.113.7", "203.0.113.128"],
  ipv6: ["2001:db8::20", "2001:db8::ff", "2001:db8:1::10", "2001:db8:1:0:8000::1", "2001:db8:2::7", "2001:db8:2::ffff:1"],
};
const interfaceNames = ["eth0", "eth1", "br-lan"];
const tcpFlags = ["FIN", "SYN", "RST", "PSH", "ACK", "URG"];

type MatchMaker = (random: Generator, place: Place) => Part | undefined;

const transports = ["tcp", "udp"] as const;
const icmpTypes = [
  "8",
  "0",
  "3",
  "3/1",
  "3/3",
  "11",
  "echo-request",
  "destination-unreachable",
  "host-unreachable",
  "any",
  "5",
  "13",
  "fragmentation-needed",
];
const icmp6Types = ["128", "129", "1", "1/4", "135", "echo-request", "packet-too-big", "3/0", "no-route", "neighbour-solicitation"];

const matchMakers: Readonly<Record<string, MatchMaker>> = {
  tcpPort: (g) => {
    const options = g.some(["sport", "dport"], 1, 2).map((name) => `${g.not()}--${name} ${g.portRange()}`);
    return { protocol: "tcp", text: `-m tcp ${options.join(" ")}` };
  },
  tcpFlags: (g) => {
    if (g.chance(0.3)) return { protocol: "tcp", text: `-m tcp ${g.not()}--syn` };
    const mask = g.some(tcpFlags, 1, 6);
    const set = g.chance(0.9) ? g.some(mask, 0, mask.length) : g.some(tcpFlags, 0, 3);
    return {
      protocol: "tcp",
      text: `-m tcp ${g.not()}--tcp-flags ${g.chance(0.1) ? "ALL" : mask.join(",")} ${set.length === 0 ? "NONE" : set.join(",")}`,
    };
  },
  tcpOption: (g) => ({ protocol: "tcp", text: `-m tcp ${g.not()}--tcp-option ${g.pick([2, 3, 4, 5, 8, 30, 254])}` }),
  udp: (g) => ({
    protocol: "udp",
    text: `-m udp ${g
      .some(["sport", "dport"], 1, 2)
      .map((name) => `${g.not()}--${name} ${g.portRange()}`)
      .join(" ")}`,
  }),
  multiport: (g) => {
    const list = Array.from({ length: g.number(1, 6) }, () => {
      const [from, to] = [g.port(), g.port()].sort((a, b) => a - b) as [number, number];
      return g.chance(0.3) && from < to ? `${from}:${to}` : String(from);
    });
    return {
      protocol: g.pick(["tcp", "udp", "sctp", "udplite"]),
      text: `-m multiport ${g.not()}--${g.pick(["sports", "dports", "ports"])} ${list.join(",")}`,
    };
  },
  icmp: (g) =>
    g.family === "ipv4"
      ? { protocol: "icmp", text: `-m icmp ${g.not()}--icmp-type ${g.pick(icmpTypes)}` }
      : { protocol: "ipv6-icmp", text: `-m icmp6 ${g.not()}--icmpv6-type ${g.pick(icmp6Types)}` },
  sctp: (g) => ({ protocol: "sctp", text: `-m sctp ${g.not()}--dport ${g.portRange()}` }),
  dccp: (g) => ({
    protocol: "dccp",
    text: `-m dccp ${g.chance(0.5) ? `${g.not()}--dport ${g.portRange()}` : `${g.not()}--dccp-types ${g.some(["REQUEST", "RESPONSE", "DATA", "ACK", "RESET"], 1, 3).join(",")}`}`,
  }),
  esp: (g) => ({ protocol: "esp", text: `-m esp ${g.not()}--espspi ${g.pick(["256", "256:300", "0:400", "500"])}` }),
  ah: (g) =>
    g.family === "ipv4"
      ? { protocol: "ah", text: `-m ah ${g.not()}--ahspi ${g.pick(["256", "256:300", "0:400", "500"])}` }
      : { text: `-m ah ${g.not()}--ahspi ${g.pick(["256:300", "0:400"])}` },
  ipcomp: (g) => ({ protocol: "ipcomp", text: `-m ipcomp ${g.not()}--ipcompspi ${g.pick(["1:4", "3", "7:9"])}` }),
  state: (g) => ({
    text: `-m ${g.pick(["state --state", "conntrack --ctstate"])} ${g.some(["NEW", "ESTABLISHED", "RELATED", "INVALID", "UNTRACKED"], 1, 3).join(",")}`.replace(
      /(-m \w+) /u,
      `$1 ${g.not()}`,
    ),
  }),
  conntrack: (g) => {
    const options = g
      .some(
        [
          () => `${g.not()}--ctstate ${g.some(["NEW", "ESTABLISHED", "RELATED", "INVALID", "UNTRACKED", "SNAT", "DNAT"], 1, 3).join(",")}`,
          () => `${g.not()}--ctstatus ${g.some(["SEEN_REPLY", "ASSURED", "CONFIRMED", "EXPECTED", "NONE"], 1, 2).join(",")}`,
          () => `--ctdir ${g.pick(["ORIGINAL", "REPLY"])}`,
          () => `${g.not()}--ctorigsrc ${g.bareAddress()}/${g.family === "ipv4" ? g.pick([8, 24, 32]) : g.pick([32, 64, 128])}`,
          () => `${g.not()}--ctorigdst ${g.bareAddress()}`,
          () => `${g.not()}--ctreplsrc ${g.bareAddress()}/${g.family === "ipv4" ? g.pick([16, 25, 32]) : g.pick([48, 64, 128])}`,
          () => `${g.not()}--ctrepldst ${g.bareAddress()}`,
          () =>
            `${g.not()}--ctorigsrcport ${g
              .portRange()
              .replace(/^:(.*)$/u, "0:$1")
              .replace(/^(.*):$/u, "$1:65535")}`,
          () =>
            `${g.not()}--ctrepldstport ${g
              .portRange()
              .replace(/^:(.*)$/u, "0:$1")
              .replace(/^(.*):$/u, "$1:65535")}`,
          () => `${g.not()}--ctproto ${g.pick(["tcp", "udp", "17", g.family === "ipv4" ? "icmp" : "58", "132"])}`,
          () => `${g.not()}--ctexpire ${g.pick(["100:700", "0:3", "1000:", "50"]).replace(/:$/u, ":4000000")}`,
        ],
        1,
        3,
      )
      .map((make) => make());
    return { text: `-m conntrack ${options.join(" ")}` };
  },
  mark: (g) => ({ text: `-m mark ${g.not()}--mark ${g.valueMask(8)}` }),
  connmark: (g) => ({ text: `-m connmark ${g.not()}--mark ${g.valueMask(8)}` }),
  iprange: (g) => {
    const side = g.pick(["src", "dst"]);
    const range =
      g.family === "ipv4"
        ? g.pick(["192.0.2.10-192.0.2.30", "198.51.100.0-198.51.100.99", "192.0.2.1-198.51.100.1", "203.0.113.7-203.0.113.7"])
        : g.pick(["2001:db8::10-2001:db8::80", "2001:db8:1::1-2001:db8:1::ffff", "2001:db8:2::7-2001:db8:2::7"]);
    return { text: `-m iprange ${g.not()}--${side}-range ${range}` };
  },
  addrtype: (g, { hook }) => {
    const types =
      g.family === "ipv4"
        ? ["LOCAL", "UNICAST", "BROADCAST", "MULTICAST", "BLACKHOLE", "UNREACHABLE"]
        : ["LOCAL", "UNICAST", "MULTICAST", "UNSPEC", "ANYCAST"];
    const limit = g.chance(0.2)
      ? ["PREROUTING", "INPUT"].includes(hook)
        ? " --limit-iface-in"
        : ["OUTPUT", "POSTROUTING"].includes(hook)
          ? " --limit-iface-out"
          : ""
      : "";
    return { text: `-m addrtype ${g.not()}--${g.pick(["src", "dst"])}-type ${g.some(types, 1, 2).join(",")}${limit}` };
  },
  mac: (g, { hook }) =>
    ["PREROUTING", "INPUT", "FORWARD"].includes(hook)
      ? { text: `-m mac ${g.not()}--mac-source 02:00:5e:10:00:0${g.number(1, 3)}` }
      : undefined,
  length: (g) => ({ text: `-m length ${g.not()}--length ${g.pick(["60", "40:100", "0:64", "100:", "577:1400", "84"])}` }),
  ttl: (g) => {
    const name = g.family === "ipv4" ? "ttl" : "hl";
    return {
      text: `-m ${name} ${g.chance(0.5) ? `${g.not()}--${name}-eq ${g.pick([64, 63, 3, 255])}` : `--${name}-${g.pick(["lt", "gt"])} ${g.pick([64, 63, 5, 200, 128])}`}`,
    };
  },
  tos: (g) => ({
    text: `-m tos ${g.not()}--tos ${g.chance(0.3) ? g.pick(["Minimize-Delay", "Maximize-Throughput", "Normal-Service"]) : g.valueMask(8)}`,
  }),
  dscp: (g) => ({
    text: `-m dscp ${g.not()}${g.chance(0.5) ? `--dscp ${g.number(0, 63)}` : `--dscp-class ${g.pick(["EF", "AF11", "CS1", "BE"])}`}`,
  }),
  ecn: (g) =>
    g.chance(0.5)
      ? { text: `-m ecn ${g.not()}--ecn-ip-ect ${g.number(0, 3)}` }
      : { protocol: "tcp", text: `-m ecn ${g.not()}--ecn-tcp-${g.pick(["ece", "cwr"])}` },
  tcpmss: (g) => ({ protocol: "tcp", text: `-m tcpmss ${g.not()}--mss ${g.pick(["1460", "536:1460", "0:1000", "1300:65535"])}` }),
  pkttype: (g) => ({ text: `-m pkttype ${g.not()}--pkt-type ${g.pick(["unicast", "broadcast", "multicast"])}` }),
  u32: (g) =>
    g.family === "ipv4"
      ? {
          text: `-m u32 ${g.not()}--u32 "${g.pick(["0x6&0xff=0x6", "0x8>>24&0xff=0x40,0x80:0xff", "0x0&0xffff=0x0:0x64", "0x4>>8&0xff=0x0:0x7f", "0x6&0xff=0x11,0x1", "0x0>>22&0x3c@0x0>>16=0x1:0x7fff", "0xc=0xc0000214:0xc000024d", "0x6&0xff=0x6&&0x0>>22&0x3c@0xc>>16&0x2=0x2"])}"`,
        }
      : undefined,
  nth: (g) => {
    const every = g.number(2, 5);
    return { text: `-m statistic --mode nth ${g.not()}--every ${every} --packet ${g.number(0, every - 1)}` };
  },
  limit: (g) => ({ text: `-m limit --limit ${g.number(1, 20)}/${g.pick(["hour", "day"])} --limit-burst ${g.number(1, 40)}` }),
  hashlimit: (g) => {
    const mode = g.some(["srcip", "dstip", "srcport", "dstport"], 1, 2).join(",");
    return {
      ...(mode.includes("port") ? { protocol: g.pick(transports) } : {}),
      text: `-m hashlimit --hashlimit-${g.pick(["upto", "above"])} ${g.number(1, 5)}/${g.pick(["hour", "day"])} --hashlimit-burst ${g.number(1, 9)} --hashlimit-mode ${mode} --hashlimit-name h${g.number(1, 99_999)}`,
    };
  },
  connlimit: (g) => ({
    text: `-m connlimit --connlimit-${g.pick(["upto", "above"])} ${g.number(0, 30)} --connlimit-mask ${g.family === "ipv4" ? g.pick([8, 24, 32]) : g.pick([32, 64, 128])} --connlimit-${g.pick(["saddr", "daddr"])}`,
  }),
  connbytes: (g) => ({
    text: `-m connbytes ${g.not()}--connbytes ${g.pick(["2:", "0:3", "1:100", "60:400", ":70"]).replace(/^:/u, "0:")} --connbytes-mode ${g.pick(["packets", "bytes", "avgpkt"])} --connbytes-dir ${g.pick(["original", "reply", "both"])}`,
  }),
  quota: (g) => ({ text: `-m quota --quota ${g.pick([1000, 5000, 20_000])}` }),
  policy: (g, { hook }) =>
    ["PREROUTING", "INPUT", "FORWARD"].includes(hook) ? { text: `-m policy --dir in --pol ${g.pick(["none", "ipsec"])}` } : undefined,
  physdev: (g) => ({ text: `-m physdev ${g.not()}--physdev-is-bridged` }),
  realm: (g) => (g.family === "ipv4" ? { text: `-m realm ${g.not()}--realm ${g.pick(["0x0", "0xa"])}` } : undefined),
  devgroup: (g, { hook }) =>
    ["PREROUTING", "INPUT", "FORWARD"].includes(hook)
      ? { text: `-m devgroup ${g.not()}--src-group ${g.pick(["0x0", "0x2", "0x0/0x1"])}` }
      : undefined,
  helper: (g) => ({ text: `-m helper ${g.not()}--helper ftp` }),
  socket: (g, { hook }) =>
    ["PREROUTING", "INPUT"].includes(hook) ? { text: `-m socket${g.pick(["", " --transparent", " --nowildcard"])}` } : undefined,
  rpfilter: (g, { hook, table }) =>
    hook === "PREROUTING" && ["raw", "mangle"].includes(table)
      ? { text: `-m rpfilter${g.pick(["", " --loose", " --invert", " --validmark"])}` }
      : undefined,
  owner: (g, { hook }) =>
    ["OUTPUT", "POSTROUTING"].includes(hook)
      ? { text: `-m owner ${g.not()}${g.pick(["--uid-owner 0", "--gid-owner 0-99", "--socket-exists"])}` }
      : undefined,
  time: (g) => ({
    text: `-m time ${g.pick(["--timestart 00:00:00 --timestop 23:59:59", "--weekdays Mon,Tue,Wed,Thu,Fri,Sat", "--timestart 23:00:00 --timestop 04:00:00", "--datestart 2030-01-01T00:00:00", "! --weekdays Sun"])}`,
  }),
  cluster: (g) => ({
    text: `-m cluster --cluster-total-nodes 3 ${g.not()}--cluster-local-node ${g.number(1, 3)} --cluster-hash-seed 0x${g.number(1, 255).toString(16)}`,
  }),
  connlabel: (g) => ({ text: `-m connlabel ${g.not()}--label ${g.number(0, 127)}` }),
  comment: (g) => ({ text: `-m comment --comment "${g.pick(["web", "from a friend", "50% off; drop }", "a 'quoted' word", "#1"])}"` }),
  string: (g) => ({
    text: `-m string ${g.not()}--string "${g.pick(["AAAA", "x"])}" --algo bm --from ${g.pick([20, 28])} --to ${g.pick([24, 28])}`,
  }),
  recent: (g) => ({
    text: `-m recent ${g.pick([
      "--set",
      "--rcheck",
      "--update",
      "--remove",
      `--rcheck --hitcount ${g.number(1, 6)}`,
      `--update --hitcount ${g.number(1, 6)}`,
      `--rcheck --seconds ${g.number(1, 3)} --hitcount ${g.number(1, 9)}`,
      `--update --seconds ${g.number(1, 3)} --hitcount ${g.number(1, 9)}`,
      `--rcheck --seconds ${g.number(1, 3)}`,
      `--update --seconds ${g.number(1, 3)}`,
    ])} --name ${g.pick(["alpha", "beta", "gamma"])} --${g.pick(["rsource", "rsource", "rsource", "rdest"])}`.replace(
      "-m recent ",
      `-m recent ${g.not(0.2)}`,
    ),
  }),
  frag: (g) =>
    g.family === "ipv6"
      ? { text: `-m frag ${g.pick(["--fragfirst", "--fragmore", "--fraglast", `${g.not()}--fragid 7`, "--fragres"])}` }
      : undefined,
  hbh: (g) =>
    g.family === "ipv6"
      ? {
          text: `-m ${g.pick(["hbh", "dst"])}`.replace(
            /(hbh|dst)/u,
            (name) =>
              `${name} ${g.chance(0.7) ? `${g.not()}--${name}-len ${g.pick([8, 16])}` : `--${name}-opts ${g.pick(["1", "1:4", "5"])}`}`,
          ),
        }
      : undefined,
  rt: (g) =>
    g.family === "ipv6"
      ? {
          text: `-m rt ${g.pick([`${g.not()}--rt-type ${g.pick([0, 253])}`, `${g.not()}--rt-segsleft ${g.pick(["0", "1:3"])}`, `${g.not()}--rt-len 8`])}`,
        }
      : undefined,
  ipv6header: (g) =>
    g.family === "ipv6"
      ? {
          text: `-m ipv6header ${g.chance(0.5) ? "--soft " : ""}${g.not()}--header ${g.some(["hop", "dst", "route", "frag", "auth", "esp", "none", "prot"], 1, 2).join(",")}`,
        }
      : undefined,
  eui64: (g, { hook }) => (g.family === "ipv6" && ["PREROUTING", "INPUT", "FORWARD"].includes(hook) ? { text: "-m eui64" } : undefined),
  mh: (g) =>
    g.family === "ipv6"
      ? { protocol: "mobility-header", text: `-m mh ${g.not()}--mh-type ${g.pick(["0", "1:5", "binding-update", "4:"])}` }
      : undefined,
};

/** Matches whose result depends on the moment, on chance, or on the packets before; at most a few to a ruleset. */
const withMemory = new Set(["nth", "limit", "hashlimit", "connlimit", "connbytes", "quota", "recent"]);

const protocols: Record<Family, readonly string[]> = {
  ipv4: ["tcp", "tcp", "udp", "udp", "icmp", "gre", "sctp", "esp", "253", "all"],
  ipv6: ["tcp", "tcp", "udp", "udp", "ipv6-icmp", "gre", "sctp", "esp", "253", "all"],
};

/** The conditions of a rule. */
function conditions(g: Generator, place: Place, most: number, memory: boolean, target: Part, names: readonly string[]): string {
  const parts: Part[] = [target];
  const count = g.number(0, most);
  for (let index = 0; index < count; index += 1) {
    const name = g.pick(names);
    // Packets of the kernel's own go out when they like, and would count.
    if (withMemory.has(name) && (!memory || !["PREROUTING", "INPUT", "FORWARD"].includes(place.hook))) continue;
    const part = matchMakers[name]!(g, place);
    const protocol = parts.find((other) => other.protocol !== undefined)?.protocol;
    if (part === undefined || (part.protocol !== undefined && protocol !== undefined && part.protocol !== protocol)) continue;
    const module = part.text.split(" ")[1];
    if (["tcp", "udp", "sctp", "icmp", "icmp6", "dccp"].includes(module ?? "") && parts.some(({ text }) => text.split(" ")[1] === module))
      continue;
    parts.push(part);
  }
  const protocol = parts.find((part) => part.protocol !== undefined)?.protocol;
  const head: string[] = [];
  const { hook } = place;
  if (g.chance(0.25)) head.push(`${g.not()}-s ${g.address(hook === "OUTPUT")}`);
  if (g.chance(0.25)) head.push(`${g.not()}-d ${g.address(hook === "INPUT" || g.chance(0.3))}`);
  if (g.chance(0.2) && ["PREROUTING", "INPUT", "FORWARD"].includes(hook))
    head.push(`${g.not()}-i ${g.pick([...interfaceNames, "eth+", "br+", "nowhere0"])}`);
  if (g.chance(0.2) && ["OUTPUT", "POSTROUTING", "FORWARD"].includes(hook))
    head.push(`${g.not()}-o ${g.pick([...interfaceNames, "eth+", "nowhere0"])}`);
  if (protocol !== undefined) head.push(`-p ${protocol}`);
  else if (g.chance(0.3)) {
    const name = g.pick(protocols[g.family]);
    head.push(name === "all" ? "-p all" : `${g.not(0.2)}-p ${name}`);
  }
  if (g.family === "ipv4" && g.chance(0.03)) head.push(`${g.not()}-f`);
  const matches = shuffled(
    parts.slice(1).map(({ text }) => text),
    g.random,
  );
  return [...head, ...matches].join(" ");
}

const hooksOf: Readonly<Record<string, readonly string[]>> = {
  raw: ["PREROUTING", "OUTPUT"],
  mangle: ["PREROUTING", "INPUT", "FORWARD", "OUTPUT", "POSTROUTING"],
  nat: ["PREROUTING", "INPUT", "OUTPUT", "POSTROUTING"],
  filter: ["INPUT", "FORWARD", "OUTPUT"],
  security: ["INPUT", "FORWARD", "OUTPUT"],
};

/**
 * A ruleset whose rules set a bit of the mark each and never end a packet's way: what every rule says about every packet
 * shows in the mark. Thirty-two rules on each of the two ways, through the firewall and into it.
 */
export function rulesetOfBits(random: Random, family: Family): string {
  const g = new Generator(random, family);
  const names = Object.keys(matchMakers).filter((name) => name !== "mark" || g.chance(0.3));
  const lines: Record<string, string[]> = { mangle: [], raw: [] };
  for (const [hooks, first] of [
    [["PREROUTING", "FORWARD", "POSTROUTING"], 0],
    [["PREROUTING", "INPUT"], 16],
  ] as const) {
    for (let bit = first; bit < first + 16; bit += 1) {
      const table = g.chance(0.1) ? "raw" : "mangle";
      const hook = table === "raw" ? "PREROUTING" : g.pick(hooks);
      const text = `0x${(2 ** bit).toString(16)}`;
      // Of the MARK target alone raw has nothing: iptables allows it in mangle only, so raw's rules speak by a jump over one.
      if (table === "raw") {
        lines["raw"]!.push(
          `-A PREROUTING ${conditions(g, { table, hook, family }, 2, false, { text: "" }, names)} -j ${g.pick(["RETURN", "LOG", "ACCEPT"])}`,
        );
        continue;
      }
      lines["mangle"]!.push(
        `-A ${hook} ${conditions(g, { table, hook, family }, 3, g.chance(0.5), { text: "" }, names)} -j MARK --set-xmark ${text}/${text}`,
      );
    }
  }
  return Object.entries(lines)
    .filter(([, rules]) => rules.length > 0)
    .map(([table, rules]) => `*${table}\n${rules.join("\n").replaceAll(/ {2,}/gu, " ")}\nCOMMIT\n`)
    .join("");
}

/**
 * A ruleset whose rules use a few lists of `recent` in every way, each with a bit of the mark of its own; a user chain and a
 * second table share the lists.
 */
export function rulesetOfLists(random: Random, family: Family): string {
  const g = new Generator(random, family);
  const mask =
    family === "ipv4"
      ? g.pick(["255.255.255.255", "255.255.255.255", "255.255.255.0", "255.255.255.252"])
      : g.pick(["ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "ffff:ffff:ffff:ffff::"]);
  const lists = g.some(["alpha", "beta", "gamma"], 1, 3).map((name) => ({
    name,
    side: g.pick(["rsource", "rsource", "rsource", "rdest"]),
    windows: g.some([1, 2, 4], 1, 2),
    hits: g.some([1, 2, 3, 4, 5, 8, 12, 20], 1, 2),
  }));
  const uses = (): string => {
    const { name, side, windows, hits } = g.pick(lists);
    const check = `--${g.pick(["rcheck", "update"])}`;
    const window = `--seconds ${g.pick(windows)}`;
    const hit = `--hitcount ${g.pick(hits)}`;
    const operation = g.pick([
      "--set",
      "--set",
      "--set",
      "--remove",
      check,
      `${check} ${window}`,
      `${check} ${window} ${hit}`,
      `${check} ${window} ${hit}`,
      `${check} ${window} ${hit}`,
      `${check} ${hit}`,
    ]);
    return `-m recent ${g.not(0.2)}${operation} --name ${name} --mask ${mask} --${side}`;
  };
  let bit = 0;
  const rule = (chain: string): string => {
    const protocol = g.pick(["", "", "-p udp", "-p tcp", "-p udp -m udp --dport 53", "-p tcp -m tcp --syn", `-s ${g.address(false)}`]);
    const value = `0x${(2 ** bit).toString(16)}`;
    bit += 1;
    const first = uses();
    // A set that loses and regains a key some hundred times a second fails to take it now and then (Linux 6.18, measured):
    // removals are for few packets.
    const rare = first.includes("--remove") ? `-p tcp -m tcp --dport ${g.pick([22, 443])}` : protocol;
    const matches = [
      first,
      ...(g.chance(0.15) ? [uses().replace("--remove", "--rcheck")] : []),
      ...(g.chance(0.2)
        ? [
            g
              .pick(["-m ttl --ttl-gt 60", "-m length --length 60:", "-m mark ! --mark 0x1/0x1"])
              .replace("-m ttl --ttl", family === "ipv6" ? "-m hl --hl" : "-m ttl --ttl"),
          ]
        : []),
    ];
    return `-A ${chain} ${rare} ${shuffled(matches, random).join(" ")} ${g.chance(0.1) ? g.pick(["-j DROP", "-j RETURN", "-j ACCEPT"]) : `-j MARK --set-xmark ${value}/${value}`}`;
  };
  const mangle = Array.from({ length: g.number(3, 8) }, () => rule(g.pick(["PREROUTING", "PREROUTING", "user"])));
  mangle.splice(g.number(0, mangle.length), 0, `-A PREROUTING ${g.pick(["-p udp", "-p tcp", ""])} -${g.pick(["j", "g"])} user`);
  const filter = Array.from({ length: g.number(0, 4) }, () =>
    rule(g.pick(["INPUT", "FORWARD"])).replace(/-j MARK .*/u, g.pick(["-j DROP", "-j ACCEPT", "-j REJECT", ""])),
  );
  return `*mangle\n:user - [0:0]\n${mangle.join("\n")}\nCOMMIT\n*filter\n${filter.join("\n")}\nCOMMIT\n`.replaceAll(/ {2,}/gu, " ");
}

/** A ruleset of all tables with chains, jumps, returns and policies. */
export function wholeRuleset(random: Random, family: Family, size: number): string {
  const g = new Generator(random, family);
  const names = g.some(Object.keys(matchMakers), 12, 45);
  const tables = ["filter", ...["mangle", "nat", "raw", "security"].filter((name) => g.chance(name === "security" ? 0.15 : 0.5))];
  return tables
    .map((table) => tableText(g, table, Math.max(3, Math.round(size * (table === "filter" ? 0.5 : 0.5 / tables.length))), names))
    .join("");
}

function tableText(g: Generator, table: string, size: number, names: readonly string[]): string {
  const hooks = hooksOf[table]!;
  const users = Array.from(
    { length: g.number(0, Math.min(8, Math.ceil(size / 6))) },
    (_, index) => `${g.pick(["chain", "in", "web-users", "GOOD~STUFF", "accept", "dynamic"])}${index}`,
  );
  const reached = new Map<string, Set<string>>([
    ...hooks.map((hook) => [hook, new Set([hook])] as const),
    ...users.map((user) => [user, new Set<string>()] as const),
  ]);
  const rules: string[] = [];
  const write = (chain: string, hook: string): void => {
    // A chain jumps only to those after it, so that there is no circle.
    const later = users.slice(hooks.includes(chain) ? 0 : users.indexOf(chain) + 1);
    const target = targetOf(g, table, hook, later);
    const place = { table, hook, family: g.family };
    const ends = /^-j (ACCEPT|DROP|REJECT|SNAT|DNAT|MASQ|REDIR|NETMAP|RETURN)/u.test(target.text);
    const text = conditions(g, place, ends ? 3 : 2, g.chance(0.15), target, names);
    // A rule that ends the way of most packets would make the rest of the chain pointless.
    const narrow = g.chance(0.12) || / (?:--[sd]?ports?|-s|-d) [^!]/u.test(` ${text}`.replaceAll(/! \S+ \S+/gu, ""));
    const address = text.includes("-s ") ? (text.includes("-d ") ? "" : `-d ${g.bareAddress()}`) : `-s ${g.bareAddress()}`;
    rules.push(`-A ${chain} ${ends && !narrow ? `${address} ` : ""}${text} ${target.text}`);
    const next = /^-[jg] (\S+)$/u.exec(target.text)?.[1];
    if (next !== undefined && reached.has(next)) for (const name of reached.get(chain)!) reached.get(next)!.add(name);
  };
  for (let index = 0; index < size; index += 1) {
    const chain = g.chance(0.6) || users.length === 0 ? g.pick(hooks) : g.pick(users);
    // Every hook that could reach a user chain must allow its rules: those of FORWARD and the like are left to built-in chains.
    write(chain, hooks.includes(chain) ? chain : "USER");
  }
  const declarations = [
    ...hooks.map((hook) => `:${hook} ${table === "filter" && g.chance(0.2) && hook !== "OUTPUT" ? "DROP" : "ACCEPT"} [0:0]`),
    ...users.map((user) => `:${user} - [0:0]`),
  ];
  return `*${table}\n${[...declarations, ...rules.map((rule) => rule.replaceAll(/ {2,}/gu, " "))].join("\n")}\nCOMMIT\n`;
}

function targetOf(g: Generator, table: string, hook: string, users: readonly string[]): Part {
  const ipv4 = g.family === "ipv4";
  const options: (() => Part)[] = [
    () => ({ text: "-j ACCEPT" }),
    () => ({ text: g.pick(["-j RETURN", "", `-j LOG --log-prefix "${g.pick(["a: ", "b"])}"`, "-j NFLOG --nflog-group 3"]) }),
  ];
  const userChain = (): Part => ({ text: `${g.pick(["-j", "-j", "-g"])} ${g.pick(users)}` });
  if (users.length > 0) options.push(userChain, userChain);
  if (table === "filter" || table === "security") options.push(() => ({ text: "-j DROP" }));
  if (table === "filter") {
    options.push(() =>
      g.chance(0.3)
        ? { protocol: "tcp", text: "-j REJECT --reject-with tcp-reset" }
        : {
            text: `-j REJECT${
              g.chance(0.3)
                ? ""
                : ` --reject-with ${g.pick(
                    ipv4
                      ? [
                          "icmp-net-unreachable",
                          "icmp-host-unreachable",
                          "icmp-port-unreachable",
                          "icmp-proto-unreachable",
                          "icmp-net-prohibited",
                          "icmp-host-prohibited",
                          "icmp-admin-prohibited",
                        ]
                      : [
                          "icmp6-no-route",
                          "icmp6-adm-prohibited",
                          "icmp6-addr-unreachable",
                          "icmp6-port-unreachable",
                          "icmp6-policy-fail",
                          "icmp6-reject-route",
                        ],
                  )}`
            }`,
          },
    );
  }
  if (table === "mangle") {
    const mangle = (): Part => ({
      text: g.pick([
        `-j MARK --set-xmark ${g.valueMask(8)}`,
        `-j MARK --set-mark ${g.valueMask(8)}`,
        `-j MARK --and-mark ${g.hex(8)}`,
        `-j MARK --or-mark ${g.hex(8)}`,
        `-j MARK --xor-mark ${g.hex(8)}`,
        `-j CONNMARK --set-xmark ${g.valueMask(8)}`,
        "-j CONNMARK --save-mark",
        "-j CONNMARK --restore-mark",
        `-j CONNMARK --save-mark --nfmask ${g.hex(8)} --ctmask ${g.hex(8)}`,
        `-j CONNMARK --restore-mark --nfmask ${g.hex(8)} --ctmask ${g.hex(8)}`,
        `-j TOS --set-tos ${g.valueMask(8)}`,
        `-j TOS --or-tos ${g.hex(8)}`,
        `-j DSCP --set-dscp ${g.number(0, 63)}`,
        "-j DSCP --set-dscp-class AF21",
        ipv4
          ? `-j TTL --ttl-${g.pick(["set", "inc", "dec"])} ${g.pick([1, 2, 64, 200])}`
          : `-j HL --hl-${g.pick(["set", "inc", "dec"])} ${g.pick([1, 2, 64, 200])}`,
        "-j DROP",
      ]),
    });
    options.push(mangle, mangle, mangle, mangle);
    if (["FORWARD", "POSTROUTING", "OUTPUT"].includes(hook))
      options.push(() => ({
        protocol: "tcp",
        text: `-m tcp --tcp-flags SYN,RST SYN -j TCPMSS ${g.pick(["--set-mss 1200", "--set-mss 536", "--clamp-mss-to-pmtu"])}`,
      }));
    options.push(() => ({ protocol: "tcp", text: `-j TCPOPTSTRIP --strip-options ${g.pick(["2", "4,8", "timestamp"])}` }));
    if (ipv4) options.push(() => ({ protocol: "tcp", text: "-j ECN --ecn-tcp-remove" }));
  }
  if (table === "raw")
    options.push(() => ({ text: g.pick(["-j NOTRACK", "-j CT --notrack", "-j DROP", `-j CT --zone ${g.number(1, 3)}`]) }));
  if (table === "nat") {
    const remote = (): string => g.pick(remoteAddresses[g.family].slice(0, 4));
    const bracket = (address: string): string => (ipv4 ? address : `[${address}]`);
    const transport = g.pick(transports);
    if (hook === "PREROUTING" || hook === "OUTPUT") {
      const destination = (): Part =>
        g.pick<() => Part>([
          () => ({ text: `-j DNAT --to-destination ${remote()}` }),
          () => ({ protocol: transport, text: `-j DNAT --to-destination ${bracket(remote())}:${g.port() || 1}` }),
          () => ({ protocol: transport, text: `-j DNAT --to-destination :${g.port() || 1}` }),
          () => ({ protocol: transport, text: `-j REDIRECT --to-ports ${g.port() || 1}` }),
          () => ({ protocol: transport, text: "-j REDIRECT" }),
          () => ({
            text: ipv4 ? "-j DNAT --to-destination 198.51.100.10-198.51.100.13" : "-j DNAT --to-destination 2001:db8:1::10-2001:db8:1::13",
          }),
          () => ({ text: ipv4 ? "-j NETMAP --to 198.51.100.0/24" : "-j NETMAP --to 2001:db8:1::/64" }),
        ])();
      options.push(destination, destination, destination);
    }
    if (hook === "POSTROUTING" || hook === "INPUT") {
      const source = (): Part =>
        g.pick<() => Part>([
          () => ({ text: `-j SNAT --to-source ${g.pick(localAddresses[g.family])}` }),
          () => ({ text: `-j SNAT --to-source ${g.pick(remoteAddresses[g.family])}` }),
          () => ({ text: ipv4 ? "-j SNAT --to-source 203.0.113.10-203.0.113.17" : "-j SNAT --to-source 2001:db8:2::10-2001:db8:2::17" }),
          () => ({ text: hook === "INPUT" ? `-j SNAT --to-source ${g.pick(localAddresses[g.family])}` : "-j MASQUERADE" }),
          () => ({ text: `-j NETMAP --to ${ipv4 ? "203.0.113.0/24" : "2001:db8:2::/64"}` }),
        ])();
      options.push(source, source, source);
    }
    if (g.chance(0.4)) options.splice(0, 2);
    if (options.length === 0) return { text: "-j ACCEPT" };
  }
  return g.pick(options)();
}
