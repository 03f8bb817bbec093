/** Every text that a class takes is translated like every other: special values of each option that has classes, in all kinds of chains. */

import fc from "fast-check";
import { describe, expect, it } from "vitest";

import { matches, targets } from "../../src/extensions/registry.js";
import {
  counterValues,
  ethernetAddress,
  ipv4Address,
  ipv4Endpoint,
  ipv4Range,
  ipv6Address,
  markValue,
  onePort,
  quotedComment,
  severalPorts,
  wholeIpv4Address,
  wordComment,
} from "../../src/extensions/values/uniform.js";
import type { UniformClass } from "../../src/extensions/extension.js";
import { compared } from "./compared.js";

/** Values that somebody might think are special, beside usual ones. */
const values: ReadonlyMap<UniformClass, readonly string[]> = new Map([
  [
    ipv4Address,
    [
      "192.0.2.7",
      "198.51.100.9",
      "127.0.0.1",
      "1.0.0.0",
      "224.0.0.1",
      "239.255.255.250",
      "255.255.255.255",
      "169.254.0.1",
      "240.0.0.1",
      "217.200.253.199",
      "10.0.0.0",
    ],
  ],
  [wholeIpv4Address, ["192.0.2.7", "198.51.100.9", "127.0.0.1", "1.0.0.0", "224.0.0.1", "255.255.255.255", "217.201.253.199"]],
  [ipv4Endpoint, ["192.0.2.7:80", "198.51.100.9:8080", "127.0.0.1:53", "1.0.0.0:1", "255.255.255.255:65535", "217.200.253.199:63901"]],
  [
    ipv4Range,
    ["192.0.2.7-192.0.2.9", "198.51.100.0-198.51.100.255", "10.0.0.0-10.0.0.1", "1.0.0.0-255.255.255.255", "127.0.0.1-127.0.0.3"],
  ],
  [ethernetAddress, ["00:00:5E:00:53:01", "00:00:5e:00:53:af", "FF:FF:FF:FF:FF:FF", "01:00:5E:00:00:01", "00:00:00:00:00:00"]],
  [onePort, ["80", "8080", "1", "20", "53", "500", "63901", "65535"]],
  [severalPorts, ["80,443", "1,2,3", "65535,1", "22,21,20,19", "63901,63909", "1,2,3,4,5,6,7,8,9,10,11,12,13,14,15"]],
  [
    quotedComment,
    [
      '"from the office"',
      '"a b"',
      '"ns/web:http cluster IP"',
      '"-j ACCEPT -s 192.0.2.9 or so"',
      `"${"x ".repeat(59)}y"`,
      '"ns/web:http -> 198.51.100.1:80"',
      "\"#{}; drop; $x @y *(z) <a|b> 'c'\"",
    ],
  ],
  [
    ipv6Address,
    [
      "2001:db8::1",
      "2001:db8:0:1:1:1:1:1",
      "ff02::1",
      "2000::",
      "fe80::1:2",
      "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
      "3ff0:d7c8:f0d9::",
      "2001:db8:1:2::",
    ],
  ],
  [markValue, ["0x1", "0x2", "0xfe", "0x5a", "0xa5", "0x80", "0xc3"]],
  [wordComment, ["office", "a", "ns/web:http", "x.y_z-1", "q".repeat(64)]],
  [counterValues, ["[1:1]", "[12:3456]", "[999999999999999:999999999999999]", "[717273747:747372717]"]],
]);

/** Whose text is more than the values: they go the slow way. */
const slow = ["--tunnel-src", "--vaddr", "--ports"];

/** A rule for each option with classes; `@` is the value. */
const rules: readonly (readonly [kind: UniformClass, rule: string, chains: readonly string[]])[] = [
  [ipv4Address, "-s @/32 -j DROP", ["INPUT", "FORWARD", "OUTPUT", "USER"]],
  [ipv4Address, "! -s @ -p udp -j ACCEPT", ["INPUT", "USER"]],
  [ipv4Address, "-d @/32 -i eth0 -p tcp -m tcp --dport 80 -j REJECT --reject-with tcp-reset", ["INPUT", "FORWARD"]],
  [ipv4Address, "-m policy --dir in --pol ipsec --mode tunnel --tunnel-src @/32 -j ACCEPT", ["INPUT", "FORWARD"]],
  [ipv4Address, "-m ipvs --vaddr @/32 -j ACCEPT", ["INPUT"]],
  [ipv4Range, "-m iprange --src-range @ -j DROP", ["INPUT", "USER"]],
  [ipv4Range, "-m iprange ! --dst-range @ -j DROP", ["FORWARD"]],
  [ethernetAddress, "-m mac --mac-source @ -j ACCEPT", ["INPUT", "FORWARD"]],
  [onePort, "-p tcp -m tcp --dport @ -j ACCEPT", ["INPUT", "OUTPUT", "USER"]],
  [onePort, "-p udp -m udp ! --sport @ -j ACCEPT", ["INPUT"]],
  [onePort, "-p tcp -m tcp --sport 1024:65535 --dport @ -m conntrack --ctstate NEW -j ACCEPT", ["FORWARD"]],
  [onePort, "-p tcp -m multiport --dports @ -j ACCEPT", ["INPUT"]],
  [onePort, "-p sctp -m sctp --dport @ -j ACCEPT", ["INPUT"]],
  [onePort, "-p tcp -m conntrack --ctorigsrcport @ -j ACCEPT", ["INPUT"]],
  [onePort, "-p tcp -m conntrack --ctorigdstport @ -j ACCEPT", ["FORWARD"]],
  [onePort, "-p tcp -m conntrack --ctreplsrcport @ -j ACCEPT", ["INPUT"]],
  [onePort, "-p tcp -m conntrack --ctrepldstport @ -j ACCEPT", ["INPUT"]],
  [onePort, "-p dccp -m dccp --sport @ -j ACCEPT", ["INPUT"]],
  [severalPorts, "-p tcp -m multiport --dports @ -j ACCEPT", ["INPUT", "USER"]],
  [severalPorts, "-p udp -m multiport ! --sports @ -j DROP", ["INPUT"]],
  [severalPorts, "-p tcp -m multiport --ports @ -j DROP", ["INPUT"]],
  [quotedComment, "-m comment --comment @ -j ACCEPT", ["INPUT", "USER"]],
  [wordComment, "-m comment --comment @ -j ACCEPT", ["INPUT", "USER"]],
  [quotedComment, '-m comment --comment @ -m limit --limit 5/min -j LOG --log-prefix "over "', ["INPUT"]],
  [counterValues, "-j ACCEPT", ["INPUT"]],
  [markValue, "-m mark --mark @ -j ACCEPT", ["INPUT", "USER"]],
  [markValue, "-m mark ! --mark @/0xff -j DROP", ["INPUT"]],
  [markValue, "-m connmark --mark @/0xffff -j DROP", ["FORWARD"]],
];
const mangleRules: typeof rules = [
  [markValue, "-s 192.0.2.1/32 -j MARK --set-xmark @/0xffffffff", ["PREROUTING", "USER"]],
  [markValue, "-j MARK --set-xmark @/0xff", ["PREROUTING", "FORWARD"]],
  [markValue, "-j MARK --set-mark @/0xfff", ["OUTPUT"]],
  [markValue, "-j CONNMARK --set-xmark @/0xff", ["PREROUTING"]],
  [markValue, "-p tcp -j CONNMARK --set-mark @", ["PREROUTING"]],
];
/** Of IPv6. */
const rules6: typeof rules = [
  [ipv6Address, "-s @/128 -j DROP", ["INPUT", "FORWARD", "USER"]],
  [ipv6Address, "! -d @ -p udp -j ACCEPT", ["INPUT"]],
];
const natRules: typeof rules = [
  [wholeIpv4Address, "-p tcp -m tcp --dport 80 -j DNAT --to-destination @", ["PREROUTING", "USER"]],
  [ipv4Endpoint, "-p tcp -m tcp --dport 80 -j DNAT --to-destination @", ["PREROUTING", "USER", "OUTPUT"]],
  [wholeIpv4Address, "-o eth0 -j SNAT --to-source @", ["POSTROUTING"]],
  [ipv4Endpoint, "-p udp -j SNAT --to-source @", ["POSTROUTING"]],
];

const usual = {
  filter: ["INPUT", "FORWARD", "OUTPUT"],
  nat: ["PREROUTING", "INPUT", "OUTPUT", "POSTROUTING"],
  mangle: ["PREROUTING", "INPUT", "FORWARD", "OUTPUT", "POSTROUTING"],
} as const;

function dump(table: keyof typeof usual, kind: UniformClass, rule: string, chain: string): string {
  const [first] = usual[table];
  return [
    `*${table}`,
    ...usual[table].map((name) => `:${name} ACCEPT [0:0]`),
    ":USER - [0:0]",
    `-A ${first} -i lo -j USER`,
    ...values
      .get(kind)!
      .map((value) => (kind === counterValues ? `${value} -A ${chain} ${rule}` : `-A ${chain} ${rule.replace("@", value)}`)),
    "COMMIT",
    "",
  ].join("\n");
}

describe("a class of texts", () => {
  const all = [
    ...[...rules, ...rules6].map((one) => ["filter", ...one] as const),
    ...natRules.map((one) => ["nat", ...one] as const),
    ...mangleRules.map((one) => ["mangle", ...one] as const),
  ];
  it.each(all.map((one) => [one[2].replace("@", `(${one[1].name})`), ...one] as const))("%s", (_, table, kind, rule, chains) => {
    for (const chain of chains) {
      const text = dump(table, kind, rule, chain);
      const isQuick = !slow.some((option) => rule.includes(`${option} `));
      const file = kind === ipv6Address ? "rules.v6" : "rules.v4";
      expect(compared({ file, text }), text).toBe(isQuick);
      expect(compared({ file, text }, { counters: false }), text).toBe(isQuick);
    }
  });

  it("has a rule here for every option that names it", () => {
    const named = [...matches, ...targets].flatMap(({ options }) =>
      Object.entries(options).flatMap(([name, { aliases = [], value }]) =>
        (value?.uniform ?? []).length > 0 ? [[name, ...aliases].map((spelling) => `--${spelling}`)] : [],
      ),
    );
    const tried = [...rules, ...natRules, ...mangleRules].map(([, rule]) => rule);
    // Of IPv6 alone, where no text of IPv4 is read.
    const foreign = ["--src-pfx", "--dst-pfx", "--srh-psid", "--srh-nsid", "--srh-lsid"];
    const alike = [
      ["--ctorigdst", "--ctorigsrc", "--ctrepldst", "--ctreplsrc"],
      ["--tunnel-src", "--tunnel-dst"],
      ["--sport", "--dport"],
    ];
    const missing = named.filter(
      (spellings) =>
        !spellings.some((one) => foreign.includes(one)) &&
        !spellings.some((one) =>
          [one, ...(alike.find((group) => group.includes(one)) ?? [])].some((other) => tried.some((rule) => rule.includes(`${other} `))),
        ),
    );
    expect(missing).toEqual([]);
  });

  it.each([
    [
      ipv4Address,
      [
        "0.0.0.0",
        "0.1.2.3",
        "1.2.3.256",
        "01.2.3.4",
        "1.2.3",
        "1.2.3.4,5.6.7.8",
        "10.0.0.1/24",
        "10.0.0.0/8",
        "10.1.0.0/255.255.0.0",
        "10.1.0.0/33",
        "host",
        "",
      ],
    ],
    [
      ipv6Address,
      [
        "::",
        "::1",
        "1::",
        "0:1::",
        "2001:db8",
        "2001:db8::1::2",
        "2001:db8:0:0:1:1:1:1",
        "2001:db8::0:1",
        "2001:DB8::1",
        "2001:0db8::1",
        "2001:db8:1:2:3:4:5:6:7",
        "2001:db8:1:2:3:4:5::",
        "2001:db8::192.0.2.1",
        "2001:db8::1/64",
        "2001:db8::/56",
        "2001:db8:1::/32",
        "2001:db8::/129",
        "2001:db8:",
        "",
      ],
    ],
    [
      markValue,
      ["0x0", "0", "1", "0x01", "0X1", "0xA", "0xff/0xff", "0x100/0xff", "0x1/0x1", "0x1/", "0x1/1", "0xffffffff", "0x123456789", "0x"],
    ],
    [onePort, ["0", "65536", "080", "80:90", "http", "80,443", ""]],
    [severalPorts, ["80", "80,80", "80,", "80,90:99", "0,1", "1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16"]],
    [ipv4Range, ["1.2.3.4", "1.2.3.4-1.2.3.4", "1.2.3.5-1.2.3.4", "0.0.0.0-1.2.3.4"]],
    [ipv4Endpoint, ["1.2.3.4", "1.2.3.4:0", "1.2.3.4:80-90", "1.2.3.4-1.2.3.5:80", ":80"]],
    [quotedComment, ['"a\\"b"', '""', '"x"', '" a"', '"a "', '"a\u007f"', "word", `"${"x".repeat(121)}"`]],
    [wordComment, ["-x", "a,b", '"a"', "x".repeat(121), ""]],
    [counterValues, ["[0:0]", "[1:0]", "[0:1]", "[01:1]", "[1:1", "[1]", "[9999999999999999:1]"]],
    [ethernetAddress, ["0:0:5E:0:53:1", "00:00:5E:00:53", "00-00-5E-00-53-01", "00:00:5E:00:53:0g"]],
  ] as const)("%o does not take what may be treated otherwise", (kind: UniformClass, texts) => {
    for (const text of texts)
      expect([text, kind.scan(new TextEncoder().encode(`${text} -j DROP`), 0, text.length + 8)]).toEqual([text, -1]);
  });

  it("is all that a pattern of a class takes", () => {
    const scans = (kind: UniformClass, text: string, behind: string): boolean =>
      kind.scan(new TextEncoder().encode(text + behind), 0, text.length + behind.length) === text.length;
    const part = fc.oneof(fc.integer({ min: 0, max: 300 }).map(String), fc.constantFrom("", "00", "01", "1e1", "-1", " 1"));
    const text = fc.array(part, { minLength: 3, maxLength: 5 }).map((parts) => parts.join("."));
    let taken = 0;
    for (const [kind, usual] of values) {
      for (const behind of ["", " -j DROP", "/32", "/32 -j DROP", "/24 -j DROP", "/320", "x"]) {
        const pattern = usual.some((value) => scans(kind, value, behind)) ? kind.pattern?.(behind) : undefined;
        if (pattern === undefined) continue;
        const whole = new RegExp(`^(?:${pattern})$`);
        expect(usual.filter((value) => whole.test(value))).not.toEqual([]);
        fc.assert(
          fc.property(text, (written) => {
            if (!whole.test(written)) return;
            taken++;
            expect([written, behind, scans(kind, written, behind)]).toEqual([written, behind, true]);
          }),
          { numRuns: 2_000 },
        );
      }
    }
    expect(taken).toBeGreaterThan(100);
  });
});
