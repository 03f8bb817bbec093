import { describe, expect, it } from "vitest";
import { findCases, nameMatches } from "../../src/corpus/layout.js";

describe("findCases", () => {
  it("takes a folder with rules as a case", () => {
    const files = ["rules.v6", "rules.v4", "sets.ipset", "geoip.csv", "options.json", "expected.nft", "expected.diagnostics"].map(
      (file) => `web/front/${file}`,
    );
    expect(findCases([...files, "web/README.md"], "root")).toEqual({
      cases: [
        {
          name: "web/front",
          sources: ["web/front/rules.v4", "web/front/rules.v6"],
          ipsets: "web/front/sets.ipset",
          geoip: "web/front/geoip.csv",
          options: "web/front/options.json",
          script: "web/front/expected.nft",
          diagnostics: "web/front/expected.diagnostics",
        },
      ],
      strays: [],
      ambiguous: [],
    });
  });

  it("takes files of one stem as a case, and knows what it would be called", () => {
    const { cases, strays } = findCases(["web/a.v4", "web/a.options.json", "web/a.b.rules", "web/a.b.nft", "c.v6", "c.ipset"], "root");
    expect(cases).toEqual([
      { name: "c", sources: ["c.v6"], ipsets: "c.ipset", script: "c.nft", diagnostics: "c.diagnostics" },
      { name: "web/a", sources: ["web/a.v4"], options: "web/a.options.json", script: "web/a.nft", diagnostics: "web/a.diagnostics" },
      { name: "web/a.b", sources: ["web/a.b.rules"], script: "web/a.b.nft", diagnostics: "web/a.b.diagnostics" },
    ]);
    expect(strays).toEqual([]);
  });

  it("calls the folder itself by the name given", () => {
    expect(findCases(["rules.sh"], "front").cases.map(({ name, script }) => [name, script])).toEqual([["front", "expected.nft"]]);
  });

  it("names files that no case reads", () => {
    const paths = [
      "a/rules.v4",
      "a/rules.nft",
      "b/expected.nft",
      "old.nft",
      "old.diagnostics",
      "old.options.json",
      "package.json",
      "deploy.sh",
    ];
    expect(findCases(paths, "root").strays).toEqual(["a/rules.nft", "b/expected.nft", "old.nft", "old.diagnostics", "old.options.json"]);
  });

  it("names a folder and a stem that share a name", () => {
    expect(findCases(["a/b.v4", "a/b/rules.v4"], "root").ambiguous).toEqual(["a/b"]);
  });
});

describe("nameMatches", () => {
  it.each([
    ["web/front", "web"],
    ["web/front", "front"],
    ["web/front", "w*t"],
    ["web/front", "*"],
    ["a.b", "a.b"],
    ["web/front", "e*b*f*o"],
  ])("finds %s by %s", (name, pattern) => {
    expect(nameMatches(name, pattern)).toBe(true);
  });

  it.each([
    ["web/front", "Web"],
    ["web/front", "front*web"],
    ["a-b", "a.b"],
    ["web/front", "e*e"],
  ])("does not find %s by %s", (name, pattern) => {
    expect(nameMatches(name, pattern)).toBe(false);
  });
});
