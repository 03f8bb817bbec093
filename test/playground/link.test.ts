import { readFileSync } from "node:fs";
import fc from "fast-check";
import { deflateRawSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import { makeLink, readLink } from "../../src/playground/link.js";
import { emptyState, stateOf, textNames, views, type PlaygroundState } from "../../src/playground/state.js";
import { oldLink } from "./old-link.js";

const fragmentOf = (state: string): string => `#1=${deflateRawSync(state).toString("base64url")}`;

describe("links", () => {
  it("give no option and no text but those of the page, whatever they are called", () => {
    const names = ["__proto__", "constructor", "toString", "hasOwnProperty", "ipsets", "geoip", "replaces"];
    const many = Array.from({ length: 100_000 }, (_, index) => `"o${index}":true`);
    const hostile = names.map((name) => `"${name}":{"inet":true,"rules":"x"}`).join(",");
    const link = fragmentOf(
      `{${hostile},"texts":{${hostile},"rules":"r"},"options":{${hostile},"inet":true,"setSize":1e300,${many.join(",")}}}`,
    );
    expect(readLink(link)).toEqual({ ...emptyState, texts: { ...emptyState.texts, rules: "r" }, options: { inet: true } });
    expect(Object.keys(Object.prototype)).toEqual([]);
  });

  it("that were given out are read for ever, with all texts and options", () => {
    const rules = [
      "*filter",
      ":INPUT DROP [0:0]",
      "-A INPUT -m set --match-set friends src -j ACCEPT",
      "-A INPUT -m geoip --src-cc CN -j DROP",
      "COMMIT",
      "",
    ].join("\n");
    expect(readLink(oldLink)).toEqual({
      texts: {
        rules,
        second: "*filter\n:INPUT DROP [0:0]\n-A INPUT -p ipv6-icmp -j ACCEPT\nCOMMIT\n",
        sets: "create friends hash:ip\nadd friends 192.0.2.7\n",
        countries: "203.0.113.0,203.0.113.255,CN\n",
        before: "*filter\n:INPUT ACCEPT [0:0]\nCOMMIT\n",
      },
      options: {
        table: "fw",
        recent: "ban",
        setSize: 1000,
        forgetAfter: 86400,
        keepSets: true,
        counters: false,
        family: "ipv4",
        targetNft: "1.0.2",
        without: ["queue", "tproxy"],
        inet: true,
        origins: true,
      },
      view: "messages",
    });
  });

  it("give back every state", () => {
    const texts = fc.array(fc.string({ unit: "binary" }), { minLength: textNames.length, maxLength: textNames.length });
    const state = fc.record({
      texts,
      options: fc.constantFrom({}, { inet: true }, { setSize: 7, without: ["queue"] }),
      view: fc.constantFrom(...views),
    });
    fc.assert(
      fc.property(state, ({ texts: list, ...more }) => {
        const given = {
          texts: Object.fromEntries(textNames.map((name, index) => [name, list[index]!])),
          ...more,
        } as unknown as PlaygroundState;
        expect(readLink(makeLink(given))).toEqual(given);
      }),
      { numRuns: 30 },
    );
  });

  it("of a whole machine fit into an address", () => {
    const rules = readFileSync(new URL("../../corpus/machine/mail-server/rules.v4", import.meta.url), "utf8");
    const link = makeLink({ ...emptyState, texts: { ...emptyState.texts, rules } });
    expect(link.length).toBeLessThan(rules.length / 2);
    expect(link).toMatch(/^#1=[\w-]+$/);
  });

  it.each([
    ["", "the address holds no state of this page"],
    ["#somewhere", "the address holds no state of this page"],
    ["#2=abc", "the link is of form 2, made by a newer page than this one"],
    ["#1=", "the link is damaged, or cut off"],
    ["#1=%%%", "the link is damaged, or cut off"],
    [`#${"9".repeat(1_000_000)}=x`, "the address holds no state of this page"],
    [
      `#1=${deflateRawSync(Buffer.from('{"texts":{"rules":"b\u00e4r"}}', "latin1")).toString("base64url")}`,
      "the link is damaged, or cut off",
    ],
    [fragmentOf(`${"[".repeat(5_000_000)}`), "the link is damaged, or cut off"],
    [oldLink.slice(0, 200), "the link is damaged, or cut off"],
    [fragmentOf("no JSON"), "the link is damaged, or cut off"],
    [fragmentOf(" ".repeat(20_000_000)), "the link is damaged, or cut off"],
  ])("that cannot be read say why: case %#", (fragment, message) => {
    expect(() => readLink(fragment)).toThrow(new RangeError(message));
  });

  it("leave out what is no state", () => {
    const given = { texts: { rules: 7, other: "x", second: "y" }, options: { table: "a b", inet: true, junk: 1 }, view: "nothing" };
    expect(readLink(fragmentOf(JSON.stringify(given)))).toEqual({
      texts: { ...emptyState.texts, second: "y" },
      options: { inet: true },
      view: "script",
    });
    for (const nothing of [null, 7, "x", [], undefined]) expect(stateOf(nothing)).toEqual(emptyState);
  });
});
