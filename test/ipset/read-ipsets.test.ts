import { describe, expect, it } from "vitest";

import { IpsetReader } from "../../src/ipset/read-ipsets.js";
import { elementKey } from "../../src/ipset/element.js";

function read(...lines: string[]): IpsetReader {
  const reader = new IpsetReader();
  reader.readFile("sets.ipset", lines.join("\n"));
  return reader;
}

function keys(reader: IpsetReader, name: string): string[] {
  const set = reader.sets.get(name)!;
  return [...set.elements.values()].map(({ parts }) => elementKey(parts, set));
}

const faults = (reader: IpsetReader): string[] => reader.diagnostics.map(({ code, span }) => `${span.line}:${span.column} ${code}`);

describe("lines of ipset save", () => {
  it("makes sets with their options", () => {
    const reader = read(
      "create trap hash:ip family inet hashsize 1024 maxelem 500 timeout 60 counters comment bucketsize 12 initval 0x1",
      'add trap 192.0.2.1 timeout 30 packets 4 bytes 200 comment "two words"',
    );
    expect(reader.diagnostics).toEqual([]);
    const set = reader.sets.get("trap")!;
    expect(set).toMatchObject({ family: "ipv4", timeout: 60, counters: true, maxelem: 500 });
    expect([...set.elements.values()]).toMatchObject([{ timeout: 30, packets: 4n, bytes: 200n, comment: "two words" }]);
  });

  it("passes over comments, blank lines, COMMIT, CR and a byte order mark", () => {
    expect(read("\ufeff# sets", "", "create a hash:ip\r", "COMMIT", "  add a 192.0.2.1\r").diagnostics).toEqual([]);
  });

  it("knows the short and former names", () => {
    const reader = read("-N a iphash", "n b nethash", "-A a 192.0.2.1", "a b 192.0.2.0/24", "-D a 192.0.2.1", "-E b c", "-W a c");
    expect(reader.diagnostics).toEqual([]);
    expect([...reader.sets].map(([name, { type, elements }]) => [name, type.name, elements.size]).sort()).toEqual([
      ["a", "hash:net", 1],
      ["c", "hash:ip", 0],
    ]);
  });

  it("expands what ipset expands", () => {
    const reader = read(
      "create a hash:ip",
      "add a 192.0.2.0/30",
      "create n hash:net",
      "add n 192.0.2.0-192.0.2.77",
      "create p hash:ip,port",
      "add p 192.0.2.1-192.0.2.2,tcp:80-81",
      "create m hash:ip netmask 24",
      "add m 192.0.2.1/23",
      "create b bitmap:port range 1-100",
      "add b 9-7",
    );
    expect(reader.diagnostics).toEqual([]);
    expect(reader.sets.get("a")!.elements.size).toBe(4);
    // As ipset 7.17 prints it: /26, /29, /30, /31.
    expect([...reader.sets.get("n")!.elements.values()].map(({ parts: [part] }) => part?.kind === "address" && part.prefixLength)).toEqual([
      26, 29, 30, 31,
    ]);
    expect(reader.sets.get("p")!.elements.size).toBe(4);
    expect(reader.sets.get("m")!.elements.size).toBe(2);
    expect(keys(reader, "b")).toEqual([":7", ":8", ":9"]);
  });

  it("reads protocols and messages by name and by number", () => {
    const reader = read(
      "create p hash:ip,port",
      ...["80", "tcp:http", "udp:53", "17:53", "icmp:echo-request", "icmp:8/0", "gre:0"].map((port) => `add p 192.0.2.1,${port}`),
    );
    expect(reader.diagnostics).toEqual([]);
    expect(keys(reader, "p").map((key) => key.split(",")[1])).toEqual(["6:80", "17:53", "1:2048", "47:0"]);
  });

  it("lets a later element replace an equal one, and one address of a bitmap:ip,mac", () => {
    const reader = read(
      "create n hash:net",
      "add n 192.0.2.0/24",
      "add n 192.0.2.7/24 nomatch",
      "create b bitmap:ip,mac range 192.0.2.0/24",
      "add b 192.0.2.1,02:00:5e:10:00:01",
      "add b 192.0.2.1,02:00:5e:10:00:02",
    );
    expect([...reader.sets.get("n")!.elements.values()].map(({ nomatch }) => nomatch)).toEqual([true]);
    expect(reader.sets.get("b")!.elements.size).toBe(1);
  });

  it("keeps the order of a list, with before and after", () => {
    const reader = read(
      "create a hash:ip",
      "create b hash:ip",
      "create c hash:ip",
      "create l list:set",
      "add l a",
      "add l b",
      "add l c before a",
      "add l a after b",
    );
    expect(reader.diagnostics).toEqual([]);
    expect(keys(reader, "l")).toEqual(["c", "b", "a"]);
  });

  it("says what is wrong with each line, and goes on", () => {
    expect(
      faults(
        read(
          "create a hash:nothing",
          "add a 192.0.2.1",
          "create b hash:ip range 1-2 wrong",
          "create c hash:ip",
          "add c 192.0.2.300",
          "add c 2001:db8::1",
          "add c",
          "c",
          "add c 192.0.2.1,80",
          "create d hash:net",
          "add d 192.0.2.1/0",
          "create e hash:ip,port",
          "add e 192.0.2.1,gre:1",
          "create f list:set",
          "add f f",
          "create g bitmap:ip",
          "add c 192.0.2.1 timeout 4",
        ),
      ),
    ).toEqual([
      "1:10 invalid-value",
      "2:5 unknown-ipset",
      "3:28 unknown-option",
      "5:7 invalid-value",
      "6:7 invalid-value",
      "7:1 missing-argument",
      "8:1 malformed-line",
      "9:7 invalid-value",
      "11:7 invalid-value",
      "13:7 invalid-value",
      "15:7 invalid-value",
      "16:8 missing-option",
      "17:17 invalid-value",
    ]);
  });
});
