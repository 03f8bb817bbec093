import { describe, expect, test } from "vitest";

import { translate, type TranslateOptions } from "../../src/index.js";
import { searchLists, type ListSearch, type SearchOptions } from "../../src/simulate/search.js";

function dump(...rules: readonly string[]): string {
  const chains = [...new Set(rules.map((rule) => rule.split(" ")[0]!))].filter((chain) => !["INPUT", "FORWARD", "OUTPUT"].includes(chain));
  return `*filter\n${chains.map((chain) => `:${chain} - [0:0]\n`).join("")}${rules.map((rule) => `-A ${rule}\n`).join("")}COMMIT\n`;
}

function search(text: string, options: TranslateOptions = {}, limits: SearchOptions = { schedules: 2000 }): ListSearch[] {
  return searchLists(translate(text, { family: "ipv4", ...options }), limits);
}

const throttle = [
  "INPUT -p tcp -m tcp --dport 22 -m recent --set --name SSH",
  "INPUT -p tcp -m tcp --dport 22 -m recent --update --seconds 60 --hitcount 4 --name SSH -j DROP",
];

/** Searched as a whole, and nothing found. */
function clean(searches: readonly ListSearch[]): boolean {
  return (
    searches.length > 0 &&
    searches.every(
      ({ result, counterexample, leftOut }) =>
        result.kind === "searched" && result.effort.schedules > 0 && !counterexample && leftOut.length === 0,
    )
  );
}

describe("packets are made that come to the list's rules", () => {
  test.each([
    ["behind an accepting rule", ["INPUT -m state --state ESTABLISHED,RELATED -j ACCEPT", ...throttle]],
    [
      "behind a chain that only some packets come out of",
      [
        "INPUT -j local",
        ...throttle,
        "local -m addrtype --dst-type LOCAL -j RETURN",
        "local -m addrtype --dst-type BROADCAST -j RETURN",
        "local -j DROP",
      ],
    ],
    [
      "behind addresses, interfaces and ports that others take",
      ["INPUT -s 192.0.2.0/24 -j ACCEPT", "INPUT ! -i eth1 -j DROP", "INPUT -p tcp -m multiport ! --dports 22,80 -j REJECT", ...throttle],
    ],
    ["in nested chains", ["INPUT -p tcp -j a", "a -p tcp -m tcp --dport 22 -j b", ...throttle.map((rule) => rule.replace("INPUT", "b"))]],
    ["behind a mark of the packet", ["INPUT -m mark ! --mark 0x10/0xf0 -j ACCEPT", ...throttle]],
    ["behind tests without a model", ["INPUT -m time --timestart 08:00 --timestop 18:00 -j RETURN", ...throttle]],
    ["that want what has no model", throttle.map((rule) => rule.replace("-m recent", "-m pkttype --pkt-type broadcast -m recent"))],
    ["by ICMP type", throttle.map((rule) => rule.replace("-p tcp -m tcp --dport 22", "-p icmp -m icmp --icmp-type 8"))],
  ])("%s", (_, rules) => {
    expect(clean(search(dump(...rules)))).toBe(true);
  });

  test("whose addresses are of their family, also beside the last of all", () => {
    const table = "*raw\n-A PREROUTING -i eth0 -m rpfilter --loose --invert -j DROP\nCOMMIT\n";
    const tries = "INPUT -i eth0 -p tcp -m tcp --dport 22 -m conntrack --ctstate NEW -m recent --name SSH";
    const rules = dump(`${tries} --update --seconds 60 --hitcount 3 -j DROP`, `${tries} --set -j ACCEPT`);
    expect(clean(search(table + rules, {}, { schedules: 20_000 }))).toBe(true);
  });

  test("and for every stage of knocking at ports", () => {
    const knocking = search(
      dump(
        "INPUT -p tcp -j knock",
        "knock -p tcp -m tcp --dport 22 -m recent --rcheck --seconds 10 --name second -j ACCEPT",
        "knock -p tcp -m tcp --dport 7000 -m recent --set --name first -j DROP",
        "knock -m recent --rcheck --seconds 10 --name first -j stage2",
        "knock -j DROP",
        "stage2 -m recent --remove --name first",
        "stage2 -p tcp -m tcp --dport 8000 -m recent --set --name second -j DROP",
        "stage2 -j DROP",
      ),
    );
    expect(clean(knocking)).toBe(true);
    expect(knocking.map(({ list }) => list)).toEqual(["second", "first"]);
    expect(knocking.flatMap(({ known }) => known).filter((text) => text.startsWith("no packet"))).toEqual([]);
  });
});

describe("a difference", () => {
  test("is told with packets, stamps and sets", () => {
    const [found] = search(dump(...throttle), { recent: "limit" });
    const { events } = found!.counterexample!;
    expect(events.length).toBeLessThanOrEqual(5);
    expect(events[0]).toEqual({
      at: 0,
      host: "192.0.2.7",
      packet: "tcp 192.0.2.7:40000 to 198.51.100.1:22, in by eth0",
      iptables: "accept",
      nft: "accept",
      why: "on no list; in no set",
    });
    const last = events.at(-1)!;
    expect(last.iptables).not.toBe(last.nft);
    expect(last.why).toMatch(/^192\.0\.2\.7 on SSH, seen [\d., ]+ s ago; in SSH_(tokens|banned)/);
    expect(found!.announced).toEqual([expect.stringContaining("[recent-limit-form]")]);
  });

  test("of a rule that stands in the script as announced: a reap that takes others off", () => {
    const [found] = search(
      dump(
        "INPUT -p udp -m recent --rcheck --name seen -j DROP",
        "INPUT -p tcp -m recent --set --name seen",
        "INPUT -m recent --update --seconds 2 --reap --name seen",
      ),
    );
    expect(found!.counterexample).toBeDefined();
    expect(found!.announced).toEqual([expect.stringContaining("[recent-reap]")]);
  });
});

test("what the script leaves out is left out on both sides, and said", () => {
  const [found] = search(dump(throttle[0]!, throttle[1]!.replace("-m recent", "-m string --algo bm --string x -m recent")));
  expect(found!.counterexample).toBeUndefined();
  expect(found!.leftOut).toEqual([expect.stringMatching(/^line 3 is in the script only in part/)]);
});

test("a list of which nothing is translated is not searched", () => {
  const [found] = search(dump(...throttle.map((rule) => rule.replace("-m recent", "-m string --algo bm --string x -m recent"))));
  expect(found!.result).toEqual({ kind: "not-searched", reason: "none of its rules is translated" });
});

test.each([
  ["that nothing jumps to", throttle.map((rule) => rule.replace("INPUT", "unused"))],
  ["that only other protocols come to", ["INPUT -p udp -j unused", ...throttle.map((rule) => rule.replace("INPUT", "unused"))]],
])("a list in a chain %s needs no packets", (_, rules) => {
  const [found] = search(dump(...rules));
  expect(found).toMatchObject({
    result: { kind: "searched", effort: { schedules: 0 } },
    known: ["no packet comes to its rules: nothing jumps to their chains, or only with other protocols"],
  });
});

test("more than 100 hosts are told of apart", () => {
  const [found] = search(dump(...throttle));
  expect(found!.known).toContainEqual(
    'more than 100 hosts: iptables forgets a host once 100 others are on list "SSH" and accepts its packets, the script drops them',
  );
});

test("both families of one table are searched", () => {
  const rules = dump(...throttle);
  const translation = translate(
    [
      { file: "rules.v4", text: rules, family: "ipv4" },
      { file: "rules.v6", text: rules, family: "ipv6" },
    ],
    { inet: true },
  );
  const searches = searchLists(translation, { schedules: 2000 });
  expect(searches.map(({ family }) => family)).toEqual(["ipv4", "ipv6"]);
  expect(clean(searches)).toBe(true);
});

test("a budget of time ends the search", () => {
  let time = 0;
  const [found] = search(dump(...throttle), {}, { schedules: Infinity, steps: Infinity, milliseconds: 2_000, now: () => (time += 1) });
  expect(found!.result.kind).toBe("searched");
});

test("an input that is no ruleset has no lists", () => {
  expect(search("nonsense")).toEqual([]);
});
