/** Where `--rttl` is left out of the script because it is always true, and where it is not. */

import { describe, expect, test } from "vitest";

import { translate } from "../../../src/index.js";

const ssh = "-p tcp -m tcp --dport 22";
const set = `-A INPUT ${ssh} -m recent --set --name L`;
const check = `-A INPUT ${ssh} -m recent --update --seconds 60 --hitcount 4 --rttl --name L -j DROP`;

const filter = (...rules: readonly string[]): string => table("filter", ["INPUT ACCEPT", "FORWARD ACCEPT", "OUTPUT ACCEPT"], rules);
const mangle = (...rules: readonly string[]): string => table("mangle", ["INPUT ACCEPT"], rules);
const withChain = (...rules: readonly string[]): string => table("filter", ["INPUT ACCEPT", "C -"], rules);

function table(name: string, chains: readonly string[], rules: readonly string[]): string {
  return [`*${name}`, ...chains.map((chain) => `:${chain} [0:0]`), ...rules, "COMMIT", ""].join("\n");
}

function keepsTtls(dump: string): boolean {
  const { script, diagnostics } = translate(dump, { family: "ipv4" });
  const kept = script!.includes("_ttl_known");
  expect(diagnostics.some(({ code }) => code === "recent-rttl")).toBe(kept);
  return kept;
}

describe("a packet that has just been recorded came with the TTL of the list", () => {
  test.each([
    ["set above update", filter(set, check)],
    ["set, LOG and DROP", filter(set, check.replace("DROP", "LOG"), check)],
    [
      "in one rule",
      filter(`-A INPUT ${ssh} -m recent --set --name L -m recent --rcheck --seconds 60 --hitcount 4 --rttl --name L -j DROP`),
    ],
    ["a set that never matches", filter(set.replace("--set", "! --set"), check)],
    ["under further conditions", filter(set, check.replace("-m recent", "-m state --state NEW -m recent"))],
    ["for more packets than are checked", filter("-A INPUT -m recent --set --name L", check)],
    ["rules between them that only decide", filter(set, "-A INPUT -s 192.0.2.9/32 -j ACCEPT", "-A INPUT -s 192.0.2.8/32 -j LOG", check)],
    [
      "a jump between them to rules that only decide",
      withChain(set, "-A INPUT -j C", check, "-A C -s 192.0.2.9/32 -j DROP", "-A C -j LOG"),
    ],
    ["a host taken off in between", filter(set, "-A INPUT -p tcp -m recent --remove --name L", check)],
    ["in a chain of their own", withChain("-A INPUT -j C", set.replace("INPUT", "C"), check.replace("INPUT", "C"))],
  ])("%s", (_, dump) => {
    expect(keepsTtls(dump)).toBe(false);
  });
});

describe("elsewhere the TTL of the last hit is kept", () => {
  test.each([
    ["update above set", filter(check, set)],
    ["no set", filter(check)],
    ["another list", filter(set.replace("--name L", "--name M"), check)],
    ["the other address", filter(`${set} --rdest`, check)],
    ["fewer packets than are checked", filter(set.replace(ssh, `${ssh} -s 192.0.2.0/24`), check)],
    ["other packets than are checked", filter(set.replace("22", "23"), check)],
    ["only some of the packets", filter(set.replace("-m recent", "-m limit --limit 1/sec -m recent"), check)],
    ["only if another list knows the host", filter(set.replace("-m recent", "-m recent --rcheck --name M -m recent"), check)],
    ["a set in another chain", withChain("-A INPUT -j C", check, set.replace("INPUT", "C"))],
    ["a TTL that is changed in between", mangle(set, "-A INPUT -j TTL --ttl-set 9", check)],
    ["a mark that is changed in between", mangle(set, "-A INPUT -j MARK --set-xmark 0x1/0xffffffff", check)],
    [
      "a jump between them to rules that change the packet",
      table("mangle", ["INPUT ACCEPT", "C -"], [set, "-A INPUT -j C", check, "-A C -j TTL --ttl-inc 1"]),
    ],
    ["a rule between them that is not known", filter(set, "-A INPUT -j UNKNOWN", check)],
  ])("%s", (_, dump) => {
    expect(keepsTtls(dump)).toBe(true);
  });
});

test("a list for which --rttl says nothing is written as one without it", () => {
  const text = (dump: string): string => translate(dump, { family: "ipv4" }).script!.replaceAll(/^\s*#.*\n/gmu, "");
  expect(text(filter(set, check))).toBe(text(filter(set, check.replace(" --rttl", ""))));
});

describe("the form in which TTLs are kept", () => {
  const formOf = (dump: string, targetNft?: string): string[] => {
    const { script } = translate(dump, { family: "ipv4", ...(targetNft !== undefined && { targetNft }) });
    return [...new Set([...script!.matchAll(/set L_\w+_ttl_(low|bit)/gu)].map(([, piece]) => piece!))];
  };
  const forward = (rule: string): string => rule.replace("INPUT", "FORWARD");

  test("digits where all packets of a list have the TTL they came with, or all one less", () => {
    expect(formOf(filter(check, set))).toEqual(["low"]);
    expect(formOf(filter(forward(check), forward(set)))).toEqual(["low"]);
  });

  test("bits where the list sees both, or nft knows no TTL in a concatenation", () => {
    expect(formOf(filter(check, set, forward(set)))).toEqual(["bit"]);
    expect(formOf(filter(check, set), "0.9.8")).toEqual(["bit"]);
  });

  test("none where rules cannot delete from sets, which is told", () => {
    const { script, diagnostics } = translate(filter(check, set), { family: "ipv4", targetNft: "0.9.2" });
    expect(script).not.toContain("ttl_");
    expect(diagnostics.filter(({ code }) => code === "recent-rttl").map(({ message }) => message)).toEqual([
      expect.stringContaining("the script matches and xt_recent does not"),
    ]);
  });
});
