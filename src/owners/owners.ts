/**
 * Programs that make rules of their own, and how their rules are recognised: by the names of chains and sets, and by interfaces that
 * only they make. Names are those of the programs' own sources.
 */

export interface Owner {
  readonly name: string;
  /** Names of its processes as the kernel cuts them, to 15 bytes; none where its rules have to last without a process. */
  readonly processes: readonly string[];
  readonly chains?: RegExp;
  readonly sets?: RegExp;
  /** Rules outside of its chains. */
  readonly rules?: RegExp;
  /** What makes it give up its rules of iptables, or make others. */
  readonly advice: string;
}

export const owners: readonly Owner[] = [
  {
    name: "Docker",
    processes: ["dockerd"],
    chains: /^DOCKER(?:-[A-Z0-9-]+)?$/,
    rules: / -[io] (?:docker0|br-[0-9a-f]{12}|docker_gwbridge)(?= |$)/,
    advice: 'from version 29 on, "firewall-backend": "nftables" in /etc/docker/daemon.json',
  },
  {
    name: "Podman",
    processes: ["netavark", "podman", "conmon"],
    chains: /^(?:NETAVARK[-_].*|CNI-.*)$/,
    advice: 'firewall_driver = "nftables" in containers.conf',
  },
  {
    name: "kube-proxy",
    processes: ["kube-proxy"],
    chains: /^KUBE-/,
    sets: /^KUBE-/,
    advice: "--proxy-mode=nftables",
  },
  {
    name: "Calico",
    processes: ["calico-node"],
    chains: /^cali-/,
    sets: /^cali\d\d/,
    advice: "nftablesMode: Enabled in its FelixConfiguration",
  },
  { name: "Cilium", processes: ["cilium-agent"], chains: /^(?:OLD_)?CILIUM_/, sets: /^cilium_/, advice: "it has no backend of nft" },
  {
    name: "libvirt",
    processes: ["libvirtd", "virtnetworkd"],
    chains: /^LIBVIRT_/,
    rules: / -[io] virbr[0-9]+(?= |$)/,
    advice: 'firewall_backend = "nftables" in /etc/libvirt/network.conf',
  },
  {
    name: "LXD",
    processes: ["lxd", "incusd"],
    rules: / --comment "?generated for (?:LXD|Incus) network /,
    advice: "it uses nft by itself when no rules of iptables are there as it starts",
  },
  {
    name: "fail2ban",
    processes: ["fail2ban-server"],
    chains: /^(?:f2b|fail2ban)-/,
    sets: /^(?:f2b|fail2ban)-/,
    advice: "banaction = nftables in /etc/fail2ban/jail.local",
  },
  {
    name: "firewalld",
    processes: ["firewalld"],
    chains:
      /^(?:INPUT|FORWARD|OUTPUT|PREROUTING|POSTROUTING)_(?:direct|ZONES|IN_ZONES|OUT_ZONES|POLICIES_)|^(?:IN|FWDI|FWDO|PRE|POST|FWD)_[a-z]/,
    advice: "FirewallBackend=nftables in /etc/firewalld/firewalld.conf",
  },
  { name: "ufw", processes: [], chains: /^ufw6?-/, advice: "ufw disable, once the change is confirmed" },
  {
    name: "Shorewall",
    processes: [],
    chains: /^(?:shorewall|~?(?:net|fw|loc|dmz)(?:2|-)(?:net|fw|loc|dmz|all)|(?:net|loc|dmz)_frwd|reject|sfilter|dynamic)$/,
    advice: "systemctl disable shorewall, once the change is confirmed",
  },
  { name: "Tailscale", processes: ["tailscaled"], chains: /^ts-(?:input|forward|postrouting)$/, advice: "TS_DEBUG_FIREWALL_MODE=nftables" },
  {
    name: "wg-quick",
    processes: [],
    rules: / --comment "?wg-quick\(8\) rule for /,
    advice: "it uses nft by itself where nft is installed, from the next wg-quick up on",
  },
  {
    name: "sshguard",
    processes: ["sshguard", "sshg-fw-iptables", "sshg-blocker"],
    chains: /^sshguard$/,
    sets: /^sshguard[46]$/,
    advice: "BACKEND=…/sshg-fw-nft-sets",
  },
  {
    name: "CrowdSec",
    processes: ["crowdsec-firewa"],
    chains: /^CROWDSEC_CHAIN$/,
    sets: /^crowdsec6?-/,
    advice: "mode: nftables in crowdsec-firewall-bouncer.yaml",
  },
];

const ownChain = (name: string): Owner | undefined => owners.find(({ chains }) => chains?.test(name));

/** Whose rule it is. @param rule as iptables-save prints it, without counters */
export function ownerOf(rule: string): Owner | undefined {
  // A comment may look like options.
  const plain = rule.replace(/"(?:[^"\\]|\\.)*"/g, '""');
  const chain = /^-A (\S+)/.exec(plain)?.[1] ?? "";
  const target = / -[jg] (\S+)/.exec(plain)?.[1] ?? "";
  const sets = [...plain.matchAll(/ --(?:match-set|add-set|del-set|map-set) (\S+)/g)].map(([, name]) => name!);
  return (
    ownChain(chain) ??
    ownChain(target) ??
    owners.find((owner) => owner.rules?.test(rule) || (owner.sets !== undefined && sets.some((name) => owner.sets!.test(name))))
  );
}
