/** Changes of a ruleset as administrators make them, one at a time and at random. */

import type { Random } from "../../../src/random.js";
import type { Base } from "./bases.js";
import type { Pair, Ruleset } from "./pair.js";

/** Makes the change where it finds a place for it. */
type Change = (ruleset: Ruleset, dice: Dice) => Ruleset | undefined;

class Dice {
  constructor(private readonly random: Random) {}

  chance(probability: number): boolean {
    return this.random() < probability;
  }
  below(count: number): number {
    return Math.floor(this.random() * count);
  }
  pick<Value>(values: readonly Value[]): Value {
    return values[this.below(values.length)]!;
  }
}

const isRule = (line: string): boolean => line.startsWith("-A ");

/** One of the lines that `fits`, by its index. */
function lineAtRandom(lines: readonly string[], dice: Dice, fits: (line: string) => boolean): number | undefined {
  const found = lines.flatMap((line, index) => (fits(line) ? [index] : []));
  return found.length === 0 ? undefined : dice.pick(found);
}

/** A change of the lines of the dump. */
function ofLines(change: (lines: string[], dice: Dice) => boolean): Change {
  return (ruleset, dice) => {
    const lines = ruleset.text.split("\n");
    return change(lines, dice) ? { ...ruleset, text: lines.join("\n") } : undefined;
  };
}

/** A change of one rule that has the words. */
function ofRule(words: RegExp, change: (line: string, dice: Dice) => string): Change {
  return ofLines((lines, dice) => {
    const index = lineAtRandom(lines, dice, (line) => isRule(line) && words.test(line));
    if (index === undefined) return false;
    const line = change(lines[index]!, dice);
    if (line === lines[index]) return false;
    lines[index] = line;
    return true;
  });
}

/** Another value in the place of an option's. */
function value(option: string, other: (old: string, dice: Dice) => string): Change {
  const words = new RegExp(`(?<= )${option} (\\S+)`, "u");
  return ofRule(words, (line, dice) => line.replace(words, (whole, old: string) => whole.replace(old, () => other(old, dice))));
}

/** A number made smaller or larger. */
const scaledNumber = (old: string, dice: Dice): string =>
  old.replace(/\d+/u, (digits) => String(Math.max(1, Math.round(Number(digits) * dice.pick([0.25, 0.5, 2, 4])))));

const target = / -[jg] (\S+).*$/u;
const anInterface = (old: string, dice: Dice): string => dice.pick([`${old.replace(/\d.*$|\+$/u, "")}+`, "eth1", "eth7"]);

function network(old: string, dice: Dice): string {
  const [address = "", length = address.includes(":") ? "128" : "32"] = old.split("/");
  if (!/^\d+$/u.test(length)) return address;
  const bits = address.includes(":") ? 128 : 32;
  const other = Math.min(bits, Math.max(1, Number(length) + dice.pick([-8, -4, 4, 8])));
  return `${address}/${other}`;
}

const port = (old: string, dice: Dice): string =>
  old.includes(":")
    ? old.replace(/\d+$/u, (last) => String(Math.min(65_535, Number(last) + 10)))
    : dice.pick([`${old}:${Number(old) + 5}`, String(Number(old) + 1), "1:65535"]);

export const changes: Readonly<Record<string, Change>> = {
  "rule taken out": ofLines((lines, dice) => {
    const index = lineAtRandom(lines, dice, isRule);
    if (index === undefined) return false;
    lines.splice(index, 1);
    return true;
  }),
  "jump taken out": ofLines((lines, dice) => {
    const chains = new Set(lines.flatMap((line) => (/^:(\S+) - /u.exec(line)?.[1] ?? []) as string | []));
    const index = lineAtRandom(lines, dice, (line) => isRule(line) && chains.has(target.exec(line)?.[1] ?? ""));
    if (index === undefined) return false;
    lines.splice(index, 1);
    return true;
  }),
  "rule added": ofLines((lines, dice) => {
    const index = lineAtRandom(lines, dice, isRule);
    if (index === undefined) return false;
    const added = lines[index]!.replace(/--dport \d+/u, `--dport ${dice.pick([22, 80, 443, 3306])}`).replace(
      / -j (?:ACCEPT|DROP|REJECT)\b.*$/u,
      () => ` -j ${dice.pick(["ACCEPT", "DROP"])}`,
    );
    lines.splice(dice.chance(0.5) ? index : index + 1, 0, added);
    return true;
  }),
  "rule copied to another place": ofLines((lines, dice) => {
    const index = lineAtRandom(lines, dice, isRule);
    if (index === undefined) return false;
    const chain = lines[index]!.split(" ")[1]!;
    const others = lines.flatMap((line, other) =>
      other !== index && line.startsWith(`-A ${chain} `) && sameTable(lines, index, other) ? [other] : [],
    );
    if (others.length === 0) return false;
    lines.splice(dice.pick(others), 0, lines[index]!);
    return true;
  }),
  "two rules swapped": ofLines((lines, dice) => {
    const index = lineAtRandom(lines, dice, isRule);
    if (index === undefined) return false;
    const chain = lines[index]!.split(" ")[1]!;
    const other = lines.findIndex((line, at) => at > index && at <= index + 3 && line.startsWith(`-A ${chain} `) && line !== lines[index]);
    if (other < 0) return false;
    [lines[index], lines[other]] = [lines[other]!, lines[index]!];
    return true;
  }),
  "source or destination widened or narrowed": value("-[sd]", network),
  "address dropped": ofRule(/ (?:! )?-[sd] \S+/u, (line) => line.replace(/ (?:! )?-[sd] \S+/u, "")),
  "source added": ofRule(/^-A \S+ (?!.*-s )/u, (line, dice) =>
    /icmpv6|icmp6/u.test(line) ? line : line.replace(/^(-A \S+)/u, `$1 -s ${dice.pick(["192.0.2.0/24", "203.0.113.0/24", "0.0.0.0/1"])}`),
  ),
  "port changed": value("--(?:dport|sport)", port),
  "ports changed": ofRule(/--dports \S+/u, (line, dice) =>
    line.replace(
      /--dports (\S+)/u,
      (_, list: string) => `--dports ${dice.chance(0.5) ? `${list},8081` : list.split(",").slice(1).join(",") || "8081"}`,
    ),
  ),
  "port dropped": ofRule(/ (?:! )?--(?:dport|sport) \S+/u, (line) => line.replace(/ (?:! )?--(?:dport|sport) \S+/u, "")),
  "interface changed": value("-[io]", anInterface),
  "interface dropped": ofRule(/ (?:! )?-[io] \S+/u, (line) => line.replace(/ (?:! )?-[io] \S+/u, "")),
  "protocol exchanged": ofRule(/-p tcp -m tcp --dport|-p udp -m udp --dport/u, (line) =>
    line.includes("-p tcp") ? line.replace("-p tcp -m tcp", "-p udp -m udp") : line.replace("-p udp -m udp", "-p tcp -m tcp"),
  ),
  "protocol dropped": ofRule(/ -p \S+/u, (line) => line.replace(/ -p (?:tcp|udp)( -m (?:tcp|udp))?( --[sd]port \S+)*/u, "")),
  inverted: ofRule(/ (?:-[sdi]|--dport|--ctstate|--state|--match-set) \S+/u, (line) =>
    line.replace(
      / (! )?(-[sdi]|--dport|--ctstate|--state|--match-set) (\S+)/u,
      (_, not: string | undefined, option: string, word: string) => (not === undefined ? ` ! ${option} ${word}` : ` ${option} ${word}`),
    ),
  ),
  "list inverted": ofRule(/ --(?:rcheck|update)\b/u, (line) =>
    / ! --(?:rcheck|update)/u.test(line)
      ? line.replace(/ ! (--(?:rcheck|update))/u, " $1")
      : line.replace(/ (--(?:rcheck|update))/u, " ! $1"),
  ),
  "window changed": value("--seconds", scaledNumber),
  "window dropped": ofRule(/ --seconds \d+/u, (line) => line.replace(/ --seconds \d+/u, "").replace(/ --reap\b/u, "")),
  "hit count changed": value("--hitcount", scaledNumber),
  "hit count dropped": ofRule(/ --hitcount \d+/u, (line) => line.replace(/ --hitcount \d+/u, "")),
  "mask of a list changed": ofLines((lines, dice) => {
    const index = lineAtRandom(lines, dice, (line) => isRule(line) && / --mask \d+\.\d+/u.test(line));
    const name = index === undefined ? undefined : / --name (\S+)/u.exec(lines[index]!)?.[1];
    if (name === undefined) return false;
    const mask = dice.pick(["255.255.255.0", "255.255.0.0", "255.255.255.254"]);
    for (const [at, line] of lines.entries())
      if (line.includes(` --name ${name} `)) lines[at] = line.replace(/--mask \S+/u, `--mask ${mask}`);
    return true;
  }),
  "name of a list changed": value("--name", (old) => `${old}2`),
  "operation changed": ofRule(/ --(?:set|rcheck|update|remove)\b/u, (line, dice) =>
    line
      .replace(
        / --(set|rcheck|update|remove)\b/u,
        (_, old: string) => ` --${dice.pick(["set", "rcheck", "update", "remove"].filter((one) => one !== old))}`,
      )
      .replace(/(--(?:set|remove) .*?) --seconds \d+(?: --reap)?/u, "$1")
      .replace(/(--(?:set|remove) .*?) --hitcount \d+/u, "$1")
      .replace(/(--(?:set|remove).*?) --rttl/u, "$1"),
  ),
  "--remove added": ofLines((lines, dice) => {
    const index = lineAtRandom(lines, dice, (line) => isRule(line) && / --(?:set|rcheck|update)\b.* --name /u.test(line));
    if (index === undefined) return false;
    const [, chain, name] = /^-A (\S+) .*--name (\S+)/u.exec(lines[index]!)!;
    lines.splice(index, 0, `-A ${chain} -p tcp -m tcp --dport ${dice.pick([22, 80, 9])} -m recent --remove --name ${name}`);
    return true;
  }),
  "side of a list changed": ofRule(/--rsource|--rdest/u, (line) =>
    line.includes("--rsource") ? line.replace("--rsource", "--rdest") : line.replace("--rdest", "--rsource"),
  ),
  "--rttl added or dropped": ofRule(/ --(?:rcheck|update) /u, (line) =>
    line.includes("--rttl") ? line.replace(" --rttl", "") : line.replace(/ (--(?:rcheck|update)) /u, " $1 --rttl "),
  ),
  "mark set changed": ofRule(/--set-x?mark \S+/u, (line) =>
    line.replace(
      /(--set-x?mark) 0x([0-9a-f]+)/u,
      (_, option: string, mark: string) => `${option} 0x${(Number.parseInt(mark, 16) ^ 3).toString(16)}`,
    ),
  ),
  "mark asked changed": ofRule(/ --mark 0x/u, (line) =>
    line.replace(
      /(--mark) 0x([0-9a-f]+)/u,
      (_, option: string, mark: string) => `${option} 0x${(Number.parseInt(mark, 16) ^ 1).toString(16)}`,
    ),
  ),
  "target changed": ofRule(/ -j (?:ACCEPT|DROP|REJECT|RETURN)\b/u, (line, dice) =>
    line.replace(
      / -j (\S+).*$/u,
      (_, old: string) => ` -j ${dice.pick(["ACCEPT", "DROP", "REJECT", "RETURN"].filter((one) => one !== old))}`,
    ),
  ),
  "target is another chain": ofLines((lines, dice) => {
    const index = lineAtRandom(lines, dice, (line) => isRule(line) && / -j \S+/u.test(line));
    if (index === undefined) return false;
    const chains = lines.flatMap((line, at) => {
      const name = /^:(\S+) - /u.exec(line)?.[1];
      return name !== undefined && sameTable(lines, index, at) && lines[index]!.split(" ")[1] !== name ? [name] : [];
    });
    if (chains.length === 0) return false;
    lines[index] = lines[index]!.replace(target, () => ` -j ${dice.pick(chains)}`);
    return true;
  }),
  "target dropped": ofRule(/ -j (?:ACCEPT|DROP)$/u, (line) => line.replace(/ -j \S+$/u, "")),
  "jump made a goto": ofRule(/ -[jg] \S+$/u, (line) => {
    const name = target.exec(line)?.[1] ?? "";
    if (/^[A-Z]+$/u.test(name) && / -j /u.test(line)) return line;
    return / -j /u.test(line) ? line.replace(/ -j (\S+)$/u, " -g $1") : line.replace(/ -g (\S+)$/u, " -j $1");
  }),
  "rule moved to another chain": ofLines((lines, dice) => {
    const index = lineAtRandom(lines, dice, isRule);
    if (index === undefined) return false;
    const others = lines.flatMap((line, at) => (isRule(line) && sameTable(lines, index, at) ? [at] : []));
    const there = dice.pick(others);
    const chain = lines[there]!.split(" ")[1]!;
    const moved = lines[index]!.replace(/^-A \S+/u, `-A ${chain}`);
    if (moved === lines[index] || target.exec(moved)?.[1] === chain) return false;
    lines.splice(index, 1);
    lines.splice(there - (index < there ? 1 : 0), 0, moved);
    return true;
  }),
  "rule put into a chain of its own": ofLines((lines, dice) => {
    const index = lineAtRandom(lines, dice, (line) => isRule(line) && / -j (?:ACCEPT|DROP|REJECT|LOG|MARK)\b/u.test(line));
    if (index === undefined || lines.some((line) => line.startsWith(":own "))) return false;
    const [, chain, tests, rest] = /^-A (\S+)(.*?)( -j .*)$/u.exec(lines[index]!)!;
    const table = lines.findLastIndex((line, at) => at < index && line.startsWith("*"));
    const stays = dice.chance(0.5);
    lines[index] = stays ? `-A ${chain}${tests} -j own` : `-A ${chain} -j own`;
    lines.splice(index, 0, stays ? `-A own${rest}` : `-A own${tests}${rest}`);
    lines.splice(table + 1, 0, ":own - [0:0]");
    return true;
  }),
  "rule for each port of a list": ofLines((lines, dice) => {
    const index = lineAtRandom(
      lines,
      dice,
      (line) => isRule(line) && / -m multiport --dports \S+,/u.test(line) && !line.includes("recent"),
    );
    if (index === undefined) return false;
    const [whole, ports] = / -m multiport --dports (\S+)/u.exec(lines[index]!)!;
    const kept = dice.chance(0.7) ? ports!.split(",") : ports!.split(",").slice(1);
    lines.splice(index, 1, ...kept.map((one) => lines[index]!.replace(whole, ` --dport ${one}`)));
    return true;
  }),
  "kind of ICMP changed": ofRule(/--icmp(?:v6)?-type \S+/u, (line, dice) =>
    dice.chance(0.3)
      ? line.replace(/ --icmp(?:v6)?-type \S+/u, "")
      : line.replace(
          /(--icmp(?:v6)?-type) \S+/u,
          (_, option: string) => `${option} ${dice.pick(option.includes("v6") ? ["1", "128", "135"] : ["0", "3", "3/4", "8", "11"])}`,
        ),
  ),
  "flags changed": ofRule(/--tcp-flags \S+ \S+|--syn\b/u, (line, dice) =>
    line.replace(/(?:! )?(?:--tcp-flags \S+ \S+|--syn\b)/u, () =>
      dice.pick([
        "--tcp-flags SYN,ACK SYN",
        "--tcp-flags SYN,RST,ACK,FIN SYN",
        "! --tcp-flags SYN,RST,ACK,FIN SYN",
        "--tcp-flags ALL NONE",
        "--tcp-flags RST RST",
      ]),
    ),
  ),
  "test added": ofRule(/^-A /u, (line, dice) =>
    line.replace(
      /^(-A \S+(?: ! -f| -f)?(?: (?:! )?-[sdiop] \S+)*)/u,
      (before) =>
        `${before} ${dice.pick(["-m length --length 0:99", "-m length --length 40", "-m pkttype --pkt-type broadcast", "-m mark --mark 0x1", "-m conntrack --ctstate NEW", "-m conntrack --ctdir REPLY", "-m addrtype --dst-type LOCAL", "-m addrtype --src-type LOCAL", "-m dscp --dscp 0x00", "-m connmark --mark 0x0", "-m conntrack --ctstatus SEEN_REPLY", "-m limit --limit 1/hour --limit-burst 1"])}`,
    ),
  ),
  "some test dropped": ofRule(/ -m (?!tcp |udp |icmp |icmp6 |recent |comment )\S+ /u, (line) =>
    line.replace(/ -m (?!tcp |udp |icmp |icmp6 |recent |comment )\S+ .*?(?= -m | -[jg] |$)/u, ""),
  ),
  "answer of a rejection changed": ofRule(/ -j REJECT\b/u, (line, dice) =>
    line.replace(
      / -j REJECT.*$/u,
      () =>
        ` -j REJECT --reject-with ${dice.pick(/-p icmpv6|6-/u.test(line) ? ["icmp6-port-unreachable", "icmp6-adm-prohibited"] : ["icmp-port-unreachable", "icmp-admin-prohibited", "icmp-host-unreachable"])}`,
    ),
  ),
  "chains declared in another order": ofLines((lines) => {
    const own = lines.flatMap((line, at) => (/^:\S+ - /u.test(line) ? [at] : []));
    const at = own.find((one) => own.includes(one + 1));
    if (at === undefined) return false;
    [lines[at], lines[at + 1]] = [lines[at + 1]!, lines[at]!];
    return true;
  }),
  "policy changed": ofLines((lines, dice) => {
    const index = lineAtRandom(lines, dice, (line) => /^:\S+ (?:ACCEPT|DROP)/u.test(line));
    if (index === undefined) return false;
    lines[index] = lines[index]!.replace(/ (ACCEPT|DROP)/u, (_, old: string) => (old === "DROP" ? " ACCEPT" : " DROP"));
    return true;
  }),
  "element of an ipset changed": ({ text, ipset }, dice) => {
    const lines = ipset.split("\n");
    const used = [...text.matchAll(/--match-set (\S+)/gu)].map(([, name]) => name!);
    const index = lineAtRandom(lines, dice, (line) => used.some((name) => line.startsWith(`add ${name} `)));
    if (index === undefined) return undefined;
    if (dice.chance(0.5)) lines.splice(index, 1);
    else if (dice.chance(0.5) && /hash:net/u.test(lines.find((line) => line.startsWith(`create ${lines[index]!.split(" ")[1]!} `)) ?? ""))
      lines[index] += lines[index]!.includes(" nomatch") ? "" : " nomatch";
    else {
      const other = lines[index]!.replace(
        /(\.|:)(\d+)(?=[/,\s]|$)/u,
        (_, dot: string, last: string) => `${dot}${(Number(last) + 64) % 256}`,
      );
      if (lines.includes(other)) return undefined;
      lines.splice(index, 0, other);
    }
    return { text, ipset: lines.join("\n") };
  },
  "rate changed": value("--(?:limit|hashlimit-upto|hashlimit-above)", scaledNumber),
  "burst changed": value("--(?:limit|hashlimit)-burst", scaledNumber),
  "number of connections changed": value("--connlimit-(?:above|upto)", scaledNumber),
  "limit dropped": ofRule(/ -m limit --limit \S+/u, (line) => line.replace(/ -m limit --limit \S+(?: --limit-burst \d+)?/u, "")),
  "states changed": ofRule(/--(?:ctstate|state) \S+/u, (line, dice) =>
    line.replace(/--(ctstate|state) (\S+)/u, (_, option: string, list: string) => {
      const states = list.split(",");
      const others = ["NEW", "ESTABLISHED", "RELATED", "INVALID"].filter((state) => !states.includes(state));
      return `--${option} ${states.length > 1 && dice.chance(0.5) ? states.slice(1).join(",") : [...states, ...(others.length === 0 ? [] : [dice.pick(others)])].join(",")}`;
    }),
  ),
  "state test dropped": ofRule(/ -m (?:conntrack|state) --(?:ctstate|state) \S+/u, (line) =>
    line.replace(/ -m (?:conntrack|state) --(?:ctstate|state) \S+/u, ""),
  ),
  "packets no longer tracked": (ruleset, dice) => {
    const taken = /^-A .*(?:NOTRACK|--notrack)/mu;
    if (taken.test(ruleset.text)) return { ...ruleset, text: ruleset.text.replace(/^-A .*(?:NOTRACK|--notrack).*\n/mu, "") };
    if (ruleset.text.includes("*raw")) return undefined;
    const rule = `-A PREROUTING -p ${dice.pick(["tcp", "udp"])} -j CT --notrack`;
    return { ...ruleset, text: `*raw\n:PREROUTING ACCEPT [0:0]\n:OUTPUT ACCEPT [0:0]\n${rule}\nCOMMIT\n${ruleset.text}` };
  },
  "translated elsewhere": ofRule(/ -j (?:DNAT|REDIRECT) /u, (line) =>
    line.replace(
      /(--to-(?:destination|ports?) \S*?)(\d+)$/u,
      (_, before: string, last: string) => `${before}${Number(last) === 1 ? 2 : Number(last) - 1}`,
    ),
  ),
  "port forward added": ofLines((lines, dice) => {
    const at = lines.indexOf("*nat");
    const dports = [22, 80, 443, 3389];
    const rule = `-A PREROUTING -p tcp -m tcp --dport ${dice.pick(dports)} -j ${dice.chance(0.5) ? `REDIRECT --to-ports ${dice.pick(dports)}` : "DNAT --to-destination 198.51.100.10:443"}`;
    if (lines.some((line) => line.includes(":") && /-s [0-9a-f]*:/u.test(line))) return false;
    if (at < 0)
      lines.unshift(
        "*nat",
        ":PREROUTING ACCEPT [0:0]",
        ":INPUT ACCEPT [0:0]",
        ":OUTPUT ACCEPT [0:0]",
        ":POSTROUTING ACCEPT [0:0]",
        rule,
        "COMMIT",
      );
    else {
      const first = lines.findIndex((line, index) => index > at && (isRule(line) || line === "COMMIT"));
      lines.splice(first, 0, rule);
    }
    return true;
  }),
};

function sameTable(lines: readonly string[], one: number, other: number): boolean {
  const tableOf = (index: number): number => lines.findLastIndex((line, at) => at <= index && line.startsWith("*"));
  return tableOf(one) === tableOf(other);
}

/** The base with a change at random, or, one time in four, with two. */
export function pairOf(base: Base, random: Random): Pair {
  const dice = new Dice(random);
  const { family, text, ipset } = base;
  const old: Ruleset = { text, ipset };
  const wanted = dice.chance(0.25) ? 2 : 1;
  const made: string[] = [];
  let changed = old;
  while (made.length < wanted) {
    const name = dice.pick(Object.keys(changes));
    const next = changes[name]!(changed, dice);
    if (next === undefined || (next.text === changed.text && next.ipset === changed.ipset)) continue;
    if (next.text === old.text && next.ipset === old.ipset) continue;
    changed = next;
    made.push(name);
  }
  return { name: `${base.name}: ${made.join(", ")}`, family, old, new: changed };
}
