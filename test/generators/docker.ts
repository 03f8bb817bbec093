/**
 * A host of containers as Docker sets it up: the default bridge, three more networks and an internal one, published ports for all or
 * for one address of the host, DOCKER-USER with rules of the administrator, isolation of the networks in two stages.
 *
 * After libnetwork/drivers/bridge and libnetwork/firewall_linux.go of Docker 27.
 */

import { seededRandom, type Random } from "../../src/random.js";
import { between, comment, natAccept, pick, Table } from "./dump.js";

interface Network {
  readonly bridge: string;
  /** The first three parts of its addresses. */
  readonly prefix: string;
  /** Without a way to the outside. */
  readonly internal?: true;
}

/** Addresses of the network for benchmarks (RFC 2544). */
const networks: readonly Network[] = [
  { bridge: "docker0", prefix: "198.18.0" },
  { bridge: "br-5d1c0a9be3f2", prefix: "198.18.1" },
  { bridge: "br-9f0e7c4418aa", prefix: "198.18.2" },
  { bridge: "br-c2b6d80317ee", prefix: "198.18.3" },
  { bridge: "br-e81f3a6c5d04", prefix: "198.18.4", internal: true },
];

const containers = 90;

/** A port of a container that the host publishes. */
interface Publication {
  readonly network: Network;
  readonly address: string;
  readonly protocol: "tcp" | "udp";
  readonly port: number;
  readonly hostPort: number;
  /** An address of the host, unless all. */
  readonly hostAddress?: string;
}

function publications(random: Random): Publication[] {
  const open = networks.filter(({ internal }) => !internal);
  return Array.from({ length: containers }, (_, index): Publication[] => {
    const network = open[index % open.length]!;
    const address = `${network.prefix}.${2 + Math.floor(index / open.length)}`;
    const ports = between(1, 2, random);
    return Array.from(
      { length: ports },
      (_unused, number): Publication => ({
        network,
        address,
        protocol: random() < 0.15 ? "udp" : "tcp",
        port: pick([80, 443, 3000, 5432, 6379, 8080, 9090], random) + number,
        hostPort: 20_000 + 10 * index + number,
        ...(random() < 0.25 && { hostAddress: pick(["127.0.0.1", "192.0.2.1"], random) }),
      }),
    );
  }).flat();
}

/** The whole dump. */
export function docker(): string {
  const random = seededRandom(90);
  const nat = new Table("nat", natAccept);
  const filter = new Table("filter", { INPUT: "DROP", FORWARD: "DROP", OUTPUT: "ACCEPT" });
  hostRules(filter);
  administratorRules(filter);
  isolate(filter);
  forward(filter);
  const local = "-m addrtype --dst-type LOCAL -j DOCKER";
  nat.add("PREROUTING", local).add("OUTPUT", `! -d 127.0.0.0/8 ${local}`);
  for (const { prefix, bridge, internal } of networks)
    if (!internal) nat.add("POSTROUTING", `-s ${prefix}.0/24 ! -o ${bridge} -j MASQUERADE`);
  for (const { bridge, internal } of networks) if (!internal) nat.add("DOCKER", `-i ${bridge} -j RETURN`);
  for (const { network, address, protocol, port, hostPort, hostAddress } of publications(random)) {
    const destination = `-p ${protocol} -m ${protocol} --dport`;
    nat.add("POSTROUTING", `-s ${address}/32 -d ${address}/32 ${destination} ${port} -j MASQUERADE`);
    nat.add(
      "DOCKER",
      `${hostAddress === undefined ? "" : `-d ${hostAddress}/32 `}! -i ${network.bridge} ${destination} ${hostPort} -j DNAT --to-destination ${address}:${port}`,
    );
    filter.add("DOCKER", `-d ${address}/32 ! -i ${network.bridge} -o ${network.bridge} ${destination} ${port} -j ACCEPT`);
  }
  return [nat, filter].map((table) => table.render()).join("");
}

/** What the host itself answers, with logins throttled by address. */
function hostRules(filter: Table): void {
  const login = "-i eth0 -p tcp -m tcp --dport 22 -m conntrack --ctstate NEW -m recent";
  const list = "--name SSH --mask 255.255.255.255 --rsource";
  filter.add(
    "INPUT",
    "-i lo -j ACCEPT",
    "-m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT",
    "-m conntrack --ctstate INVALID -j DROP",
    "-p icmp -m icmp --icmp-type 8 -m limit --limit 5/sec --limit-burst 20 -j ACCEPT",
    `${login} --set ${list}`,
    `${login} --update --seconds 60 --hitcount 6 ${list} -j DROP`,
    "-i eth0 -p tcp -m tcp --dport 22 -j ACCEPT",
    "-s 198.51.100.0/25 -p tcp -m multiport --dports 2376,9100,9323 -j ACCEPT",
    ...networks.map(({ bridge, prefix }) => `-s ${prefix}.0/24 -i ${bridge} -p udp -m udp --dport 53 -j ACCEPT`),
  );
}

function administratorRules(filter: Table): void {
  const list = "--name portscan --mask 255.255.255.255 --rsource";
  filter.add(
    "DOCKER-USER",
    "-m conntrack --ctstate RELATED,ESTABLISHED -j RETURN",
    `-i eth0 -m recent --rcheck --seconds 600 ${list} -j DROP`,
    `-i eth0 -p tcp -m tcp --dport 23 -m recent --set ${list} -j DROP`,
    ...Array.from({ length: 24 }, (_, index) => `-s 203.0.113.${8 * index}/29 -i eth0 ${comment(`abuse report ${1040 + index}`)} -j DROP`),
    ...[3306, 5432, 6379, 27_017].map(
      (port) => `! -s 198.51.100.0/24 -i eth0 -p tcp -m conntrack --ctorigdstport ${port} --ctdir ORIGINAL -j DROP`,
    ),
    "-i eth0 -p tcp -m tcp --tcp-flags FIN,SYN,RST,ACK SYN -m connlimit --connlimit-above 40 --connlimit-mask 32 --connlimit-saddr -j REJECT --reject-with tcp-reset",
    "-j RETURN",
  );
}

function isolate(filter: Table): void {
  for (const { bridge, prefix, internal } of networks) {
    if (internal) {
      filter.add("DOCKER-ISOLATION-STAGE-1", `! -d ${prefix}.0/24 -i ${bridge} -j DROP`, `! -s ${prefix}.0/24 -o ${bridge} -j DROP`);
    }
  }
  for (const { bridge, internal } of networks) {
    if (internal) continue;
    filter.add("DOCKER-ISOLATION-STAGE-1", `-i ${bridge} ! -o ${bridge} -j DOCKER-ISOLATION-STAGE-2`);
    filter.add("DOCKER-ISOLATION-STAGE-2", `-o ${bridge} -j DROP`);
  }
  filter.add("DOCKER-ISOLATION-STAGE-1", "-j RETURN").add("DOCKER-ISOLATION-STAGE-2", "-j RETURN");
}

function forward(filter: Table): void {
  filter.add("FORWARD", "-j DOCKER-USER", "-j DOCKER-ISOLATION-STAGE-1");
  for (const { bridge, internal } of networks) {
    if (internal) {
      filter.add("FORWARD", `-i ${bridge} -o ${bridge} -j ACCEPT`);
    } else {
      filter.add(
        "FORWARD",
        `-o ${bridge} -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT`,
        `-o ${bridge} -j DOCKER`,
        `-i ${bridge} ! -o ${bridge} -j ACCEPT`,
        `-i ${bridge} -o ${bridge} -j ACCEPT`,
      );
    }
  }
}
