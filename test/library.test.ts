/** What the library promises to programs: options are checked, and a tree made by hand cannot smuggle a command into a script. */

import fc from "fast-check";
import { describe, expect, it } from "vitest";

import { compareLimits, emit, searchLists, translate, type NftScript, type SearchOptions, type TranslateOptions } from "../src/index.js";

const dump = "*filter\n:INPUT ACCEPT [0:0]\n-A INPUT -m recent --set --name a\n-A INPUT -m geoip --src-cc CN -j DROP\nCOMMIT\n";

function thrown(run: () => unknown): string {
  try {
    run();
  } catch (error) {
    return error instanceof RangeError ? error.message : `not a RangeError: ${String(error)}`;
  }
  return "nothing is thrown";
}

describe("options", () => {
  const wrong: readonly (readonly [options: object | null, message: string])[] = [
    [null, '"options" must be an object, not null'],
    [{ family: "junk" }, '"family" must be "ipv4" or "ipv6", not "junk"'],
    [{ table: "set" }, '"table" must be the name of a table (it is a word of the nft language), not "set"'],
    [{ table: "a b" }, '"table" must be the name of a table (a table name has letters, digits and _, and begins with no digit), not "a b"'],
    [{ table: 7 }, '"table" must be the name of a table, not 7'],
    [{ recent: "junk" }, '"recent" must be "auto" or "exact" or "limit" or "ban", not "junk"'],
    [{ setSize: 0 }, '"setSize" must be a whole number from 1 to 4294967295, not 0'],
    [{ setSize: "10" }, '"setSize" must be a whole number from 1 to 4294967295, not "10"'],
    [{ keepSets: "no" }, '"keepSets" must be true or false, not "no"'],
    [{ counters: 1 }, '"counters" must be true or false, not 1'],
    [{ inet: null }, '"inet" must be true or false, not null'],
    [{ origins: [] }, '"origins" must be true or false, not an array'],
    [{ targetNft: "0.1" }, '"targetNft" must be a version of nft from "0.9.1" on, not "0.1"'],
    [{ targetNft: {} }, '"targetNft" must be a version of nft from "0.9.1" on, not an object'],
    [{ geoip: [] }, '"geoip" must be a function, not an array'],
    [{ ipsets: "create a hash:ip" }, '"ipsets" must be an array, not "create a hash:ip"'],
    [{ ipsets: [{ text: "" }] }, '"ipsets[0].file" must be a string, not undefined'],
  ];
  it.each(wrong)("%j", (options, message) => {
    expect(thrown(() => translate(dump, options as TranslateOptions))).toBe(message);
  });

  it("of which nothing is said are not looked at", () => {
    expect(translate(dump, { family: undefined, table: undefined } as unknown as TranslateOptions).script).toBeDefined();
  });

  it("and inputs that are no texts", () => {
    expect(thrown(() => translate(7 as unknown as string))).toBe('"input" must be an array, not 7');
    expect(thrown(() => translate([{ file: "a", text: undefined as unknown as string }]))).toBe(
      '"input[0].text" must be a string, not undefined',
    );
    expect(thrown(() => translate([{ file: "a", text: "", family: "ipv5" as "ipv4" }]))).toBe(
      '"input[0].family" must be "ipv4" or "ipv6", not "ipv5"',
    );
  });

  const ranges: readonly (readonly [ranges: unknown, message: string])[] = [
    [[{ from: 2n, to: 1n }], "range 0 is from 2 to 1"],
    [[{ from: -1n, to: 1n }], "range 0 is from -1 to 1"],
    [[{ from: 1n, to: 1n << 32n }], "range 0 is from 1 to 4294967296"],
    [[{ from: 1, to: 2 }], "the ends of range 0 are no bigints"],
    [[undefined], "the ends of range 0 are no bigints"],
    ["1-2", "it gives no array"],
  ];
  it.each(ranges.map(([given, message]) => [message, given] as const))("ranges of a country: %s", (message, given) => {
    const geoip = (() => given) as unknown as NonNullable<TranslateOptions["geoip"]>;
    expect(thrown(() => translate(dump, { geoip }))).toBe(`"geoip" must give ranges of addresses: for CN (ipv4) ${message}`);
  });

  it.each([
    [{ schedules: 0 }, '"schedules" must be a whole number from 1 to 9007199254740991, not 0'],
    [{ milliseconds: NaN, now: () => 0 }, '"milliseconds" must be a number from 0 on, not NaN'],
    [{ milliseconds: 5 }, '"now" must be a function where milliseconds are given, not undefined'],
    [{ seed: 0.5 }, '"seed" must be a whole number, not 0.5'],
    [{ lists: "a" }, '"lists" must be an array of strings, not "a"'],
    [{ translated: { setSize: -1 } }, '"setSize" must be a whole number from 1 to 4294967295, not -1'],
  ] as const)("of a search: %j", (options, message) => {
    const translation = translate(dump);
    expect(thrown(() => searchLists(translation, options as unknown as SearchOptions))).toBe(message);
    expect(thrown(() => compareLimits(translation, options as unknown as SearchOptions))).toBe(message);
  });
});

describe("a tree made by hand", () => {
  /** All that a tree may hold, in one script. */
  const tree = translate(
    [
      "*mangle\n:PREROUTING ACCEPT [0:0]\n-A PREROUTING -p tcp -m statistic --mode nth --every 3 -j MARK --set-xmark 0x1/0xff\n-A PREROUTING -j TTL --ttl-set 7\nCOMMIT",
      "*nat\n:PREROUTING ACCEPT [0:0]\n-A PREROUTING -p tcp --dport 80 -j DNAT --to-destination 192.0.2.1-192.0.2.9:8080 --random\nCOMMIT",
      "*filter\n:INPUT DROP [0:0]\n:web - [0:0]\n-A INPUT -i eth0 -m limit --limit 5/min -j LOG --log-prefix hello --log-level 4 --log-ip-options",
      "-A INPUT -p tcp -m recent --update --seconds 60 --hitcount 4 --name a -j REJECT --reject-with icmp-port-unreachable",
      "-A INPUT -m comment --comment text -m connlimit --connlimit-above 3 -j NFQUEUE --queue-num 4 --queue-bypass",
      "-A INPUT -m quota --quota 7 -m addrtype --dst-type LOCAL -g web",
      "-A INPUT -p tcp -m tcp --tcp-option 5 -m conntrack --ctdir ORIGINAL -m set --match-set s src -j web",
      "COMMIT\n",
    ].join("\n"),
    { ipsets: [{ file: "sets", text: "create s hash:net timeout 5 counters comment\nadd s 192.0.2.0/24 timeout 3 comment x\n" }] },
  ).nft!;

  /** The places of all values in a tree. */
  function placesIn(node: unknown, path: readonly string[] = []): string[][] {
    if (typeof node !== "object" || node === null) return [[...path]];
    return Object.entries(node).flatMap(([key, value]) => (key === "origins" ? [] : placesIn(value, [...path, key])));
  }
  function withValue(node: unknown, [key, ...rest]: readonly string[], value: unknown): unknown {
    if (key === undefined) return value;
    const copy: Record<string, unknown> | unknown[] = Array.isArray(node) ? [...(node as unknown[])] : { ...(node as object) };
    (copy as Record<string, unknown>)[key] = withValue((node as Record<string, unknown>)[key], rest, value);
    return copy;
  }
  const places = placesIn(tree);
  const smuggled = "flush ruleset";

  it("has more than a hundred places for values", () => {
    expect(places.length).toBeGreaterThan(100);
  });

  it.each([
    `x"; ${smuggled}; "`,
    `x\n${smuggled}`,
    `x\r${smuggled}`,
    `x\u2028${smuggled}`,
    `; ${smuggled} #`,
    `x } ; ${smuggled}`,
    `1 ; ${smuggled}`,
  ])("cannot smuggle %j into a script by any value", (text) => {
    for (const place of places) {
      let script: string;
      try {
        script = emit(withValue(tree, place, text) as NftScript);
      } catch (error) {
        expect([place, error]).toEqual([place, expect.any(RangeError)]);
        continue;
      }
      // What is let through stands in a comment or in quotes.
      const plain = script.replace(/^\s*#[^\n]*$/gm, "").replace(/"[^"\n]*"/g, "");
      expect([place, plain.includes(smuggled)]).toEqual([place, false]);
    }
  });

  it("is a script or a RangeError, whatever stands in it", () => {
    const values = fc.oneof(
      fc.constantFrom(
        undefined,
        null,
        -1,
        0.5,
        NaN,
        Infinity,
        2 ** 60,
        -1n,
        "",
        "accept",
        "x y",
        "-1",
        "0x1",
        {},
        [],
        () => 1,
        Symbol("x"),
      ),
      fc.anything(),
    );
    fc.assert(
      fc.property(fc.constantFrom(...places), fc.nat(), values, (place, depth, value) => {
        // Whole branches are exchanged, too.
        const path = place.slice(0, 1 + (depth % place.length));
        try {
          expect(typeof emit(withValue(tree, path, value) as NftScript)).toBe("string");
        } catch (error) {
          expect(error).toBeInstanceOf(RangeError);
        }
      }),
      { numRuns: 2_000, seed: 20240229 },
    );
  });

  it("is none if it is nothing at all", () => {
    for (const value of [undefined, null, 7, "x", {}, []]) expect(() => emit(value as unknown as NftScript)).toThrow(RangeError);
  });
});
