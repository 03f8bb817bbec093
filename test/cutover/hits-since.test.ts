import { describe, expect, it } from "vitest";

import { hitsSince, type OldList } from "../../src/cutover/hits-since.js";
import { readListing } from "../../src/lists/listing.js";
import { findLists, type List } from "../../src/lists/lists.js";
import { translate } from "../../src/translate.js";

const minute = 60;
const now = 1_700_000_000;

/** The lists of a loaded script of one rule that asks, with elements such as `192.0.2.7 expires 40s4ms` in its first set. */
function loaded(options: string, elements: string): List[] {
  const rules = `-A INPUT -m recent ${options} --name L --mask 255.255.255.255 --rsource -j DROP`;
  const set = "-A INPUT -m recent --set --name L --mask 255.255.255.255 --rsource";
  const { nft } = translate([{ file: "v4", text: `*filter\n:INPUT ACCEPT [0:0]\n${rules}\n${set}\nCOMMIT\n` }]);
  const sets = nft!.tables[0]!.sets.map(({ name, label, timeout }, index) => {
    const time = timeout === undefined ? "" : `\t\ttimeout ${timeout}ms\n`;
    const held = index === 0 && elements !== "" ? `\t\telements = { ${elements} }\n` : "";
    return `\tset ${name} {\n\t\ttype ipv4_addr\n${time}\t\tcomment "${label}"\n${held}\t}\n`;
  });
  return [...findLists([{ table: { family: "ip", name: "ipt2nft" }, sets: readListing(sets.join("")) }]).lists];
}

const old = (window: number, before: Readonly<Record<string, number>> = {}): OldList => ({
  name: "L",
  window,
  before: new Map(Object.entries(before)),
});

const moment = { decided: 30, now, mostHosts: 100 };

describe("hits that the new firewall saw", () => {
  const timed = (elements: string): List[] => loaded("--rcheck --seconds 60", elements);

  it("are those since it decides, until their window ends", () => {
    const lists = timed("192.0.2.7 expires 50s, 192.0.2.8 expires 20s");
    expect(hitsSince(lists, [old(minute)], moment)).toEqual([{ list: "L", hits: [{ address: "192.0.2.7", until: now + 49 }] }]);
    expect(hitsSince(lists, [old(minute)], { ...moment, decided: 0 })).toEqual([]);
    // Another rule of the old firewall asks about a shorter time.
    expect(hitsSince(lists, [old(5)], moment)).toEqual([]);
    expect(hitsSince(lists, [{ ...old(minute), name: "M" }], moment)).toEqual([]);
  });

  it("are of as many hosts as the kernel's list holds, who was seen last in the end", () => {
    const lists = timed("192.0.2.7 expires 55s, 192.0.2.8 expires 50s, 192.0.2.9 expires 45s");
    const hosts = (mostHosts: number): string[] =>
      hitsSince(lists, [old(minute)], { ...moment, mostHosts })[0]!.hits.map(({ address }) => address);
    expect(hosts(100)).toEqual(["192.0.2.9", "192.0.2.8", "192.0.2.7"]);
    expect(hosts(2)).toEqual(["192.0.2.8", "192.0.2.7"]);
  });

  it("are those that were not there before, where a list has no times", () => {
    const lists = loaded("--rcheck", "192.0.2.7, 192.0.2.8");
    expect(hitsSince(lists, [old(Infinity, { "192.0.2.7": 1 })], moment)).toEqual([
      { list: "L", hits: [{ address: "192.0.2.8", until: undefined }] },
    ]);
  });
});
