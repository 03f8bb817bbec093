/** What `--keep-sets` keeps, whatever has changed in between. */

import { join } from "node:path";

import { describe, expect, it } from "vitest";

import { translate } from "../../src/index.js";
import { loadTwice } from "../../src/verify/load.js";
import { runInNamespace, withFiles } from "../../src/verify/namespace.js";
import { otherVersions, rootOf } from "./other-nft.js";
import { describeOnKernel } from "./requirements.js";

const host = "192.0.2.7";

function scriptOf(seconds: number, hits = 1): string {
  const rules = ["--set --name ssh", `--rcheck --seconds ${seconds} --hitcount ${hits} --name ssh -j DROP`];
  const dump = `*filter\n:INPUT ACCEPT [0:0]\n${rules.map((rule) => `-A INPUT -m recent ${rule}\n`).join("")}COMMIT\n`;
  return translate(dump, { family: "ipv4", keepSets: true }).script!;
}

const recorded = (set: string): string => `add element ip ipt2nft ${set} { ${host} }\n`;

/** What an nft of another version says to the scripts, loaded one after the other into one namespace. */
async function refusals(version: string, scripts: readonly string[]): Promise<string[]> {
  const files = Object.fromEntries(scripts.map((script, index) => [`${index}.nft`, script]));
  const shell = `cd "$(dirname "$0")"
mount --bind . "${rootOf(version)}/in" || exit
for ((index = 0; index < ${scripts.length}; index++)); do
  chroot "${rootOf(version)}" /usr/sbin/nft -f /in/$index.nft 2>&1 || echo "$index is refused"
done
`;
  return withFiles({ ...files, "load.sh": shell }, async (directory) => {
    const { status, stdout, stderr } = await runInNamespace(join(directory, "load.sh"), 60);
    if (status !== 0) throw new Error(stderr);
    return stdout.split("\n").filter((line) => line !== "");
  });
}

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

  describe("keeps networks added at run time, whatever the file holds", () => {
    const asking = (networks: string): string => {
      const ipsets = [
        { file: "sets.ipset", text: `create nets hash:net\n${networks.replaceAll(/\S+/g, "add nets $&\n")}` },
        { file: "ports.ipset", text: "create ports bitmap:port range 1-1024\nadd ports 20-25\n" },
      ];
      const asks = ["nets src", "nets dst", "ports dst"].map((set) => `-A INPUT -p tcp -m set --match-set ${set} -j DROP\n`).join("");
      return translate(`*filter\n:INPUT ACCEPT [0:0]\n${asks}COMMIT\n`, { family: "ipv4", keepSets: true, ipsets, targetNft: "0.9.8" })
        .script!;
    };
    const added = "add element ip ipt2nft ipset_nets { 198.51.0.0/16, 203.0.113.9 }\nadd element ip ipt2nft ipset_ports { 22-30 }\n";
    // Within what was added, around it, across its end, the same, and none.
    const files = ["198.51.100.0/24", "198.0.0.0/8 203.0.113.9", "198.51.255.0/24 198.52.0.0/16", "198.51.0.0/16", ""];

    it.each(files)("%j", async (networks) => {
      const { first, second, loaded, messages } = await loadTwice(asking(networks), { before: asking("192.0.2.0/24") + added });
      expect([loaded, messages]).toEqual([true, ""]);
      for (const listing of [first, second]) {
        expect(setIn(listing, "ipset_nets")).toMatch(/elements = \{ 198\.51\.0\.0\/16, 203\.0\.113\.9 \}/);
        expect(setIn(listing, "ipset_ports")).toMatch(/elements = \{ 22-30 \}/);
        for (const network of networks.split(" ").filter((one) => one !== ""))
          expect(setIn(listing, "from_file_ipset_nets")).toContain(network);
        if (networks !== "") expect(setIn(listing, "from_file_ipset_nets")).not.toContain("192.0.2.0/24");
        expect(listing).toContain("ip saddr @ipset_nets");
      }
    });

    it.runIf(otherVersions.length > 0).each([...otherVersions])("in nft %s", async (version) => {
      const loads = [asking("192.0.2.0/24") + added, ...files.flatMap((networks) => [asking(networks), asking(networks)])];
      expect(await refusals(version, loads)).toEqual([]);
    });
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
