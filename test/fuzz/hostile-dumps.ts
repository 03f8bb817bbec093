/** Dumps that nobody would write: the corpus mutated, its options and values thrown together, names chosen to break out. */

import fc from "fast-check";

import { parseLines } from "../../grammar/parse-lines.js";
import type { Source, TranslateOptions } from "../../src/translate.js";
import { readCases } from "../corpus/cases.js";

export interface Dump {
  readonly sources: readonly Source[];
  readonly options: TranslateOptions;
}

const cases = readCases();

// --------------------------------------------------------------------------------------------------- vocabulary

export const numbers = [
  "-1",
  "0",
  "00",
  "1",
  "010",
  "0x10",
  "20",
  "21",
  "100",
  "101",
  "127",
  "128",
  "199",
  "200",
  "254",
  "255",
  "256",
  "1023",
  "1024",
  "4096",
  "10000",
  "32767",
  "32768",
  "65534",
  "65535",
  "65536",
  "86400",
  "16777215",
  "17179869",
  "17179870",
  "2147483647",
  "2147483648",
  "4294967",
  "4294967295",
  "4294967296",
  "9007199254740993",
  "18446744073709551615",
  "18446744073709551616",
  "1e3",
  "1.5",
  "0.5",
  "0/0",
  "10/sec",
  "1/day",
  "10000/second",
];

/** What could end a word, a line, a string or a comment of nft, or mean something to it. */
export const hostileTexts = [
  "",
  '"',
  '""',
  "\\",
  "\\\\",
  '\\"',
  "'",
  "`",
  "$",
  "$x",
  "${x}",
  "#",
  "# x",
  ";",
  "; }",
  "}",
  "{",
  "{ }",
  "*",
  "+",
  "!",
  "! !",
  "@x",
  "@",
  "%",
  "%s%n",
  "&",
  "|",
  "~",
  "\t",
  "\r",
  "\n",
  "\r\n",
  "\0",
  "\v",
  "\f",
  "\u001b[2J",
  "\u007f",
  "\u0085",
  "\u00a0",
  "\u2028",
  "\u2029",
  "\ufeff",
  "\ud800",
  "\udc00",
  "é",
  "漢字",
  "😀",
  "e\u0301",
  "\u202e",
  "x\n}\nflush ruleset\n",
  '" ; flush ruleset ; "',
  "}; flush ruleset; #",
  "x\\\nadd table ip evil\n",
  "\u2028add table ip evil",
  'include "/etc/passwd"',
  "\nCOMMIT\n*filter\n",
  "\n-A INPUT -j ACCEPT\n",
  "--",
  "-",
  "-j",
  "-m",
  "-m recent",
  "=",
  "a=b",
  ",",
  ",,",
  "a,b",
  "..",
  "/",
  "a/b",
  ":",
  "::",
  "[0:0]",
  "flush",
  "ruleset",
  "accept",
  "drop",
  "reject",
  "return",
  "jump",
  "goto",
  "queue",
  "continue",
  "set",
  "map",
  "chain",
  "table",
  "ip",
  "ip6",
  "inet",
  "tcp",
  "udp",
  "log",
  "mark",
  "meta",
  "ct",
  "limit",
  "counter",
  "comment",
  "type",
  "hook",
  "policy",
  "define",
  "include",
  "elements",
  "timeout",
  "size",
  "flags",
  "dynamic",
  "constant",
  "over",
  "until",
  "eq",
  "ne",
  "lt",
  "__proto__",
  "constructor",
  "toString",
  "hasOwnProperty",
  "DEFAULT",
  "ACCEPT",
  "INPUT",
  "input",
  "filter_INPUT",
  "recent_DEFAULT",
  "filter_INPUT_line_1",
  "1",
  "0x1",
  "-x",
  "_",
  ".",
  "9lives",
  "a".repeat(15),
  "a".repeat(16),
  "a".repeat(28),
  "a".repeat(29),
  "é".repeat(14),
  "a".repeat(127),
  "a".repeat(128),
  "é".repeat(64),
  "a".repeat(199),
  "é".repeat(100),
  "a".repeat(255),
  "a".repeat(1023),
  "a".repeat(1024),
  "a".repeat(11000),
  "\\".repeat(40),
  '"'.repeat(39),
  "$".repeat(20),
  "{".repeat(20),
];

/** What iptables takes for the name of a chain, however odd. */
export const chainNames = [
  "x",
  "y",
  "reject",
  "accept",
  "set",
  "dynamic",
  "GOOD~STUFF",
  "a;b",
  "a{b",
  "}",
  "#",
  "$x",
  "a\\",
  "é",
  "漢字",
  "a'b",
  "`id`",
  "*",
  "@x",
  "INPUT_line_4",
  "a.b",
  "a:b",
  "a/b",
  "1",
  "0",
  "x_2",
  "x_",
  "X",
  "abcdefghijklmnopqrstuvwxyz12",
  "\u0085",
  "\u2028",
  "__proto__",
  "constructor",
  "a,b",
  "a=b",
  "(",
  "<>",
  "%s",
  "&&",
  "|",
];

const lists = [
  "DEFAULT",
  "a",
  "A",
  "set",
  "update",
  "a;b",
  "a{b}",
  "#x",
  "$x",
  "a\\",
  "é",
  "漢字",
  "a'b",
  "1",
  "a_2",
  "a.b",
  "a b",
  "\u2028",
  "__proto__",
  "r".repeat(199),
  "r".repeat(230),
];

export const builtIn: Readonly<Record<string, readonly string[]>> = {
  raw: ["PREROUTING", "OUTPUT"],
  mangle: ["PREROUTING", "INPUT", "FORWARD", "OUTPUT", "POSTROUTING"],
  nat: ["PREROUTING", "INPUT", "OUTPUT", "POSTROUTING"],
  filter: ["INPUT", "FORWARD", "OUTPUT"],
  security: ["INPUT", "FORWARD", "OUTPUT"],
};
export const places = Object.entries(builtIn).flatMap(([table, chains]) => chains.map((chain) => ({ table, chain })));

export type Family = "v4" | "v6";

/** Pieces of the corpus' rules as they are written, from one `-m`, `-j` or option of iptables to the next. */
export const pieces = harvest();

function harvest(): Record<Family, { matches: string[]; targets: string[]; tests: string[]; arguments: string[] }> {
  const found = { v4: newPieces(), v6: newPieces() };
  for (const { sources } of cases) {
    for (const { file, text } of sources) {
      const into = found[file === "rules.v6" ? "v6" : "v4"];
      for (const line of parseLines(text)) {
        if (line.kind !== "command" || line.text.length > 400) continue;
        const from = line.words[0]?.column ?? 1;
        const starts = line.words.flatMap((word, index) =>
          /^(-[mjgpsdiofAI4-6]|--(source|src|destination|dst|protocol|in-interface|out-interface|jump|match))$/.test(word.text)
            ? [{ word, at: line.words[index - 1]?.text === "!" ? line.words[index - 1]!.column : word.column }]
            : [],
        );
        starts.forEach(({ word, at }, index) => {
          const piece = line.text.slice(at - from, (starts[index + 1]?.at ?? from + line.text.length) - from).trim();
          if (word.text === "-m" || word.text === "--match") into.matches.add(piece);
          else if (word.text === "-j" || word.text === "--jump") {
            if (!/^-j \S+$/.test(piece) || /^-j [A-Z]+$/.test(piece)) into.targets.add(piece);
          } else if (!/^-[gAI]/.test(piece)) into.tests.add(piece.split(" ").slice(0, 3).join(" "));
        });
        for (const { text: argument } of line.words)
          if (!argument.startsWith("-") && /^[^\s"\\]+$/.test(argument)) into.arguments.add(argument);
      }
    }
  }
  const listed = ({ matches, targets, tests, arguments: words }: ReturnType<typeof newPieces>) => ({
    matches: [...matches],
    targets: [...targets],
    tests: [...tests],
    arguments: [...words],
  });
  return { v4: listed(found.v4), v6: listed(found.v6) };
}

function newPieces(): { matches: Set<string>; targets: Set<string>; tests: Set<string>; arguments: Set<string> } {
  return { matches: new Set(), targets: new Set(), tests: new Set(), arguments: new Set() };
}

// ----------------------------------------------------------------------------------------------------- mutations

type Mutation =
  | { readonly kind: "delete-line" | "repeat-line" | "swap-lines" | "move-line"; readonly line: number; readonly other: number }
  | {
      readonly kind: "delete-word" | "repeat-word" | "swap-words" | "foreign-word";
      readonly line: number;
      readonly word: number;
      readonly other: number;
    }
  | {
      readonly kind: "replace-word" | "insert-word" | "insert-text" | "number";
      readonly line: number;
      readonly word: number;
      readonly at: number;
      readonly text: string;
    }
  | { readonly kind: "cut"; readonly line: number; readonly at: number };

const hostileText = fc.oneof(
  { weight: 3, arbitrary: fc.constantFrom(...hostileTexts) },
  { weight: 2, arbitrary: fc.constantFrom(...numbers) },
  { weight: 1, arbitrary: fc.string({ unit: "binary", maxLength: 12 }) },
  { weight: 1, arbitrary: fc.constantFrom(...pieces.v4.arguments, ...pieces.v6.arguments) },
);
const place = fc.nat(200);

const mutation: fc.Arbitrary<Mutation> = fc.oneof(
  fc.record({ kind: fc.constantFrom("delete-line", "repeat-line", "swap-lines", "move-line"), line: place, other: place }),
  fc.record({
    kind: fc.constantFrom("delete-word", "repeat-word", "swap-words", "foreign-word"),
    line: place,
    word: fc.nat(24),
    other: place,
  }),
  fc.record({
    kind: fc.constantFrom("replace-word", "insert-word", "insert-text"),
    line: place,
    word: fc.nat(24),
    at: fc.nat(12),
    text: hostileText,
  }),
  fc.record({ kind: fc.constant("number" as const), line: place, word: fc.nat(24), at: fc.nat(12), text: fc.constantFrom(...numbers) }),
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("cut" as const), line: place, at: fc.nat(200) }) },
);

function mutate(text: string, mutations: readonly Mutation[]): string {
  const lines = text.split("\n");
  for (const change of mutations) {
    const index = change.line % lines.length;
    const line = lines[index] ?? "";
    switch (change.kind) {
      case "delete-line":
        lines.splice(index, 1);
        break;
      case "repeat-line":
        lines.splice(change.other % lines.length, 0, line);
        break;
      case "swap-lines":
        lines[index] = lines[change.other % lines.length] ?? "";
        lines[change.other % lines.length] = line;
        break;
      case "move-line":
        lines.splice(index, 1);
        lines.splice(change.other % (lines.length + 1), 0, line);
        break;
      case "cut":
        lines[index] = line.slice(0, change.at % (line.length + 1));
        break;
      default:
        lines[index] = mutateWords(line, change, lines);
    }
    if (lines.length === 0) lines.push("");
  }
  return lines.join("\n");
}

function mutateWords(line: string, change: Extract<Mutation, { word: number }>, lines: readonly string[]): string {
  const words = line.split(" ");
  const index = change.word % words.length;
  const word = words[index] ?? "";
  switch (change.kind) {
    case "delete-word":
      words.splice(index, 1);
      break;
    case "repeat-word":
      words.splice(change.other % words.length, 0, word);
      break;
    case "swap-words":
      words[index] = words[change.other % words.length] ?? "";
      words[change.other % words.length] = word;
      break;
    case "foreign-word": {
      const others = (lines[change.other % lines.length] ?? "").split(" ");
      words[index] = others[change.word % others.length] ?? "";
      break;
    }
    case "replace-word":
      words[index] = change.text;
      break;
    case "insert-word":
      words.splice(index, 0, change.text);
      break;
    case "insert-text":
      words[index] = word.slice(0, change.at % (word.length + 1)) + change.text + word.slice(change.at % (word.length + 1));
      break;
    case "number":
      words[index] = /[0-9]/.test(word) ? word.replace(/[0-9]+/, () => change.text) : word;
      break;
  }
  return words.join(" ");
}

const options: fc.Arbitrary<TranslateOptions> = fc.record(
  {
    recent: fc.constantFrom("auto", "auto", "exact", "limit"),
    setSize: fc.constantFrom(1, 100, 65535, 65535, 4294967295),
    keepSets: fc.boolean(),
    counters: fc.boolean(),
  },
  { requiredKeys: [] },
);

/** A dump of the corpus after a few mutations; without any now and then. */
export const mutatedDump: fc.Arbitrary<Dump> = fc
  .record({
    base: fc.constantFrom(...cases),
    mutations: fc.array(mutation, { maxLength: 6 }),
    options,
  })
  .map(({ base, mutations, options: chosen }) => ({
    sources: base.sources.map(({ file, text }) => ({ file, text: mutate(text, mutations) })),
    options: { ...base.options, ...chosen },
  }));

// ---------------------------------------------------------------------------------------------- thrown together

const quoted = (text: string): string => `"${text.replace(/[\\"]/g, "\\$&").replace(/[\0-\x1f]/g, " ")}"`;

const counters = fc.constantFrom("", "", "[0:0] ", "[1:60] ", "[18446744073709551615:18446744073709551615] ");

const recentPiece = fc
  .record({
    not: fc.constantFrom("", "", "", "! "),
    operation: fc.constantFrom("--set", "--rcheck", "--update", "--update", "--remove"),
    seconds: fc.constantFrom("", "", "1", "60", "60", "86400", "17179869", "17179870", "4294967295"),
    hits: fc.oneof(
      { weight: 30, arbitrary: fc.constantFrom("", "", "", "0", "1", "2", "3", "4", "5", "7", "20") },
      { weight: 3, arbitrary: fc.constantFrom("33", "64", "65", "100", "101") },
      // Long scripts in the exact form.
      { weight: 1, arbitrary: fc.constantFrom("255", "256", "65535") },
    ),
    flags: fc.subarray(["--reap", "--rttl"]),
    list: fc.constantFrom(...lists),
    side: fc.constantFrom("", "", "--rsource", "--rdest"),
    mask: fc.constantFrom("", "", "", "255.255.255.255", "255.255.255.0", "0.0.0.0", "0.0.0.24", "255.0.255.1"),
  })
  .map(({ not, operation, seconds, hits, flags, list, side, mask }) => {
    const checks = operation === "--rcheck" || operation === "--update";
    return [
      "-m recent",
      not + operation,
      checks && seconds && `--seconds ${seconds}`,
      checks && hits && `--hitcount ${hits}`,
      ...(checks ? flags.filter((flag) => flag !== "--reap" || seconds !== "") : []),
      list !== "DEFAULT" && `--name ${quoted(list)}`,
      side,
      mask && `--mask ${mask}`,
    ]
      .filter((part) => typeof part === "string" && part !== "")
      .join(" ");
  });

function piecesOf(family: Family): { match: fc.Arbitrary<string>; target: fc.Arbitrary<string>; test: fc.Arbitrary<string> } {
  const { matches, targets, tests, arguments: words } = pieces[family];
  const changed = (piece: string, at: number, text: string): string => {
    const parts = piece.split(" ");
    if (parts.length < 4) return piece;
    parts[3 + (at % (parts.length - 3))] = text;
    return parts.join(" ");
  };
  const varied = (list: readonly string[]): fc.Arbitrary<string> =>
    fc.oneof(
      { weight: 6, arbitrary: fc.constantFrom(...list) },
      {
        weight: 2,
        arbitrary: fc
          .record({ piece: fc.constantFrom(...list), at: fc.nat(9), text: fc.constantFrom(...numbers, ...words) })
          .map(({ piece, at, text }) => changed(piece, at, text)),
      },
      {
        weight: 1,
        arbitrary: fc
          .record({ piece: fc.constantFrom(...list), at: fc.nat(9), text: fc.constantFrom(...hostileTexts) })
          .map(({ piece, at, text }) => changed(piece, at, quoted(text))),
      },
    );
  const recent = family === "v4" ? recentPiece : recentPiece.map((piece) => piece.replace(/ --mask \S+/, ""));
  return {
    match: fc.oneof({ weight: 3, arbitrary: varied(matches) }, { weight: 1, arbitrary: recent }),
    target: fc.oneof(
      { weight: 2, arbitrary: varied(targets) },
      { weight: 1, arbitrary: fc.constantFrom("-j ACCEPT", "-j DROP", "-j RETURN", "-j LOG", "") },
    ),
    test: varied(tests),
  };
}

/** One rule without its chain. */
export function rule(family: Family): fc.Arbitrary<string> {
  const { match, target, test } = piecesOf(family);
  return fc
    .record({
      tests: fc.array(test, { maxLength: 2 }),
      matches: fc.array(match, { maxLength: 3 }),
      target,
    })
    .map(({ tests, matches, target: end }) => [...tests, ...matches, end].filter((part) => part !== "").join(" "));
}

const recentRule = fc
  .record({
    before: fc.constantFrom("", "", "-p tcp", "-s 192.0.2.0/24", "-m limit --limit 5/min", "-p udp -m multiport --dports 53,123"),
    matches: fc.array(recentPiece, { minLength: 1, maxLength: 3 }),
    after: fc.constantFrom("", "", "-m limit --limit 3/s", "-m conntrack --ctstate NEW", "-m length --length 40:100"),
    target: fc.constantFrom(
      "",
      "-j ACCEPT",
      "-j DROP",
      "-j DROP",
      "-j RETURN",
      "-j LOG",
      "-j REJECT",
      "-j MARK --set-mark 1",
      "-m recent --set --name other -j DROP",
    ),
  })
  .map(({ before, matches, after, target }) => [before, ...matches, after, target].filter((part) => part !== "").join(" "));

interface Section {
  readonly table: string;
  readonly users: readonly string[];
  readonly rules: readonly string[];
}

function dumpOf(family: Family, sections: readonly Section[], chosen: TranslateOptions): Dump {
  const text = sections
    .map(({ table, users, rules }) =>
      [
        `*${table}`,
        ...builtIn[table]!.map((chain) => `:${chain} ACCEPT [0:0]`),
        ...users.map((user) => `:${user} - [0:0]`),
        ...rules,
        "COMMIT",
        "",
      ].join("\n"),
    )
    .join("");
  return { sources: [{ file: `rules.${family}`, text, family: family === "v4" ? "ipv4" : "ipv6" }], options: chosen };
}

/** Several tables with rules put together from anything; jumps to user chains only from chains declared before, or in any direction. */
export const thrownTogether: fc.Arbitrary<Dump> = fc.constantFrom<Family>("v4", "v4", "v6").chain((family) => {
  const body = fc.oneof({ weight: 2, arbitrary: rule(family) }, { weight: 1, arbitrary: family === "v4" ? recentRule : rule(family) });
  const section = fc.constantFrom(...Object.keys(builtIn)).chain((table) =>
    fc.uniqueArray(fc.constantFrom(...chainNames), { maxLength: 5 }).chain((users) => {
      const chain = fc.constantFrom(...builtIn[table]!, ...users);
      const jump =
        users.length === 0
          ? body
          : fc.record({ flag: fc.constantFrom("-j", "-j", "-g"), to: fc.constantFrom(...users) }).map(({ flag, to }) => `${flag} ${to}`);
      return fc
        .array(fc.record({ counters, chain, body: fc.oneof({ weight: 4, arbitrary: body }, { weight: 1, arbitrary: jump }) }), {
          maxLength: 5,
        })
        .map(
          (rules): Section => ({
            table,
            users,
            rules: rules.map(({ counters: values, chain: name, body: text }) => `${values}-A ${name} ${text}`),
          }),
        );
    }),
  );
  return fc
    .record({ sections: fc.uniqueArray(section, { minLength: 1, maxLength: 3, selector: ({ table }) => table }), options })
    .map(({ sections, options: chosen }) => dumpOf(family, sections, chosen));
});

/** Lists of `recent` used by every operation, window and hit count in every order, chain and table. */
export const recentEverywhere: fc.Arbitrary<Dump> = fc
  .record({
    sections: fc.uniqueArray(
      fc.constantFrom("raw", "mangle", "filter").chain((table) =>
        fc
          .array(
            fc.record({
              chain: fc.constantFrom(...builtIn[table]!, "x", "y"),
              body: fc.oneof({ weight: 5, arbitrary: recentRule }, { weight: 1, arbitrary: fc.constantFrom("-j y", "-g y") }),
            }),
            { minLength: 1, maxLength: 8 },
          )
          .map(
            (rules): Section => ({
              table,
              users: ["y", "x"],
              // Jumps lead from built-in chains and `x` to `y`, so there is no circle.
              rules: [
                ...rules.filter(({ chain, body }) => chain !== "y" || !/ y$/.test(body)).map(({ chain, body }) => `-A ${chain} ${body}`),
                `-A ${builtIn[table]![0]!} -j x`,
              ],
            }),
          ),
      ),
      { minLength: 1, maxLength: 3, selector: ({ table }) => table },
    ),
    options,
  })
  .map(({ sections, options: chosen }) => dumpOf("v4", sections, chosen));

/** User chains that jump deep, in circles, or through rules of `recent` that need chains of their own. */
export const deepJumps: fc.Arbitrary<Dump> = fc
  .record({
    depth: fc.integer({ min: 1, max: 40 }),
    start: fc.constantFrom("INPUT", "FORWARD", "OUTPUT"),
    extra: fc.array(fc.tuple(fc.nat(40), fc.nat(40), fc.constantFrom("-j", "-g")), { maxLength: 4 }),
    recents: fc.array(fc.tuple(fc.nat(40), recentRule), { maxLength: 3 }),
    forwardOnly: fc.boolean(),
    options,
  })
  .map(({ depth, start, extra, recents, forwardOnly, options: chosen }) => {
    const users = Array.from({ length: depth }, (_, index) => `level${index}`);
    const rules = [`-A ${start} -j level0`, ...users.slice(1).map((user, index) => `-A level${index} -p tcp -j ${user}`)];
    for (const [from, to, flag] of extra) {
      const [low, high] = [Math.min(from, to) % depth, Math.max(from, to) % depth];
      if (low < high || !forwardOnly) rules.push(`-A level${low} ${flag} level${high}`);
    }
    for (const [at, body] of recents) rules.push(`-A level${at % depth} ${body}`);
    return dumpOf("v4", [{ table: "filter", users, rules: [...rules, `-A level${depth - 1} -j DROP`] }], chosen);
  });

export const anyDump: fc.Arbitrary<Dump> = fc.oneof(
  { weight: 5, arbitrary: mutatedDump },
  { weight: 3, arbitrary: thrownTogether },
  { weight: 2, arbitrary: recentEverywhere },
  { weight: 1, arbitrary: deepJumps },
);
