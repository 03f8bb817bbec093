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
  /** Of its chains those that it makes for the administrator's rules, which it does not make again. */
  readonly administrators?: RegExp;
  /** Rules outside of its chains. */
  readonly rules?: RegExp;
  /** How comments of its rules outside of its chains begin. */
  readonly comments?: RegExp;
  /** A chain that is always there with its own: without it others have chains of such names, too. */
  readonly sign?: RegExp;
  /** What makes it give up its rules of iptables, or make others. */
  readonly advice: string;
}

export const owners: readonly Owner[] = [
  {
    name: "Docker",
    processes: ["dockerd"],
    chains: /^DOCKER(?:-[A-Z0-9-]+)?$/,
    administrators: /^DOCKER-USER$/,
    // In INPUT it makes none: what names its bridges there is the administrator's.
    rules: /^-A (?!INPUT ).* -[io] (?:docker0|br-[0-9a-f]{12}|docker_gwbridge)(?= |$)/,
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
    comments: /^generated for (?:LXD|Incus) network /,
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
    sign: /^INPUT_(?:direct|ZONES)$/,
    advice: "FirewallBackend=nftables in /etc/firewalld/firewalld.conf",
  },
  { name: "ufw", processes: [], chains: /^ufw6?-/, advice: "ufw disable, once the change is confirmed" },
  {
    name: "Shorewall",
    processes: [],
    chains: /^(?:shorewall|~?(?:net|fw|loc|dmz)(?:2|-)(?:net|fw|loc|dmz|all)|(?:net|loc|dmz)_frwd|reject|sfilter|dynamic)$/,
    sign: /^shorewall$/,
    advice: "systemctl disable shorewall, once the change is confirmed",
  },
  { name: "Tailscale", processes: ["tailscaled"], chains: /^ts-(?:input|forward|postrouting)$/, advice: "TS_DEBUG_FIREWALL_MODE=nftables" },
  {
    name: "wg-quick",
    processes: [],
    comments: /^wg-quick\(8\) rule for /,
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

/** Whose chain it is, by its name. */
export const ownerOfChain = (name: string): Owner | undefined => owners.find(({ chains }) => chains?.test(name));

/** Whose rule it is. @param rule as iptables-save prints it, without counters */
export function ownerOf(rule: string): Owner | undefined {
  return ownerByWords(rule) ?? ownerByComment(rule);
}

/** Whose rule it is by its chain, its target, its sets and its interfaces. */
export function ownerByWords(rule: string): Owner | undefined {
  // A comment may look like options.
  const plain = rule.replace(/"(?:[^"\\]|\\.)*"/g, '""');
  const chain = /^-A (\S+)/.exec(plain)?.[1] ?? "";
  const target = / -[jg] (\S+)/.exec(plain)?.[1] ?? "";
  return ownerOfChain(chain) ?? ownerOfChain(target) ?? ownerByOptions(plain);
}

/** @param plain with nothing in its quotes */
function ownerByOptions(plain: string): Owner | undefined {
  const sets = [...plain.matchAll(/ --(?:match-set|add-set|del-set|map-set) (\S+)/g)].map(([, name]) => name!);
  return owners.find((owner) => owner.rules?.test(plain) || (owner.sets !== undefined && sets.some((name) => owner.sets!.test(name))));
}

/** Whose rule it is by its comment. */
export function ownerByComment(rule: string): Owner | undefined {
  const at = rule.indexOf(commentOption);
  if (at === -1) return undefined;
  const from = at + commentOption.length;
  // None of the patterns reads further.
  const comment = rule.slice(rule[from] === '"' ? from + 1 : from, from + 60);
  return commenters.find(({ comments }) => comments!.test(comment));
}

const commenters = owners.filter(({ comments }) => comments !== undefined);

const commentOption = " --comment ";
