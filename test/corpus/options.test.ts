import { describe, expect, it } from "vitest";
import { readOptions, renderOptions } from "../../src/corpus/options.js";

const all = {
  counters: false,
  family: "ipv6",
  forgetAfter: 86400,
  inet: true,
  keepSets: false,
  origins: true,
  recent: "exact",
  setSize: 4096,
  table: "front_host",
  targetNft: "0.9.6",
  without: ["queue", "fib"],
} as const;

describe("readOptions", () => {
  it("reads every option there is, and reads what renderOptions writes", () => {
    expect(readOptions("options.json", renderOptions(all))).toEqual(all);
  });

  it.each(["{}", "\ufeff{ }\n", '{"setSize":1e3}\r\n'])("takes %j", (text) => {
    expect(() => readOptions("options.json", text)).not.toThrow();
  });

  it.each([
    ["no JSON", "recent: exact", "1:1: this is not JSON: recent"],
    ["an empty file", "", "1:1: a value is expected here, not the end of the file"],
    ["a list", "[]", "1:1: the options must be an object, as in { }"],
    ["a comment", "{\n  // why\n}", "2:3: JSON has no comments"],
    ["single quotes", "{'table':'x'}", "1:2: this is not JSON: 'table'"],
    ["a string that is not closed", '{"table', "1:2: this string is not closed"],
    ["a wrong escape", '{"table": "\\x41"}', "1:11: this string has a wrong escape"],
    ["a comma at the end", '{"inet": true,\n}', "2:1: a name in double quotes is expected here, not }"],
    ["a missing comma", '{"inet": true "table": "x"}', '1:15: "," or the closing bracket is expected here, not "table"'],
    ["a missing value", '{"inet": }', "1:10: a value is expected here, not }"],
    ["no colon", '{"inet" true}', '1:9: ":" is expected here, not true'],
    ["more behind it", "{} {}", "1:4: the end of the file is expected here, not {"],
    ["a number JSON does not have", '{"setSize": 010}', '1:14: "," or the closing bracket is expected here, not 10'],
    ["a list as a value", '{\n  "table": ["a"]\n}', '2:12: "table" cannot be a list'],
    [
      "an unknown option",
      '{\n  "sets": true\n}',
      '2:3: there is no option "sets"; the options are "counters", "family", "forgetAfter", "inet", "keepSets", "optimize", "origins", "recent", "setSize", "table", "targetNft", "without"',
    ],
    ["a property of every object", '{"constructor": true}', '1:2: there is no option "constructor"'],
    ["an option twice", '{"inet": true, "inet": false}', '1:16: the option "inet" is given twice'],
    ["a word for a truth value", '{"inet": "yes"}', '1:10: "inet" must be true or false, not "yes"'],
    ["a value that is no choice", '{"recent": "never"}', '1:12: "recent" must be "auto" or "exact" or "limit" or "ban", not "never"'],
    ["a word for a number", '{"setSize": "9"}', '1:13: "setSize" must be a whole number from 1 to 4294967295, not "9"'],
    ["a number out of range", '{"setSize": 4294967296}', '1:13: "setSize" must be a whole number'],
    ["no time at all", '{"forgetAfter": 0}', '1:17: "forgetAfter" must be a whole number of seconds from 1 to 315360000'],
    ["half a number", '{"setSize": 1.5}', '1:13: "setSize" must be a whole number'],
    [
      "a name that is no table's",
      '{"table": "inet"}',
      '1:11: "table" must be the name of a table (it is a word of the nft language), not "inet"',
    ],
    ["a version as a number", '{"targetNft": 1.0}', '1:15: "targetNft" must be a version of nft from "0.9.1" on, not 1'],
    ["a version too old", '{"targetNft": "0.8"}', '1:15: "targetNft" must be a version'],
  ])("refuses %s, and says where", (_, text, message) => {
    let said = "";
    try {
      readOptions("web/options.json", text);
    } catch (error) {
      said = error instanceof Error ? error.message : "";
    }
    expect(said.slice(0, `web/options.json:${message}`.length)).toBe(`web/options.json:${message}`);
  });
});
