/**
 * What kube-proxy in its iptables mode makes of 200 services: cluster addresses, node ports, load balancers with and without allowed
 * sources, local traffic policy, session affinity, services without endpoints. Names of chains are hashes as kube-proxy makes them.
 *
 * After pkg/proxy/iptables/proxier.go of Kubernetes 1.28.
 */

import { createHash } from "node:crypto";

import { seededRandom, type Random } from "../../src/random.js";
import { allAccept, between, comment, natAccept, pick, Table } from "./dump.js";

const services = 200;
/** Both of the network for benchmarks (RFC 2544). */
const podNetwork = "198.19.0.0/16";
const node = "192.0.2.10";

interface Named {
  /** `namespace/name:port` */
  readonly name: string;
  readonly protocol: "tcp" | "udp";
}

export interface Service extends Named {
  readonly address: string;
  readonly port: number;
  /** `address:port` */
  readonly endpoints: readonly string[];
  readonly affinity: boolean;
  readonly nodePort?: number;
  readonly balancer?: { readonly address: string; readonly sources: readonly string[] };
  /** Traffic from outside goes to pods of this node only: the first of the endpoints. */
  readonly local: boolean;
}

/** The first 80 bits of SHA-256 in base 32. */
function hash(text: string): string {
  const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
  const bits = [...createHash("sha256").update(text).digest()].map((byte) => byte.toString(2).padStart(8, "0")).join("");
  return Array.from({ length: 16 }, (_, index) => alphabet[parseInt(bits.slice(5 * index, 5 * index + 5), 2)]!).join("");
}

/** `--probability` as iptables-save prints what kube-proxy asks for: the kernel keeps 31 bits. */
function probability(share: number): string {
  return (Math.round(Number(share.toFixed(10)) * 2 ** 31) / 2 ** 31).toFixed(11);
}

const namespaces = ["default", "kube-system", "monitoring", "shop", "payments", "logging", "ci", "media"];
const applications = ["web", "api", "worker", "cache", "search", "auth", "queue", "metrics", "admin", "gateway"];

function serviceOf(index: number, random: Random): Service {
  const udp = index % 9 === 4;
  const endpoints = index % 25 === 24 ? 0 : between(1, 5, random);
  const targetPort = pick([80, 8080, 8443, 9090, 3000, 5432], random);
  const outside = index % 5 === 0;
  const balanced = index % 20 === 10;
  const [block, number] = [Math.floor(index / 250), 1 + (index % 250)];
  return {
    name: `${namespaces[index % namespaces.length]!}/${pick(applications, random)}-${index}:${udp ? "dns" : "http"}`,
    protocol: udp ? "udp" : "tcp",
    address: `198.18.${block}.${number}`,
    port: udp ? 53 : pick([80, 443, 8080, 9000], random),
    endpoints: Array.from({ length: endpoints }, (_, place) => `198.19.${place + 5 * block}.${number}:${udp ? 5353 : targetPort}`),
    affinity: index % 6 === 3,
    ...(outside && { nodePort: 30_000 + 7 * index }),
    ...(balanced && {
      balancer: { address: `203.0.113.${number}`, sources: index % 40 === 10 ? ["198.51.100.0/25", "192.0.2.64/26"] : [] },
    }),
    local: index % 15 === 5,
  };
}

/** So many services, 8,000 at most; the same in every run. */
export function kubeServices(count = services): Service[] {
  const random = seededRandom(200);
  return Array.from({ length: count }, (_, index) => serviceOf(index, random));
}

/** So many services with session affinity and three endpoints each: three lists a service. */
export function kubeServicesWithAffinity(count: number): Service[] {
  return Array.from({ length: count }, (_, index) => {
    const [block, number] = [Math.floor(index / 250), 1 + (index % 250)];
    return {
      name: `default/web-${index}:http`,
      protocol: "tcp",
      address: `198.18.${block}.${number}`,
      port: 80,
      endpoints: [0, 1, 2].map((endpoint) => `198.19.${8 * endpoint + block}.${number}:8080`),
      affinity: true,
      local: false,
    };
  });
}

/** The whole dump. */
export function kubeProxy(of: readonly Service[] = kubeServices()): string {
  const mangle = new Table("mangle", allAccept).add("KUBE-KUBELET-CANARY").add("KUBE-PROXY-CANARY");
  const nat = new Table("nat", natAccept);
  const filter = new Table("filter", { INPUT: "ACCEPT", FORWARD: "ACCEPT", OUTPUT: "ACCEPT" });
  skeleton(nat, filter);
  for (const service of of) {
    if (service.endpoints.length === 0) withoutEndpoints(service, filter);
    else withEndpoints(service, nat, filter);
  }
  nat.add(
    "KUBE-SERVICES",
    `${comment("kubernetes service nodeports; NOTE: this must be the last rule in this chain")} -m addrtype --dst-type LOCAL -j KUBE-NODEPORTS`,
  );
  return [mangle, nat, filter].map((table) => table.render()).join("");
}

function skeleton(nat: Table, filter: Table): void {
  nat
    .add("KUBE-KUBELET-CANARY")
    .add("KUBE-PROXY-CANARY")
    .add("KUBE-NODEPORTS")
    .add("PREROUTING", `${comment("kubernetes service portals")} -j KUBE-SERVICES`)
    .add("OUTPUT", `${comment("kubernetes service portals")} -j KUBE-SERVICES`)
    .add("POSTROUTING", `${comment("kubernetes postrouting rules")} -j KUBE-POSTROUTING`)
    .add("KUBE-MARK-MASQ", "-j MARK --set-xmark 0x4000/0x4000")
    .add(
      "KUBE-POSTROUTING",
      "-m mark ! --mark 0x4000/0x4000 -j RETURN",
      "-j MARK --set-xmark 0x4000/0x0",
      `${comment("kubernetes service traffic requiring SNAT")} -j MASQUERADE --random-fully`,
    );
  const isNew = "-m conntrack --ctstate NEW";
  const firewall = `${isNew} ${comment("kubernetes load balancer firewall")} -j KUBE-PROXY-FIREWALL`;
  const portals = `${isNew} ${comment("kubernetes service portals")} -j KUBE-SERVICES`;
  const external = `${isNew} ${comment("kubernetes externally-visible service portals")} -j KUBE-EXTERNAL-SERVICES`;
  filter
    .add("KUBE-KUBELET-CANARY")
    .add("KUBE-PROXY-CANARY")
    .add("KUBE-EXTERNAL-SERVICES")
    .add("KUBE-SERVICES")
    .add("KUBE-PROXY-FIREWALL")
    .add("INPUT", firewall, `${comment("kubernetes health check service ports")} -j KUBE-NODEPORTS`, external, "-j KUBE-FIREWALL")
    .add("FORWARD", firewall, `${comment("kubernetes forwarding rules")} -j KUBE-FORWARD`, portals, external)
    .add("OUTPUT", firewall, portals, "-j KUBE-FIREWALL")
    .add(
      "KUBE-FIREWALL",
      `! -s 127.0.0.0/8 -d 127.0.0.0/8 ${comment("block incoming localnet connections")} -m conntrack ! --ctstate RELATED,ESTABLISHED,DNAT -j DROP`,
    )
    .add(
      "KUBE-FORWARD",
      "-m conntrack --ctstate INVALID -j DROP",
      `${comment("kubernetes forwarding rules")} -m mark --mark 0x4000/0x4000 -j ACCEPT`,
      `${comment("kubernetes forwarding conntrack rule")} -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT`,
    )
    .add("KUBE-NODEPORTS");
}

/** `-d address -p protocol … --dport port` of a service, with a remark. */
function to(address: string, { name, protocol, port }: Service, remark: string): string {
  return `-d ${address}/32 -p ${protocol} ${comment(`${name} ${remark}`)} -m ${protocol} --dport ${port}`;
}

function withoutEndpoints(service: Service, filter: Table): void {
  const { name, protocol, address, nodePort } = service;
  filter.add("KUBE-SERVICES", `${to(address, service, "has no endpoints")} -j REJECT --reject-with icmp-port-unreachable`);
  if (nodePort === undefined) return;
  filter.add(
    "KUBE-EXTERNAL-SERVICES",
    `-p ${protocol} ${comment(`${name} has no endpoints`)} -m addrtype --dst-type LOCAL -m ${protocol} --dport ${nodePort} -j REJECT --reject-with icmp-port-unreachable`,
  );
}

function withEndpoints(service: Service, nat: Table, filter: Table): void {
  const { name, protocol, address, endpoints, nodePort, balancer, local } = service;
  const chain = chainOfService(service);
  nat.add("KUBE-SERVICES", `${to(address, service, "cluster IP")} -j ${chain}`);
  nat.add(chain, `! -s ${podNetwork} ${to(address, service, "cluster IP")} -j KUBE-MARK-MASQ`);
  balance(chain, service, endpoints, nat);
  for (const endpoint of endpoints) addEndpoint(service, endpoint, nat);
  if (nodePort === undefined && !balancer) return;

  const external = chain.replace("SVC", "EXT");
  if (local) {
    const own = chain.replace("SVC", "SVL");
    nat.add(
      external,
      `-s ${podNetwork} ${comment(`pod traffic for ${name} external destinations`)} -j ${chain}`,
      `${comment(`masquerade LOCAL traffic for ${name} external destinations`)} -m addrtype --src-type LOCAL -j KUBE-MARK-MASQ`,
      `${comment(`route LOCAL traffic for ${name} external destinations`)} -m addrtype --src-type LOCAL -j ${chain}`,
      `-j ${own}`,
    );
    balance(own, service, endpoints.slice(0, 1), nat);
  } else {
    nat.add(external, `${comment(`masquerade traffic for ${name} external destinations`)} -j KUBE-MARK-MASQ`, `-j ${chain}`);
  }
  if (nodePort !== undefined) {
    nat.add("KUBE-NODEPORTS", `-p ${protocol} ${comment(name)} -m ${protocol} --dport ${nodePort} -j ${external}`);
    if (local) filter.add("KUBE-NODEPORTS", `-p tcp ${comment(`${name} health check node port`)} -m tcp --dport ${nodePort + 1} -j ACCEPT`);
  }
  if (!balancer) return;
  if (balancer.sources.length === 0) {
    nat.add("KUBE-SERVICES", `${to(balancer.address, service, "loadbalancer IP")} -j ${external}`);
    return;
  }
  const firewall = chain.replace("SVC", "FW");
  nat.add("KUBE-SERVICES", `${to(balancer.address, service, "loadbalancer IP")} -j ${firewall}`);
  nat.add(
    firewall,
    ...[...balancer.sources, `${node}/32`].map((source) => `-s ${source} ${comment(`${name} loadbalancer IP`)} -j ${external}`),
    comment(`other traffic to ${name} will be dropped by KUBE-PROXY-FIREWALL`),
  );
  filter.add("KUBE-PROXY-FIREWALL", `${to(balancer.address, service, `traffic not accepted by ${firewall}`)} -j DROP`);
}

/** Those a client has been sent to before; else each with the same probability. */
function balance(chain: string, service: Service, endpoints: readonly string[], nat: Table): void {
  const seconds = 10_800;
  const target = (endpoint: string): string => chainOfEndpoint(service, endpoint);
  if (service.affinity) {
    for (const endpoint of endpoints) {
      nat.add(
        chain,
        `${comment(`${service.name} -> ${endpoint}`)} -m recent --rcheck --seconds ${seconds} --reap --name ${target(endpoint)} ` +
          `--mask 255.255.255.255 --rsource -j ${target(endpoint)}`,
      );
    }
  }
  endpoints.forEach((endpoint, index) => {
    const left = endpoints.length - index;
    const chance = left === 1 ? "" : ` -m statistic --mode random --probability ${probability(1 / left)}`;
    nat.add(chain, `${comment(`${service.name} -> ${endpoint}`)}${chance} -j ${target(endpoint)}`);
  });
}

/** The service's own chain; its other ones have another word in the middle. */
export function chainOfService({ name, protocol }: Named): string {
  return `KUBE-SVC-${hash(name + protocol)}`;
}

export function chainOfEndpoint({ name, protocol }: Named, endpoint: string): string {
  return `KUBE-SEP-${hash(name + protocol + endpoint)}`;
}

function addEndpoint(service: Service, endpoint: string, nat: Table): void {
  const { name, protocol, affinity } = service;
  const chain = chainOfEndpoint(service, endpoint);
  const list = affinity ? `-m recent --set --name ${chain} --mask 255.255.255.255 --rsource ` : "";
  nat.add(
    chain,
    `-s ${endpoint.split(":")[0]!}/32 ${comment(name)} -j KUBE-MARK-MASQ`,
    `-p ${protocol} ${comment(name)} ${list}-m ${protocol} -j DNAT --to-destination ${endpoint}`,
  );
}
