/**
 * The review against the model of iptables: random firewalls with lists, limits, marks and chains, changed at random, and random packets
 * through both. Where one of them meets another fate the review may not say "safe", nor name the other direction only. More of them,
 * and what they find in files: `MODEL_PAIRS=5000 MODEL_SEED=7 MODEL_FOUND=found npx vitest run --project unit test/review/packets/models`.
 */

import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import { expect, it } from "vitest";

import { parseHost } from "../../../src/extensions/values/address.js";
import { seededRandom, type Random } from "../../../src/random.js";
import { NotModelled, ticksPerSecond, type Outcome, type Packet } from "../../../src/simulate/packet.js";
import { XtModel } from "../../../src/simulate/xt-model.js";
import { translate } from "../../../src/translate.js";
import { rulesetOfLists } from "../../kernel/derive-ruleset.js";
import { pairOf } from "../../kernel/review-soundness/changes.js";
import { contradictionOf, describePair, reviewOf } from "../../kernel/review-soundness/judgement.js";
import type { Kind } from "../../kernel/review-soundness/observe.js";
import type { Pair } from "../../kernel/review-soundness/pair.js";

const seed = Number(process.env["MODEL_SEED"] ?? 1);
const count = Number(process.env["MODEL_PAIRS"] ?? 150);
const folder = process.env["MODEL_FOUND"];
const packetsEach = 500;

const pick = <Item>(random: Random, items: readonly Item[]): Item => items[Math.floor(random() * items.length)]!;

// -------------------------------------------------------------------------------------------------------- firewalls

/** A firewall as people have them: known connections, a few services, lists that throttle and ban, chains. */
function smallFirewall(random: Random): string {
  const chance = (probability: number): boolean => random() < probability;
  const names = ["alpha", "beta"].slice(0, chance(0.6) ? 1 : 2);
  const chains = ["first", "second"];
  const recent = (): string => {
    const check = pick(random, ["rcheck", "update"]);
    const window = `--seconds ${pick(random, [1, 2, 10, 60])}`;
    const operation = pick(random, [
      "set",
      "set",
      "remove",
      check,
      `${check} ${window}`,
      `${check} ${window} --hitcount ${pick(random, [2, 3, 4])}`,
    ]);
    const rttl = operation.startsWith(check) && chance(0.15) ? " --rttl" : "";
    return ` -m recent${chance(0.2) ? " !" : ""} --${operation}${rttl} --name ${pick(random, names)} --mask 255.255.255.255 --${chance(0.9) ? "rsource" : "rdest"}`;
  };
  const test = (): string =>
    pick(random, [
      " -p tcp -m tcp --dport 22",
      " -p tcp -m tcp --dport 443",
      " -p udp -m udp --dport 53",
      " -p tcp -m multiport --dports 22,80",
      " -s 203.0.113.0/24",
      " ! -s 203.0.113.7/32",
      " -d 192.0.2.1/32",
      " -i eth1",
      " -m conntrack --ctstate NEW",
      " -m conntrack --ctstate ESTABLISHED,RELATED",
      " -m ttl --ttl-gt 60",
      " -m length --length 60:65535",
      " -m mark --mark 0x1/0x1",
      " -m mark ! --mark 0x2",
      " -m connmark --mark 0x1/0x1",
      " -p tcp -m tcp --tcp-flags FIN,SYN,RST,ACK SYN",
      " -p icmp -m icmp --icmp-type 8",
      " -m limit --limit 1/sec --limit-burst 3",
      "",
    ]);
  const rule = (chain: string, targets: readonly string[]): string => {
    const tests = [test(), ...(chance(0.3) ? [test()] : [])].filter(
      (one, index, all) => index === 0 || optionOf(one) !== optionOf(all[0]!),
    );
    const protocolFirst = tests.sort((a, b) => Number(b.startsWith(" -p")) - Number(a.startsWith(" -p")));
    const lists = `${chance(0.45) ? recent() : ""}${chance(0.08) ? recent() : ""}`;
    const [protocol = "", others = ""] = chance(0.2) ? splitAtMatch(protocolFirst.join("")) : [protocolFirst.join("")];
    return `-A ${chain}${protocol}${lists}${others}${pick(random, targets)}`;
  };
  const verdicts = [
    " -j ACCEPT",
    " -j DROP",
    " -j ACCEPT",
    " -j DROP",
    " -j REJECT --reject-with icmp-port-unreachable",
    ' -j LOG --log-prefix "x"',
    "",
  ];
  const calls = chains.flatMap((chain) => [` -j ${chain}`, ` -g ${chain}`]);
  const rules = (chain: string, least: number, most: number, targets: readonly string[]): string[] =>
    Array.from({ length: least + Math.floor(random() * (most - least)) }, () => rule(chain, targets));
  const filter = [
    ...rules("INPUT", 3, 8, [...verdicts, ...calls]),
    ...rules("FORWARD", 0, 4, [...verdicts, ...calls]),
    ...rules("first", 1, 4, [...verdicts, " -j RETURN", " -j second"]),
    ...rules("second", 1, 3, [...verdicts, " -j RETURN"]),
  ];
  const marks = [
    " -j MARK --set-xmark 0x1/0x1",
    " -j MARK --set-xmark 0x2/0xffffffff",
    " -j MARK --set-xmark 0x0/0x3",
    " -j CONNMARK --set-xmark 0x1/0x1",
    " -j CONNMARK --restore-mark --nfmask 0xffffffff --ctmask 0xffffffff",
    " -j DROP",
    "",
  ];
  const mangle = chance(0.5) ? [...rules("PREROUTING", 1, 4, marks), ...rules("FORWARD", 0, 2, marks)] : [];
  const elsewhere = [
    " -p tcp -j DNAT --to-destination 192.0.2.1:443",
    " -p udp -j DNAT --to-destination 198.51.100.9",
    " -j ACCEPT",
    " -j RETURN",
  ];
  const nat = chance(0.3) ? rules("PREROUTING", 1, 3, elsewhere).map((one) => one.replace(/( -p \w+)(.*) -p \w+/u, "$1$2")) : [];
  const policy = (): string => pick(random, ["ACCEPT", "DROP"]);
  return [
    ...(mangle.length === 0 ? [] : ["*mangle", ":PREROUTING ACCEPT [0:0]", ":FORWARD ACCEPT [0:0]", ...mangle, "COMMIT"]),
    ...(nat.length === 0 ? [] : ["*nat", ":PREROUTING ACCEPT [0:0]", ...nat, "COMMIT"]),
    "*filter",
    `:INPUT ${policy()} [0:0]`,
    `:FORWARD ${policy()} [0:0]`,
    ":OUTPUT ACCEPT [0:0]",
    ":first - [0:0]",
    ":second - [0:0]",
    ...filter,
    "COMMIT",
    "",
  ].join("\n");
}

/** In front of the first `-m`, and from there on. */
function splitAtMatch(tests: string): [string, string] {
  const at = tests.indexOf(" -m ");
  return at < 0 ? [tests, ""] : [tests.slice(0, at), tests.slice(at)];
}

const optionOf = (test: string): string =>
  test
    .trim()
    .split(" ")
    .slice(0, 3)
    .join(" ")
    .replace(/-p \w+ -m|! /u, "")
    .slice(0, 3);

function pairAtRandom(random: Random, number: number): Pair {
  const [name, text] = random() < 0.3 ? ["lists", rulesetOfLists(random, "ipv4")] : ["small", smallFirewall(random)];
  return pairOf({ name: `${name}-${number}`, family: "ipv4", text, ipset: "" }, random);
}

// ---------------------------------------------------------------------------------------------------------- packets

/** Few hosts, so that they meet on lists; those that the dumps name, and their neighbours. */
function packetsFor(pair: Pair, random: Random): Packet[] {
  const dumps = pair.old.text + pair.new.text;
  const numbers = (pattern: RegExp): string[] => [...new Set([...dumps.matchAll(pattern)].map(([, word]) => word!))];
  const named = numbers(/ (\d+\.\d+\.\d+\.\d+)/gu).flatMap((text) => {
    const address = parseHost(text, "ipv4")!;
    return [address, address + 3n];
  });
  const hosts = [...named, parseHost("203.0.113.7", "ipv4")!, parseHost("203.0.113.9", "ipv4")!, parseHost("198.51.100.9", "ipv4")!];
  const ports = [...numbers(/--dports? (\d+)/gu).map(Number), 22, 443, 53, 9];
  const sources = Array.from({ length: 5 }, () => pick(random, hosts));
  const pauses = [0, 0, 0.01, 0.1, 0.3, 0.9, 1.1, 2.2, 4.5, 11, 61];
  let time = 1;
  return Array.from({ length: packetsEach }, (_, index) => {
    time += Math.round(pick(random, pauses) * ticksPerSecond) + 1;
    const path = pick(random, ["input", "input", "forward"] as const);
    return {
      time,
      path,
      source: pick(random, sources),
      destination: pick(random, [parseHost("192.0.2.1", "ipv4")!, pick(random, hosts)]),
      ttl: pick(random, [64, 64, 50]),
      protocol: pick(random, [6, 6, 17, 17, 1]),
      sourcePort: 20_000 + index,
      destinationPort: pick(random, ports),
      inInterface: pick(random, ["eth0", "eth1"]),
      outInterface: path === "forward" ? pick(random, ["eth0", "eth1"]) : "",
      state: pick(random, ["new", "new", "established"] as const),
      length: pick(random, [40, 60, 60]),
      mark: pick(random, [0, 0, 1]),
      connectionMark: pick(random, [0, 0, 1, 3]),
      tcpFlags: pick(random, [2, 2, 16, 4]),
      icmpType: pick(random, [8, 8, 0]),
    };
  });
}

/** Undefined for what iptables does not load: a circle of chains, for example. */
function modelOf(text: string): XtModel | undefined {
  const { iptables, script } = translate(text, { family: "ipv4" });
  return script === undefined ? undefined : new XtModel(iptables[0]!, { listSize: Infinity });
}

/** How packets meet another fate than before. */
function kindsOf(pair: Pair, random: Random): ReadonlySet<Kind> {
  const [old, changed] = [modelOf(pair.old.text), modelOf(pair.new.text)];
  const kinds = new Set<Kind>();
  if (!old || !changed) return kinds;
  for (const packet of packetsFor(pair, random)) {
    const kind = kindOf(old.send(packet), changed.send(packet));
    if (kind !== undefined) kinds.add(kind);
  }
  return kinds;
}

function kindOf(was: Outcome, is: Outcome): Kind | undefined {
  if (was.verdict !== is.verdict) return is.verdict === "accept" ? "opens" : "closes";
  const [there, here] = [was, is].map(({ mark, sentTo }) => `${mark} ${sentTo?.address} ${sentTo?.port}`);
  return is.verdict === "accept" && there !== here ? "other" : undefined;
}

it(
  `never contradicts the model about ${count} changes at random (seed ${seed})`,
  () => {
    const wrong: string[] = [];
    let [differing, played] = [0, 0];
    for (let number = 0; number < count; number++) {
      const random = seededRandom(seed * 100_000 + number);
      const pair = pairAtRandom(random, number);
      let kinds: ReadonlySet<Kind>;
      try {
        kinds = kindsOf(pair, random);
      } catch (error) {
        if (error instanceof NotModelled) continue;
        throw error;
      }
      played++;
      if (kinds.size === 0) continue;
      differing++;
      const said = reviewOf(pair);
      // The change is none that iptables loads.
      if (said.verdict === "not-equivalent") continue;
      const why = contradictionOf(said, kinds);
      if (why === undefined) continue;
      wrong.push(describePair(pair, why, said));
      if (folder === undefined) continue;
      mkdirSync(join(folder, pair.name.replaceAll(/\W+/gu, "-")), { recursive: true });
      for (const side of ["old", "new"] as const)
        writeFileSync(join(folder, pair.name.replaceAll(/\W+/gu, "-"), `${side}.v4`), pair[side].text);
    }
    if (process.env["MODEL_PAIRS"] !== undefined)
      console.log(`${played} played, ${differing} decided otherwise, ${wrong.length} contradictions`);
    expect(wrong.join("\n\n")).toBe("");
    expect(differing).toBeGreaterThan(played / 8);
  },
  Math.max(120_000, count * 200),
);
