import { describe, expect, it } from "vitest";
import { translate, type TranslateOptions } from "../../src/index.js";
import { emitSetCommands, type SetElement } from "../../src/nft/set-commands.js";
import { readLabel, writeLabel, labelName } from "../../src/rewrite/recent/set-label.js";
import { changesFor, restoring } from "../../src/cli/commands/lists/edit.js";
import { listNamed, type Reading } from "../../src/cli/commands/lists/kernel.js";
import { hostReport } from "../../src/cli/commands/lists/where-held.js";
import type { JsonMessage } from "../../src/report/json.js";
import { overviewText } from "../../src/lists/render.js";
import { clearList, joined, placeOf, putHost, takeHost, type TableChange } from "../../src/lists/changes.js";
import { hostOf, hostsOf, readAddress } from "../../src/lists/hosts.js";
import { labelsOfScript, readDuration, readListing, type ListedSet } from "../../src/lists/listing.js";
import { findLists, questionsOf, type List } from "../../src/lists/lists.js";
import { readSavedLists, saveLists } from "../../src/lists/saved-lists.js";
import { questionWords, stateWords } from "../../src/lists/words.js";
import { agesOf, readClock, readFileCommand, readRecentFile, recentLine } from "../../src/lists/xt-recent-file.js";

const table = { family: "ip", name: "ipt2nft" } as const;

/** The lists of a script, with nobody on them. */
function listsOf(rules: readonly string[], options: TranslateOptions = {}): List[] {
  const dump = `*filter\n:INPUT ACCEPT [0:0]\n${rules.map((rule) => `-A INPUT ${rule}\n`).join("")}COMMIT\n`;
  const { nft } = translate(dump, { family: "ipv4", ...options });
  const sets = nft!.tables[0]!.sets.map(
    ({ name, type, timeout, label }): ListedSet => ({
      name,
      type: type?.join(" . ") ?? "ip saddr . ip ttl",
      interval: false,
      timeout,
      comment: label,
      elements: [],
    }),
  );
  const { lists, unreadable } = findLists([{ table, sets }]);
  expect(unreadable).toEqual([]);
  return [...lists];
}

/** The list after the elements of these commands were added. */
function withElements(list: List, commands: ReturnType<typeof putHost>): List {
  const added = commands.filter(({ kind }) => kind === "add").at(-1);
  const elements = added?.kind === "add" ? added.elements : [];
  return {
    ...list,
    sides: list.sides.map((side) => ({
      ...side,
      sets: new Map(
        [...side.sets].map(([name, set]) => [
          name,
          {
            ...set,
            elements: elements
              .filter((element) => element.set === name)
              .map(({ address, digit, expires }) => ({
                key: digit === undefined ? [address] : [address, String(digit)],
                expires: expires ?? set.timeout,
                timeout: undefined,
              })),
          },
        ]),
      ),
    })),
  };
}

const forms: Readonly<
  Record<string, { readonly rules: readonly string[]; readonly options?: TranslateOptions; readonly words: readonly string[] }>
> = {
  ring: {
    rules: ["-m recent --set --name L", "-m recent --update --seconds 60 --hitcount 5 --name L -j DROP"],
    words: ["5 hits in 60 s, its own packet's included"],
  },
  "ring of many": {
    rules: ["-m recent --update --seconds 3600 --hitcount 80 --name L -j DROP", "-m recent --set --name L"],
    words: ["80 hits in 60 min"],
  },
  ban: {
    rules: ["-m recent --set --name L", "-m recent --update --seconds 60 --hitcount 3 --name L -j DROP"],
    words: ["3 hits in 60 s, its own packet's included"],
  },
  "short ban": {
    rules: ["-m recent --set --name L", "-m recent --update --seconds 60 --hitcount 6 --name L -j DROP"],
    options: { recent: "ban" },
    words: ["6 hits in 60 s, its own packet's included, then a ban until it is silent for that long"],
  },
  "short ban on a ring": {
    rules: ["-m recent --set --name L", "-m recent --update --seconds 60 --hitcount 20 --name L -j DROP"],
    options: { recent: "ban" },
    words: ["20 hits in 60 s, its own packet's included, then a ban until it is silent for that long"],
  },
  timers: {
    rules: ["-m recent --rcheck --seconds 60 --hitcount 4 --name L -j DROP", "-m recent --set --name L"],
    words: ["4 hits in 60 s"],
  },
  window: { rules: ["-m recent --update --seconds 7200 --name L -j DROP"], words: ["seen in 2 h"] },
  seen: { rules: ["-m recent --rcheck --name L -j DROP"], words: ["ever seen"] },
  count: { rules: ["-m recent --set --name L", "-m recent --rcheck --hitcount 4 --name L -j DROP"], words: ["4 hits at any time"] },
  "two windows": {
    rules: [
      "-m recent --set --name L",
      "-m recent --rcheck --seconds 10 --hitcount 4 --name L -j DROP",
      "-m recent --rcheck --seconds 600 --hitcount 12 --name L -j DROP",
    ],
    words: ["4 hits in 10 s", "12 hits in 10 min"],
  },
  ttl: {
    rules: ["-m recent --rcheck --seconds 60 --hitcount 3 --rttl --name L -j DROP", "-m recent --set --name L"],
    words: ["3 hits in 60 s"],
  },
};

describe("lists of each form", () => {
  it.each(Object.entries(forms))("%s: what is put on a list is read from it", (_, { rules, options, words }) => {
    const [list] = listsOf(rules, options);
    expect(questionsOf(list!).map(questionWords)).toEqual(words);
    const [side] = list!.sides;
    for (const ages of [[0], [5000, 1000], [9000, 4000, 1000, 0]]) {
      const commands = putHost(side!, { address: "192.0.2.7", ages, count: ages.length, ttl: 64 });
      const after = withElements(list!, commands);
      const host = hostOf(after.sides[0]!, "192.0.2.7")!;
      expect(hostsOf(after)).toEqual([host]);
      const sorted = [...ages].sort((a, b) => a - b);
      for (const { question, hits, holds } of host.answers) {
        const { seconds, own } = question;
        const living = sorted.filter((age) => seconds === undefined || age < seconds * 1000 + 4).length;
        // A set holds who was seen, not how often; a ban stands for as many hits as the limit has.
        if (question.form === "seen") expect(hits).toBe(1);
        else if (living < question.hits - own) expect(hits).toBe(living);
        expect(holds).toBe(living >= Math.max(1, question.hits - own));
      }
      // Once more: nothing is lost or made by reading and writing.
      const again = withElements(list!, putHost(side!, { ...host, ttl: host.ttl ?? 0 }));
      expect(hostOf(again.sides[0]!, "192.0.2.7")).toEqual(host);
      // And off again: each of its elements is named.
      const taken = takeHost(after.sides[0]!, "192.0.2.7", false);
      const held = [...after.sides[0]!.sets.values()].flatMap((set) => set.elements.map(() => set.name)).sort();
      expect(taken.flatMap((command) => (command.kind === "delete" ? command.elements.map(({ set }) => set) : [])).sort()).toEqual(held);
    }
  });

  it("has all of a limit's hosts that are banned, and no hits of the others", () => {
    const [list] = listsOf(["-m recent --set --name L", "-m recent --rcheck --seconds 60 --hitcount 4 --name L -j DROP"], {
      recent: "limit",
    });
    const [side] = list!.sides;
    expect(putHost(side!, { address: "192.0.2.7", ages: [0], count: 1, ttl: 0 })).toEqual([]);
    const after = withElements(list!, putHost(side!, { address: "192.0.2.7", ages: [0, 0, 0, 0], count: 4, ttl: 0 }));
    expect(stateWords(hostsOf(after)[0]!)).toBe("over the limit, free in 60.0 s");
  });

  it("keeps lists of both families apart in a table of both", () => {
    const rules = `*filter\n:INPUT ACCEPT [0:0]\n-A INPUT -m recent --rcheck --seconds 60 --name L -j DROP\nCOMMIT\n`;
    const sources = (["ipv4", "ipv6"] as const).map((family) => ({ file: family, text: rules, family }));
    const { nft } = translate(sources, { inet: true });
    const sets = nft!.tables[0]!.sets.map(
      ({ name, type, timeout, label }): ListedSet => ({ name, type: type!.join(), interval: false, timeout, comment: label, elements: [] }),
    );
    const { lists } = findLists([{ table: { family: "inet", name: "ipt2nft" }, sets }]);
    expect(lists.map(({ sides }) => sides.map(({ family }) => family))).toEqual([["ipv4", "ipv6"]]);
    expect(placeOf(lists[0]!, "2001:DB8:0::7").side.family).toBe("ipv6");
    expect(placeOf(lists[0]!, "2001:DB8:0::7").address).toBe("2001:db8::7");
  });

  it("knows a host that floods by the label of the set, whatever that is called", () => {
    const sets = listsOf(forms["ring"]!.rules)[0]!.sides[0]!.sets;
    const renamed = [...sets.values()].map((set) => ({
      ...set,
      name: `${set.name}_v6`,
      elements: /: (?:flood|busy)/.test(set.comment!) ? [{ key: ["192.0.2.7"], expires: set.timeout! - 1250, timeout: undefined }] : [],
    }));
    const [list] = findLists([{ table, sets: renamed }]).lists;
    expect(hostsOf(list!).map(stateWords)).toEqual(["over the limit, free in 59.0 s"]);
  });

  it("masks addresses, refuses networks and other families", () => {
    const [list] = listsOf([
      "-m recent --set --mask 255.255.255.0 --name L",
      "-m recent --rcheck --seconds 60 --mask 255.255.255.0 --name L -j DROP",
    ]);
    expect(placeOf(list!, "192.0.2.77")).toMatchObject({ address: "192.0.2.0", masked: true });
    expect(placeOf(list!, "192.0.2.77", true)).toMatchObject({ address: "192.0.2.77", masked: false });
    expect(() => placeOf(list!, "192.0.2.0/24")).toThrow("is a network");
    expect(() => placeOf(list!, "2001:db8::1")).toThrow('the list "L" has no rules for IPv6');
    expect(() => placeOf(list!, "192.0.2.0; flush ruleset")).toThrow("is no address");
  });
});

describe("labels", () => {
  it.each(["SSH", "a b", 'quo"te', "é", "x".repeat(199), "a%20b", "#2"])("hold the list %j and nothing that nft cannot quote", (list) => {
    const text = writeLabel({
      list,
      number: 2,
      role: "banned",
      details: { hits: 65535, seconds: 4294967295, own: 1, form: "short-ban" },
      mask: "255.0.255.0",
    });
    expect(text.length).toBeLessThanOrEqual(128);
    expect(text).toMatch(/^[ -!#-~]+$/);
    const read = readLabel(text)!;
    expect(read).toMatchObject({
      key: labelName(list),
      number: 2,
      role: "banned",
      mask: "255.0.255.0",
      details: { hits: 65535, own: 1, form: "short-ban" },
    });
    if (list.length < 40) expect(read.list).toBe(list);
  });

  it("tell long names apart that begin alike", () => {
    expect(labelName(`${"x".repeat(198)}a`)).not.toBe(labelName(`${"x".repeat(198)}b`));
  });

  it("are not read from other comments", () => {
    for (const text of ["", "recent", "recent SSH", "recent SSH: nothing", "recent SSH: banned; drop", "my recent SSH: seen"])
      expect(readLabel(text)).toBeUndefined();
  });

  it("stand behind the sets of a script whose nft has no comments of sets, and are read there", () => {
    const dump = `*filter\n:INPUT ACCEPT [0:0]\n-A INPUT -m recent --rcheck --seconds 60 --name "a#b" -j DROP\nCOMMIT\n`;
    for (const [targetNft, keepSets] of [
      ["0.9.3", false],
      ["0.9.3", true],
      ["1.0.6", false],
      ["1.0.6", true],
    ] as const) {
      const { script, nft } = translate(dump, { family: "ipv4", targetNft, keepSets });
      const { name, label } = nft!.tables[0]!.sets[0]!;
      expect(labelsOfScript(script!)).toEqual(new Map([[`ip ipt2nft ${name}`, label]]));
      expect(script!.includes('comment "recent')).toBe(targetNft === "1.0.6");
    }
  });
});

describe("listings", () => {
  it("are read with their times, over several lines, whatever comments hold", () => {
    const text = `table ip ipt2nft {
\tset a {
\t\ttype ipv4_addr
\t\tsize 65535
\t\tflags dynamic,timeout
\t\ttimeout 1m4ms
\t\tcomment "recent SSH: x } set b {"
\t\telements = { 192.0.2.8 limit rate 1/week burst 3 packets expires 12s12ms, 192.0.2.9 timeout 1h expires 59m,
\t\t\t     192.0.2.10 counter packets 1 bytes 2 comment "a, } b" expires 1d2h3m4s5ms }
\t}

\tset c {
\t\ttypeof ip saddr . ip ttl
\t\tflags dynamic,timeout
\t\ttimeout 1m
\t\telements = { 192.0.2.9 . 15 expires 2s992ms }
\t}
}
`;
    expect(readListing(text)).toMatchObject([
      {
        name: "a",
        timeout: 60_004,
        comment: "recent SSH: x } set b {",
        elements: [
          { key: ["192.0.2.8"], expires: 12_012, timeout: undefined },
          { key: ["192.0.2.9"], expires: 3_540_000, timeout: 3_600_000 },
          { key: ["192.0.2.10"], expires: 93_784_005 },
        ],
      },
      { name: "c", type: "ip saddr . ip ttl", elements: [{ key: ["192.0.2.9", "15"], expires: 2992 }] },
    ]);
    expect(readDuration("4x")).toBeUndefined();
  });
});

describe("the kernel's files", () => {
  const clock = { jiffies: 4_298_123_456n, ticksPerSecond: 250 };

  it("are read and printed", () => {
    const text =
      "src=192.0.2.7 ttl: 64 last_seen: 4298123206 oldest_pkt: 3 4298122456, 4298123206\nsrc=2001:0db8:0000:0000:0000:0000:0000:0007 ttl: 0 last_seen: 4298123456 oldest_pkt: 1 4298123456\n";
    const [first, second] = readRecentFile(text, "SSH");
    expect(agesOf(first!, clock)).toEqual([4000, 1000]);
    expect(second).toMatchObject({ family: "ipv6", ttl: 0 });
    const line = recentLine({ address: "2001:db8::7", family: "ipv6", ages: [1000, 4000], count: 2, ttl: 64, answers: [] }, clock);
    expect(line).toBe("src=2001:0db8:0000:0000:0000:0000:0000:0007 ttl: 64 last_seen: 4298123206 oldest_pkt: 2 4298122456, 4298123206\n");
    expect(() => readRecentFile("hello\n", "SSH")).toThrow('line 1 of "SSH"');
    expect(() => agesOf({ ...first!, stamps: [clock.jiffies + 1000n] }, clock)).toThrow("another start of this machine");
  });

  const line = (ttl: string, stamps: string): string => `src=192.0.2.7 ttl: ${ttl} last_seen: 1 oldest_pkt: 1 ${stamps}\n`;
  it.each([
    ["a TTL of no packet", line("256", "1")],
    ["a stamp of no clock", line("64", "9".repeat(3_000_000))],
    ["more stamps than the kernel keeps", line("64", "1, ".repeat(5_000_000) + "1")],
    ["no stamps", line("64", ", ")],
  ])("are nothing else, and are refused at once: %s", (_, text) => {
    expect(() => readRecentFile(text, "SSH")).toThrow('line 1 of "SSH" is no line');
  });

  it("tell how fast the kernel's clock runs", () => {
    for (const ticksPerSecond of [100, 250, 300, 1000]) {
      const seconds = 40_251;
      const jiffies = (1n << 32n) - BigInt(300 * ticksPerSecond) + BigInt(seconds * ticksPerSecond);
      expect(
        readClock(`Timer List Version: v0.10\nnow at ${seconds * 1e9} nsecs\n  .last_jiffies   : ${jiffies - 3n}\njiffies: ${jiffies}\n`),
      ).toEqual({ jiffies, ticksPerSecond });
    }
    expect(() => readClock("hello")).toThrow("cannot be read");
  });

  it.each([
    ["+192.0.2.7", { kind: "add", address: "192.0.2.7" }],
    ["+192.0.2.7\n+192.0.2.8\n", { kind: "add", address: "192.0.2.7" }],
    ["-2001:db8::7", { kind: "remove", address: "2001:db8::7" }],
    ["192.0.2.7", { kind: "add", address: "192.0.2.7" }],
    ["/", { kind: "clear" }],
    ["/anything", { kind: "clear" }],
    ["clear", { kind: "clear" }],
    ["+192.0.2.0/24", undefined],
    ["+192.0.2.7 ", undefined],
    ["+10.1", undefined],
    ["+example.net", undefined],
    ["", undefined],
  ] as const)("take %j as the kernel does", (text, command) => {
    expect(readFileCommand(text)).toEqual(command);
  });
});

describe("saved lists", () => {
  it("keep the moments of hits", () => {
    const [list] = listsOf(forms["ring"]!.rules);
    const after = withElements(list!, putHost(list!.sides[0]!, { address: "192.0.2.7", ages: [1000, 4000], count: 2, ttl: 0 }));
    const [saved] = readSavedLists(saveLists([after], 1_700_000_000_000), "f");
    expect(saved).toEqual({
      name: "L",
      hosts: [{ address: "192.0.2.7", ttl: 0, count: 2, stamps: [1_699_999_999_000, 1_699_999_996_000] }],
    });
  });

  it.each([
    "",
    "{}",
    "[]",
    '{"format":"ipt2nft-recent lists 1","lists":[{"name":"L","hosts":[{"address":"1.2.3.4; x","ttl":0,"count":1,"stamps":[]}]}]}',
    `{"format":"ipt2nft-recent lists 1","lists":[{"name":"L","hosts":[{"address":${"[".repeat(200_000)}${"]".repeat(200_000)}}]}]}`,
  ])("refuse %j", (text) => {
    expect(() => readSavedLists(text, "f")).toThrow('"f" is no file of "lists save"');
  });
});

describe("hosts that come several times", () => {
  const loaded = (rules: readonly string[], options?: TranslateOptions): Reading => ({
    lists: listsOf(rules, options),
    others: [],
    unreadable: [],
    at: performance.now(),
  });
  /** What the list holds after the changes: the hits of each host. */
  const after = ({ lists: [list] }: Reading, changes: readonly TableChange[]): Record<string, number> => {
    const elements = new Map<string, SetElement>();
    for (const command of changes.flatMap(({ commands }) => commands)) {
      if (command.kind === "flush") throw new Error("no list is emptied");
      for (const element of command.elements) {
        const key = `${element.set} ${element.address}`;
        if (command.kind === "delete") elements.delete(key);
        else elements.set(key, element);
      }
    }
    const hosts = hostsOf(withElements(list!, [{ kind: "add", elements: [...elements.values()] }]));
    return Object.fromEntries(hosts.map(({ address, count }) => [address, count]));
  };

  const hit = (address: string, ...ages: readonly number[]) => ({
    address,
    ttl: 0,
    count: ages.length,
    stamps: ages.map((age) => Date.now() - age),
  });

  it("keep the hits of all places of a file", () => {
    const messages: JsonMessage[] = [];
    const reading = loaded(forms["ring"]!.rules);
    const files = [
      { name: "L", hosts: [hit("192.0.2.7", 1000, 2000), hit("192.0.2.7")] },
      { name: "L", hosts: [hit("192.0.2.7", 9000), hit("192.0.2.8", 1000), hit("192.0.2.7", 1000, 5000, 6000)] },
    ];
    expect(after(reading, restoring(reading, files, messages))).toEqual({ "192.0.2.7": 5, "192.0.2.8": 1 });
    expect(messages).toEqual([]);
  });

  it("get a hit for each time that they are named, by a mask, too", () => {
    const reading = loaded([
      "-m recent --set --name L --mask 255.255.255.0",
      "-m recent --update --seconds 60 --hitcount 5 --name L --mask 255.255.255.0 -j DROP",
    ]);
    const add = { kind: "add", list: "L", addresses: ["192.0.2.7", "192.0.2.8", "192.0.2.7"], hits: 1, unlessOver: false } as const;
    expect(after(reading, changesFor(reading, add, []))).toEqual({ "192.0.2.0": 3 });
  });

  it("are left as they are where they are over every limit and that is enough", () => {
    const before = loaded(forms["ring"]!.rules);
    const over = { kind: "add", list: "L", addresses: ["192.0.2.7"], hits: "over", unlessOver: true } as const;
    const first = changesFor(before, over, []);
    expect(first.flatMap(({ commands }) => commands)).not.toEqual([]);
    const [list] = before.lists;
    const banned = {
      ...before,
      lists: [
        withElements(
          list!,
          first.flatMap(({ commands }) => commands),
        ),
      ],
    };
    const messages: JsonMessage[] = [];
    expect(changesFor(banned, over, messages)).toEqual([]);
    expect(messages.map(({ message }) => message)).toEqual(['192.0.2.7 is over every limit of the list "L" already']);
    expect(changesFor(banned, { ...over, unlessOver: false }, []).flatMap(({ commands }) => commands)).not.toEqual([]);
  });

  it("are read in a time that does not grow as their square", () => {
    const stamps = Array.from({ length: 60_000 }, (_, index) => index * 20);
    const many = { address: "192.0.2.7", ttl: 0, count: 60_000, ages: stamps };
    const start = performance.now();
    expect(joined(many, { ...many, ages: stamps.map((age) => age + 10) }).count).toBe(60_000);
    expect(performance.now() - start).toBeLessThan(500);
  });

  it("are told of where the list has no rules for their family, and named without what hides", () => {
    const messages: JsonMessage[] = [];
    const reading = loaded(forms["ring"]!.rules);
    const files = [
      { name: "L", hosts: [hit("2001:db8::7", 1000)] },
      { name: "a\u001b[31m\u202e\nb", hosts: [hit("192.0.2.7", 1000), hit("192.0.2.8", 1000)] },
    ];
    expect(after(reading, restoring(reading, files, messages))).toEqual({});
    expect(messages.map(({ message }) => message)).toEqual([
      'the list "L" has no rules for IPv6: its 1 host is left out',
      'no list "a\\x1b[31m\\u{202e}\\x0ab" is loaded: its 2 hosts are left out',
    ]);
  });
});

it("the name of a list is shown without what hides, moves or is a line of its own", () => {
  const comment = "recent a%1b[31m%0a%e2%80%ae: seen";
  const { lists } = findLists([
    {
      table,
      sets: [
        {
          name: "a",
          type: "ipv4_addr",
          interval: false,
          timeout: undefined,
          comment,
          elements: [{ key: ["192.0.2.7"], expires: undefined, timeout: undefined }],
        },
      ],
    },
  ]);
  const shown = "a\\x1b[31m\\x0a\\u{202e}";
  expect(overviewText(lists).split("\n")[1]).toBe(`${shown}  IPv4    1      0     ever seen`);
  const reading: Reading = { lists, others: [], unreadable: [], at: 0 };
  expect(hostReport(reading, readAddress("192.0.2.7")!).text).toBe(`list ${shown}: on the list; hits: 1; last seen unknown\n`);
  expect(() => listNamed(reading, "\u202e")).toThrow(`no list "\\u{202e}" is loaded; there are ${shown}`);
});

describe("commands", () => {
  it("are text of nft, and hold nothing that is more than an address", () => {
    const [list] = listsOf(forms["window"]!.rules);
    const commands = putHost(list!.sides[0]!, { address: "192.0.2.7", ages: [1500], count: 1, ttl: 0 });
    expect(emitSetCommands(table, commands)).toBe(
      "add element ip ipt2nft L_recent { 192.0.2.7 }\ndelete element ip ipt2nft L_recent { 192.0.2.7 }\nadd element ip ipt2nft L_recent { 192.0.2.7 expires 7198s504ms }\n",
    );
    expect(clearList(list!)).toEqual([{ table, commands: [{ kind: "flush", set: "L_recent" }] }]);
    expect(() => emitSetCommands(table, [{ kind: "add", elements: [{ set: "a", address: "192.0.2.7 } ; flush ruleset" }] }])).toThrow(
      RangeError,
    );
    expect(() => emitSetCommands(table, [{ kind: "flush", set: "a; flush ruleset" }])).toThrow(RangeError);
  });

  it("take addresses as people write them", () => {
    expect(readAddress("192.0.2.7")).toEqual({ family: "ipv4", value: 0xc0000207n });
    for (const text of ["192.0.2", "192.0.2.07", "0xc0000207", "192.0.2.7/32", "fe80::1%eth0", "", "::1::"])
      expect(readAddress(text)).toBeUndefined();
  });
});
