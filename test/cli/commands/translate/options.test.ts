import { describe, expect, it } from "vitest";
import { parseTranslateWords, type TranslateSettings } from "../../../../src/cli/commands/translate/options.js";

function settingsOf(...words: string[]): TranslateSettings {
  const parsed = parseTranslateWords(words);
  if (!("settings" in parsed)) throw new Error(parsed.text);
  return parsed.settings;
}

function complaintOf(...words: string[]): string {
  const parsed = parseTranslateWords(words);
  if (!("text" in parsed) || !parsed.error) throw new Error(`accepted: ${words.join(" ")}`);
  return parsed.text;
}

describe("parseTranslateWords", () => {
  it("has defaults", () => {
    expect(settingsOf()).toEqual({
      files: [],
      ipsets: [],
      geoip: [],
      output: undefined,
      table: "ipt2nft",
      family: undefined,
      recent: "auto",
      setSize: 65535,
      forgetAfter: undefined,
      keepSets: false,
      replaces: undefined,
      counters: true,
      origins: false,
      targetNft: undefined,
      without: [],
      maxInput: 256 * 1024 * 1024,
      strict: false,
      check: false,
      verbose: false,
      format: "text",
      color: undefined,
    });
  });

  it("reads every option", () => {
    expect(
      settingsOf(
        "a.v4",
        "-o",
        "out.nft",
        "--table",
        "fw",
        "--ipv6",
        "--recent",
        "limit",
        "--set-size",
        "4294967295",
        "--forget-after",
        "1d12h",
        "--keep-sets",
        "--ipset",
        "one.ipset",
        "--ipset=-",
        "--geoip",
        "/usr/share/xt_geoip",
        "--geoip=more.csv",
        "--no-counters",
        "--origins",
        "--target-nft",
        "0.9.8",
        "--strict",
        "--check",
        "--replaces",
        "before.nft",
        "--verbose",
        "--without",
        "queue,tproxy",
        "--without=fib,queue",
        "--format",
        "json",
        "--no-color",
        "--",
        "-odd",
      ),
    ).toEqual({
      files: ["a.v4", "-odd"],
      ipsets: ["one.ipset", "-"],
      geoip: ["/usr/share/xt_geoip", "more.csv"],
      output: "out.nft",
      table: "fw",
      family: "ipv6",
      recent: "limit",
      setSize: 4294967295,
      forgetAfter: 129600,
      keepSets: true,
      replaces: "before.nft",
      counters: false,
      origins: true,
      targetNft: "0.9.8",
      without: ["queue", "tproxy", "fib"],
      maxInput: 256 * 1024 * 1024,
      strict: true,
      check: true,
      verbose: true,
      format: "json",
      color: false,
    });
    expect(settingsOf("--ipv4", "--color", "--output=-", "-")).toMatchObject({
      family: "ipv4",
      color: true,
      output: undefined,
      files: ["-"],
    });
  });

  it.each([
    [["--nonsense"], "unknown option '--nonsense'"],
    [["--recnt", "auto"], "--recent"],
    [["--table", "drop"], "a word of the nft language"],
    [["--table", "a b"], "letters, digits"],
    [["--recent", "never"], "exact, ban, limit, auto"],
    [["--set-size", "0"], "from 1 to 4294967295"],
    [["--set-size", "4294967296"], "from 1 to 4294967295"],
    [["--set-size", "1e3"], "from 1 to 4294967295"],
    [["--forget-after", "30"], "such as 30d, 12h"],
    [["--forget-after", "0s"], "such as 30d, 12h"],
    [["--forget-after", "3651d"], "3650d at most"],
    [["--target-nft", "new"], "such as 1.0.6"],
    [["--target-nft", "0.8.5"], "the oldest nft that loads a script is 0.9.1"],
    [["--format", "xml"], "text, json"],
    [["--output"], "argument missing"],
    [["--ipv4", "--ipv6"], "cannot be used with"],
    [["-", "-"], "standard input is given twice"],
    [["a", "b", "a"], '"a" is given twice'],
    [["-", "--ipset", "-"], "standard input is given twice"],
    [["--ipset"], "argument missing"],
  ])("refuses %j", (words, reason) => {
    expect(complaintOf(...words)).toContain(reason);
  });

  it("shows help with examples, and the version", () => {
    const help = parseTranslateWords(["--help"]);
    expect(help).toMatchObject({ error: false });
    expect("text" in help && help.text).toMatch(/Examples:\n.*iptables-save \| ipt2nft-recent/);
    expect("text" in help && help.text.split("\n").every((line) => line.length <= 100)).toBe(true);
    expect(parseTranslateWords(["--version"])).toEqual({ text: "unbuilt\n", error: false });
  });
});
