/**
 * A server under ufw with its frame of chains, more than a hundred user rules in every form the command makes (allow, deny, reject,
 * limit; from and to addresses and networks, by interface, for applications; with logging of new connections or of all packets)
 * and routes through it. IPv4 and IPv6, as ufw keeps both.
 *
 * After src/backend_iptables.py, src/util.py and conf/before.rules of ufw 0.36.
 */

import type { Family } from "../../src/iptables/ast.js";
import { seededRandom, type Random } from "../../src/random.js";
import { between, comment, pick, Table } from "./dump.js";

const rulesOfUsers = 150;

interface Side {
  readonly family: Family;
  /** Of all chains. */
  readonly prefix: string;
  readonly limitMask: string;
  host(random: Random): string;
  network(random: Random): string;
  own(random: Random): string;
}

const ipv4: Side = {
  family: "ipv4",
  prefix: "ufw",
  limitMask: "255.255.255.255",
  host: (random) => `${pick(["198.51.100", "203.0.113"], random)}.${between(1, 254, random)}/32`,
  network: (random) => pick(["198.51.100.0/25", "203.0.113.64/26", "203.0.113.128/25", "198.18.0.0/16", "198.51.100.192/27"], random),
  own: (random) => `192.0.2.${between(1, 4, random)}/32`,
};

const ipv6: Side = {
  family: "ipv6",
  prefix: "ufw6",
  limitMask: "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
  host: (random) => `2001:db8:${between(1, 2, random)}::${between(16, 9000, random).toString(16)}/128`,
  network: (random) => pick(["2001:db8:1::/64", "2001:db8:2::/64", "2001:db8:2:8000::/65", "2001:db8:40::/48"], random),
  own: (random) => `2001:db8::${between(1, 4, random)}/128`,
};

/** The dumps by their names. */
export function ufw(): { readonly "rules.v4": string; readonly "rules.v6": string } {
  return { "rules.v4": dumpOf(ipv4), "rules.v6": dumpOf(ipv6) };
}

function dumpOf(side: Side): string {
  const random = seededRandom(side.family === "ipv4" ? 36 : 37);
  const filter = new Table(
    "filter",
    { INPUT: "DROP", FORWARD: "DROP", OUTPUT: "ACCEPT" },
    side.family === "ipv4" ? "iptables-save" : "ip6tables-save",
  );
  frame(side, filter);
  if (side.family === "ipv4") beforeRules(side, filter);
  else beforeRulesOfIpv6(side, filter);
  afterRules(side, filter);
  for (let index = 0; index < rulesOfUsers; index++) userRule(side, filter, random);
  for (let index = 0; index < 12; index++) route(side, filter, random);
  return filter.render();
}

const directions = ["input", "forward", "output"] as const;
const limited = "-m limit --limit 3/min --limit-burst 10";

/** The chains, and who calls them. */
function frame({ prefix, family }: Side, filter: Table): void {
  for (const direction of directions) {
    for (const chain of ["before-logging", "before", "after", "after-logging", "reject", "track"]) {
      filter.add(direction.toUpperCase(), `-j ${prefix}-${chain}-${direction}`).add(`${prefix}-${chain}-${direction}`);
    }
    filter.add(`${prefix}-user-${direction}`).add(`${prefix}-user-logging-${direction}`);
    filter.add(`${prefix}-skip-to-policy-${direction}`, `-j ${direction === "output" ? "ACCEPT" : "DROP"}`);
  }
  for (const direction of ["input", "forward"])
    filter.add(`${prefix}-after-logging-${direction}`, `${limited} -j LOG --log-prefix "[UFW BLOCK] "`);
  filter
    .add(`${prefix}-logging-allow`, `${limited} -j LOG --log-prefix "[UFW ALLOW] "`)
    .add(`${prefix}-logging-deny`, `-m conntrack --ctstate INVALID ${limited} -j RETURN`, `${limited} -j LOG --log-prefix "[UFW BLOCK] "`)
    .add(
      `${prefix}-user-limit`,
      `-m limit --limit 3/min -j LOG --log-prefix "[UFW LIMIT BLOCK] "`,
      `-j REJECT --reject-with ${family === "ipv4" ? "icmp-port-unreachable" : "icmp6-port-unreachable"}`,
    )
    .add(`${prefix}-user-limit-accept`, "-j ACCEPT")
    .add(`${prefix}-track-output`, "-p tcp -m conntrack --ctstate NEW -j ACCEPT", "-p udp -m conntrack --ctstate NEW -j ACCEPT");
}

const established = "-m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT";
const invalid = "-m conntrack --ctstate INVALID";

function beforeRules({ prefix }: Side, filter: Table): void {
  const messages = [3, 11, 12, 8].map((type) => `-p icmp -m icmp --icmp-type ${type} -j ACCEPT`);
  filter
    .add(
      `${prefix}-before-input`,
      "-i lo -j ACCEPT",
      established,
      `${invalid} -j ${prefix}-logging-deny`,
      `${invalid} -j DROP`,
      ...messages,
      "-p udp -m udp --sport 67 --dport 68 -j ACCEPT",
      `-j ${prefix}-not-local`,
      "-d 224.0.0.251/32 -p udp -m udp --dport 5353 -j ACCEPT",
      "-d 239.255.255.250/32 -p udp -m udp --dport 1900 -j ACCEPT",
      `-j ${prefix}-user-input`,
    )
    .add(
      `${prefix}-not-local`,
      ...["LOCAL", "MULTICAST", "BROADCAST"].map((type) => `-m addrtype --dst-type ${type} -j RETURN`),
      `${limited} -j ${prefix}-logging-deny`,
      "-j DROP",
    )
    .add(`${prefix}-before-output`, "-o lo -j ACCEPT", established, `-j ${prefix}-user-output`)
    .add(`${prefix}-before-forward`, established, ...messages, `-j ${prefix}-user-forward`);
}

function beforeRulesOfIpv6({ prefix }: Side, filter: Table): void {
  const message = (type: number, more = ""): string => `-p ipv6-icmp -m icmp6 --icmpv6-type ${type}${more} -j ACCEPT`;
  const onLink = [133, 134, 135, 136, 141, 142].map((type) => message(type, " -m hl --hl-eq 255"));
  const listeners = [130, 131, 132, 143].map((type) => `-s fe80::/10 ${message(type)}`);
  const errors = [1, 2, 3, 4].map((type) => message(type));
  filter
    .add(
      `${prefix}-before-input`,
      "-i lo -j ACCEPT",
      "-m rt --rt-type 0 -j DROP",
      established,
      message(129),
      `${invalid} -j ${prefix}-logging-deny`,
      `${invalid} -j DROP`,
      ...errors,
      message(128),
      ...onLink,
      ...listeners,
      "-s fe80::/10 -d fe80::/10 -p udp -m udp --sport 547 --dport 546 -j ACCEPT",
      "-d ff02::fb/128 -p udp -m udp --dport 5353 -j ACCEPT",
      "-d ff02::f/128 -p udp -m udp --dport 1900 -j ACCEPT",
      `-j ${prefix}-user-input`,
    )
    .add(
      `${prefix}-before-output`,
      "-o lo -j ACCEPT",
      "-m rt --rt-type 0 -j DROP",
      established,
      ...errors,
      message(128),
      message(129),
      ...onLink,
      `-j ${prefix}-user-output`,
    )
    .add(
      `${prefix}-before-forward`,
      "-m rt --rt-type 0 -j DROP",
      established,
      ...errors,
      message(128),
      message(129),
      `-j ${prefix}-user-forward`,
    );
}

/** Noise that is not worth a line in the log. */
function afterRules({ prefix, family }: Side, filter: Table): void {
  const skip = `-j ${prefix}-skip-to-policy-input`;
  const ports =
    family === "ipv4"
      ? ["udp 137", "udp 138", "tcp 139", "tcp 445", "udp 67", "udp 68"]
      : ["udp 137", "udp 138", "tcp 139", "tcp 445", "udp 546", "udp 547"];
  filter.add(
    `${prefix}-after-input`,
    ...ports.map((one) => {
      const [protocol, port] = one.split(" ");
      return `-p ${protocol!} -m ${protocol!} --dport ${port!} ${skip}`;
    }),
  );
  if (family === "ipv4") filter.add(`${prefix}-after-input`, `-m addrtype --dst-type BROADCAST ${skip}`);
}

const applications = [
  ["Nginx%20Full", "tcp", "80,443"],
  ["Samba", "udp", "137,138"],
  ["Samba", "tcp", "139,445"],
  ["Dovecot%20Secure%20IMAP", "tcp", "993"],
  ["Mail%20submission", "tcp", "587"],
] as const;

/** One `ufw RULE`, in the chain of its direction. */
function userRule(side: Side, filter: Table, random: Random): void {
  const direction = random() < 0.85 ? "input" : "output";
  const chain = `${side.prefix}-user-${direction}`;
  const [source, destination] =
    direction === "input"
      ? [random() < 0.5 ? ` -s ${pick([side.host, side.network], random)(random)}` : "", random() < 0.2 ? ` -d ${side.own(random)}` : ""]
      : ["", ` -d ${pick([side.host, side.network], random)(random)}`];
  const device = random() < 0.15 ? ` ${direction === "input" ? "-i" : "-o"} ${pick(["eth0", "eth1"], random)}` : "";
  const start = `${source}${destination}${device}`.slice(1);
  const join = (...words: readonly string[]): string => words.filter((word) => word !== "").join(" ");

  const kind = random();
  if (kind < 0.1) {
    const [name, protocol, ports] = pick(applications, random);
    filter.add(chain, join(start, `-p ${protocol} -m multiport --dports ${ports} ${comment(`\\'dapp_${name}\\'`)} -j ACCEPT`));
    return;
  }
  const protocol = random() < 0.8 ? "tcp" : "udp";
  const port = pick(
    ["22", "25", "53", "80", "123", "443", "993", "1194", "3306", "5432", "6000:6007", "8080", "9100", "27017", "60000:61000"],
    random,
  );
  const what = join(start, `-p ${protocol} -m ${protocol} --dport ${port}`);
  if (kind < 0.25 && direction === "input") {
    const list = `--name DEFAULT --mask ${side.limitMask} --rsource`;
    filter.add(
      chain,
      `${what} -m conntrack --ctstate NEW -m recent --set ${list}`,
      `${what} -m conntrack --ctstate NEW -m recent --update --seconds 30 --hitcount 6 ${list} -j ${side.prefix}-user-limit`,
      `${what} -j ${side.prefix}-user-limit-accept`,
    );
    return;
  }
  const verdict =
    kind < 0.7
      ? "ACCEPT"
      : kind < 0.9
        ? "DROP"
        : protocol === "tcp"
          ? "REJECT --reject-with tcp-reset"
          : `REJECT --reject-with ${side.family === "ipv4" ? "icmp-port-unreachable" : "icmp6-port-unreachable"}`;
  if (random() < 0.2) {
    const logging = `${side.prefix}-user-logging-${direction}`;
    const onlyNew = random() < 0.7 ? " -m conntrack --ctstate NEW" : "";
    filter.add(
      logging,
      `${what}${onlyNew} ${limited} -j LOG --log-prefix "[UFW ${verdict === "ACCEPT" ? "ALLOW" : "BLOCK"}] "`,
      `${what} -j RETURN`,
    );
    filter.add(chain, `${what} -j ${logging}`);
  }
  filter.add(chain, `${what} -j ${verdict}`);
}

/** One `ufw route RULE`. */
function route(side: Side, filter: Table, random: Random): void {
  const [inside, outside] = random() < 0.5 ? ["eth0", "eth1"] : ["eth1", "eth0"];
  const port = pick(["80", "443", "3389", "5060:5070"], random);
  const source = random() < 0.5 ? `-s ${side.network(random)} ` : "";
  filter.add(
    `${side.prefix}-user-forward`,
    `${source}-i ${inside} -o ${outside} -p tcp -m tcp --dport ${port} -j ${random() < 0.7 ? "ACCEPT" : "DROP"}`,
  );
}
