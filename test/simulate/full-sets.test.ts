/** Lists that are full, and lists that forget: what the script as emitted does with hosts that come then. */

import { describe, expect, test } from "vitest";

import { translate, type TranslateOptions } from "../../src/index.js";
import { modelsOf } from "../../src/simulate/models.js";
import { ticksPerSecond, type Packet } from "../../src/simulate/packet.js";
import { searchLists } from "../../src/simulate/search.js";

function dump(...rules: readonly string[]): string {
  const chains = [...new Set(rules.map((rule) => rule.split(" ")[0]!))].filter((chain) => chain !== "INPUT");
  return `*filter\n:INPUT DROP\n${chains.map((chain) => `:${chain} - [0:0]\n`).join("")}${rules.map((rule) => `-A ${rule}\n`).join("")}COMMIT\n`;
}

/** Room for so many hosts, and more come, long before those that the tests are about. */
const setSize = 5;
const strangers = 50;

interface Visit {
  /** Seconds after the first of the host. */
  readonly at: number;
  readonly port: number;
  readonly ttl?: number;
}

function packet(source: bigint, { at, port, ttl = 64 }: Visit): Packet {
  return {
    time: Math.round(at * ticksPerSecond),
    path: "input",
    source,
    destination: 0xc6336401n,
    ttl,
    protocol: 6,
    sourcePort: 40000,
    destinationPort: port,
    inInterface: "eth0",
    outInterface: "",
  };
}

/** What iptables with lists of any length and the script decide about a host that comes when the sets are full of others. */
function visits(rules: readonly string[], strangersPort: number, host: readonly Visit[], options: TranslateOptions = {}): string[][] {
  const { iptables, nft } = translate(dump(...rules), { family: "ipv4", setSize, ...options });
  const models = modelsOf(iptables[0]!, nft!.tables[0]!);
  return [models.xtables, models.nft].map((model) => {
    for (let index = 0; index < strangers; index += 1)
      model.send(packet(0x0a000001n + BigInt(index), { at: index / 100, port: strangersPort }));
    return host.map((visit) => model.send(packet(0xc0000207n, { ...visit, at: visit.at + 1000 })).verdict);
  });
}

describe("a host that comes when an untimed set is full is known as long as its window", () => {
  test.each([
    [
      "to a knock that is taken back when it is used",
      [
        "INPUT -p tcp -m tcp --dport 1 -m recent --set --name KNOCK -j DROP",
        "INPUT -p tcp -m tcp --dport 22 -m recent --rcheck --seconds 15 --name KNOCK -m recent --remove --name KNOCK -j ACCEPT",
      ],
      [
        { at: 0, port: 1 },
        { at: 5, port: 22 },
        { at: 6, port: 22 },
      ],
      ["drop", "accept", "drop"],
    ],
    [
      "to a removal that asks by itself",
      [
        "INPUT -p tcp -m tcp --dport 1 -m recent --set --name KNOCK -j DROP",
        "INPUT -p tcp -m tcp --dport 22 -m recent --rcheck --seconds 15 --name KNOCK -j ACCEPT",
        "INPUT -p tcp -m tcp --dport 23 -m recent --remove --name KNOCK -j ACCEPT",
      ],
      [
        { at: 0, port: 1 },
        { at: 5, port: 22 },
        { at: 6, port: 23 },
        { at: 7, port: 22 },
      ],
      ["drop", "accept", "accept", "drop"],
    ],
    [
      "to an inverted removal",
      [
        "INPUT -p tcp -m tcp --dport 1 -m recent --set --name KNOCK -j DROP",
        "INPUT -p tcp -m tcp --dport 22 -m recent --rcheck --seconds 15 --hitcount 2 --name KNOCK -j ACCEPT",
        "INPUT -p tcp -m tcp --dport 23 -m recent ! --remove --name KNOCK -j ACCEPT",
      ],
      [
        { at: 0, port: 1 },
        { at: 1, port: 1 },
        { at: 5, port: 22 },
        { at: 6, port: 23 },
        { at: 7, port: 22 },
        { at: 8, port: 23 },
      ],
      ["drop", "drop", "accept", "drop", "drop", "accept"],
    ],
    [
      "to a throttle by an inverted update, which records what it lets through",
      [
        "INPUT -p tcp -m tcp --dport 1 -m recent --set --name T -j DROP",
        "INPUT -p tcp -m tcp --dport 22 -m recent ! --update --seconds 60 --hitcount 4 --name T -j ACCEPT",
      ],
      [{ at: 0, port: 1 }, ...[1, 2, 3, 4, 5].map((at) => ({ at, port: 22 }))],
      ["drop", "accept", "accept", "accept", "drop", "drop"],
    ],
  ] as const)("%s", (_, rules, host, wanted) => {
    const [iptables, nft] = visits(rules, 1, host);
    expect(iptables).toEqual(wanted);
    expect(nft).toEqual(wanted);
  });

  test("also in the limit form, whose sets have buckets in their elements", () => {
    const rules = [
      "INPUT -p tcp -m tcp --dport 1 -m recent --set --name T",
      "INPUT -p tcp -m tcp --dport 22 -m recent --rcheck --seconds 60 --hitcount 4 --name T -j DROP",
      "INPUT -p tcp -m tcp --dport 23 -m recent --remove --name T -j ACCEPT",
    ];
    const host = [
      { at: 0, port: 1 },
      { at: 1, port: 23 },
      { at: 2, port: 23 },
    ];
    for (const decided of visits(rules, 1, host, { recent: "limit" })) expect(decided).toEqual(["drop", "accept", "drop"]);
  });
});

test("a list of TTLs that is full takes no room from those of a shorter window", () => {
  const rules = [
    "INPUT -p tcp -m tcp --dport 22 -m recent --rcheck --rttl --name L -j DROP",
    "INPUT -p tcp -m tcp --dport 23 -m recent --rcheck --seconds 5 --rttl --name L -j ACCEPT",
    "INPUT -p tcp -m tcp --dport 1 -m recent --set --name L",
  ];
  const host = [
    { at: 0, port: 1 },
    { at: 1, port: 23 },
  ];
  for (const decided of visits(rules, 1, host)) expect(decided).toEqual(["drop", "accept"]);
});

describe("--forget-after", () => {
  const rules = [
    ["INPUT -m recent --rcheck --name bl -j DROP", "INPUT -p tcp -m tcp --dport 1 -m recent --set --name bl -j DROP", "INPUT -j ACCEPT"],
    ["INPUT -m recent --update --name bl -j DROP", "INPUT -p tcp -m tcp --dport 1 -m recent --set --name bl -j DROP", "INPUT -j ACCEPT"],
    [
      "INPUT -p tcp -m tcp --dport 22 -m recent --set --name c",
      "INPUT -p tcp -m tcp --dport 22 -m recent --rcheck --hitcount 3 --name c -j DROP",
      "INPUT -j ACCEPT",
    ],
    [
      "INPUT -p tcp -m tcp --dport 22 -m recent ! --update --seconds 20 --hitcount 2 --name u -j ACCEPT",
      "INPUT -p tcp -m tcp --dport 1 -m recent --set --name u",
      "INPUT -p tcp -m tcp --dport 23 -m recent --remove --name u -j ACCEPT",
    ],
    [
      "INPUT -p tcp -m tcp --dport 22 -m recent --rcheck --seconds 3600 --name long -j DROP",
      "INPUT -p tcp -m tcp --dport 23 -m recent --rcheck --name long -j DROP",
      "INPUT -p tcp -m tcp --dport 1 -m recent --set --name long",
      "INPUT -j ACCEPT",
    ],
  ];

  test.each(rules.map((some) => [some[0]!, some] as const))("forgets a host as told, and not before: %s", (_, some) => {
    const options = { family: "ipv4", forgetAfter: 60 } as const;
    const found = searchLists(translate(dump(...some), options), { schedules: 800, translated: options });
    expect(found.map(({ result, counterexample }) => [result.kind, counterexample])).toEqual([["searched", undefined]]);
    // What xt_recent does, which never forgets by time, is something else.
    const [other] = searchLists(translate(dump(...some), options), { schedules: 800 });
    expect(other!.counterexample).toBeDefined();
  });

  test("of a count of hits begins its time again with each hit", () => {
    const { iptables, nft } = translate(dump(...rules[2]!), { family: "ipv4", forgetAfter: 60 });
    const models = modelsOf(iptables[0]!, nft!.tables[0]!, { forgetAfter: 60 });
    const times = [0, 50, 100, 150, 211, 212, 213];
    for (const model of [models.xtables, models.nft]) {
      expect(times.map((at) => model.send(packet(0xc0000207n, { at, port: 22 })).verdict)).toEqual([
        "accept",
        "accept",
        "drop",
        "drop",
        "accept",
        "accept",
        "drop",
      ]);
    }
  });

  test.each([0, 1.5, -1, 10 * 365 * 86400 + 1, NaN])("takes no time of %d seconds", (forgetAfter) => {
    expect(() => translate(dump(...rules[0]!), { forgetAfter })).toThrow(RangeError);
  });
});

describe("what is said of a list without seconds", () => {
  const said = (rules: readonly string[], options: TranslateOptions = {}): string[] =>
    translate(dump(...rules), { family: "ipv4", ...options })
      .diagnostics.filter(({ severity }) => severity === "warning")
      .map(({ code, message }) => `${code}: ${message}`);

  test.each([
    ["--rcheck --name bl -j DROP", "more open"],
    ["--rcheck --name bl -j ACCEPT", "more closed"],
    ["! --rcheck --name bl -j DROP", "more closed"],
    ["! --update --name bl -j ACCEPT", "more open"],
    ["--update --hitcount 3 --name bl -j REJECT", "more open"],
    ["--remove --name bl -j ACCEPT", "more closed"],
    ["! --update --seconds 60 --hitcount 3 --name bl -j ACCEPT", "more open"],
  ])("%s: the firewall is %s when it is full", (check, effect) => {
    const rules = [`INPUT -m recent ${check}`, "INPUT -p tcp -m tcp --dport 139 -m recent --set --name bl"];
    expect(said(rules)).toEqual([expect.stringMatching(`^recent-list-full: list "bl": .*65535 hosts.*the firewall is ${effect}$`)]);
    expect(said(rules, { forgetAfter: 86400 })).toEqual([expect.stringMatching(`^recent-forget-after: .* 1 day after .*is ${effect}`)]);
  });

  test.each([
    ["every rule asks with seconds", ["INPUT -m recent --rcheck --seconds 60 --name bl -j DROP", "INPUT -m recent --set --name bl"]],
    ["no rule fills it", ["INPUT -m recent --rcheck --name bl -j DROP"]],
    [
      "a rule takes off what it has just found",
      ["INPUT -m recent --rcheck --seconds 60 --name bl -m recent --remove --name bl -j DROP", "INPUT -m recent --set --name bl"],
    ],
  ])("nothing where %s", (_, rules) => {
    expect(said(rules)).toEqual([]);
  });
});
