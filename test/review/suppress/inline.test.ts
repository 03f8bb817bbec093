import { describe, expect, it } from "vitest";
import { dump, review, told } from "../dumps.js";

const rule = "-A INPUT -m recent --rcheck --name banned -j DROP";
const found = (...lines: string[]): string[] => told(review(dump(...lines)));

describe("suppressions in the dump", () => {
  it("allow what they name, in the rule below", () => {
    expect(found("# ipt2nft-recent: allow list-never-set fail2ban fills it", rule)).toEqual([
      'list-never-set 6 (inline): list "banned" is checked, and no rule records hosts on it',
    ]);
  });

  it("allow it in no other rule", () => {
    expect(found("# ipt2nft-recent: allow list-never-set fail2ban fills it", "-A INPUT -i lo -j ACCEPT", rule)).toEqual([
      'list-never-set 7: list "banned" is checked, and no rule records hosts on it',
      'unused-suppression 5: nothing here is found that "list-never-set" allows',
    ]);
  });

  it("allow it everywhere if they say so", () => {
    expect(found(rule, "# ipt2nft-recent: allow-file list-never-set,recent-list-size fail2ban fills it")).toEqual([
      expect.stringContaining("list-never-set 5 (inline)"),
    ]);
  });

  it("may stand above each other", () => {
    expect(
      found("# ipt2nft-recent: allow recent-list-size few hosts", "# ipt2nft-recent: allow list-never-set fail2ban fills it", "", rule),
    ).toEqual([expect.stringContaining("list-never-set 8 (inline)")]);
  });

  it.each([
    ["# ipt2nft-recent: allow list-never-set", "the reason is missing"],
    ["# ipt2nft-recent: allow no-such-code because", '"no-such-code" is no code of a finding'],
    ["# ipt2nft-recent: forgive list-never-set because", "it is not of the form"],
  ])("%s has no effect, and is told of", (comment, fault) => {
    expect(found(comment, rule)).toEqual([
      expect.stringContaining(`invalid-suppression 5: the suppression has no effect: ${fault}`),
      expect.stringContaining("list-never-set 6: "),
    ]);
  });

  it("take nothing from a ruleset that is none", () => {
    expect(found("# ipt2nft-recent: allow-file unknown-option never mind", "-A INPUT --no-such-option -j DROP")[0]).toMatch(
      /^unknown-option 6: /,
    );
  });

  it("do not count for the verdict", () => {
    expect(review(dump("# ipt2nft-recent: allow list-never-set fail2ban fills it", rule)).verdict).toBe("safe");
    expect(review(dump(rule)).verdict).toBe("look");
  });
});
