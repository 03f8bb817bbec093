/**
 * Hosts that begin on lists, in virtual time: whatever hits a host has, the rules go on to decide as xt_recent does, in each form of a
 * list. More histories: `CARRIED_HISTORIES=5000 npx vitest run --project unit test/simulate/carried-hosts`.
 */

import { describe, expect, it } from "vitest";

import { writeCaptured, type ListedHost } from "../../src/captured-file.js";
import { parseAddress } from "../../src/extensions/values/address.js";
import { translate, type TranslateOptions } from "../../src/index.js";
import type { Family } from "../../src/iptables/ast.js";
import type { Expression, NftTable } from "../../src/nft/ast.js";
import { seededRandom } from "../../src/random.js";
import { modelsOf, type Models } from "../../src/simulate/models.js";
import { ticks, type RunningSet } from "../../src/simulate/nft-sets.js";
import { millisecondsPerTick, sameOutcome, ticksPerSecond, type Packet } from "../../src/simulate/packet.js";

const seed = Number(process.env["CARRIED_SEED"] ?? 1);
const histories = Number(process.env["CARRIED_HISTORIES"] ?? 25);

interface Form {
  readonly name: string;
  readonly rules: readonly string[];
  /** The longest window in seconds. */
  readonly seconds: number;
  /** Stamps that the list keeps of a host (`ringFor`). */
  readonly ring: number;
  readonly family?: Family;
  readonly mask?: string;
  readonly forwarded?: boolean;
  readonly options?: TranslateOptions;
  /** Differences that the form announces are all of this kind. */
  readonly stricter?: true;
}

const list = "-m recent --name L";
const other = "-p udp --dport 9";

const forms: readonly Form[] = [
  { name: "seen lately", rules: [`${list} --rcheck --seconds 3 -j DROP`, `${other} ${list} --set`], seconds: 3, ring: 32 },
  { name: "seen ever, with removal", rules: [`${list} --rcheck -j DROP`, `${other} ${list} --remove`], seconds: 3, ring: 32 },
  { name: "hits at any time", rules: [`${list} --update --hitcount 5 -j DROP`, `${other} ${list} --set`], seconds: 3, ring: 8 },
  {
    name: "several windows",
    seconds: 4,
    ring: 16,
    rules: [
      `${list} --update --seconds 4 --hitcount 9 -j DROP`,
      `${list} --rcheck --seconds 1 --hitcount 3 -j DROP`,
      `${list} --rcheck --seconds 2 -j ACCEPT`,
      `${other} ${list} --remove`,
      `${list} --set`,
    ],
  },
  {
    name: "a ring apart",
    seconds: 3,
    ring: 4,
    rules: [`${list} --update --seconds 3 --hitcount 4 -j DROP`, `-p udp --dport 7`, `${other} ${list} --set`],
  },
  { name: "a ban, exact", seconds: 3, ring: 4, rules: [`${list} --set`, `${list} --update --seconds 3 --hitcount 3 -j DROP`] },
  { name: "a ring, set first", seconds: 3, ring: 8, rules: [`${list} --set`, `${list} --update --seconds 3 --hitcount 6 -j DROP`] },
  { name: "a ring, check first", seconds: 3, ring: 8, rules: [`${list} --update --seconds 3 --hitcount 5 -j DROP`, `${list} --set`] },
  { name: "a long ring", seconds: 3, ring: 128, rules: [`${list} --update --seconds 3 --hitcount 70 -j DROP`, `${list} --set`] },
  { name: "timers", seconds: 3, ring: 4, rules: [`${list} --rcheck --seconds 3 --hitcount 4 -j DROP`, `${list} --set`] },
  {
    name: "a ring of two hits",
    seconds: 3,
    ring: 2,
    rules: [`${list} --update --seconds 3 --hitcount 2 -j DROP`, `${other} ${list} --set`],
  },
  { name: "inverted", seconds: 3, ring: 4, rules: [`${other} ${list} --set`, `${list} ! --update --seconds 3 --hitcount 4 -j DROP`] },
  {
    name: "found and removed",
    seconds: 3,
    ring: 32,
    rules: [`${list} --rcheck --seconds 3 --hitcount 2 ${list} --remove -j ACCEPT`, `${other} ${list} --set`, "-j DROP"],
  },
  { name: "TTLs", seconds: 3, ring: 4, rules: [`${list} --update --seconds 3 --hitcount 3 --rttl -j DROP`, `${list} --set`] },
  { name: "TTLs, ever", seconds: 3, ring: 32, rules: [`${list} --rcheck --rttl -j DROP`, `${other} ${list} --set`] },
  {
    name: "TTLs of forwarded packets",
    seconds: 3,
    ring: 4,
    forwarded: true,
    rules: [`${list} --update --seconds 3 --hitcount 3 --rttl -j DROP`, `${list} --set`],
  },
  {
    name: "TTLs as bits",
    seconds: 3,
    ring: 4,
    options: { targetNft: "0.9.8" },
    rules: [`${list} --update --seconds 3 --hitcount 3 --rttl -j DROP`, `${list} --set`],
  },
  {
    name: "IPv6, networks",
    seconds: 3,
    ring: 4,
    family: "ipv6",
    mask: "ffff:ffff:ffff:ffff::",
    rules: [`${list} --update --seconds 3 --hitcount 4 -j DROP`, `${list} --set`],
  },
  {
    name: "a short ban",
    seconds: 3,
    ring: 8,
    options: { recent: "ban" },
    stricter: true,
    rules: [`${list} --set`, `${list} --update --seconds 3 --hitcount 6 -j DROP`],
  },
  {
    name: "a short ban on a ring",
    seconds: 3,
    ring: 16,
    options: { recent: "ban" },
    stricter: true,
    rules: [`${list} --set`, `${list} --update --seconds 3 --hitcount 14 -j DROP`],
  },
];

const here: Readonly<Record<Family, string>> = { ipv4: "192.0.2.1", ipv6: "2001:db8::1" };
const hosts: Readonly<Record<Family, readonly string[]>> = { ipv4: ["203.0.113.7", "203.0.113.8"], ipv6: ["2001:db8:7::", "2001:db8:8::"] };
const ttls = [64, 64, 63, 128, 0];

/** Some moment, in ticks. */
const now = 1_000_000;

interface History {
  readonly host: string;
  /** In ticks, the newest last. */
  readonly stamps: readonly number[];
  readonly ttl: number;
}

function listed({ host, stamps, ttl }: History): ListedHost {
  return { address: host, ttl, ages: stamps.map((stamp) => (now - stamp) * millisecondsPerTick) };
}

function keyText(expression: Expression): string {
  if (expression.kind === "concatenation") return expression.parts.map(keyText).join(" . ");
  if (expression.kind === "address") return String(parseAddress(expression.address, expression.address.includes(":") ? "ipv6" : "ipv4"));
  if (expression.kind === "number") return String(expression.value);
  throw new Error(expression.kind);
}

/** Gives both models the hosts: stamps to the one, the elements of the script to the other. */
function begin({ xtables, nft }: Models, table: NftTable, family: Family, all: readonly History[]): void {
  const entries = all.map(({ host, stamps, ttl }) => [parseAddress(host, family)!, { ttl, stamps }] as const);
  xtables.restore({ lists: new Map([["L", new Map(entries)]]), borrowed: { sets: [], buckets: [] } });
  const running = (nft as unknown as { readonly sets: ReadonlyMap<string, RunningSet> }).sets;
  nft.restore({
    sets: table.sets.flatMap((set) => {
      const own = running.get(set.name)!;
      const elements = (set.hosts ?? []).map(({ key, expires = set.timeout }) => {
        const lives = expires === undefined ? Infinity : ticks(expires);
        return [keyText(key), { expires: now + lives, bucket: undefined }] as const;
      });
      return elements.length > 0 ? [[own, elements] as const] : [];
    }),
    buckets: [],
  });
}

describe.each(forms)("$name", ({ rules, seconds, ring, family = "ipv4", mask, forwarded, options, stricter }) => {
  const chain = forwarded ? "FORWARD" : "INPUT";
  const dump = `*filter\n${rules.map((rule) => `-A ${chain} ${mask === undefined ? rule : rule.replaceAll(list, `${list} --mask ${mask}`)}\n`).join("")}COMMIT\n`;

  it(
    "decides as with the same hits in xt_recent",
    () => {
      const random = seededRandom(seed);
      const pick = <Value>(values: readonly Value[]): Value => values[Math.floor(random() * values.length)]!;
      let dropped = 0;
      let differing = 0;
      for (let round = 0; round < histories; round++) {
        const all = hosts[family].map((host): History => {
          const count = 1 + Math.floor(random() * random() * ring);
          const span = seconds * ticksPerSecond * pick([0.2, 1, 1, 1.5]);
          const stamps = Array.from({ length: Math.min(ring, count + pick([0, 1, 3])) }, () => now - Math.floor(random() * span));
          return { host, stamps: stamps.sort((a, b) => a - b), ttl: pick(ttls) };
        });
        const saved = `# Generated by ${family === "ipv4" ? "iptables" : "ip6tables"}-save\n${dump}`;
        const parts = { ipv4: "", ipv6: "", [family]: saved } as Record<Family, string>;
        const lists = [{ list: "L", hosts: all.map(listed) }];
        const text = writeCaptured({ madeWith: "1", sets: "", lists, ...parts });
        const { iptables, nft } = translate([{ file: "captured", text }], options);
        const table = nft!.tables.find((one) => (one.family === "ip6") === (family === "ipv6"))!;
        const models = modelsOf(iptables.find((one) => one.family === family)!, table);
        begin(models, table, family, all);
        let time = now;
        for (let sent = 0; sent < 40; sent++) {
          time += Math.floor(random() * random() * seconds * ticksPerSecond * pick([0.05, 0.3]));
          const packet: Packet = {
            time,
            path: forwarded ? "forward" : "input",
            source: parseAddress(pick(hosts[family]), family)! + (mask === undefined ? 0n : BigInt(Math.floor(random() * 9))),
            destination: parseAddress(here[family], family)!,
            ttl: pick(ttls.slice(0, forwarded ? 4 : 5)),
            protocol: 17,
            sourcePort: 1024,
            destinationPort: pick([7, 7, 7, 8, 9]),
            inInterface: "eth0",
            outInterface: forwarded ? "eth1" : "",
          };
          const [expected, found] = [models.xtables.send(packet), models.nft.send(packet)];
          if (expected.verdict !== "accept") dropped++;
          if (sameOutcome(expected, found)) continue;
          if (stricter) expect(found.verdict).toBe("drop");
          else
            expect.fail(
              `round ${round}, packet ${sent} at ${time - now}: ${expected.verdict}, and ${found.verdict} by the script\n${JSON.stringify(all)}`,
            );
          differing++;
        }
      }
      expect(dropped).toBeGreaterThan(histories / 5);
      if (stricter) expect(differing).toBeLessThan(dropped);
    },
    30_000 + 1000 * histories,
  );
});
