/** Which parts of the kernel a script needs, and scripts without them. */

import { describe, expect, it } from "vitest";

import { dispensableParts, type KernelPartName } from "../../src/nft/kernel-parts.js";
import { kernelPartsOf } from "../../src/nft/requirements.js";
import { translate, type Translation } from "../../src/translate.js";

const opens = "without the rule the firewall is more open";

/** A rule that needs the part and no other that scripts can be made without, and what its loss means. */
const needing: Readonly<
  Record<Exclude<KernelPartName, "conntrack" | "limit" | "nat-chain">, readonly [table: string, rule: string, loss: string]>
> = {
  connlimit: ["filter", "-A INPUT -p tcp -m connlimit --connlimit-above 3 -j DROP", opens],
  "ct-helper": ["raw", "-A PREROUTING -p tcp --dport 21 -j CT --helper ftp", 'what "CT" did no longer happens'],
  dup: ["mangle", "-A PREROUTING -j TEE --gateway 192.0.2.1", 'what "TEE" did no longer happens'],
  fib: ["filter", "-A INPUT -m addrtype --dst-type BROADCAST -j DROP", opens],
  hash: ["filter", "-A INPUT -m cluster --cluster-total-nodes 2 --cluster-local-node 1 --cluster-hash-seed 1 -j DROP", opens],
  ipsec: ["filter", "-A INPUT -m policy --dir in --pol ipsec --reqid 5 -j ACCEPT", "without the rule the firewall is more closed"],
  log: ["filter", "-A INPUT -j LOG", "no verdict changes, but packets are no longer reported"],
  masquerade: ["nat", "-A POSTROUTING -j MASQUERADE", "addresses and ports are no longer translated"],
  nat: ["nat", "-A PREROUTING -j DNAT --to-destination 192.0.2.1", "addresses and ports are no longer translated"],
  numgen: ["filter", "-A INPUT -m statistic --mode nth --every 2 -j DROP", opens],
  osf: ["filter", "-A INPUT -p tcp -m osf --genre Linux -j DROP", opens],
  queue: ["filter", "-A INPUT -j NFQUEUE --queue-num 3", opens],
  quota: ["filter", "-A INPUT -m quota --quota 1000 -j ACCEPT", "without the rule the firewall is more closed"],
  redirect: ["nat", "-A PREROUTING -p tcp -j REDIRECT --to-ports 8080", "addresses and ports are no longer translated"],
  reject: ["filter", "-A INPUT -j REJECT", opens],
  socket: ["filter", "-A INPUT -p tcp -m socket -j DROP", opens],
  synproxy: ["filter", "-A INPUT -p tcp -m conntrack --ctstate INVALID -j SYNPROXY --mss 1460", opens],
  tproxy: ["mangle", "-A PREROUTING -p tcp -j TPROXY --on-port 8080", "packets that it handed to a proxy go on to the next rule"],
};

const other = "-A INPUT -s 192.0.2.7 -j DROP";

function made(table: string, rule: string, without: readonly KernelPartName[] = []): Translation {
  const filter = table === "filter" ? `*filter\n${rule}\n${other}\nCOMMIT\n` : `*${table}\n${rule}\nCOMMIT\n*filter\n${other}\nCOMMIT\n`;
  return translate(filter, { family: "ipv4", without });
}

const partsOf = ({ nft }: Translation): readonly KernelPartName[] => nft!.tables.flatMap(kernelPartsOf);

describe("parts of the kernel", () => {
  it("has a rule for each that a script can be made without", () => {
    expect(Object.keys(needing).sort()).toEqual([...dispensableParts].sort());
  });

  it.each(Object.entries(needing))("%s is found, and refused where it is not there", (name, [table, rule, loss]) => {
    const part = name as KernelPartName;
    expect(partsOf(made(table, rule)).filter((one) => dispensableParts.includes(one))).toEqual([part]);
    const without = made(table, rule, [part]);
    expect(partsOf(without).filter((one) => dispensableParts.includes(one))).toEqual([]);
    expect(without.outcome).toBe("refused");
    const [found, ...more] = without.diagnostics.filter(({ code }) => code === "needs-kernel-part");
    expect(more).toEqual([]);
    expect(found!.message).toContain(`needs "${part}", and the script is for a kernel without it; ${loss}`);
    expect(without.script).toContain("ip saddr 192.0.2.7 counter drop");
    // What the script lacks is not asked for.
    const rest = dispensableParts.filter((one) => one !== part);
    expect(made(table, rule, rest).script).toBe(made(table, rule).script);
  });

  it("are named in the header, as modules", () => {
    const script = made("filter", "-A INPUT -m conntrack --ctstate NEW -j REJECT").script!;
    expect(script).toContain("\n# Kernel modules beside nf_tables: nft_ct, nft_reject, nft_reject_ipv4.\n");
    expect(made("raw", "-A PREROUTING -p tcp --dport 21 -j CT --helper ftp").script).toContain("nf_tables: nf_conntrack_ftp, nft_ct.");
    expect(made("filter", "-A INPUT -j DROP").script).not.toContain("Kernel modules");
  });

  it("are refused beside what records hits before", () => {
    const rule = "-A INPUT -m recent --set --name seen -m socket -p tcp -j DROP";
    const { script } = made("filter", `${rule}\n-A INPUT -m recent --rcheck --name seen -j ACCEPT`, ["socket"]);
    expect(script).toContain("what it records before that");
    expect(script).toMatch(/update @seen\w* \{ ip saddr \}/);
  });

  it.each([["queues"], ["nat-chain"], ["limit"], [""]])("there is none called %j", (name) => {
    const options = { without: [name] } as unknown as Parameters<typeof translate>[1];
    expect(() => translate("*filter\nCOMMIT\n", options)).toThrow(RangeError);
    expect(() => translate("*filter\nCOMMIT\n", options)).toThrow(`"without" must be a list of parts of the kernel ("connlimit"`);
  });

  it("is a list", () => {
    expect(() => translate("", { without: "queue" } as unknown as Parameters<typeof translate>[1])).toThrow('not "queue"');
  });
});

describe("queues", () => {
  it.each([
    ["-j NFQUEUE", "queue num 0"],
    ["-j QUEUE", "queue num 0"],
    ["-j NFQUEUE --queue-num 65535 --queue-bypass", "queue num 65535 bypass"],
    ["-j NFQUEUE --queue-balance 2:5", "queue num 2-5"],
    ["-j NFQUEUE --queue-balance :4 --queue-cpu-fanout", "queue num 0-4 fanout"],
    ["-j NFQUEUE --queue-balance 4: --queue-bypass --queue-cpu-fanout", "queue num 4-65535 bypass,fanout"],
  ])("%s is %s", (target, statement) => {
    const { script, outcome } = translate(`*filter\n-A INPUT ${target}\nCOMMIT\n`, { family: "ipv4" });
    expect(outcome).toBe("exact");
    expect(script).toContain(`\t\tcounter ${statement}\n`);
  });
});
