/**
 * A Shorewall firewall of six zones: a chain for every pair of them with its rules and its policy, blacklists, flag checks, smurfs,
 * rates of logins and mail by `recent`, logging by hashlimit, port forwarding and masquerading.
 *
 * After Shorewall/Perl/Shorewall of Shorewall 5.2 and dumps of machines that it configured.
 */

import { seededRandom, type Random } from "../../src/random.js";
import { allAccept, between, comment, natAccept, pick, rawAccept, Table } from "./dump.js";

interface Zone {
  readonly name: string;
  readonly device: string;
  /** The addresses behind it; the others are outside. */
  readonly network?: string;
}

const zones: readonly Zone[] = [
  { name: "net", device: "eth0" },
  { name: "loc", device: "eth1", network: "198.51.100.0/25" },
  { name: "dmz", device: "eth2", network: "192.0.2.128/25" },
  { name: "srv", device: "eth3", network: "198.51.100.128/25" },
  { name: "vpn", device: "tun0", network: "198.18.10.0/24" },
  { name: "wifi", device: "wlan0", network: "198.18.20.0/24" },
];
const net = zones[0]!;

const address = "192.0.2.1";

/** `-j LOG` of a disposition, at most one in a second for each source. */
function log(chain: string, disposition: string, more = ""): string {
  return (
    "-m hashlimit --hashlimit-upto 1/sec --hashlimit-burst 10 --hashlimit-mode srcip --hashlimit-name lograte " +
    `-j LOG --log-prefix "${chain} ${disposition} " --log-level 6${more}`
  );
}

const broadcasts = ["BROADCAST", "ANYCAST", "MULTICAST"].map((type) => `-m addrtype --dst-type ${type} -j DROP`);
const fresh = "-m conntrack --ctstate INVALID,NEW,UNTRACKED";
const established = "-m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT";

/** The whole dump. */
export function shorewall(): string {
  const random = seededRandom(52);
  const raw = new Table("raw", rawAccept);
  const mangle = new Table("mangle", allAccept);
  const nat = new Table("nat", natAccept);
  const filter = new Table("filter", { INPUT: "DROP", FORWARD: "DROP", OUTPUT: "DROP" });
  helpers(raw);
  marks(mangle);
  builtInChains(filter);
  for (const from of zones) {
    zoneChains(from, filter);
    for (const to of zones) if (to !== from) pair(from, to, filter, random);
  }
  actions(filter);
  blacklists(filter, random);
  translation(nat);
  return [raw, mangle, nat, filter].map((table) => table.render()).join("");
}

function helpers(raw: Table): void {
  const tracked = [
    ["udp", 10_080, "amanda"],
    ["tcp", 21, "ftp"],
    ["udp", 137, "netbios-ns"],
    ["tcp", 1723, "pptp"],
    ["tcp", 6566, "sane"],
    ["udp", 69, "tftp"],
  ] as const;
  for (const chain of ["PREROUTING", "OUTPUT"]) {
    raw.add(chain, ...tracked.map(([protocol, port, helper]) => `-p ${protocol} -m ${protocol} --dport ${port} -j CT --helper ${helper}`));
  }
}

function marks(mangle: Table): void {
  mangle
    .add("PREROUTING", "-j tcpre")
    .add("INPUT", "-j tcin")
    .add("FORWARD", "-j MARK --set-xmark 0x0/0xff", "-j tcfor", "-p tcp -m tcp --tcp-flags SYN,RST SYN -j TCPMSS --clamp-mss-to-pmtu")
    .add("OUTPUT", "-j tcout")
    .add("POSTROUTING", "-j tcpost")
    .add("tcin")
    .add("tcout")
    .add("tcpost")
    .add("tcpre", "-i eth1 -p tcp -m multiport --dports 22,3389 -j MARK --set-xmark 0x1/0xff", "-i wlan0 -j MARK --set-xmark 0x2/0xff")
    .add(
      "tcfor",
      "-o eth0 -p udp -m udp --dport 5060:5080 -j MARK --set-xmark 0x1/0xff",
      "-d 198.18.10.0/24 -m mark --mark 0x0/0xff -j MARK --set-xmark 0x3/0xff",
    );
}

function builtInChains(filter: Table): void {
  for (const { name, device } of zones) {
    filter
      .add("INPUT", `-i ${device} -j ${name}-fw`)
      .add("FORWARD", `-i ${device} -j ${name}_frwd`)
      .add("OUTPUT", `-o ${device} -j fw-${name}`);
  }
  filter
    .add("INPUT", "-i lo -j ACCEPT", ...broadcasts, log("INPUT", "REJECT"), "-g reject")
    .add("FORWARD", ...broadcasts, log("FORWARD", "REJECT"), "-g reject")
    .add("OUTPUT", "-o lo -j ACCEPT", ...broadcasts, log("OUTPUT", "REJECT"), "-g reject");
}

/** What is asked of all packets of a zone, and where they go then. */
function zoneChains(zone: Zone, filter: Table): void {
  const { name, device, network } = zone;
  const lists = [`${fresh} -j dynamic`, ...(zone === net ? [`${fresh} -j ~blacklist`] : []), `${fresh} -j smurfs`];
  const flags = "-p tcp -j tcpflags";
  const leases = "-p udp -m udp --dport 67:68 -j ACCEPT";
  filter.add(
    `${name}-fw`,
    ...lists,
    leases,
    flags,
    established,
    ...localRules(zone),
    ...policy(`${name}-fw`, zone === net ? "DROP" : "REJECT"),
  );
  filter.add(
    `${name}_frwd`,
    ...(network === undefined ? [] : [`! -s ${network} -j logdrop`]),
    ...lists,
    flags,
    ...zones.filter((to) => to !== zone).map((to) => `-o ${to.device} -j ${name}-${to.name}`),
    ...(zone === net ? [] : [`-o ${device} -j ACCEPT`]),
  );
  filter.add(`fw-${name}`, leases, established, ...(zone === net ? outgoingMail : []), "-j ACCEPT");
}

const newMail = "-p tcp -m tcp --dport 25 --tcp-flags FIN,SYN,RST,ACK SYN -m recent";
const mailList = "--name out --mask 255.255.255.255 --rdest";
const outgoingMail = [`${newMail} --set ${mailList}`, `${newMail} --rcheck --seconds 10 --hitcount 5 ${mailList} -g reject`];

/** What the firewall itself answers. */
function localRules({ name }: Zone): string[] {
  const ping = `-p icmp -m icmp --icmp-type 8 ${comment("Ping")} -j ACCEPT`;
  switch (name) {
    case "net":
      return [
        ping,
        "-p tcp -m tcp --dport 22 -j %Limit",
        "-p tcp -m tcp --dport 25 -j %Mail",
        "-p tcp -m tcp --dport 23 -j PortScan",
        "-p udp -m multiport --dports 500,4500 -j ACCEPT",
        "-p esp -j ACCEPT",
        "-p udp -m udp --dport 1194 -j ACCEPT",
      ];
    case "loc":
      return [
        ping,
        `-p tcp -m tcp --dport 22 ${comment("SSH")} -j ACCEPT`,
        `-p udp -m udp --dport 53 ${comment("DNS")} -j ACCEPT`,
        `-p tcp -m tcp --dport 53 ${comment("DNS")} -j ACCEPT`,
        "-p tcp -m tcp --dport 3128 -j ACCEPT",
      ];
    case "srv":
      return [ping, "-p tcp -m multiport --dports 22,9100 -j ACCEPT", `-p udp -m udp --dport 123 ${comment("NTP")} -j ACCEPT`];
    default:
      return [ping, `-p udp -m udp --dport 53 ${comment("DNS")} -j ACCEPT`];
  }
}

function policy(chain: string, disposition: "ACCEPT" | "DROP" | "REJECT"): string[] {
  if (disposition === "ACCEPT") return ["-j ACCEPT"];
  return [...broadcasts, log(chain, disposition), disposition === "DROP" ? "-j DROP" : "-g reject"];
}

const macros = [
  ["tcp", "80", "HTTP"],
  ["tcp", "443", "HTTPS"],
  ["tcp", "22", "SSH"],
  ["tcp", "25", "SMTP"],
  ["tcp", "993", "IMAPS"],
  ["udp", "53", "DNS"],
  ["tcp", "53", "DNS"],
  ["tcp", "389", "LDAP"],
  ["tcp", "3306", "MySQL"],
  ["tcp", "5432", "PostgreSQL"],
  ["udp", "123", "NTP"],
  ["udp", "514", "Syslog"],
  ["tcp", "3389", "RDP"],
  ["tcp", "5060:5070", "SIP"],
  ["udp", "161:162", "SNMP"],
  ["tcp", "8080", ""],
  ["tcp", "9418", "Git"],
] as const;

/** The chain from one zone to another. */
function pair(from: Zone, to: Zone, filter: Table, random: Random): void {
  const chain = `${from.name}-${to.name}`;
  const open = to === net && from.name !== "wifi";
  const rules = to === net ? between(1, 4, random) : between(4, 12, random);
  const accepted = Array.from({ length: rules }, (): string => {
    const [protocol, port, name] = pick(macros, random);
    const source = from.network !== undefined && random() < 0.3 ? `-s ${hostOf(from.network, random)}/32 ` : "";
    const destination = to.network === undefined || random() < 0.15 ? "" : `-d ${hostOf(to.network, random)}/32 `;
    return `${source}${destination}-p ${protocol} -m ${protocol} --dport ${port} ${name === "" ? "" : `${comment(name)} `}-j ${open ? "logreject" : "ACCEPT"}`;
  });
  const forwarded = from === net ? forwardings.filter(({ zone }) => zone === to.name) : [];
  filter.add(
    chain,
    established,
    ...forwarded.map(({ host, port }) => `-d ${host}/32 -p tcp -m tcp --dport ${port} -m conntrack --ctorigdst ${address} -j ACCEPT`),
    ...accepted,
    ...policy(chain, open ? "ACCEPT" : from === net ? "DROP" : "REJECT"),
  );
}

function hostOf(network: string, random: Random): string {
  const [start = "", length] = network.split("/");
  const last = Number(start.split(".")[3]);
  return `${start.slice(0, start.lastIndexOf("."))}.${last + between(2, length === "25" ? 120 : 200, random)}`;
}

function actions(filter: Table): void {
  const list = (name: string): string => `--name ${name} --mask 255.255.255.255 --rsource`;
  const rate = (chain: string, name: string, seconds: number, hits: number): void => {
    filter
      .add(
        `%${chain}`,
        `-m recent --set ${list(name)}`,
        `-m recent --update --seconds ${seconds} --hitcount ${hits} ${list(name)} -j %${chain}1`,
        "-j ACCEPT",
      )
      .add(`%${chain}1`, log(`%${chain}`, "DROP"), "-j DROP");
  };
  rate("Limit", "SSH", 60, 4);
  rate("Mail", "SMTP", 10, 8);
  const flags = [
    ["FIN,SYN,RST,PSH,ACK,URG", "FIN,PSH,URG"],
    ["FIN,SYN,RST,PSH,ACK,URG", "NONE"],
    ["SYN,RST", "SYN,RST"],
    ["FIN,RST", "FIN,RST"],
    ["FIN,SYN", "FIN,SYN"],
    ["FIN,PSH,ACK", "FIN,PSH"],
  ];
  filter
    .add("PortScan", `-m recent --set ${list("blacklist")}`, log("PortScan", "DROP"), "-j DROP")
    .add(
      "tcpflags",
      ...flags.map(([mask, set]) => `-p tcp -m tcp --tcp-flags ${mask!} ${set!} -g logflags`),
      "-p tcp -m tcp --sport 0 --tcp-flags FIN,SYN,RST,ACK SYN -g logflags",
    )
    .add("logflags", log("logflags", "DROP", " --log-ip-options"), "-j DROP")
    .add("logdrop", log("logdrop", "DROP"), "-j DROP")
    .add("logreject", log("logreject", "REJECT"), "-j reject")
    .add("smurfs", "-s 0.0.0.0/32 -j RETURN", "-m addrtype --src-type BROADCAST -g smurflog", "-s 224.0.0.0/4 -g smurflog")
    .add("smurflog", log("smurfs", "DROP"), "-j DROP")
    .add(
      "reject",
      "-m addrtype --src-type BROADCAST -j DROP",
      "-s 224.0.0.0/4 -j DROP",
      "-p igmp -j DROP",
      "-p tcp -j REJECT --reject-with tcp-reset",
      "-p udp -j REJECT --reject-with icmp-port-unreachable",
      "-p icmp -j REJECT --reject-with icmp-host-unreachable",
      "-j REJECT --reject-with icmp-host-prohibited",
    )
    .add("shorewall", `-m recent --set --name %CURRENTTIME --mask 255.255.255.255 --rsource`);
}

function blacklists(filter: Table, random: Random): void {
  filter
    .add(
      "dynamic",
      ...Array.from({ length: 24 }, (_, index) => `-s 203.0.113.${200 + index}/32 -j ${pick(["reject", "logdrop", "DROP"], random)}`),
    )
    .add(
      "~blacklist",
      ...Array.from({ length: 16 }, (_, index) => `-s 203.0.113.${8 * index}/29 -g ~log0`),
      "-m recent --update --seconds 3600 --reap --name blacklist --mask 255.255.255.255 --rsource -g ~log0",
    )
    .add("~log0", log("~blacklist", "DROP"), "-j DROP");
}

/** Ports of the firewall's address that machines behind it serve. */
const forwardings = [
  { outside: 80, zone: "dmz", host: "192.0.2.140", port: 80 },
  { outside: 443, zone: "dmz", host: "192.0.2.140", port: 443 },
  { outside: 25, zone: "dmz", host: "192.0.2.150", port: 25 },
  { outside: 993, zone: "dmz", host: "192.0.2.150", port: 993 },
  { outside: 2222, zone: "srv", host: "198.51.100.140", port: 22 },
  { outside: 8443, zone: "srv", host: "198.51.100.141", port: 443 },
  { outside: 5060, zone: "srv", host: "198.51.100.142", port: 5060 },
];

/** Forwarded ports, and one address for all that goes out. */
function translation(nat: Table): void {
  nat.add("PREROUTING", "-i eth0 -j net_dnat").add("POSTROUTING", "-o eth0 -j eth0_masq");
  for (const { outside, host, port } of forwardings) {
    nat.add(
      "net_dnat",
      `-d ${address}/32 -p tcp -m tcp --dport ${outside} -j DNAT --to-destination ${host}${port === outside ? "" : `:${port}`}`,
    );
  }
  nat.add("eth0_masq", ...zones.flatMap(({ network }) => (network === undefined ? [] : [`-s ${network} -j SNAT --to-source ${address}`])));
}
