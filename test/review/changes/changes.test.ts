import { describe, expect, it } from "vitest";
import { dump, review } from "../dumps.js";

const base = ["-A INPUT -i lo -j ACCEPT", "-A INPUT -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT"];

/** `kind direction: meaning` of each change. */
function changes(before: readonly string[], after: readonly string[]): string[] {
  return review(dump(...after), dump(...before)).changes.map(({ kind, direction, meaning }) => `${kind} ${direction}: ${meaning}`);
}

describe("changes", () => {
  it.each<[fact: string, before: string[], after: string[]]>([
    ["a comment", ["-A INPUT -p tcp --dport 22 -j ACCEPT"], ["-A INPUT -p tcp --dport 22 -m comment --comment x -j ACCEPT"]],
    ["counters", ["-A INPUT -p tcp --dport 22 -j ACCEPT"], ["[4:12] -A INPUT -p tcp --dport 22 -j ACCEPT"]],
    [
      "the order of options",
      ["-A INPUT -s 192.0.2.1 -p tcp -m tcp --dport 22 -j ACCEPT"],
      ["-A INPUT -p tcp --dport 22 -j ACCEPT -s 192.0.2.1/32"],
    ],
    [
      "a default written out",
      ["-A INPUT -p tcp --dport 22 -j REJECT"],
      ["-A INPUT -p tcp -m tcp --dport 22 -j REJECT --reject-with icmp-port-unreachable"],
    ],
    [
      "another match for the same",
      ["-A INPUT -m state --state NEW -p tcp --dport 22 -j ACCEPT"],
      ["-A INPUT -p tcp -m conntrack --ctstate NEW -m tcp --dport ssh -j ACCEPT"],
    ],
    [
      "ports in another order",
      ["-A INPUT -p tcp -m multiport --dports 80,443 -j ACCEPT"],
      ["-A INPUT -p tcp -m multiport --dports 443,80 -j ACCEPT"],
    ],
    ["defaults of recent", ["-A INPUT -m recent --set --name x --mask 255.255.255.255 --rsource"], ["-A INPUT -m recent --name x --set"]],
    [
      "independent rules in another order",
      ["-A INPUT -p tcp --dport 22 -j ACCEPT", "-A INPUT -p udp --dport 53 -j DROP"],
      ["-A INPUT -p udp --dport 53 -j DROP", "-A INPUT -p tcp --dport 22 -j ACCEPT"],
    ],
    [
      "overlapping rules with one end in another order",
      ["-A INPUT -p tcp --dport 22 -j DROP", "-A INPUT -s 192.0.2.1 -j DROP"],
      ["-A INPUT -s 192.0.2.1 -j DROP", "-A INPUT -p tcp --dport 22 -j DROP"],
    ],
    [
      "a renamed chain",
      ["-A INPUT -p tcp -j ONE", "-A ONE -p tcp --dport 22 -j ACCEPT"],
      ["-A INPUT -p tcp -j TWO", "-A TWO -p tcp --dport 22 -j ACCEPT"],
    ],
  ])("are none for %s", (_, before, after) => {
    expect(changes(before, after)).toEqual([]);
  });

  it.each<[fact: string, before: string[], after: string[], wanted: string[]]>([
    [
      "a rule that lets through",
      [...base, "-A INPUT -j DROP"],
      [...base, "-A INPUT -p tcp --dport 23 -j ACCEPT", "-A INPUT -j DROP"],
      ["added opens: lets through TCP to port 23 (Telnet) of this machine from anywhere"],
    ],
    [
      "a rule that is taken away",
      [...base, "-A INPUT -p tcp --dport 23 -j ACCEPT", "-A INPUT -j DROP"],
      [...base, "-A INPUT -j DROP"],
      ["removed closes: no longer lets through TCP to port 23 (Telnet) of this machine from anywhere"],
    ],
    [
      "a source that is left out",
      ["-A INPUT -s 192.0.2.0/24 -p tcp --dport 22 -j ACCEPT", "-A INPUT -j DROP"],
      ["-A INPUT -p tcp --dport 22 -j ACCEPT", "-A INPUT -j DROP"],
      [
        "changed opens: lets through TCP to port 22 (SSH) of this machine from 192.0.2.0/24; now lets through TCP to port 22 (SSH) of this machine from anywhere",
      ],
    ],
    [
      "dependent rules in another order",
      ["-A INPUT -s 192.0.2.1 -j DROP", "-A INPUT -p tcp --dport 22 -j ACCEPT", "-A INPUT -j DROP"],
      ["-A INPUT -p tcp --dport 22 -j ACCEPT", "-A INPUT -s 192.0.2.1 -j DROP", "-A INPUT -j DROP"],
      [expect.stringMatching(/^moved opens: stands on the other side of the rule/) as string],
    ],
    [
      "a rule that changes nothing",
      [...base, "-A INPUT -j DROP"],
      [...base, "-A INPUT -p tcp --dport 23 -j DROP", "-A INPUT -j DROP"],
      ["added neither: drops TCP to port 23 (Telnet) of this machine from anywhere (no packet is let through or stopped that was not)"],
    ],
    [
      "an address in place of another",
      ["-A INPUT -s 192.0.2.1 -j ACCEPT", "-A INPUT -j DROP"],
      ["-A INPUT -s 192.0.2.2 -j ACCEPT", "-A INPUT -j DROP"],
      [
        "changed both: lets through all packets to this machine from 192.0.2.1; now lets through all packets to this machine from 192.0.2.2",
      ],
    ],
    [
      "a policy",
      [":INPUT DROP [0:0]"],
      [":INPUT ACCEPT [0:0]"],
      ["policy opens: everything in INPUT that no rule decides is let through now"],
    ],
    [
      "a policy that no packet comes to",
      [":INPUT DROP [0:0]", "-A INPUT -j DROP"],
      [":INPUT ACCEPT [0:0]", "-A INPUT -j DROP"],
      [
        "policy neither: everything in INPUT that no rule decides is let through now (no packet comes to the policy that it decides otherwise)",
      ],
    ],
  ])("tell of %s", (_, before, after, wanted) => {
    expect(changes(before, after)).toEqual(wanted);
  });
});

describe("what opens and closes", () => {
  const effects = (before: readonly string[], after: readonly string[]) => {
    const { opens, closes } = review(dump(...after), dump(...before));
    return { opens: opens.map(({ sentence }) => sentence), closes: closes.map(({ sentence }) => sentence) };
  };

  it("leaves out what other rules let through already", () => {
    expect(
      effects(
        [...base, "-A INPUT -p tcp --dport 20:22 -j ACCEPT", "-A INPUT -j DROP"],
        [...base, "-A INPUT -p tcp --dport 20:22 -j ACCEPT", "-A INPUT -p tcp --dport 22:25 -j ACCEPT", "-A INPUT -j DROP"],
      ),
    ).toEqual({ opens: ["new TCP connections to ports 23-25 of this machine from anywhere"], closes: [] });
  });

  it("follows packets into chains", () => {
    expect(
      effects(
        ["-A FORWARD -i eth0 -j LAN", "-A FORWARD -j DROP", "-A LAN -p udp -j RETURN", "-A LAN -j ACCEPT"],
        ["-A FORWARD -i eth0 -j LAN", "-A FORWARD -j DROP", "-A LAN -j ACCEPT"],
      ),
    ).toEqual({ opens: ["UDP through this machine coming in by eth0"], closes: [] });
  });

  it("names the answer of a list that decides", () => {
    const throttle = (seconds: number) => [
      "-A INPUT -p tcp --dport 22 -m recent --set --name x",
      `-A INPUT -p tcp --dport 22 -m recent --update --seconds ${seconds} --hitcount 4 --name x -j DROP`,
    ];
    expect(effects(throttle(60), throttle(10))).toEqual({
      opens: [
        'TCP to port 22 (SSH) of this machine from anywhere, where the source has 4 hits on list "x" in 60 s, unless the source has 4 hits on list "x" in 10 s',
      ],
      closes: [],
    });
  });

  it("takes two limits of one kind for two", () => {
    const limited = "-A INPUT -p icmp -m limit --limit 1/sec -j ACCEPT";
    expect(effects([limited, limited, "-A INPUT -j DROP"], [limited, "-A INPUT -j DROP"]).closes).toEqual([
      "ICMP to this machine from anywhere, unless the limit of 1/sec in bursts of 5 is not used up (the rule of line 5), where the limit of 1/sec in bursts of 5 is not used up (the rule of line 6)",
    ]);
  });

  it.each([
    ["-m set --match-set a,b src,dst", 'the source and the destination together are in set "a,b"'],
    ["-m set --match-set bad src,src", 'the source is in set "bad"'],
    ["-m mark --mark 0x80/0xb5", "its mark is 0x80 in the bits 0xb5"],
    ["-m mark --mark 5", "its mark is 0x5"],
    ["-m connlimit --connlimit-above 9 --connlimit-mask 24", "more than 9 connections from the source (/24) are open"],
    [
      "-m hashlimit --hashlimit-upto 5/sec --hashlimit-mode srcip,dstport --hashlimit-name h",
      'the limit "h" of 5/sec for each source and destination port is not used up',
    ],
    ["-m statistic --mode nth --every 3", "it is one of every 3 packets (the one at 0, counted from 0)"],
    ["-m ttl --ttl-lt 5", "its TTL is below 5"],
    ["-m mac --mac-source 00:00:5e:00:53:01", "its hardware address is 00:00:5e:00:53:01"],
    ["-m pkttype --pkt-type broadcast", "it came as broadcast"],
    ["-m string --algo bm --string evil --from 40", '"-m string --algo bm --from 40 --string evil" holds'],
    ["-m addrtype --dst-type LOCAL", "the destination is of type LOCAL"],
  ])("says %s in words", (match, words) => {
    const opened = (test: string): string | undefined =>
      review(dump(`-A INPUT ${test} -j ACCEPT`, "-A INPUT -j DROP"), dump("-A INPUT -j DROP")).opens[0]?.sentence;
    expect(opened(match)).toContain(`, where ${words}`);
    const inverted = match.replace(/(?<=-m (?:set|mark|mac|pkttype|addrtype) )/, "! ");
    if (inverted !== match) expect(opened(inverted)).toContain(`, unless ${words}`);
  });

  it("says where it could not be worked out", () => {
    const maze = Array.from(
      { length: 1_000 },
      (_, index) => `-A INPUT ! -s 10.${index >> 8}.${index & 255}.0/24 -p tcp ! --dport ${index + 1} -m mark --mark ${index} -j ACCEPT`,
    );
    const {
      unjudged,
      verdict,
      headline,
      changes: told,
    } = review(dump(...maze, "-A INPUT -p tcp --sport 7 -j DROP"), dump(...maze, "-A INPUT -p tcp -j DROP"));
    expect(unjudged.map(({ sentence }) => sentence)).toEqual([
      "a rule that was changed: its packets are in too many pieces to be followed",
    ]);
    expect({ verdict, headline }).toEqual({ verdict: "look", headline: expect.stringContaining("1 not judged") as string });
    expect(told[0]?.meaning).toContain("; not judged");
  });

  it("sees a policy that packets meet by RETURN", () => {
    const rules = ["-A INPUT -p tcp -j RETURN", "-A INPUT -j ACCEPT"];
    const { closes } = review(dump(":INPUT DROP [0:0]", ...rules), dump(":INPUT ACCEPT [0:0]", ...rules));
    expect(closes.map(({ sentence }) => sentence)).toEqual(["TCP to this machine from anywhere"]);
  });

  it("sees a table that only one version has", () => {
    const nat = ["*nat", "-A PREROUTING -p tcp --dport 80 -j DNAT --to-destination 198.51.100.10:443"];
    const [without, withTable] = [dump("*filter", "-A INPUT -i lo -j ACCEPT"), dump("*filter", "-A INPUT -i lo -j ACCEPT", ...nat)];
    const [added, removed] = [review(withTable, without), review(without, withTable)];
    expect([added.verdict, removed.verdict]).toEqual(["look", "look"]);
    expect(added.opens.map(({ sentence }) => sentence)).toEqual([
      "TCP to port 80 (HTTP) arriving at this machine from anywhere reaches 198.51.100.10 port 443 now",
    ]);
    expect(removed.closes.map(({ sentence }) => sentence)).toEqual([
      "TCP to port 80 (HTTP) arriving at this machine from anywhere no longer reaches 198.51.100.10 port 443",
    ]);
    // What the translation hid: a service of this machine on that port.
    expect(removed.opens.map(({ sentence }) => sentence)).toEqual([
      "TCP to port 80 (HTTP) arriving at this machine from anywhere reaches the address it is sent to now",
    ]);
    expect([added, removed].map(({ changes }) => changes.map(({ direction }) => direction))).toEqual([["both"], ["both"]]);
    const dropping = dump("*filter", "-A INPUT -i lo -j ACCEPT", "*mangle", ":PREROUTING ACCEPT [0:0]", "-A PREROUTING -p tcp -j DROP");
    expect(review(dropping, without).closes).toHaveLength(2);
    expect(review(without, dropping).opens).toHaveLength(2);
  });

  it("tells of each place of a translation what packets reach it, or no longer do", () => {
    const forward = (...ports: readonly number[]): string =>
      dump("*nat", ...ports.map((port, index) => `-A PREROUTING -p udp --dport ${port} -j DNAT --to-destination 192.0.2.${index + 1}`));
    const told = (old: string, changed: string): readonly (readonly string[])[] => {
      const { opens, closes } = review(changed, old);
      return [opens, closes].map((one) => one.map(({ sentence }) => sentence.replace(" arriving at this machine from anywhere", "")));
    };
    expect(told(forward(5684), forward(5685))).toEqual([
      ["UDP to port 5684 reaches the address it is sent to now", "UDP to port 5685 reaches 192.0.2.1 now"],
      ["UDP to port 5684 no longer reaches 192.0.2.1", "UDP to port 5685 no longer reaches the address it is sent to"],
    ]);
    const all = [1, 2, 3, 4, 5].map((port) => `-A ALL -p udp --dport ${port} -j DNAT --to-destination 192.0.2.${port}`);
    const chain = (target: string): string => dump("*nat", ":ALL - [0:0]", `-A PREROUTING -j ${target}`, ...all);
    expect(told(chain("RETURN"), chain("ALL"))[0]).toEqual(["UDP to ports 1-5 reaches other addresses now"]);
  });

  it("takes a proxy that packets are handed to for the place they reach, with the mark it gives", () => {
    const proxy = (port: number, ...filter: readonly string[]): string =>
      dump("*mangle", `-A PREROUTING -p tcp --dport 80 -j TPROXY --on-port ${port} --tproxy-mark 0x1/0x1`, "*filter", ...filter);
    const [handed, plain] = [proxy(3129), dump("*mangle", "-A PREROUTING -p udp -j ACCEPT", "*filter")];
    const sentences = (old: string, changed: string): string[] => {
      const { opens, closes } = review(changed, old);
      return [...opens, ...closes].map(({ sentence }) => sentence.replace(" arriving at this machine from anywhere", ""));
    };
    expect(sentences(handed, plain)).toEqual([
      "TCP to port 80 (HTTP) reaches the address it is sent to now",
      "TCP to port 80 (HTTP) no longer reaches a proxy on port 3129",
    ]);
    expect(sentences(handed, proxy(3128))).toEqual([
      "TCP to port 80 (HTTP) reaches a proxy on port 3128 now",
      "TCP to port 80 (HTTP) no longer reaches a proxy on port 3129",
    ]);
    const marked = (mark: string): string =>
      proxy(3129, ":INPUT DROP [0:0]", "-A INPUT -m mark --mark 0x1/0x3 -j ACCEPT").replace("0x1/0x1", mark);
    expect(sentences(marked("0x1/0x3"), marked("0x2/0x3"))).toEqual(["TCP to port 80 (HTTP) of this machine from anywhere"]);
  });

  it("tells of other targets of address translation", () => {
    const findings = review(
      dump("*nat", "-A PREROUTING -p tcp --dport 80 -j DNAT --to-destination 192.0.2.2"),
      dump("*nat", "-A PREROUTING -p tcp --dport 80 -j DNAT --to-destination 192.0.2.1"),
    ).findings;
    expect(findings.map(({ code, message }) => [code, message])).toEqual([
      [
        "change-opens",
        "gets through now and did not before: TCP to port 80 (HTTP) arriving at this machine from anywhere reaches 192.0.2.2 now",
      ],
      ["change-closes", "no longer gets through: TCP to port 80 (HTTP) arriving at this machine from anywhere no longer reaches 192.0.2.1"],
    ]);
  });
});

describe("--rttl", () => {
  const set = "-A INPUT -p tcp --dport 22 -m recent --set --name x";
  const check = (options: string): string =>
    `-A INPUT -p tcp --dport 22 -m recent --update --seconds 60 --hitcount 4 ${options}--name x -j DROP`;
  const directions = (before: readonly string[], after: readonly string[]): string[] =>
    review(dump(...after), dump(...before)).changes.map(({ direction }) => direction);

  it("changes nothing behind the packet's own hit", () => {
    expect(directions([set, check("")], [set, check("--rttl ")])).toEqual(["neither"]);
    expect(directions([set, check("--rttl ")], [set, check("")])).toEqual(["neither"]);
  });

  it("opens in front of it, and where something else changes the TTL in between", () => {
    expect(directions([check(""), set], [check("--rttl "), set])).toEqual(["opens"]);
    const ttl = "*mangle\n-A PREROUTING -p tcp --dport 22 -m recent --set --name x\n-A PREROUTING -j TTL --ttl-set 9\nCOMMIT\n";
    const filter = (options: string): string => `*filter\n${check(options)}\nCOMMIT\n`;
    const { opens } = review(ttl + filter("--rttl "), ttl + filter(""));
    expect(opens).not.toEqual([]);
  });
});

describe("sets of ipset", () => {
  const sets = (members = ""): { readonly file: string; readonly text: string }[] => [
    { file: "sets.ipset", text: `create trap hash:ip\n${members}create all list:set size 8\nadd all trap\n` },
  ];
  const told = (before: readonly string[], after: readonly string[], old = sets(), current = sets()) => {
    const { verdict, opens, closes } = review(dump(...after), dump(...before), { options: { ipsets: current }, oldIpsets: old });
    return [verdict, opens.length > 0, closes.length > 0];
  };
  const asks = (set: string): string => `-A INPUT -m set --match-set ${set} src -j DROP`;
  const adds = "-A INPUT -p tcp -m tcp --dport 23 -j SET --add-set trap src";

  it("are asked anew behind a rule that has put the packet's own source there", () => {
    expect(told([asks("trap"), adds], [asks("trap"), adds, asks("trap")])).toEqual(["look", false, true]);
    expect(told([asks("all"), adds], [asks("all"), adds, asks("all")])).toEqual(["look", false, true]);
    expect(told([asks("trap")], [asks("trap"), asks("trap")])).toEqual(["safe", false, false]);
  });

  it("hold more as soon as a set in them does, by a rule or by what it is given", () => {
    expect(told([asks("all")], [asks("all"), adds])).toEqual(["look", false, true]);
    expect(told([asks("all"), adds], [asks("all")])).toEqual(["look", true, false]);
    expect(told([asks("all")], [asks("all")], sets(), sets("add trap 192.0.2.9\n"))).toEqual(["look", false, true]);
  });

  it("without addresses are shared by the rules of both families", () => {
    const of = (type: string) => [{ file: "sets.ipset", text: `create trap ${type}\n` }];
    const ports = "-A INPUT -p tcp -m tcp --dport 23 -j SET --add-set trap dst";
    const counted = "-A INPUT -m nfacct --nfacct-name trap -j DROP";
    const verdict = (type: string, rule: string, fed: string) => {
      const options = { options: { ipsets: of(type) }, oldIpsets: of(type) };
      const sources = (...own: readonly string[]) => ({ ipv4: dump(rule), ipv6: dump("-A INPUT -i lo", ...own) });
      const { verdict: word, changes } = review(sources(fed), sources(), options);
      return [word, ...changes.map(({ family, kind, direction, meaning }) => `${family} ${kind} ${direction}: ${meaning}`).sort()];
    };
    const asked = "-A INPUT -p tcp -m set --match-set trap dst -j DROP";
    expect(verdict("bitmap:port range 0-1000", asked, ports)).toEqual([
      "look",
      'ipv4 contents closes: set "trap" is fed otherwise by the rules of IPv6',
      "ipv6 added neither: changes a set for TCP to port 23 (Telnet) of this machine from anywhere; what follows for IPv4 is told there",
    ]);
    expect(verdict("hash:ip", asked, ports)[0]).toBe("safe");
    expect(verdict("hash:ip", counted, "-A INPUT -m nfacct --nfacct-name trap")[0]).toBe("look");
  });
});

describe("what rules changed on the way", () => {
  const nat = "*nat\n-A PREROUTING -d 203.0.113.1 -j DNAT --to-destination 192.0.2.1\nCOMMIT\n";
  const filter = (...rules: readonly string[]): string => `*filter\n${rules.join("\n")}\nCOMMIT\n`;
  const raw = (...rules: readonly string[]): string =>
    `*raw\n${rules.map((rule) => rule.replace("FORWARD", "PREROUTING")).join("\n")}\nCOMMIT\n`;
  const verdictOf = (before: string, after: string): string => review(dump(after), dump(before)).verdict;

  it("is another host for a list", () => {
    const set = "-A FORWARD -m recent --set --name x --rdest";
    const check = "-A FORWARD -m recent --rcheck --name x --rdest -j DROP";
    expect(verdictOf(raw(set) + nat + filter("-A FORWARD -j ACCEPT"), raw(set) + nat + filter(check))).not.toBe("safe");
    expect(verdictOf(raw(set) + nat + filter(check), nat + filter(set, check))).not.toBe("safe");
  });

  it("is another element for a set", () => {
    const asks = (target: string): string => `-A FORWARD -m set --match-set bad dst -j ${target}`;
    const before = raw(asks("DROP")) + nat + filter("-A FORWARD -i lo");
    expect(verdictOf(before, raw(asks("DROP")) + nat + filter("-A FORWARD -i lo", asks("DROP")))).not.toBe("safe");
    const adds = "-A FORWARD -j SET --add-set bad dst";
    const asked = filter(asks("DROP"));
    expect(verdictOf(raw(adds) + nat + asked, nat + filter(asks("DROP"), adds))).not.toBe("safe");
  });
});

describe("a header of ports", () => {
  const drop = (options: string): string => `-A INPUT -p tcp -m tcp ${options}-j DROP`;
  const states = "-A INPUT -m conntrack --ctstate INVALID";

  it("is there where the kernel puts fragments together", () => {
    expect(changes([states, drop("")], [states, "-A INPUT -p tcp -j DROP"])[0]).toContain("changed neither:");
    expect(changes([drop("")], ["-A INPUT -p tcp -j DROP"])[0]).toContain("closes");
    expect(changes([states, drop("--dport 22 ")], [states, drop("")])[0]).toContain("changed closes:");
  });
});
