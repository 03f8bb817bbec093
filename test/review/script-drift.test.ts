import { describe, expect, it } from "vitest";
import { scriptDrift } from "../../src/review/script-drift.js";
import { translate } from "../../src/translate.js";
import { dump } from "./dumps.js";

const made = translate(dump("-A INPUT -i eth0 -j ACCEPT", "-A INPUT -j DROP")).script!;

const listing = (...rules: string[]): string =>
  [
    "table ip ipt2nft {",
    "\tchain filter_INPUT {",
    "\t\ttype filter hook input priority filter; policy accept;",
    ...rules.map((rule) => `\t\t${rule}`),
    "\t}",
    "}",
    "",
  ].join("\n");
const rules = ['iifname "eth0" counter packets 0 bytes 0 accept', "counter packets 0 bytes 0 drop"];

function drift(committed: string, ...listed: string[]): string[] {
  return scriptDrift(made, {
    file: "rules.nft",
    text: committed,
    listings: { made: listing(...rules), committed: listing(...listed) },
  }).map(({ code, span, message }) => `${code} ${span.line}: ${message}`);
}

describe("scriptDrift", () => {
  it("finds nothing in the script itself, whatever its comments and counters", () => {
    expect(
      scriptDrift(made, {
        file: "rules.nft",
        text: made.replaceAll(/^\s*#.*\n/gm, "").replaceAll(" counter ", " counter packets 7 bytes 420 "),
        listings: { unavailable: "no nft" },
      }),
    ).toEqual([]);
  });

  it("finds nothing in a script written otherwise that nft lists alike", () => {
    expect(drift("add table ip ipt2nft …", 'iifname "eth0" accept comment "ssh"', "counter packets 9 bytes 540 drop")).toEqual([]);
  });

  it("tells each rule that is missing or not of the dumps, at its place in the script", () => {
    const committed = made.replace('"eth0"', '"eth1"');
    const line = committed.split("\n").findIndex((text) => text.includes('"eth1"')) + 1;
    const chain = committed.split("\n").findIndex((text) => text.includes("chain filter_INPUT {")) + 1;
    expect(drift(committed, 'iifname "eth1" counter packets 0 bytes 0 accept', rules[1]!)).toEqual([
      `script-drift ${chain}: chain filter_INPUT of table ip ipt2nft lacks: iifname "eth0" accept`,
      `script-drift ${line}: chain filter_INPUT of table ip ipt2nft has, and the dumps do not: iifname "eth1" accept`,
    ]);
  });

  it("tells rules in another order", () => {
    expect(drift("x", rules[1]!, rules[0]!)).toHaveLength(2);
  });

  it("says what nft has against the script", () => {
    expect(scriptDrift(made, { file: "rules.nft", text: "junk", listings: { refused: "syntax error\nmore" } })).toMatchObject([
      { code: "script-drift", message: "nft does not load the script: syntax error" },
    ]);
  });

  it("compares texts only where nft is missing, and says so", () => {
    expect(
      scriptDrift(made, { file: "rules.nft", text: "flush ruleset", listings: { unavailable: "the program nft is not installed" } }),
    ).toMatchObject([{ code: "script-text-differs", message: expect.stringContaining("the program nft is not installed") as string }]);
  });
});
