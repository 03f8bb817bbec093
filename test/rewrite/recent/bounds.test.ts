import { describe, expect, it } from "vitest";

import { translate } from "../../../src/index.js";

const check = "-m recent --update --seconds 60 --hitcount 4 --name t -j DROP";
const set = "-m recent --set --name t";
const ssh = "-p tcp -m tcp --dport 22";

/** The rules that take tokens: the chain, and what is in front of the token. */
function tokensOf(rules: readonly string[]): string[] {
  const chains = [...new Set(rules.map((rule) => rule.split(" ")[0]!))].filter((chain) => chain !== "INPUT");
  const dump = `*filter\n:INPUT ACCEPT [0:0]\n${chains.map((chain) => `:${chain} - [0:0]\n`).join("")}${rules.map((rule) => `-A ${rule}\n`).join("")}COMMIT\n`;
  const { script } = translate(dump, { family: "ipv4" });
  let chain = "";
  return script!.split("\n").flatMap((line) => {
    chain = /^\tchain (\S+)/.exec(line)?.[1] ?? chain;
    const token = /^\t\t(.*)update @t_pass \{ (.*) \}/.exec(line);
    return token ? [`${chain}: ${token[1]}${token[2]}`] : [];
  });
}

describe("rules that stand apart", () => {
  it("count behind the check what has been recorded just before", () => {
    const behind = [expect.stringMatching(/_check_pass: ip saddr limit rate over 3\/minute burst 3 packets$/)];
    expect(tokensOf([`INPUT ${set}`, "INPUT -p udp -j ACCEPT", `INPUT ${check}`])).toEqual(behind);
    expect(tokensOf([`INPUT ${ssh} ${set}`, "INPUT -p udp -j ACCEPT", `INPUT ${ssh} -s 192.0.2.0/24 ${check}`])).toEqual(behind);
    expect(tokensOf(["INPUT -j RECORD", "INPUT -p udp -j ACCEPT", `INPUT ${ssh} ${check}`, `RECORD ${ssh} ${set}`])).toEqual(behind);
    expect(tokensOf([`INPUT ${set}`, `INPUT ${ssh} -j CHECK`, `CHECK ${check}`])).toEqual(behind);
  });

  it("count in front of the set what has been checked just before, and send what is too much to the check", () => {
    expect(tokensOf([`INPUT ${ssh} ${check}`, "INPUT -p udp -j ACCEPT", `INPUT ${ssh} ${set}`])).toEqual([
      "filter_INPUT: tcp dport 22 ip frag-off & 0x1fff == 0 ip saddr limit rate over 4/minute burst 4 packets",
    ]);
  });

  it("count half where what passes is recorded twice", () => {
    const inverted = "-m recent ! --update --seconds 60 --hitcount 4 --name t -j ACCEPT";
    expect(tokensOf([`INPUT ${set}`, `INPUT ${inverted}`, "INPUT -j DROP"])).toEqual([expect.stringContaining("burst 2 packets")]);
  });

  it.each([
    ["other packets are recorded", [`INPUT -p tcp -m tcp --dport 23 ${set}`, `INPUT ${ssh} ${check}`]],
    ["the check asks packets that were not recorded", [`INPUT ${ssh} ${set}`, "INPUT -p udp -j ACCEPT", `INPUT ${check}`]],
    ["a mark may have come in between", [`INPUT -m mark --mark 1 ${set}`, "INPUT -j MARK --set-mark 1", `INPUT -m mark --mark 1 ${check}`]],
    ["a way leads around the set", ["INPUT -j RECORD", `INPUT ${check}`, "RECORD -p udp -j RETURN", `RECORD ${set}`]],
    ["the check is met twice", [`INPUT ${set}`, "INPUT -j CHECK", "INPUT -j CHECK", `CHECK ${check}`]],
    ["hosts differ", ["INPUT -m recent --set --rdest --name t", `INPUT ${check}`]],
    ["the check stops nothing for good", [`INPUT ${check.replace("DROP", "LOG")}`, "INPUT -p udp -j ACCEPT", `INPUT ${set}`]],
  ])("count nothing where %s", (_, rules) => {
    expect(tokensOf(rules)).toEqual([]);
  });

  it("take one token of a packet, of whichever of two rules with the same window", () => {
    expect(tokensOf([`INPUT ${set}`, "INPUT -p udp -j ACCEPT", `INPUT ${check}`, `INPUT -p tcp ${check}`])).toHaveLength(1);
    const https = "-p tcp -m tcp --dport 443";
    expect(tokensOf([`INPUT ${set}`, `INPUT ${ssh} ${check}`, `INPUT ${https} ${check}`])).toHaveLength(2);
  });
});
