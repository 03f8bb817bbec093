/**
 * Inputs that grow: one kind of thing in a file, again and again. Each is what took a time or a memory out of all proportion once,
 * or might.
 */

import { bigRuleset } from "./big-ruleset.js";

export interface GrowingInput {
  readonly name: string;
  /** The smallest size; `growth` doubles it. */
  readonly size: number;
  /** Words of the command line; those that name one of `files` stand for its path. */
  readonly words: readonly string[];
  /** Files by name. */
  files(size: number): Readonly<Record<string, string | Uint8Array>>;
}

const many = (count: number, line: (index: number) => string): string => Array.from({ length: count }, (_, index) => line(index)).join("");

/** A filter table with these lines. */
export const filterTable = (lines: string): string =>
  `*filter\n:INPUT ACCEPT [0:0]\n:FORWARD ACCEPT [0:0]\n:OUTPUT ACCEPT [0:0]\n${lines}COMMIT\n`;

const acceptAll = filterTable("-A INPUT -j ACCEPT\n");

/** Chains of which each jumps to all that follow, from the first on. */
export function denseChains(chains: number, last = "-j DROP"): string {
  const jumps = many(chains, (from) =>
    many(chains - from - 1, (index) => `-A c${from} -p tcp --dport ${from + index + 1} -j c${from + index + 1}\n`),
  );
  return filterTable(`${many(chains, (index) => `:c${index} - [0:0]\n`)}-A INPUT -j c0\n${jumps}-A c${chains - 1} ${last}\n`);
}

/** A list of sets with so many members, which a rule asks. */
export function listOfSets(members: number, placed = false): string {
  const sets = many(members, (index) => `create s${index} hash:ip\nadd s${index} 192.0.2.${index % 256}\n`);
  return `${sets}create all list:set size ${members}\n${many(members, (index) => `add all s${index}${placed && index > 0 ? ` before s${index - 1}` : ""}\n`)}`;
}

/** Rules of many lists of `recent`, two for each. */
export const manyLists = (lists: number): string =>
  filterTable(
    many(
      lists,
      (index) =>
        `-A INPUT -p tcp -m tcp --dport ${1 + (index % 65_535)} -m recent --set --name l${index} --mask 255.255.255.255 --rsource\n` +
        `-A INPUT -p tcp -m tcp --dport ${1 + (index % 65_535)} -m recent --update --seconds 60 --hitcount 4 --name l${index} --mask 255.255.255.255 --rsource -j DROP\n`,
    ),
  );

/** A capture of TCP packets in Ethernet frames. */
export function capture(packets: number): Uint8Array {
  const length = 54;
  const bytes = new Uint8Array(24 + packets * (16 + length));
  const view = new DataView(bytes.buffer);
  view.setUint32(0, 0xa1b2c3d4);
  view.setUint32(16, 65535);
  view.setUint32(20, 1);
  for (let index = 0; index < packets; index++) {
    const start = 24 + index * (16 + length);
    view.setUint32(start, index);
    view.setUint32(start + 8, length);
    view.setUint32(start + 12, length);
    view.setUint16(start + 16 + 12, 0x0800);
    const header = start + 16 + 14;
    view.setUint8(header, 0x45);
    view.setUint16(header + 2, 40);
    view.setUint8(header + 8, 64);
    view.setUint8(header + 9, 6);
    view.setUint32(header + 12, 0xc0000201 + (index % 200));
    view.setUint32(header + 16, 0xc6336401);
    view.setUint16(header + 20, 40_000);
    view.setUint16(header + 22, 22);
    view.setUint8(header + 20 + 12, 0x50);
    view.setUint8(header + 20 + 13, 2);
  }
  return bytes;
}

const dump = (make: (size: number) => string) => (size: number) => ({ "rules.v4": make(size) });
const script = (make: (size: number) => string) => (size: number) => ({ "rules.sh": make(size) });
const translate = ["rules.v4"];
const runScript = ["rules.sh"];

/** A case of a corpus with this options file. */
const optionsCase = (make: (size: number) => string) => (size: number) => ({
  "corpus/one/rules.v4": acceptAll,
  "corpus/one/options.json": make(size),
});

export const growingInputs: readonly GrowingInput[] = [
  { name: "rules", size: 31_250, words: translate, files: dump(bigRuleset) },
  {
    name: "equal rules",
    size: 31_250,
    words: translate,
    files: dump((size) => filterTable("-A INPUT -s 192.0.2.1 -j DROP\n".repeat(size))),
  },
  { name: "empty lines", size: 250_000, words: translate, files: dump((size) => "\n".repeat(size) + acceptAll) },
  { name: "comment lines", size: 125_000, words: translate, files: dump((size) => "# x\n".repeat(size) + acceptAll) },
  { name: "blanks in a line", size: 250_000, words: translate, files: dump((size) => `${" ".repeat(size)}x\n${acceptAll}`) },
  {
    name: "characters of a quoted string in a dump",
    size: 1_250_000,
    words: translate,
    files: dump((size) => filterTable(`-A INPUT -m comment --comment "${"a".repeat(size)}"\n`)),
  },
  { name: "faulty lines", size: 12_500, words: translate, files: dump((size) => filterTable("-A INPUT --no-such-option\n".repeat(size))) },
  {
    name: "chains in a row",
    size: 5_000,
    words: translate,
    files: dump((size) =>
      filterTable(
        `${many(size, (index) => `:c${index} - [0:0]\n`)}-A INPUT -j c0\n${many(size - 1, (index) => `-A c${index} -j c${index + 1}\n`)}`,
      ),
    ),
  },
  { name: "chains that jump to all behind them", size: 25, words: translate, files: dump(denseChains) },
  {
    name: "chains that jump to all behind them, with a list",
    size: 25,
    words: translate,
    files: dump((size) => denseChains(size, "-m recent --update --seconds 60 --hitcount 4 --name a -j DROP")),
  },
  { name: "lists", size: 500, words: translate, files: dump(manyLists) },
  {
    name: "addresses of one rule",
    size: 150,
    words: translate,
    files: dump((size) =>
      filterTable(
        `-A INPUT -s ${Array.from({ length: Math.min(size, 60) }, (_, index) => `192.0.2.${index}`).join(",")} -j DROP\n`.repeat(size),
      ),
    ),
  },
  {
    name: "both families in one table",
    size: 12_500,
    words: ["--inet", "rules.v4", "rules.v6"],
    files: (size) => ({ "rules.v4": bigRuleset(size), "rules.v6": filterTable("-A INPUT -p tcp --dport 22 -j ACCEPT\n".repeat(size)) }),
  },
  { name: "rules with an origin", size: 25_000, words: ["--origins", "rules.v4"], files: dump(bigRuleset) },

  {
    name: "commands of one line of a script",
    size: 12_500,
    words: runScript,
    files: script((size) => `iptables -F${" && iptables -F".repeat(size)}\n`),
  },
  {
    name: "unknown commands of one line",
    size: 12_500,
    words: runScript,
    files: script((size) => `iptables -F${" && frobnicate".repeat(size)}\n`),
  },
  {
    name: "commands of a script",
    size: 12_500,
    words: runScript,
    files: script((size) => `iptables -F\n${many(size, (index) => `iptables -A INPUT -p tcp --dport ${index % 65_536} -j ACCEPT\n`)}`),
  },
  {
    name: "deleted rules of a script",
    size: 2_500,
    words: runScript,
    files: script(
      (size) =>
        `iptables -F\n${many(size, (index) => `iptables -A INPUT -p tcp --dport ${index % 65_536} -j ACCEPT\n`)}${many(size, (index) => `iptables -D INPUT -p tcp --dport ${(size - 1 - index) % 65_536} -j ACCEPT\n`)}`,
    ),
  },
  {
    name: "rules inserted in front by a script",
    size: 5_000,
    words: runScript,
    files: script((size) => `iptables -F\n${many(size, (index) => `iptables -I INPUT -p tcp --dport ${index % 65_536} -j ACCEPT\n`)}`),
  },
  {
    name: "rules checked by a script",
    size: 1_250,
    words: runScript,
    files: script(
      (size) =>
        `iptables -F\n${many(size, (index) => `iptables -C INPUT -p tcp --dport ${index % 65_536} -j ACCEPT || iptables -A INPUT -p tcp --dport ${index % 65_536} -j ACCEPT\n`)}`,
    ),
  },
  {
    name: "continued lines of one command",
    size: 50_000,
    words: runScript,
    files: script((size) => `iptables -A INPUT ${"\\\n".repeat(size)} -j ACCEPT\n`),
  },
  {
    name: "words of a command on continued lines",
    size: 25_000,
    words: runScript,
    files: script((size) => `iptables -A INPUT ${"x \\\n".repeat(size)} -j ACCEPT\n`),
  },
  {
    name: "characters of a quoted string in a script",
    size: 1_250_000,
    words: runScript,
    files: script((size) => `iptables -A INPUT -m comment --comment "${"a".repeat(size)}"\n`),
  },
  {
    name: "commas in a brace of a script",
    size: 25_000,
    words: runScript,
    files: script((size) => `iptables -A INPUT {${",".repeat(size)}\n`),
  },
  { name: "braces of a script", size: 25_000, words: runScript, files: script((size) => `iptables -A INPUT ${"{a,".repeat(size)}\n`) },
  {
    name: "variables of a script",
    size: 25_000,
    words: runScript,
    files: script((size) => `iptables -F\n${many(size, (index) => `iptables -A INPUT -s $a${index}\n`)}`),
  },
  {
    name: "documents of a script",
    size: 12_500,
    words: runScript,
    files: script((size) => `iptables -F\n${"cat <<x\ny\nx\n".repeat(size)}`),
  },
  {
    name: "documents begun in one line",
    size: 5_000,
    words: runScript,
    files: script((size) => `iptables -F\ncat ${"<<x ".repeat(size)}\n${"y\n".repeat(size)}`),
  },
  {
    name: "digits in front of a redirection",
    size: 50_000,
    words: runScript,
    files: script((size) => `iptables -F ${"1".repeat(size)}\n`),
  },
  { name: "quotes of a script", size: 50_000, words: runScript, files: script((size) => `iptables -F ${`""''`.repeat(size)}"\n`) },

  {
    name: "members of a list of sets",
    size: 1_000,
    words: ["--ipset", "sets.ipset", "rules.v4"],
    files: (size) => ({ "rules.v4": filterTable("-A INPUT -m set --match-set all src -j DROP\n"), "sets.ipset": listOfSets(size) }),
  },
  {
    name: "members put in front of others",
    size: 1_000,
    words: ["--ipset", "sets.ipset", "rules.v4"],
    files: (size) => ({ "rules.v4": acceptAll, "sets.ipset": listOfSets(size, true) }),
  },
  {
    name: "elements of a set",
    size: 25_000,
    words: ["--ipset", "sets.ipset", "rules.v4"],
    files: (size) => ({
      "rules.v4": filterTable("-A INPUT -m set --match-set a src -j DROP\n"),
      "sets.ipset": `create a hash:net maxelem 16777216\n${many(size, (index) => `add a 10.${(index >> 16) & 255}.${(index >> 8) & 255}.${index & 255}\n`)}`,
    }),
  },
  {
    name: "networks with exceptions in a set",
    size: 12_500,
    words: ["--ipset", "sets.ipset", "rules.v4"],
    files: (size) => ({
      "rules.v4": filterTable("-A INPUT -m set --match-set a src -j DROP\n"),
      "sets.ipset": `create a hash:net maxelem 16777216\nadd a 10.0.0.0/8\n${many(size, (index) => `add a 10.${(index >> 16) & 255}.${(index >> 8) & 255}.${index & 255} nomatch\n`)}`,
    }),
  },
  {
    name: "pairs of networks in a set",
    size: 2_500,
    words: ["--ipset", "sets.ipset", "rules.v4"],
    files: (size) => ({
      "rules.v4": filterTable("-A INPUT -m set --match-set a src,src -j DROP\n"),
      "sets.ipset": `create a hash:net,net maxelem 16777216\n${many(size, (index) => `add a 10.${(index >> 8) & 255}.${index & 255}.0/${16 + (index % 16)},10.0.0.0/${8 + (index % 24)}${index % 3 === 0 ? " nomatch" : ""}\n`)}`,
    }),
  },
  {
    name: "sets of which no rule asks",
    size: 12_500,
    words: ["--ipset", "sets.ipset", "rules.v4"],
    files: (size) => ({ "rules.v4": acceptAll, "sets.ipset": many(size, (index) => `create s${index} hash:ip\n`) }),
  },
  {
    name: "sets renamed and exchanged",
    size: 12_500,
    words: ["--ipset", "sets.ipset", "rules.v4"],
    files: (size) => ({ "rules.v4": acceptAll, "sets.ipset": `create a hash:ip\ncreate b hash:ip\n${"swap a b\n".repeat(size)}` }),
  },
  {
    name: "characters of a quoted string in a file of sets",
    size: 1_250_000,
    words: ["--ipset", "sets.ipset", "rules.v4"],
    files: (size) => ({ "rules.v4": acceptAll, "sets.ipset": `create a hash:ip comment\nadd a 192.0.2.1 comment "${"a".repeat(size)}"\n` }),
  },
  {
    name: "words of a line in a file of sets",
    size: 125_000,
    words: ["--ipset", "sets.ipset", "rules.v4"],
    files: (size) => ({ "rules.v4": acceptAll, "sets.ipset": `create a hash:ip ${"counters ".repeat(size)}\n` }),
  },
  {
    name: "faulty lines in a file of sets",
    size: 12_500,
    words: ["--ipset", "sets.ipset", "rules.v4"],
    files: (size) => ({ "rules.v4": acceptAll, "sets.ipset": "add nothing 192.0.2.1\n".repeat(size) }),
  },

  {
    name: "ranges of a country",
    size: 25_000,
    words: ["--geoip", "geoip.csv", "rules.v4"],
    files: (size) => ({
      "rules.v4": filterTable("-A INPUT -m geoip --source-country CN -j DROP\n"),
      "geoip.csv": many(size, (index) => `${2 * index},${2 * index},CN\n`),
    }),
  },
  {
    name: "characters of a quoted field in a table of countries",
    size: 1_250_000,
    words: ["--geoip", "geoip.csv", "rules.v4"],
    files: (size) => ({ "rules.v4": acceptAll, "geoip.csv": `192.0.2.0,192.0.2.1,CN\n192.0.2.0,192.0.2.1,"${"a".repeat(size)}"\n` }),
  },
  {
    name: "fields of a row in a table of countries",
    size: 250_000,
    words: ["--geoip", "geoip.csv", "rules.v4"],
    files: (size) => ({ "rules.v4": acceptAll, "geoip.csv": `192.0.2.0,192.0.2.1,CN\n192.0.2.0,192.0.2.1${",".repeat(size)}\n` }),
  },

  {
    name: "options of a case, repeated",
    size: 12_500,
    words: ["corpus", "corpus"],
    files: optionsCase((size) => `{${'"inet":true,'.repeat(size)}"inet":false}`),
  },
  {
    name: "members of an object in the options of a case",
    size: 12_500,
    words: ["corpus", "corpus"],
    files: optionsCase((size) => `{"table":{${many(size, (index) => `"a${index}":1,`)}"b":1}}`),
  },
  {
    name: "elements of a list in the options of a case",
    size: 12_500,
    words: ["corpus", "corpus"],
    files: optionsCase((size) => `{"table":[${"1,".repeat(size)}1]}`),
  },
  {
    name: "errors in the options of a case",
    size: 12_500,
    words: ["corpus", "corpus"],
    files: optionsCase((size) => `{${"} ".repeat(size)}`),
  },
  { name: "brackets in the options of a case", size: 12_500, words: ["corpus", "corpus"], files: optionsCase((size) => "[".repeat(size)) },
  {
    name: "characters of a string in the options of a case",
    size: 1_250_000,
    words: ["corpus", "corpus"],
    files: optionsCase((size) => `{"table":"${"a".repeat(size)}"}`),
  },

  {
    name: "packets of a capture",
    size: 12_500,
    words: ["simulate", "--budget", "100", "--traffic", "traffic.pcap", "rules.v4"],
    files: (size) => ({ "rules.v4": manyLists(1), "traffic.pcap": capture(size) }),
  },
  {
    name: "packets in CSV",
    size: 12_500,
    words: ["simulate", "--budget", "100", "--traffic", "traffic.csv", "rules.v4"],
    files: (size) => ({
      "rules.v4": manyLists(1),
      "traffic.csv": `time,source\n${many(size, (index) => `${index},192.0.2.${index % 256}\n`)}`,
    }),
  },
  {
    name: "packets in JSON",
    size: 5_000,
    words: ["simulate", "--budget", "100", "--traffic", "traffic.json", "rules.v4"],
    files: (size) => ({
      "rules.v4": manyLists(1),
      "traffic.json": `[${many(size, (index) => `{"time":${index},"source":"192.0.2.${index % 256}"},`)}{"time":0,"source":"192.0.2.1"}]`,
    }),
  },
  {
    name: "packets in JSON of one packet with many names",
    size: 12_500,
    words: ["simulate", "--budget", "100", "--traffic", "traffic.json", "rules.v4"],
    files: (size) => ({ "rules.v4": manyLists(1), "traffic.json": `[{"time":0,"source":"192.0.2.1"${',"mark":1'.repeat(size)}}]` }),
  },

  { name: "searched lists", size: 62, words: ["simulate", "rules.v4"], files: dump(manyLists) },
  { name: "searched lists within seconds", size: 125, words: ["simulate", "--budget", "10s", "rules.v4"], files: dump(manyLists) },
  {
    name: "searched rules of one list",
    size: 62,
    words: ["simulate", "rules.v4"],
    files: dump((size) =>
      filterTable(
        many(
          size,
          (index) => `-A INPUT -p tcp -m tcp --dport ${1 + index} -m recent --update --seconds 60 --hitcount 4 --name a -j DROP\n`,
        ),
      ),
    ),
  },
  {
    name: "searched chains that jump to all behind them",
    size: 5,
    words: ["simulate", "rules.v4"],
    files: dump((size) => denseChains(size, "-m recent --update --seconds 60 --hitcount 4 --name a -j DROP")),
  },
  {
    name: "searched rules beside a list",
    size: 500,
    words: ["simulate", "rules.v4"],
    files: dump((size) =>
      filterTable(
        many(size, (index) => `-A INPUT -p tcp -m tcp --dport ${1 + (index % 60_000)} -j ACCEPT\n`) +
          "-A INPUT -m recent --update --seconds 60 --hitcount 4 --name a -j DROP\n",
      ),
    ),
  },

  {
    name: "reviewed rules, all changed",
    size: 125,
    words: ["review", "--fail-on", "never", "old.v4", "rules.v4"],
    files: (size) => ({
      "old.v4": filterTable(many(size, (index) => `-A INPUT -p tcp -m tcp --dport ${1 + index} -j ACCEPT\n`)),
      "rules.v4": filterTable(many(size, (index) => `-A INPUT -p tcp -m tcp --dport ${1 + index} -j DROP\n`)),
    }),
  },
  {
    name: "reviewed rules with overlapping ranges",
    size: 5,
    words: ["review", "--fail-on", "never", "old.v4", "rules.v4"],
    files: (size) => ({
      "old.v4": filterTable(
        many(
          size,
          (index) =>
            `-A INPUT -p tcp -m tcp --sport ${index * 100}:${index * 100 + 5_000} --dport ${index * 70}:${index * 70 + 3_000} -j ${index % 2 === 0 ? "ACCEPT" : "DROP"}\n`,
        ),
      ),
      "rules.v4": filterTable(
        many(
          size,
          (index) =>
            `-A INPUT -p tcp -m tcp --sport ${index * 100}:${index * 100 + 5_000} --dport ${index * 70}:${index * 70 + 3_000} -j ${index % 3 === 0 ? "ACCEPT" : "DROP"}\n`,
        ),
      ),
    }),
  },
  {
    name: "reviewed chains that jump to all behind them",
    size: 2,
    words: ["review", "--fail-on", "never", "old.v4", "rules.v4"],
    files: (size) => ({ "old.v4": denseChains(size), "rules.v4": denseChains(size, "-j ACCEPT") }),
  },
];
