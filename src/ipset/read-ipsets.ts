/**
 * Reads `ipset save` files, and the `ipset` commands of scripts, into sets.
 *
 *     line    = blanks | "#" , { character } | "COMMIT" | command ;
 *     command = { option } , ( "create" , name , type , { create-option } | "add" , name , entry , { add-option } | … ) ;
 *     word    = { character - ( blank | '"' ) }- | '"' , { character - '"' } , '"' ;
 *
 * Commands have the long, short and former names of `man ipset`. A second `add` of the same element replaces the first, as
 * with `ipset -exist restore`.
 */

import type { Word } from "../../grammar/syntax.js";
import { diagnostic, type Diagnostic, type DiagnosticCode, type Span } from "../diagnostic.js";
import { Invalid } from "../extensions/extension.js";
import { addressBits, parseHost, prefixMask } from "../extensions/values/address.js";
import { parseInteger } from "../extensions/values/number.js";
import type { Family } from "../iptables/ast.js";
import { byteLength } from "../iptables/tables.js";
import type { Ipset, IpsetElement, IpsetType, Part } from "./ast.js";
import { elementKey, readEntry } from "./element.js";
import { MemberOrder } from "./member-order.js";
import { findType } from "./types.js";

/** Bytes of a set's name: IPSET_MAXNAMELEN of the kernel, less the closing zero. */
const longestName = 31;
/** Seconds: what fits the kernel's milliseconds. */
const longestTimeout = 2_147_483;
const defaultMaxelem = 65_536;
/** Members of a `list:set`. */
const defaultListSize = 8;

/** Elements beyond one per line that ranges may make in all. */
const mostExpanded = 1_000_000;

type CommandName = "create" | "add" | "del" | "flush" | "destroy" | "rename" | "swap" | "nothing";

const commandNames: ReadonlyMap<string, CommandName> = new Map([
  ...(["create", "n", "new", "-N", "--create"] as const).map((name) => [name, "create"] as const),
  ...(["add", "a", "-A", "--add"] as const).map((name) => [name, "add"] as const),
  ...(["del", "d", "-D", "--del"] as const).map((name) => [name, "del"] as const),
  ...(["flush", "f", "-F", "--flush"] as const).map((name) => [name, "flush"] as const),
  ...(["destroy", "x", "-X", "--destroy"] as const).map((name) => [name, "destroy"] as const),
  ...(["rename", "e", "-E", "--rename"] as const).map((name) => [name, "rename"] as const),
  ...(["swap", "w", "-W", "--swap"] as const).map((name) => [name, "swap"] as const),
  ...(
    ["list", "l", "-L", "--list", "save", "s", "-S", "--save", "test", "-T", "--test", "version", "-v", "-V", "help", "-h", "-H"] as const
  ).map((name) => [name, "nothing"] as const),
]);

/** Options of `create` and `add`, and how many words follow them. */
const createOptions: Readonly<Record<string, 0 | 1>> = {
  family: 1,
  hashsize: 1,
  maxelem: 1,
  timeout: 1,
  counters: 0,
  comment: 0,
  skbinfo: 0,
  netmask: 1,
  bitmask: 1,
  markmask: 1,
  range: 1,
  forceadd: 0,
  bucketsize: 1,
  initval: 1,
  size: 1,
  probes: 1,
  resize: 1,
  gc: 1,
  from: 1,
  to: 1,
  "-4": 0,
  "-6": 0,
};
const addOptions: Readonly<Record<string, 0 | 1>> = {
  timeout: 1,
  packets: 1,
  bytes: 1,
  comment: 1,
  skbmark: 1,
  skbprio: 1,
  skbqueue: 1,
  nomatch: 0,
  wildcard: 0,
  before: 1,
  after: 1,
};

type Mutable<Type> = { -readonly [Key in keyof Type]: Type[Key] };
type OpenSet = Omit<Mutable<Ipset>, "elements"> & {
  elements: Map<string, IpsetElement>;
  /** Of the keys of its elements, where that is not the order in which they were added. */
  order?: MemberOrder;
};

export class IpsetReader {
  private expanded = 0;
  /** Lines for `ipset restore` that carry out the same commands; only where they are kept. */
  readonly restorable: string[] = [];
  private readonly open = new Map<string, OpenSet>();
  /** The sets that hold elements: a file may have as many commands to flush them all as it has sets. */
  private readonly filled = new Set<OpenSet>();
  readonly diagnostics: Diagnostic[] = [];

  constructor(private readonly keepsCommands = false) {}

  /** All sets by name, in the order of their creation. */
  get sets(): ReadonlyMap<string, Ipset> {
    for (const set of this.filled) putInOrder(set);
    return this.open;
  }

  /** Reads a whole file; what is wrong with a line goes to the diagnostics. */
  readFile(file: string, text: string): void {
    let start = text.startsWith("\ufeff") ? 1 : 0;
    for (let index = 0; start <= text.length; index++) {
      const newline = text.indexOf("\n", start);
      const end = newline < 0 ? text.length : newline;
      const words = splitLine(text.slice(start, text[end - 1] === "\r" && end > start ? end - 1 : end));
      start = end + 1;
      const at = (word: Pick<Word, "column" | "length">): Span => ({
        file,
        line: index + 1,
        column: word.column,
        length: Math.max(1, word.length),
      });
      if (!Array.isArray(words)) this.fail(words.code, at(words), words.message);
      else if (words.length > 0 && words[0]!.text !== "COMMIT") this.command(words, at);
    }
  }

  private fail(code: DiagnosticCode, span: Span, message: string, help?: string): void {
    this.diagnostics.push(diagnostic(code, span, message, help));
  }

  /** Carries out one command; `at` says where a word stands. */
  command(words: readonly Word[], at: (word: Word) => Span): void {
    const [name, ...rest] = words.filter(({ text }) => !ignoredOptions.has(text));
    if (name === undefined) return;
    const command = commandNames.get(name.text);
    const [set, argument] = rest;
    if (this.keepsCommands && command !== undefined) this.restorable.push(...restorableLine(command, rest));
    switch (command) {
      case "create":
        return this.create(name, rest, at);
      case "add":
      case "del":
        return this.element(command, name, rest, at);
      case "flush":
      case "destroy":
        if (set === undefined) return this.emptyAll(command);
        return this.empty(command, this.find(set, at));
      case "rename":
      case "swap":
        if (set === undefined || argument === undefined) return this.fail("missing-argument", at(name), `"${name.text}" needs two sets`);
        return this.exchange(command, set, argument, at);
      case "nothing":
        return;
      case undefined:
        this.fail("malformed-line", at(name), `"${name.text}" is no command of ipset`, "give what `ipset save` prints");
    }
  }

  private emptyAll(command: "flush" | "destroy"): void {
    for (const set of this.filled) this.empty("flush", set);
    if (command === "destroy") this.open.clear();
  }

  private empty(command: "flush" | "destroy", set: OpenSet | undefined): void {
    if (set === undefined) return;
    if (command === "destroy") this.open.delete(set.name);
    set.elements = new Map();
    delete set.order;
    this.filled.delete(set);
  }

  private find(name: Word, at: (word: Word) => Span): OpenSet | undefined {
    const set = this.open.get(name.text);
    if (set === undefined) this.fail("unknown-ipset", at(name), `no line before creates the set "${name.text}"`);
    return set;
  }

  private exchange(command: "rename" | "swap", first: Word, second: Word, at: (word: Word) => Span): void {
    const from = this.find(first, at);
    const to = command === "swap" ? this.find(second, at) : this.open.get(second.text);
    if (from === undefined || (command === "swap" && to === undefined)) return;
    if (command === "rename" && to !== undefined)
      return this.fail("duplicate-ipset", at(second), `the set "${second.text}" exists already`);
    this.open.delete(first.text);
    from.name = second.text;
    this.open.set(second.text, from);
    if (to === undefined) return;
    to.name = first.text;
    this.open.set(first.text, to);
  }

  // --------------------------------------------------------------------------------------------------- options

  /** The options behind the fixed words, by name; `undefined` if any is in error. */
  private options(
    words: readonly Word[],
    known: Readonly<Record<string, 0 | 1>>,
    at: (word: Word) => Span,
  ): Map<string, { readonly word: Word; readonly value: Word | undefined }> | undefined {
    const options = new Map<string, { word: Word; value: Word | undefined }>();
    for (let index = 0; index < words.length; index++) {
      const word = words[index]!;
      // ipset 4 wrote two dashes.
      const name = word.text.startsWith("--") ? word.text.slice(2) : word.text;
      if (!Object.hasOwn(known, name)) {
        this.fail("unknown-option", at(word), `ipset has no option "${word.text}" here`);
        return undefined;
      }
      const value = known[name] === 1 ? words[++index] : undefined;
      if (known[name] === 1 && value === undefined) {
        this.fail("missing-argument", at(word), `option "${word.text}" needs an argument`);
        return undefined;
      }
      options.set(name, { word, value });
    }
    return options;
  }

  private integer(value: Word | undefined, minimum: number, maximum: number, at: (word: Word) => Span): number | undefined {
    if (value === undefined) return undefined;
    const found = parseInteger(value.text);
    if (found !== undefined && found >= BigInt(minimum) && found <= BigInt(maximum)) return Number(found);
    this.fail("invalid-value", at(value), `"${value.text}" is not between ${minimum} and ${maximum}`);
    return undefined;
  }

  private large(value: Word | undefined, at: (word: Word) => Span): bigint {
    if (value === undefined) return 0n;
    const found = parseInteger(value.text);
    if (found !== undefined && found < 1n << 64n) return found;
    this.fail("invalid-value", at(value), `"${value.text}" is not a counter`);
    return 0n;
  }

  // ---------------------------------------------------------------------------------------------------- create

  private create(command: Word, [name, typeName, ...rest]: readonly Word[], at: (word: Word) => Span): void {
    if (name === undefined || typeName === undefined)
      return this.fail("missing-argument", at(command), `"${command.text}" needs a name and a type`);
    const type = findType(typeName.text);
    if (type === undefined) return this.fail("invalid-value", at(typeName), `ipset has no type "${typeName.text}"`);
    if (name.text === "" || byteLength(name.text) > longestName)
      return this.fail("invalid-value", at(name), `the name "${name.text}" is longer than ${longestName} bytes`);
    const options = this.options(rest, createOptions, at);
    if (options === undefined) return;
    const familyWord = options.get("family")?.value;
    const family = familyOf(type, familyWord?.text ?? (options.has("-6") ? "inet6" : "inet"));
    if (family === "unknown")
      return this.fail("invalid-value", at(familyWord ?? name), `"${familyWord?.text ?? ""}" is neither inet nor inet6`);
    const number = (option: string, minimum: number, maximum: number): number | undefined =>
      this.integer(options.get(option)?.value, minimum, maximum, at);
    const timeout = number("timeout", 0, longestTimeout);
    const markmask = number("markmask", 1, 0xffffffff);
    const mask = this.mask(options.get("netmask")?.value, options.get("bitmask")?.value, family ?? "ipv4", at);
    const range = this.range(type, options.get("range")?.value, options.get("from")?.value, options.get("to")?.value, name, at);
    if (range === "invalid") return;
    const maxelem =
      type.method === "list"
        ? (number("size", 1, 0xffffffff) ?? defaultListSize)
        : type.method === "bitmap"
          ? 65_536
          : (number("maxelem", 1, 0xffffffff) ?? defaultMaxelem);
    const existing = this.open.get(name.text);
    if (existing !== undefined && (existing.type !== type || existing.family !== family)) {
      return this.fail("duplicate-ipset", at(name), `the set "${name.text}" was created before as ${existing.type.name}`);
    }
    if (existing !== undefined) return;
    this.open.set(name.text, {
      name: name.text,
      type,
      family,
      counters: options.has("counters"),
      skbinfo: options.has("skbinfo"),
      forceadd: options.has("forceadd"),
      maxelem,
      markmask: markmask ?? 0xffffffff,
      span: at(name),
      elements: new Map(),
      ...(timeout !== undefined && { timeout }),
      ...(mask !== undefined && { mask }),
      ...(range !== undefined && { range }),
    });
  }

  private mask(netmask: Word | undefined, bitmask: Word | undefined, family: Family, at: (word: Word) => Span): bigint | undefined {
    if (bitmask !== undefined) {
      const mask = parseHost(bitmask.text, family);
      if (mask === undefined || mask === 0n) this.fail("invalid-value", at(bitmask), `"${bitmask.text}" is not a mask`);
      return mask;
    }
    const length = this.integer(netmask, 1, addressBits[family], at);
    return length === undefined || length === addressBits[family] ? undefined : prefixMask(length, family);
  }

  private range(
    type: IpsetType,
    range: Word | undefined,
    from: Word | undefined,
    to: Word | undefined,
    name: Word,
    at: (word: Word) => Span,
  ): { from: bigint; to: bigint } | "invalid" | undefined {
    if (type.method !== "bitmap") return undefined;
    const invalid = (word: Word): "invalid" => {
      this.fail("invalid-value", at(word), `"${word.text}" is not the range of a ${type.name}`);
      return "invalid";
    };
    const text = range?.text ?? (from && to ? `${from.text}-${to.text}` : undefined);
    const word = range ?? from ?? name;
    if (text === undefined) {
      this.fail("missing-option", at(name), `a ${type.name} needs the option "range"`);
      return "invalid";
    }
    const [first = "", last = first, ...more] = text.split("-");
    if (more.length > 0) return invalid(word);
    const slash = first.indexOf("/");
    const parse = (value: string): bigint | undefined =>
      type.name === "bitmap:port"
        ? /^[0-9]{1,5}$/.test(value) && Number(value) < 65_536
          ? BigInt(value)
          : undefined
        : /^[0-9]+(?:\.[0-9]+){3}$/.test(value)
          ? parseHost(value, "ipv4")
          : undefined;
    if (slash >= 0 && type.name !== "bitmap:port") {
      const address = parse(first.slice(0, slash));
      const length = Number(first.slice(slash + 1));
      if (address === undefined || !Number.isInteger(length) || length < 1 || length > 32) return invalid(word);
      const start = address & prefixMask(length, "ipv4");
      return { from: start, to: start + (1n << BigInt(32 - length)) - 1n };
    }
    const start = parse(first);
    const end = parse(last);
    return start === undefined || end === undefined || start > end ? invalid(word) : { from: start, to: end };
  }

  // -------------------------------------------------------------------------------------------------- elements

  private element(command: "add" | "del", commandWord: Word, [name, entry, ...rest]: readonly Word[], at: (word: Word) => Span): void {
    if (name === undefined || entry === undefined)
      return this.fail("missing-argument", at(commandWord), `"${commandWord.text}" needs a set and an element`);
    const set = this.find(name, at);
    if (set === undefined) return;
    const options = this.options(rest, addOptions, at);
    if (options === undefined) return;
    const read = readEntry(entry.text, set);
    if (read instanceof Invalid) return this.fail("invalid-value", at(entry), read.reason);
    const wildcard = options.has("wildcard");
    this.expanded += read.length - 1;
    if (this.expanded > mostExpanded)
      return this.fail("invalid-value", at(entry), `the ranges of the file make more than ${mostExpanded} elements more`);
    const all = wildcard
      ? read.map((parts) => parts.map((part): Part => (part.kind === "interface" ? { ...part, wildcard } : part)))
      : read;
    if (command === "del") {
      for (const parts of all) {
        const key = elementKey(parts, set);
        set.elements.delete(key);
        set.order?.remove(key);
      }
      return;
    }
    const timeout = this.integer(options.get("timeout")?.value, 0, longestTimeout, at);
    if (timeout !== undefined && set.timeout === undefined) {
      return this.fail("invalid-value", at(options.get("timeout")!.word), `the set "${set.name}" was created without a timeout`);
    }
    const lasting = timeout ?? set.timeout ?? 0;
    const comment = options.get("comment")?.value?.text;
    const common = {
      nomatch: options.has("nomatch"),
      packets: this.large(options.get("packets")?.value, at),
      bytes: this.large(options.get("bytes")?.value, at),
      span: at(entry),
      ...(lasting > 0 && { timeout: lasting }),
      ...(comment !== undefined && comment !== "" && { comment }),
    };
    const beside = options.get("before") ?? options.get("after");
    for (const parts of all) {
      const member = parts[0]?.kind === "member" ? parts[0].set : undefined;
      if (member !== undefined && !this.isMember(member, entry, set, at)) return;
      const key = elementKey(parts, set);
      set.elements.set(key, { parts, ...common });
      this.filled.add(set);
      set.order?.append(key);
      if (beside?.value === undefined || member === undefined) continue;
      set.order ??= new MemberOrder(set.elements.keys());
      set.order.move(key, beside.value.text, options.has("before") ? "before" : "after");
    }
    if (set.type.method !== "bitmap" && set.elements.size > set.maxelem) {
      this.fail("invalid-value", at(entry), `the set "${set.name}" is full: it holds ${set.maxelem} elements`);
    }
  }

  private isMember(member: string, entry: Word, set: OpenSet, at: (word: Word) => Span): boolean {
    const found = this.open.get(member);
    if (found === undefined) this.fail("unknown-ipset", at(entry), `no line before creates the set "${member}"`);
    else if (found.type.method === "list")
      this.fail("invalid-value", at(entry), `"${member}" is a list of sets itself and cannot be in "${set.name}"`);
    return found !== undefined && found.type.method !== "list";
  }
}

/** Brings the elements into the order that was asked for. */
function putInOrder(set: OpenSet): void {
  const { order, elements } = set;
  if (order === undefined) return;
  set.elements = new Map(Array.from(order, (key) => [key, elements.get(key)!]));
  delete set.order;
}

/** Options of ipset itself, which change nothing in what is made. */
/**
 * The command by its full name, with nothing that ipset could take for an option of its own (`-file NAME` writes files, and ipset finds it
 * anywhere in a line, as a comment's text too): comments are left out, and a command with such a word is.
 */
function restorableLine(command: CommandName, words: readonly Word[]): readonly string[] {
  if (command === "nothing") return [];
  const fixed = command === "create" || command === "add" || command === "del" ? 2 : words.length;
  const line = words.slice(0, fixed).map(({ text }) => text);
  for (let index = fixed; index < words.length; index++) {
    const text = words[index]!.text;
    const option = text.startsWith("--") ? text.slice(2) : text;
    if (option === "-4" || option === "-6") line.push("family", option === "-4" ? "inet" : "inet6");
    else if (option !== "comment") line.push(option);
    else if (command === "add") index++;
    else line.push(option);
  }
  return line.some((word) => !/^[^-"\s][^"\s]*$/.test(word)) ? [] : [[command, ...line].join(" ")];
}

const ignoredOptions: ReadonlySet<string> = new Set(["-exist", "-!", "--exist", "-q", "-quiet", "--quiet"]);

function familyOf({ name }: IpsetType, text: string): Family | undefined | "unknown" {
  if (name === "bitmap:port" || name === "list:set" || name === "hash:mac") return undefined;
  if (text === "inet" || text === "ipv4" || text === "-4") return "ipv4";
  if (text === "inet6" || text === "ipv6" || text === "-6") return name.startsWith("bitmap:") ? "unknown" : "ipv6";
  return "unknown";
}

const control = /[\x00-\x08\x0a-\x1f\x7f]/;

/** The words of a line; blanks between double quotes belong to a word. */
function splitLine(
  line: string,
): Word[] | { readonly code: DiagnosticCode; readonly column: number; readonly length: number; readonly message: string } {
  if (/^\s*(?:#|$)/.test(line)) return [];
  const odd = control.exec(line);
  if (odd) return { code: "invalid-character", column: odd.index + 1, length: 1, message: "a control character cannot stand here" };
  const words: Word[] = [];
  const pattern = /"([^"]*)(")?|[^ \t"]+/g;
  for (let found = pattern.exec(line); found !== null; found = pattern.exec(line)) {
    const quoted = found[1] !== undefined;
    if (quoted && found[2] === undefined) {
      return {
        code: "unclosed-quote",
        column: found.index + 1,
        length: found[0].length,
        message: "a double quote is opened and never closed",
      };
    }
    words.push({ text: found[1] ?? found[0], column: found.index + 1, length: found[0].length, quoted });
  }
  return words;
}
