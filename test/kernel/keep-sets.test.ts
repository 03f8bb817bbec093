/** What `--keep-sets` keeps when a window has changed in between. */

import { expect, it } from "vitest";

import { translate } from "../../src/index.js";
import { loadTwice } from "../../src/verify/load.js";
import { describeOnKernel } from "./requirements.js";

const host = "192.0.2.7";

function scriptOf(seconds: number, hits = 1): string {
  const rules = ["--set --name ssh", `--rcheck --seconds ${seconds} --hitcount ${hits} --name ssh -j DROP`];
  const dump = `*filter\n:INPUT ACCEPT [0:0]\n${rules.map((rule) => `-A INPUT -m recent ${rule}\n`).join("")}COMMIT\n`;
  return translate(dump, { family: "ipv4", keepSets: true }).script!;
}

const recorded = (set: string): string => `add element ip ipt2nft ${set} { ${host} }\n`;

/** The declaration of a set in `nft list ruleset`, in one line. */
function setIn(listing: string, name: string): string | undefined {
  return new RegExp(`set ${name} \\{([^]*?)\\n\\t\\}`).exec(listing)?.[1]?.replace(/\s+/g, " ").trim();
}

describeOnKernel("--keep-sets", () => {
  it("keeps the elements of a window that has not changed", async () => {
    const { first, loaded } = await loadTwice(scriptOf(60), { before: `${scriptOf(60)}${recorded("ssh_60s_recent")}` });
    expect(loaded).toBe(true);
    expect(setIn(first, "ssh_60s_recent")).toContain(host);
  });

  it("begins a window that has changed with no hosts, and its own time", async () => {
    const { first, loaded } = await loadTwice(scriptOf(30), { before: `${scriptOf(60)}${recorded("ssh_60s_recent")}` });
    expect(loaded).toBe(true);
    expect(setIn(first, "ssh_30s_recent")).toBe(
      'type ipv4_addr size 65535 flags dynamic,timeout timeout 30s4ms comment "recent ssh: recent; 30s"',
    );
    expect(first).toContain("ip saddr @ssh_30s_recent");
    expect(first).not.toContain("ip saddr @ssh_60s_recent");
  });

  it("begins with an empty ring where the hit count has changed", async () => {
    const { first } = await loadTwice(scriptOf(60, 10), { before: `${scriptOf(60, 8)}${recorded("ssh_8_in_60s_hit_7")}` });
    expect(setIn(first, "ssh_8_in_60s_hit_7")).toContain(host);
    expect(setIn(first, "ssh_10_in_60s_hit_7")).toBeDefined();
    expect(setIn(first, "ssh_10_in_60s_hit_7")).not.toContain(host);
  });

  it("keeps elements added at run time to a set that came from ipset, and no rule of the script before", async () => {
    const ipsets = [{ file: "sets.ipset", text: "create ips hash:ip family inet\nadd ips 192.0.2.1\n" }];
    const asking = (chain: string): string =>
      `*filter\n:INPUT ACCEPT [0:0]\n:${chain} - [0:0]\n-A INPUT -j ${chain}\n-A ${chain} -m set --match-set ips src -j DROP\nCOMMIT\n`;
    const [before, after] = ["old", "fresh"].map((chain) => translate(asking(chain), { family: "ipv4", keepSets: true, ipsets }).script!);
    const { first, second, loaded } = await loadTwice(after!, { before: `${before!}${recorded("ipset_ips")}` });
    expect(loaded).toBe(true);
    for (const listing of [first, second]) {
      expect(setIn(listing, "ipset_ips")).toMatch(/elements = \{ 192\.0\.2\.1, 192\.0\.2\.7 \}/);
      expect(listing).toContain("jump filter_fresh");
      expect(listing).not.toContain("jump filter_old");
    }
  });

  it("with --replaces leaves nothing of five rulesets but the last, and the hosts that stay on a list", { timeout: 240_000 }, async () => {
    const ipsets = [
      { file: "sets.ipset", text: "create ips hash:ip family inet\nadd ips 192.0.2.1\ncreate nets hash:net\nadd nets 198.51.100.0/24\n" },
    ];
    const list = (name: string, hits: number): string[] => [
      `-A INPUT -m recent --name ${name} --set`,
      `-A INPUT -m recent --name ${name} --update --seconds 600 --hitcount ${hits} -j DROP`,
    ];
    const asks = (set: string): string => `-A INPUT -m set --match-set ${set} src -j DROP`;
    const rulesets: readonly (readonly [chains: readonly string[], rules: readonly string[]])[] = [
      [["web"], ["-A INPUT -j web", ...list("ssh", 3), asks("ips")]],
      [["mail"], ["-A INPUT -j mail", ...list("ssh", 3), asks("ips"), asks("nets")]],
      [
        ["mail", "web"],
        ["-A INPUT -j web", "-A web -j mail", ...list("ssh", 12), asks("ips")],
      ],
      [[], [...list("login", 3), ...list("ssh", 12), asks("ips"), "-A FORWARD -j DROP"]],
      [["last"], ["-A INPUT -j last", ...list("ssh", 12), asks("ips")]],
    ];
    let earlier: string | undefined;
    let loadedSoFar = `add table ip other\nadd chain ip other mine\n`;
    for (const [index, [chains, rules]] of rulesets.entries()) {
      const dump = [
        "*filter",
        ":INPUT ACCEPT [0:0]",
        ":FORWARD ACCEPT [0:0]",
        ...chains.map((name) => `:${name} - [0:0]`),
        ...rules,
        "COMMIT",
        "",
      ].join("\n");
      const { script, nft } = translate(dump, {
        family: "ipv4",
        keepSets: true,
        ipsets,
        ...(earlier !== undefined && { replaces: earlier }),
      });
      const { first, second, loaded, messages } = await loadTwice(script!, { before: loadedSoFar });
      expect([index, loaded, messages]).toEqual([index, true, ""]);
      const [table] = nft!.tables;
      for (const listing of [first, second]) {
        const own = /table ip ipt2nft \{[^]*?\n\}/.exec(listing)![0];
        expect([...own.matchAll(/^\tchain (\S+)/gm)].map(([, name]) => name).sort()).toEqual(table!.chains.map(({ name }) => name).sort());
        expect([...own.matchAll(/^\tset (\S+)/gm)].map(([, name]) => name).sort()).toEqual(table!.sets.map(({ name }) => name).sort());
        expect(listing).toContain("chain mine");
        if (index > 0) expect(setIn(listing, "ipset_ips")).toMatch(/192\.0\.2\.1, 192\.0\.2\.7/);
      }
      loadedSoFar += script! + recorded("ipset_ips");
      earlier = script;
    }
  });

  it("has names with windows because under one name a host would stay for as long as the old script said", async () => {
    // The kernel gives the set the new time, or, before Linux 6.3, leaves it as it was; its elements keep theirs in any case.
    const set = (seconds: number): string =>
      `add table ip t\nadd set ip t s { type ipv4_addr; size 100; flags dynamic,timeout; timeout ${seconds}s; }\n`;
    const { first } = await loadTwice(set(30), { before: `${set(60)}add element ip t s { ${host} }\n` });
    expect(setIn(first, "s")).toMatch(/timeout 30s .*192\.0\.2\.7 timeout 1m|timeout 1m .*192\.0\.2\.7/);
  });
});
