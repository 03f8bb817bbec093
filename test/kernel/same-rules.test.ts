/** Rules written in two ways: `-D` takes one away by the other here where iptables does, and nowhere else. */

import { spawnSync } from "node:child_process";
import { expect, it } from "vitest";

import { translate } from "../../src/translate.js";
import { unshareArguments } from "../../src/verify/namespace.js";
import { describeOnKernel } from "./requirements.js";

/** What is written of each default, and what is not the same. */
const pairs: readonly (readonly [string, string])[] = [
  ["-j REJECT", "-j REJECT --reject-with icmp-port-unreachable"],
  ["-j REJECT", "-j REJECT --reject-with port-unreach"],
  ["-j REJECT", "-j REJECT --reject-with icmp-host-unreachable"],
  ["-p tcp --syn -j DROP", "-p tcp -m tcp --tcp-flags FIN,SYN,RST,ACK SYN -j DROP"],
  ["-p tcp --syn -j DROP", "-p tcp -m tcp --tcp-flags SYN,RST,ACK SYN -j DROP"],
  ["-m limit --limit 3/hour -j DROP", "-m limit -j DROP"],
  ["-m limit --limit 3/hour -j DROP", "-m limit --limit 3/hour --limit-burst 5 -j DROP"],
  ["-m limit --limit 60/minute -j DROP", "-m limit --limit 1/s -j DROP"],
  ["-m limit --limit 1/s -j DROP", "-m limit --limit 1/s --limit-burst 6 -j DROP"],
  ["-j LOG", "-j LOG --log-level 4"],
  ["-j LOG", "-j LOG --log-level warning"],
  ["-j LOG", "-j LOG --log-level info"],
  ["-j LOG", '-j LOG --log-prefix ""'],
  ["-m recent --set -j DROP", "-m recent --set --rsource -j DROP"],
  ["-m recent --set -j DROP", "-m recent --set --name DEFAULT -j DROP"],
  ["-m recent --set -j DROP", "-m recent --set --name DEFAULT --mask 255.255.255.255 --rsource -j DROP"],
  ["-m recent --set -j DROP", "-m recent --set --rdest -j DROP"],
  ["-m recent --update --seconds 60 -j DROP", "-m recent --update --seconds 60 --hitcount 0 -j DROP"],
  ["-m recent --update --seconds 60 -j DROP", "-m recent --rcheck --seconds 60 -j DROP"],
  ["-j MARK --set-mark 1", "-j MARK --set-xmark 0x1/0xffffffff"],
  ["-j MARK --set-mark 1", "-j MARK --set-xmark 0x1"],
  ["-j MARK --or-mark 1", "-j MARK --set-xmark 0x1/0x1"],
  ["-j MARK --or-mark 1", "-j MARK --set-mark 0x1/0x1"],
  ["-j MARK --and-mark 1", "-j MARK --set-xmark 0x0/0xfffffffe"],
  ["-j MARK --xor-mark 1", "-j MARK --set-xmark 0x1/0x0"],
  ["-j CONNMARK --save-mark", "-j CONNMARK --save-mark --mask 0xffffffff"],
  ["-j CONNMARK --save-mark", "-j CONNMARK --save-mark --nfmask 0xffffffff --ctmask 0xffffffff"],
  ["-j CONNMARK --set-mark 1", "-j CONNMARK --set-xmark 0x1/0xffffffff"],
  ["-j CONNMARK --restore-mark", "-j CONNMARK --save-mark"],
  [
    "-m hashlimit --hashlimit 5/s --hashlimit-name a -j DROP",
    "-m hashlimit --hashlimit-upto 5/s --hashlimit-burst 5 --hashlimit-name a -j DROP",
  ],
  ["-m hashlimit --hashlimit 5/s --hashlimit-name a -j DROP", "-m hashlimit --hashlimit-upto 300/minute --hashlimit-name a -j DROP"],
  ["-m hashlimit --hashlimit 5/s --hashlimit-name a -j DROP", "-m hashlimit --hashlimit-above 5/s --hashlimit-name a -j DROP"],
  [
    "-m hashlimit --hashlimit 5/s --hashlimit-mode srcip --hashlimit-name a -j DROP",
    "-m hashlimit --hashlimit 5/s --hashlimit-mode srcip --hashlimit-srcmask 32 --hashlimit-name a -j DROP",
  ],
  [
    "-m hashlimit --hashlimit 5/s --hashlimit-mode srcip --hashlimit-name a -j DROP",
    "-m hashlimit --hashlimit 5/s --hashlimit-mode srcip --hashlimit-htable-expire 1000 --hashlimit-name a -j DROP",
  ],
  [
    "-m hashlimit --hashlimit 5/s --hashlimit-mode srcip,dstip --hashlimit-name a -j DROP",
    "-m hashlimit --hashlimit 5/s --hashlimit-mode dstip,srcip --hashlimit-name a -j DROP",
  ],
  [
    "-m hashlimit --hashlimit 5/s --hashlimit-mode srcip --hashlimit-name a -j DROP",
    "-m hashlimit --hashlimit 5/s --hashlimit-mode srcip --hashlimit-htable-gcinterval 1000 --hashlimit-name a -j DROP",
  ],
  ["-m string --algo bm --string x -j DROP", "-m string --algo bm --string x --to 65535 -j DROP"],
  ["-m string --algo bm --string x -j DROP", "-m string --algo bm --string x --from 0 --to 65535 -j DROP"],
  ["-m string --algo bm --string x -j DROP", '-m string --algo bm --hex-string "|78|" -j DROP'],
  ["-m string --algo bm --string x -j DROP", "-m string --algo kmp --string x -j DROP"],
  ["-p tcp -m tcp -j DROP", "-p tcp -m tcp --sport 0:65535 -j DROP"],
  ["-p tcp -m tcp -j DROP", "-p tcp -m tcp --sport : --dport : -j DROP"],
  ["-p tcp -m tcp -j DROP", "-p tcp -j DROP"],
  ["-p udp -m udp -j DROP", "-p udp -m udp --dport 0:65535 -j DROP"],
  ["-p tcp --dport 22 -j DROP", "-p tcp -m tcp --dport 22:22 -j DROP"],
  ["-p tcp --dport 22 -j DROP", "-p tcp -m tcp --dport ssh -j DROP"],
  ["-p tcp --dport 22 -j DROP", "-p 6 -m tcp --destination-port 22 -j DROP"],
  ["-m mark --mark 1 -j DROP", "-m mark --mark 0x1/0xffffffff -j DROP"],
  ["-m connmark --mark 1 -j DROP", "-m connmark --mark 0x1/0xffffffff -j DROP"],
  ["-m connlimit --connlimit-above 3 -j DROP", "-m connlimit --connlimit-above 3 --connlimit-mask 32 --connlimit-saddr -j DROP"],
  ["-m connlimit --connlimit-upto 3 -j DROP", "-m connlimit ! --connlimit-above 3 -j DROP"],
  ["-m time -j DROP", "-m time --timestart 00:00 --timestop 23:59:59 -j DROP"],
  ["-m time --weekdays Mon,Tue -j DROP", "-m time --weekdays 1,2 -j DROP"],
  ["-m state --state NEW -j DROP", "-m conntrack --ctstate NEW -j DROP"],
  ["-m state --state NEW,RELATED -j DROP", "-m state --state RELATED,NEW -j DROP"],
  ["-m conntrack --ctstate NEW,RELATED -j DROP", "-m conntrack --ctstate RELATED,NEW -j DROP"],
  ["-s 0.0.0.0/0 -j DROP", "-j DROP"],
  ["-s 192.0.2.1 -j DROP", "-s 192.0.2.1/32 -j DROP"],
  ["-s 192.0.2.1/24 -j DROP", "-s 192.0.2.0/255.255.255.0 -j DROP"],
  ["-p all -j DROP", "-j DROP"],
  ["-p icmp -m icmp --icmp-type 8 -j DROP", "-p icmp -m icmp --icmp-type echo-request -j DROP"],
  ["-p icmp -m icmp --icmp-type 8 -j DROP", "-p icmp -m icmp --icmp-type 8/0 -j DROP"],
  ["-j NFQUEUE", "-j NFQUEUE --queue-num 0"],
  ["-j NFLOG", "-j NFLOG --nflog-group 0"],
  ["-j NFLOG", "-j NFLOG --nflog-threshold 0"],
  ["-j TOS --set-tos 0x10", "-j TOS --set-tos 0x10/0xff"],
  ["-j TOS --set-tos 0x10", "-j TOS --set-tos Minimize-Delay"],
  ["-m tos --tos 0x10 -j DROP", "-m tos --tos 0x10/0xff -j DROP"],
  ["-m dscp --dscp 10 -j DROP", "-m dscp --dscp-class AF11 -j DROP"],
  ["-j DSCP --set-dscp 10", "-j DSCP --set-dscp-class AF11"],
  ["-m length --length 10 -j DROP", "-m length --length 10:10 -j DROP"],
  ["-m length --length 10: -j DROP", "-m length --length 10:65535 -j DROP"],
  ["-m ttl --ttl 10 -j DROP", "-m ttl --ttl-eq 10 -j DROP"],
  ["-m multiport -p tcp --ports 22,80 -j DROP", "-m multiport -p tcp --ports 80,22 -j DROP"],
  ["-m multiport -p tcp --dports 22 -j DROP", "-p tcp -m multiport --dports ssh -j DROP"],
  ["-m pkttype --pkt-type host -j DROP", "-m pkttype --pkt-type unicast -j DROP"],
  ["-m comment --comment a -j DROP", "-m comment --comment b -j DROP"],
  ["-m comment --comment a -j DROP", "-j DROP"],
  ["-m quota --quota 5 -j DROP", "-m quota --quota 6 -j DROP"],
  ["-m addrtype --src-type LOCAL,UNICAST -j DROP", "-m addrtype --src-type UNICAST,LOCAL -j DROP"],
  ["-m iprange --src-range 192.0.2.1-192.0.2.1 -j DROP", "-m iprange --src-range 192.0.2.1 -j DROP"],
];

const tableOf = (rule: string): string => (/MARK|TOS|DSCP/.test(rule) ? "mangle" : "filter");

/** A rule that iptables does not take to be deleted by is none that it finds. */
const driver = pairs
  .map(
    ([added, deleted]) =>
      `iptables-legacy -t ${tableOf(added)} -F OUTPUT; iptables-legacy -t ${tableOf(added)} -A OUTPUT ${added} || echo not added\n` +
      `iptables-legacy -t ${tableOf(added)} -D OUTPUT ${deleted} 2>/dev/null && echo same || echo other`,
  )
  .join("\n");

describeOnKernel("rules that are written otherwise", () => {
  it("are found by -D where iptables finds them", () => {
    const done = spawnSync("unshare", [...(unshareArguments() ?? []), "bash", "-c", driver], {
      encoding: "utf8",
      env: { ...process.env, XTABLES_LOCKFILE: "/dev/null", PATH: `${process.env["PATH"]}:/usr/sbin:/sbin` },
    });
    const found = pairs.map(([added, deleted]) => {
      const table = tableOf(added);
      const text = `iptables -t ${table} -A OUTPUT ${added}\niptables -t ${table} -D OUTPUT ${deleted}\n`;
      const { iptables, outcome } = translate([{ file: "rules.sh", text }]);
      const rules = iptables.flatMap(({ tables }) => tables.flatMap(({ chains }) => chains.flatMap((chain) => chain.rules)));
      return `${outcome !== "invalid" && rules.length === 0 ? "same" : "other"}: ${added} / ${deleted}`;
    });
    const expected = done.stdout.trim().split("\n");
    expect(expected.filter((line) => line === "same").length).toBeGreaterThan(50);
    expect(found).toEqual(pairs.map(([added, deleted], index) => `${expected[index]}: ${added} / ${deleted}`));
  });
});
