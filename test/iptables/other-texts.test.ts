import { describe, expect, it } from "vitest";

import { translate } from "../../src/translate.js";

const run = (text: string): ReturnType<typeof translate> => translate([{ file: "rules", family: "ipv4", text }]);
const rulesOf = (text: string): string[] =>
  run(text).iptables.flatMap(({ tables }) =>
    tables.flatMap((table) => table.chains.flatMap(({ rules }) => rules.map((rule) => `${table.name} ${rule.text}`))),
  );
const found = (text: string): string[] =>
  run(text)
    .diagnostics.filter(({ code }) => code !== "recent-list-size")
    .map(({ code, span }) => `${span.line} ${code}`);

describe("what iptables -S prints", () => {
  const filter = "-P INPUT DROP\n-P FORWARD ACCEPT\n-P OUTPUT ACCEPT\n-N user\n-A INPUT -j user\n-A user -s 192.0.2.1/32 -j ACCEPT\n";
  const nat = "-P PREROUTING ACCEPT\n-P INPUT ACCEPT\n-P OUTPUT ACCEPT\n-P POSTROUTING ACCEPT\n";

  it("is read as the table that its chains tell", () => {
    expect(rulesOf(filter)).toEqual(["filter -A INPUT -j user", "filter -A user -s 192.0.2.1/32 -j ACCEPT"]);
    expect(found(filter)).toEqual(["1 listed-rules"]);
    expect(run(filter).script).toContain("policy drop");
  });

  it("of several tables, one after the other", () => {
    const text = `${nat}${filter}${nat}-A POSTROUTING -j MASQUERADE\n`;
    // The second listing of nat stands for the first, as it would in a dump.
    expect(rulesOf(text)).toContain("nat -A POSTROUTING -j MASQUERADE");
    expect(found(text)).toEqual(["1 listed-rules", "5 listed-rules", "11 listed-rules"]);
  });

  it.each([
    ["rules alone", "-A INPUT -j DROP\n"],
    ["policies of no table", "-P INPUT DROP\n-A INPUT -j DROP\n"],
    ["something else in between", "-P INPUT DROP\n-P FORWARD ACCEPT\n-P OUTPUT ACCEPT\nhello\n-A INPUT -j DROP\n"],
  ])("is not: %s", (_, text) => {
    expect(run(text).outcome).toBe("invalid");
  });
});

describe("a dump that was pasted", () => {
  const dump = "*filter\n:INPUT ACCEPT [0:0]\n-A INPUT -j DROP\nCOMMIT\n";

  it("may have prompts and prose around it", () => {
    const text = `root@host:~# iptables-save\n${dump}root@host:~# \nThis is all.\n`;
    expect(rulesOf(text)).toEqual(["filter -A INPUT -j DROP"]);
    expect(found(text)).toEqual(["1 text-around"]);
    expect(run(text).diagnostics[0]!.message).toContain("and so are 2 more");
  });

  it.each([
    "iptables -A INPUT -j ACCEPT",
    "-A INPUT -j ACCEPT",
    "# iptables-save\n$ sudo ip6tables -F",
    ":INPUT DROP",
    "$ nft flush ruleset",
    "add set 192.0.2.1",
    "+192.0.2.1",
  ])("may not have what makes rules around it: %j", (line) => {
    expect(run(`${dump}${line}\n`).outcome).toBe("invalid");
  });
});

it.each(["table ip filter {\n}\n", "#!/usr/sbin/nft -f\nflush ruleset\n", "# x\nadd table inet a\n", "define a = 1\n"])(
  "an nft script is told as one: %j",
  (text) => {
    expect(found(text)).toEqual(["1 nft-already"]);
  },
);
