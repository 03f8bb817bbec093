/** Where rules of one shape are not translated alike, or something counts them, the quick way keeps them apart or is not taken. */

import { expect, it } from "vitest";

import { translateByShapes } from "../../src/shapes/translate-by-shapes.js";
import { translate } from "../../src/translate.js";
import { compared } from "./compared.js";

const hosts = (count: number, rule: (host: string, index: number) => string): string[] =>
  Array.from({ length: count }, (_, index) => rule(`192.0.2.${1 + index}`, index));

function filter(lines: readonly string[], chains: readonly string[] = []): string {
  return [
    "*filter",
    ":INPUT DROP [0:0]",
    ":FORWARD DROP [0:0]",
    ":OUTPUT ACCEPT [0:0]",
    ...chains.map((name) => `:${name} - [0:0]`),
    ...lines,
    "COMMIT",
    "",
  ].join("\n");
}

const recent = "-p tcp -m tcp --dport 22 -m recent --name SSH";

/** Taken: the outcome must be that of the slow way; and it was quick, or not. */
const inputs: Readonly<Record<string, readonly [text: string, quick: boolean]>> = {
  "plain rules": [filter(hosts(9, (host) => `-A INPUT -s ${host}/32 -j DROP`)), true],
  "a list's set and check with rules between them": [
    filter([
      ...hosts(4, (host) => `-A INPUT -s ${host}/32 -j DROP`),
      `-A INPUT ${recent} --set`,
      ...hosts(4, (host) => `-A INPUT -s ${host}/32 -j DROP`),
      `-A INPUT ${recent} --update --seconds 60 --hitcount 4 -j DROP`,
      ...hosts(4, (host) => `-A INPUT -s ${host}/32 -j DROP`),
    ]),
    true,
  ],
  "a list's set and check side by side": [
    filter([
      ...hosts(4, (host) => `-A INPUT -s ${host}/32 -j DROP`),
      `-A INPUT ${recent} --set`,
      `-A INPUT ${recent} --update --seconds 60 --hitcount 4 -j DROP`,
      ...hosts(4, (host) => `-A INPUT -s ${host}/32 -j DROP`),
    ]),
    true,
  ],
  "a list in a chain that is called many times": [
    filter(
      [
        ...hosts(9, (host) => `-A INPUT -s ${host}/32 -j limited`),
        ...hosts(9, (host) => `-A INPUT -s ${host}/32 -j DROP`),
        "-A limited -m recent --set",
        "-A limited -m recent --update --seconds 5 --hitcount 3 -j DROP",
      ],
      ["limited"],
    ),
    true,
  ],
  "a list that one chain sets, behind rules that leave it, and another asks": [
    filter(
      [
        ...["one", "two", "sets", "asks"].map((name) => `-A INPUT -j ${name}`),
        ...["one", "two", "sets"].flatMap((name) => hosts(5, (host) => `-A ${name} -s ${host}/32 -j RETURN`)),
        "-A sets -i lo -j ACCEPT",
        `-A sets ${recent} --set`,
        `-A asks ${recent} --update --seconds 60 --hitcount 4 -j DROP`,
      ],
      ["one", "two", "sets", "asks"],
    ),
    true,
  ],
  "a check that ends in RETURN, behind which the chain goes on elsewhere": [
    filter(
      [
        "-A INPUT -j users",
        ...hosts(4, (host) => `-A users -s ${host}/32 -j DROP`),
        `-A users ${recent} --set`,
        `-A users -p tcp -m length --length 40 -m recent --name SSH ! --rcheck --seconds 60 --hitcount 4 -j RETURN`,
        ...hosts(9, (host) => `-A users -s ${host}/32 -j DROP`),
        ...hosts(9, (host) => `-A INPUT -s ${host}/32 -j ACCEPT`),
      ],
      ["users"],
    ),
    true,
  ],
  "the same shape in chains that other hooks reach": [
    filter(
      [
        "-A INPUT -j one",
        "-A FORWARD -j two",
        "-A INPUT -j three",
        "-A OUTPUT -j three",
        ...["one", "two", "three"].flatMap((chain) => hosts(5, (host) => `-A ${chain} -i eth0 -s ${host}/32 -j DROP`)),
        ...["one", "two", "three"].flatMap((chain) => hosts(5, (host) => `-A ${chain} -o eth0 -s ${host}/32 -j DROP`)),
      ],
      ["one", "two", "three"],
    ),
    true,
  ],
  "rules that are shown with the name of their chain": [
    filter(
      [
        "-A INPUT -i eth0 -j one",
        "-A INPUT -i eth1 -j two",
        ...["one", "two"].flatMap((chain) => [80, 81, 82].map((port) => `-A ${chain} -p tcp -m multiport --ports ${port} -j ACCEPT`)),
        ...hosts(9, (host) => `-A two -s ${host}/32 -j DROP`),
      ],
      ["one", "two"],
    ),
    true,
  ],
  "chains that nothing calls": [
    filter([...hosts(9, (host) => `-A lost -s ${host}/32 -j DROP`), ...hosts(19, (host) => `-A INPUT -s ${host}/32 -j DROP`)], ["lost"]),
    true,
  ],
  "rules in no built-in chain": [
    filter(
      hosts(9, (host) => `-A lost -s ${host}/32 -j DROP`),
      ["lost"],
    ),
    false,
  ],
  "a jump in a long form": [filter(["-A INPUT --jump odd", ...hosts(9, (host) => `-A odd -s ${host}/32 -j DROP`)], ["odd"]), false],
  "a jump without a blank": [filter(["-A INPUT -jodd", ...hosts(9, (host) => `-A odd -s ${host}/32 -j DROP`)], ["odd"]), false],
  "what looks like a mark": [
    filter([
      ...hosts(5, (host) => `-A INPUT -s ${host}/32 -j LOG --log-prefix "217.200.253.199 "`),
      ...hosts(5, (host, index) => `-A INPUT -s ${host}/32 -p tcp -m tcp --sport 63901 --dport ${80 + index} -j ACCEPT`),
      ...hosts(5, (host) => `-A INPUT -s 217.200.253.199/32 -d ${host}/32 -j ACCEPT`),
    ]),
    true,
  ],
  "limits and quotas, which have objects of their own": [
    filter([
      ...hosts(
        5,
        (host) => `-A INPUT -s ${host}/32 -m hashlimit --hashlimit-upto 5/sec --hashlimit-mode srcip --hashlimit-name h -j ACCEPT`,
      ),
      ...hosts(5, (host) => `-A INPUT -s ${host}/32 -m connlimit --connlimit-above 5 -j DROP`),
      ...hosts(5, (host) => `-A INPUT -s ${host}/32 -m quota --quota 1000 -j ACCEPT`),
      ...hosts(25, (host) => `-A INPUT -s ${host}/32 -j DROP`),
    ]),
    true,
  ],
  "rules that are refused": [
    filter([
      ...hosts(5, (host) => `-A INPUT -s ${host}/32 -m geoip --source-country CN -j DROP`),
      ...hosts(15, (host) => `-A INPUT -s ${host}/32 -j DROP`),
    ]),
    true,
  ],
  "line ends of another system": [filter(hosts(9, (host) => `-A INPUT -s ${host}/32 -j DROP`)).replaceAll("\n", "\r\n"), false],
  "a line in error": [filter([...hosts(9, (host) => `-A INPUT -s ${host}/32 -j DROP`), "-A INPUT --nonsense"]), false],
  "a table given twice": [filter(hosts(9, (host) => `-A INPUT -s ${host}/32 -j DROP`)).repeat(2), false],
  "commands that put rules elsewhere": [filter([...hosts(9, (host) => `-A INPUT -s ${host}/32 -j DROP`), "-I INPUT 3 -j ACCEPT"]), false],
  "a rule behind the end of its table": [`${filter(hosts(9, (host) => `-A INPUT -s ${host}/32 -j DROP`))}\n-A INPUT -j DROP\n`, false],
  "chains of which one begins with the name of another, and rules that are alike by turns": [
    filter(
      [
        ...["web", "webs", "web-"].map((name) => `-A INPUT -j ${name}`),
        ...hosts(40, (host, index) => {
          const words = [`-s ${host}/32`, `-d ${host}/32`, `-s ${host}`][index % 3]!;
          return `${index % 4 === 0 ? "[3:4] " : ""}-A ${["web", "webs", "web-"][Math.floor(index / 2) % 3]!} ${words} -j DROP`;
        }),
      ],
      ["web", "webs", "web-"],
    ),
    true,
  ],
  "long rows of rules that are alike, with others between": [
    filter(
      ["a", "ab"].flatMap((chain) => [
        `-A INPUT -j ${chain}`,
        ...Array.from({ length: 240 }, (_, index) => {
          const odd = [" ", " -p tcp", "/31", "/24", "/032"][index / 40 - 1];
          const end = index === 120 ? "\n# a comment\n" : "";
          const host = index === 77 ? "0.0.0.0" : index === 78 ? "0.0.0.1" : `${(index % 223) + 1}.${index}.2.${(index * 2) % 256}`;
          return `-A ${chain} -s ${host}${odd === "/24" ? "/32" : (odd ?? "/32")} -j DROP${end}`;
        }),
        ...Array.from({ length: 60 }, (_, index) => `-A ${chain} -p tcp -m tcp --dport ${index + 1} -j ACCEPT`),
        ...Array.from({ length: 60 }, (_, index) => `[${index + 1}:9] -A ${chain} -d 10.1.${index}.0/24 -j ACCEPT`),
        ...Array.from({ length: 60 }, (_, index) => `-A ${chain} -d 10.2.${index}.7 -j ACCEPT`),
      ]),
      ["a", "ab"],
    ),
    true,
  ],
  "letters of other languages between rules that are alike": [
    filter([
      ...hosts(9, (host) => `-A INPUT -s ${host}/32 -j DROP`),
      '-A INPUT -m comment --comment "Büro 東京" -j ACCEPT',
      ...hosts(9, (host) => `-A INPUT -s ${host}/32 -j DROP`),
    ]),
    true,
  ],
  "no end of the last line": [filter(hosts(9, (host) => `-A INPUT -s ${host}/32 -j DROP`)).trimEnd(), true],
  "rules of the other family": [filter(hosts(9, (host) => `-A INPUT -s ${host}/32 -p icmpv6 -j DROP`)), true],
};

it.each(Object.entries(inputs))("%s", (_, [text, quick]) => {
  expect(compared({ file: "rules.v4", text })).toBe(quick);
});

it("takes the dumps of both families", () => {
  const sources = [
    { file: "rules.v4", text: filter(hosts(9, (host) => `-A INPUT -s ${host}/32 -j DROP`)) },
    { file: "rules.v6", text: filter(hosts(9, (_, index) => `-A INPUT -p tcp -m tcp --dport ${80 + index} -j DROP`)) },
  ];
  const quick = translateByShapes(sources, {}, { leastLength: 0 });
  if ("reason" in quick) throw new Error(quick.reason);
  const slow = translate(sources);
  expect(quick.script()).toBe(slow.script);
  expect(quick.translation.diagnostics).toEqual(slow.diagnostics);
  expect(quick.leftOut).toBe(14);
});

it("gives the notes of a shape to each of its rules, at their own places", () => {
  const clamp = "-p tcp -m tcp --tcp-flags SYN,RST SYN -j TCPMSS --clamp-mss-to-pmtu";
  const chains = ["a", "another", "the-longest-of-all"];
  const rules = hosts(12, (host, index) => `[${7 ** (index % 5)}:${index + 1}] -A ${chains[index % 3]} -s ${host}/32 ${clamp}`);
  const text = filter([...chains.map((name) => `-A FORWARD -j ${name}`), ...rules], chains).replaceAll("\n-A", "\n[0:0] -A");
  const quick = translateByShapes([{ file: "rules.v4", text }], {}, { leastShare: 0, leastLength: 0 });
  if ("reason" in quick) throw new Error(quick.reason);
  const slow = translate([{ file: "rules.v4", text }]);
  expect(quick.leftOut).toBe(10);
  expect(quick.translation.diagnostics).toEqual(slow.diagnostics);
  expect(quick.translation.diagnostics.filter(({ code }) => code === "option-without-effect")).toHaveLength(12);
  expect(quick.script()).toBe(slow.script);
});

it("is taken beside sets of ipset", () => {
  const text = filter(["-A INPUT -m set --match-set bad src -j DROP", ...hosts(9, (host) => `-A INPUT -s ${host}/32 -j DROP`)]);
  const ipsets = [{ file: "sets.ipset", text: "create bad hash:ip\nadd bad 192.0.2.200\ncreate unused hash:ip\n" }];
  expect(compared({ file: "rules.v4", text }, { ipsets })).toBe(true);
});
