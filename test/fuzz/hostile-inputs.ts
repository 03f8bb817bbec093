/**
 * Files of every kind that the commands read, spoiled: the corpus with pieces put in, taken out, exchanged and repeated, and texts made to
 * take long. Each input follows from its kind, a seed and a number, so that it can be made again.
 */

import { createHmac } from "node:crypto";

import { anonymize, AnonymizeFault } from "../../src/corpus/anonymize/anonymize.js";
import { CaseFault } from "../../src/corpus/case-fault.js";
import { readOptions } from "../../src/corpus/options.js";
import { CsvFault } from "../../src/csv-document.js";
import { readGeoipCsv } from "../../src/geoip/read-csv.js";
import { readPacked } from "../../src/geoip/read-packed.js";
import { IpsetReader } from "../../src/ipset/read-ipsets.js";
import { seededRandom, type Random } from "../../src/random.js";
import { renderText } from "../../src/report/text.js";
import { reviewRulesets } from "../../src/review/review.js";
import { scriptDrift } from "../../src/review/script-drift.js";
import { parseBaseline } from "../../src/review/suppress/baseline.js";
import { searchLists } from "../../src/simulate/search.js";
import { readTraffic, TrafficFault } from "../../src/simulate/traffic.js";
import { translate, type Source, type TranslateOptions } from "../../src/translate.js";
import { derive } from "../../src/verify/derive/derive.js";
import { interfacesFor } from "../../src/verify/derive/net.js";
import { isNftScript } from "../../src/verify/nft-script.js";
import { capture, denseChains, filterTable, listOfSets, manyLists } from "../bench/growth-inputs.js";
import { readCases, readExpected } from "../corpus/cases.js";
import { tryGitTree } from "./git-trees.js";
import { hostileTexts, numbers } from "./hostile-dumps.js";
import { brokenPromises } from "./promises.js";

/** A kind of input: what is done with one of them. Throws, or breaks its promise, where one of ours is broken. */
export type Attempt = (random: Random) => void | Promise<void>;

const cases = readCases();
const dumps = cases.flatMap(({ sources }) => sources.filter(({ file }) => file.endsWith(".v4") || file.endsWith(".v6")));
const scripts = cases.flatMap(({ sources }) => sources.filter(({ file }) => file.endsWith(".sh")).map(({ text }) => text));
const setFiles = cases.flatMap(({ options }) => (options.ipsets ?? []).map(({ text }) => text));
const optionFiles = cases.flatMap(({ texts }) => (texts.options ? [texts.options.text] : []));
const nftScripts = cases.map((one) => readExpected(one).script).filter((script) => script !== undefined);

// ------------------------------------------------------------------------------------------------------ mutators

const below = (random: Random, limit: number): number => Math.floor(random() * limit);
const pick = <Value>(random: Random, values: readonly Value[]): Value => values[below(random, values.length)]!;

const pieces = [
  ...hostileTexts,
  ...numbers,
  ..."\n|\r\n|\\\n| \\\n |'|\"|`|$(|${|)|}|{|[|]|<<x|>|&&|||||;|,|..|-|--|=|:|/|*|#|\ufeff|\u0000|\ud800|é".split("|"),
  "-A INPUT",
  "-m set --match-set a src",
  "-m recent --update --seconds 60 --hitcount 4 --name a",
  "-j ACCEPT",
  "COMMIT\n",
  "*filter\n",
  "iptables -A INPUT ",
  "create a hash:net\n",
  "add a 192.0.2.0/24\n",
  "flush\n",
  "swap a b\n",
  "nomatch",
  'include "/etc/passwd"\n',
  "table ip x {\n",
  "elements = { ",
  '{"a":',
  "true",
  "null",
  '"table"',
  "192.0.2.0,192.0.2.255,CN\n",
  "time,source\n",
];

/** Characters that repeated pieces may make. */
const longestRepetition = 60_000;

/** A text with up to six pieces put in, some of them again and again, and stretches taken out, doubled or repeated. */
function spoiled(random: Random, text: string): string {
  for (let changes = below(random, 7); changes > 0; changes--) {
    const start = below(random, text.length + 1);
    const length = below(random, 1 + Math.min(text.length - start, random() < 0.2 ? 400 : 20));
    const kept = random() < 0.5 ? text.slice(start, start + length) : "";
    const piece = random() < 0.3 ? kept + kept : pick(random, pieces);
    // Of all sizes alike: 1, 10, 100, 1,000 ... times.
    const times = random() < 0.15 ? Math.floor(10 ** (random() * 5)) : 1;
    const inserted = piece.repeat(Math.min(times, Math.floor(longestRepetition / Math.max(1, piece.length))));
    text = text.slice(0, start) + kept + inserted + text.slice(start + length);
  }
  return text;
}

/** Lines of a text in another order, left out and repeated. */
function shuffledLines(random: Random, text: string): string {
  const lines = text.split("\n");
  return lines.flatMap((line) => (random() < 0.1 ? [] : random() < 0.1 ? [line, pick(random, lines)] : [line])).join("\n");
}

function spoiledBytes(random: Random, bytes: Uint8Array): Uint8Array {
  const copy = bytes.slice(0, random() < 0.2 ? below(random, bytes.length + 1) : bytes.length);
  const view = new DataView(copy.buffer);
  for (let changes = below(random, 12); changes > 0 && copy.length > 4; changes--) {
    const at = below(random, copy.length - 3);
    const value = pick(random, [0, 1, 0x7fff_ffff, 0x8000_0000, 0xffff_ffff, below(random, 2 ** 32)]);
    if (random() < 0.5) view.setUint8(at, value & 0xff);
    else view.setUint32(at, value, random() < 0.5);
  }
  return copy;
}

// ----------------------------------------------------------------------------------------------- what is promised

function requireKept(sources: readonly Source[], options: TranslateOptions): void {
  const { translation, broken } = brokenPromises({ sources, options });
  if (broken.length > 0) throw new Error(broken.slice(0, 3).join("\n"));
  if (translation) renderText(translation.diagnostics, [...sources, ...(options.ipsets ?? [])], { color: false });
}

/** Runs it; an error of one of these classes is what is documented. */
function expecting(documented: readonly (abstract new (...given: never[]) => Error)[], run: () => unknown): void {
  try {
    run();
  } catch (error) {
    if (!documented.some((known) => error instanceof known)) throw error;
  }
}

const spoiledDump = (random: Random): Source => {
  const { file, text } = pick(random, dumps);
  return { file, text: spoiled(random, random() < 0.3 ? shuffledLines(random, text) : text) };
};

/** Up to so many rules that overlap in ports, addresses and chains. */
function overlapping(random: Random, most: number): string {
  const chains = 1 + below(random, 4);
  const rules = Array.from({ length: 1 + below(random, most) }, (_, index) => {
    const range = (): string => `${below(random, 30_000)}:${30_000 + below(random, 35_000)}`;
    const from = below(random, chains);
    const target = random() < 0.3 && from + 1 < chains ? `c${from + 1}` : pick(random, ["ACCEPT", "DROP", "RETURN", "MARK --set-mark 1"]);
    const match = pick(random, [
      `-p tcp -m tcp --sport ${range()} --dport ${range()}`,
      `-p udp -m udp --dport ${range()}`,
      `-s 192.0.2.${index % 256}`,
      `-m mark --mark 0x${below(random, 16).toString(16)}/0xf`,
      "-m recent --set --name a",
      "-m recent --update --seconds 60 --hitcount 4 --name a",
      "-m conntrack --ctstate NEW",
    ]);
    return `-A ${from === 0 ? "INPUT" : `c${from}`} ${match} ${target.startsWith("MARK") && random() < 0.5 ? "" : `-j ${target.startsWith("MARK") ? "ACCEPT" : target}`}\n`;
  });
  return filterTable(`${Array.from({ length: chains - 1 }, (_, index) => `:c${index + 1} - [0:0]\n`).join("")}${rules.join("")}`);
}

const digest = (text: string): Uint8Array => createHmac("sha256", "a key").update(text).digest();

/** By kind; `reviewedRules` is the most that a ruleset of a reviewed pair has. */
export function attempts(reviewedRules: number): Readonly<Record<string, Attempt>> {
  return {
    dump: (random) => requireKept([spoiledDump(random)], { inet: random() < 0.1, origins: random() < 0.1 }),
    script: (random) =>
      requireKept(
        [{ file: "rules.sh", text: spoiled(random, random() < 0.5 ? `iptables -F\n${pick(random, scripts)}` : pick(random, scripts)) }],
        {},
      ),
    "set file": (random) => {
      const text = spoiled(random, random() < 0.1 ? listOfSets(below(random, 300), random() < 0.5) : pick(random, setFiles));
      const rules =
        random() < 0.5
          ? filterTable("-A INPUT -m set --match-set all src -j DROP\n-A INPUT -m set --match-set a src -j SET --add-set b src\n")
          : pick(random, dumps).text;
      requireKept([{ file: "rules.v4", text: rules }], { ipsets: [{ file: "sets.ipset", text }] });
    },
    "options file": (random) => expecting([CaseFault], () => readOptions("options.json", spoiled(random, pick(random, optionFiles)))),
    capture: (random) =>
      expecting([TrafficFault], () => readTraffic(spoiledBytes(random, capture(1 + below(random, 20))), { local: ["192.0.2.1"] })),
    "traffic in text": (random) => {
      const csv = `time,source,dport,flags\n${Array.from({ length: below(random, 9) }, (_, index) => `${index},192.0.2.${index},22,syn\n`).join("")}`;
      const json = JSON.stringify(
        Array.from({ length: below(random, 9) }, (_, time) => ({ time, source: `2001:db8::${time}`, protocol: "udp" })),
      );
      expecting([TrafficFault], () => readTraffic(new TextEncoder().encode(spoiled(random, random() < 0.5 ? csv : json))));
    },
    "table of countries": (random) => {
      const rows = [
        "192.0.2.0,192.0.2.255,CN",
        '"3221225984","3221226239","CN","China"',
        "192.0.2.0/24,China,CN,Asia",
        "2001:db8::,2001:db8::1,DE",
        "# x",
        "1,2,DE",
      ];
      const table = spoiled(random, Array.from({ length: 1 + below(random, 9) }, () => pick(random, rows)).join("\n"));
      const packed = readPacked(spoiledBytes(random, new Uint8Array(32)), pick(random, ["ipv4", "ipv6"]), random() < 0.5);
      const text = filterTable("-A INPUT -m geoip --src-cc CN,DE -j DROP\n");
      expecting([CsvFault], () => requireKept([{ file: "rules.v4", text }], { geoip: readGeoipCsv(table) }));
      if (packed) requireKept([{ file: "rules.v4", text, family: "ipv4" }], { geoip: () => packed.filter(({ to }) => to < 1n << 32n) });
    },
    "nft script": (random) => {
      const [made, other] = [pick(random, nftScripts), pick(random, nftScripts)];
      const text = spoiled(random, made);
      isNftScript(text);
      const committed = spoiled(random, random() < 0.5 ? made : other);
      scriptDrift(made, { file: "rules.nft", text, listings: random() < 0.2 ? { refused: committed } : { made, committed } });
    },
    baseline: (random) =>
      void parseBaseline(
        spoiled(
          random,
          JSON.stringify({ version: 1, findings: [{ fingerprint: "0123456789abcdef", code: "recent-list-size", reason: "x" }] }),
        ),
      ),
    "pair of rulesets": (random) => {
      const old = random() < 0.5 ? overlapping(random, reviewedRules) : spoiledDump(random).text.slice(0, 300 * reviewedRules);
      const changed = random() < 0.5 ? overlapping(random, reviewedRules) : shuffledLines(random, old);
      reviewRulesets({
        old: [{ file: "old.v4", text: old }],
        new: [{ file: "new.v4", text: changed }],
        tool: { name: "ipt2nft-recent", version: "test" },
      });
    },
    search: (random) => {
      const made =
        random() < 0.5
          ? overlapping(random, 30)
          : random() < 0.5
            ? manyLists(1 + below(random, 20))
            : denseChains(2 + below(random, 12), "-m recent --update --seconds 60 --hitcount 4 --name a -j DROP");
      const text = random() < 0.5 ? made : spoiled(random, made);
      searchLists(translate([{ file: "rules.v4", text }]), { schedules: 20, seed: below(random, 1000) });
    },
    "packets for rules": (random) => {
      const sets = new IpsetReader();
      sets.readFile("sets.ipset", spoiled(random, pick(random, setFiles)));
      const text =
        random() < 0.3 ? denseChains(2 + below(random, 12)) : random() < 0.5 ? overlapping(random, 40) : spoiledDump(random).text;
      const { iptables, outcome } = translate([{ file: "rules.v4", text }]);
      if (outcome === "invalid") return;
      derive({
        rulesets: iptables,
        interfaces: interfacesFor(iptables, sets.sets),
        sets: sets.sets,
        random,
        packets: 40,
        steps: 300_000,
      });
    },
    "anonymous dump": (random) => expecting([AnonymizeFault], () => anonymize({ sources: [spoiledDump(random)], ipsets: [] }, digest)),
    "git tree": tryGitTree,
  };
}

/** Of a hundred inputs so many are of a kind: the more they cost, the fewer. */
export const shares: Readonly<Record<string, number>> = {
  dump: 20,
  script: 15,
  "set file": 10,
  "options file": 8,
  capture: 8,
  "traffic in text": 7,
  "table of countries": 7,
  "nft script": 8,
  baseline: 3,
  "pair of rulesets": 3,
  search: 1,
  "packets for rules": 1,
  "anonymous dump": 8,
  "git tree": 1,
};

/** The generator of one input. */
export function inputRandom(kind: string, seed: number, index: number): Random {
  let mixed = seed;
  for (const character of kind) mixed = (Math.imul(mixed, 31) + character.charCodeAt(0)) >>> 0;
  const random = seededRandom((mixed ^ Math.imul(index + 1, 0x9e37_79b1)) >>> 0);
  // The first numbers of neighbouring seeds are alike.
  for (let count = 0; count < 8; count++) random();
  return random;
}
