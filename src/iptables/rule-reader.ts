/** Words to a command: options are bound to iptables itself and to the matches and targets of the rule. */

import type { CommandLine, Word } from "../../grammar/syntax.js";
import type { Diagnostic, Span } from "../diagnostic.js";
import { didYouMean } from "../did-you-mean.js";
import { Invalid, type MatchExtension, type TargetExtension } from "../extensions/extension.js";
import { optionNames, optionOwners, targetNames } from "../extensions/registry.js";
import { addressMask } from "../extensions/values/address.js";
import { protocol as protocolNumber } from "../extensions/values/protocols.js";
import type { AddressMask, Counters, ExtensionUse, Family, IptablesRule, IptablesTarget, OptionUse, TableName } from "./ast.js";
import { commandNames, ruleCommands, ruleNumber, type Command, type CommandName } from "./command.js";
import { extensionFaults } from "./extension-faults.js";
import { LineReader } from "./line-reader.js";
import { builtInOption, OptionScope, type BuiltInOption, type Extension, type Resolution } from "./option-table.js";
import { byteLength, longestInterfaceName, protocolMatches } from "./tables.js";
import { ValueCache } from "./value-cache.js";

/** Where the extensions come from: see src/extensions/registry.ts. */
export interface Registry {
  findMatch(name: string): MatchExtension | undefined;
  findTarget(name: string): TargetExtension | undefined;
}

/** What the reader has to know of the table it reads for. */
export interface ReaderTable {
  readonly name: TableName;
  /** Whether there is such a chain now, and of which kind. */
  chainKind(name: string): "built-in" | "user" | undefined;
  /** Of the chains that there are now. */
  chainNames(): readonly string[];
}

type Mutable<Type> = { -readonly [Key in keyof Type]: Type[Key] };
type MutableSpan = Mutable<Span>;

/** An extension use while options are still being bound to it. */
interface OpenUse {
  readonly extension: Extension | undefined;
  readonly use: Mutable<ExtensionUse>;
  /** `noOptions` until one is bound. */
  options: Record<string, OptionUse<unknown>>;
  readonly span: MutableSpan;
  /** Index of the word up to which `span` reaches. */
  lastWord: number;
}

/** Rules beyond one per line that comma lists may make in a file. No real ruleset comes near; a hostile one must not fill the memory. */
const mostExpandedRules = 200_000;

const none: readonly never[] = [];
const noOptions: Record<string, OptionUse<unknown>> = Object.freeze({});

/** Reads commands of one family; keeps nothing of a line but what its caches hold. */
export class RuleReader extends LineReader {
  private readonly rootScope = OptionScope.root();
  private readonly values: ValueCache;
  private expandedRules = 0;

  // Of the line being read.
  private table!: ReaderTable;
  private scope = this.rootScope;
  private readonly loaded: OpenUse[] = [];
  private protocolLoaded = false;
  private swallowing = false;

  private command: CommandName | undefined;
  private commandFirst = 0;
  private commandEnd = 0;
  private chain: Word | undefined;
  private position: number | undefined;
  private argument: string | undefined;
  private counters: Counters | undefined;
  private sources: readonly OptionUse<AddressMask>[] = none;
  private destinations: readonly OptionUse<AddressMask>[] = none;
  private inInterface: OptionUse<string> | undefined;
  private outInterface: OptionUse<string> | undefined;
  private protocol: OptionUse<number> | undefined;
  private fragment: OptionUse<undefined> | undefined;
  private jump: { readonly span: Span; readonly target: IptablesTarget | undefined; readonly name: string } | undefined;
  private jumpUse: OpenUse | undefined;
  private matches: readonly ExtensionUse[] | undefined;
  private otherFamily = false;
  private illegal: OptionUse<undefined> | undefined;

  constructor(
    file: string,
    private readonly family: Family,
    private readonly registry: Registry,
    diagnostics: Diagnostic[],
    /** Words of the iptables command itself, where `-t` and `-w` may stand; the table is known by then. */
    private readonly standalone = false,
  ) {
    super(file, diagnostics);
    this.values = new ValueCache(family);
  }

  /** The command of a line; `undefined` if it is in error, which is then among the diagnostics, or for the other family. */
  read(line: CommandLine, table: ReaderTable): Command | undefined {
    this.reset(line, table);
    while (this.next < this.words.length && this.readOption());
    if (this.otherFamily) {
      this.report(
        "option-without-effect",
        this.spanOf(0, 1),
        `the line is for ${this.family === "ipv4" ? "IPv6" : "IPv4"} only and skipped, as iptables-restore does`,
      );
      return undefined;
    }
    return this.finish();
  }

  private reset(line: CommandLine, table: ReaderTable): void {
    this.start(line);
    this.table = table;
    this.scope = this.rootScope;
    this.loaded.length = 0;
    this.protocolLoaded = false;
    this.swallowing = false;
    this.command = undefined;
    this.chain = undefined;
    this.position = undefined;
    this.argument = undefined;
    this.counters = line.counters;
    this.sources = none;
    this.destinations = none;
    this.inInterface = undefined;
    this.outInterface = undefined;
    this.protocol = undefined;
    this.fragment = undefined;
    this.jump = undefined;
    this.jumpUse = undefined;
    this.matches = undefined;
    this.otherFamily = false;
    this.illegal = undefined;
  }

  // ---------------------------------------------------------------------------------------------------- getopt

  /** Reads one option with its arguments; false if the rest of the line cannot be read. */
  private readOption(): boolean {
    const start = this.next;
    const word = this.words[start];
    if (word === undefined) return false;
    const { text } = word;
    if (text.charCodeAt(0) !== 45 || text.length === 1) return this.readOther(word);
    this.next++;
    if (text.charCodeAt(1) !== 45) return this.readShort(start, text);
    if (text.length === 2) {
      // getopt ends at `--`, and iptables wants nothing behind it.
      if (this.next === this.words.length) return false;
      this.fail("unexpected-argument", this.spanOf(this.next, this.words.length), 'nothing can follow "--"');
      return false;
    }
    const equals = text.indexOf("=");
    const spelling = equals === -1 ? text.slice(2) : text.slice(2, equals);
    return this.bind(start, `--${spelling}`, this.resolve(spelling), equals === -1 ? undefined : text.slice(equals + 1));
  }

  private readOther(word: Word): boolean {
    const index = this.next++;
    if (word.text === "!") {
      if (this.inversion !== undefined) {
        this.fail("unexpected-argument", this.spanOf(index, index + 1), '"!" is given twice');
        return false;
      }
      this.inversion = word;
      return true;
    }
    if (this.swallowing) {
      this.extendUnknown(index);
      return true;
    }
    this.failUnexpected(index, word.text);
    return false;
  }

  private failUnexpected(index: number, text: string): void {
    const span = this.spanOf(index, index + 1);
    const dashes = /^[\u2010-\u2015\u2212\ufe58\ufe63\uff0d]+/.exec(text)?.[0];
    if (dashes !== undefined) {
      const number = dashes.charCodeAt(0).toString(16).toUpperCase().padStart(4, "0");
      const name = text.slice(dashes.length);
      const help = `write ${name.length > 1 ? "--" : "-"}${name}`;
      this.fail("unexpected-argument", span, `"${text}" begins with a dash (U+${number}), not with hyphens`, help);
    } else if (text === "[unsupported") {
      const help = "make the dump with the iptables that made the rule";
      this.fail("unexpected-argument", span, "iptables-save could not print what stands here: it is too old for the rule", help);
    } else this.fail("unexpected-argument", span, `"${text}" belongs to no option`);
  }

  /** `-x`, `-xARGUMENT`, or several letters without arguments in one word. */
  private readShort(start: number, text: string): boolean {
    for (let at = 1; at < text.length; at++) {
      const letter = text.charAt(at);
      const option = builtInOption(letter);
      if (option === undefined || (this.swallowing && this.isText(start))) {
        if (this.scope.hasUnknown) return this.swallow(start);
        this.fail("unknown-option", this.spanOf(start, start + 1), `iptables has no option "-${letter}"`);
        return false;
      }
      if (option.argument !== "none") {
        const joined = at + 1 < text.length ? text.slice(at + 1) : undefined;
        if (at === 1 && joined !== undefined && this.isLongOption(letter, text)) {
          const help = `write -${text}`;
          const message = `"${text}" is read as "-${letter}" with the address "${joined}", which is a name`;
          this.fail("invalid-value", this.spanOf(start, start + 1), message, help);
          // What belongs to the option that is meant is not blamed, too.
          this.takeOptionalWord();
          return true;
        }
        return this.bindBuiltIn(start, `-${letter}`, option, joined);
      }
      if (!this.bindBuiltIn(start, `-${letter}`, option, undefined)) return false;
    }
    return true;
  }

  /**
   * Whether a word is somebody's text, and no option of iptables, whatever it begins with. Quotes alone do not say so: iptables never sees
   * them, and scripts quote every word that they hand on.
   */
  private isText(index: number): boolean {
    const word = this.words[index];
    return word?.quoted === true && /\s/.test(word.text);
  }

  /** Whether the word is a long option with a hyphen too few: `-dport`. No address is made of letters alone. */
  private isLongOption(letter: string, text: string): boolean {
    return (
      (letter === "s" || letter === "d") &&
      /^-[a-z]+(?:-[a-z]+)*$/.test(text) &&
      ["built-in", "extension"].includes(this.resolve(text.slice(1)).kind)
    );
  }

  private resolve(spelling: string): Resolution {
    const resolution = this.scope.resolve(spelling);
    if ((resolution.kind !== "none" && resolution.kind !== "ambiguous") || this.protocolLoaded || this.protocol === undefined)
      return resolution;
    // iptables then tries the match named like the protocol, once in a rule.
    const extension = this.registry.findMatch(protocolMatches.get(this.protocol.value) ?? "");
    if (extension === undefined || (extension.family ?? this.family) !== this.family) return resolution;
    this.protocolLoaded = true;
    const index = this.next - 1;
    this.load(extension, extension.name, this.spanOf(index, index + 1), index);
    return this.scope.resolve(spelling);
  }

  private bind(start: number, written: string, resolution: Resolution, joined: string | undefined): boolean {
    switch (resolution.kind) {
      case "built-in":
        return this.bindBuiltIn(start, written, resolution.option, joined);
      case "extension":
        this.bindToExtension(start, written, resolution, joined);
        return true;
      case "unknowable":
        return this.swallow(start);
      case "ambiguous":
        this.fail(
          "ambiguous-option",
          this.spanOf(start, start + 1),
          `option "${written}" may be ${resolution.spellings
            .slice(0, 8)
            .map((full) => `"--${full}"`)
            .join(" or ")}`,
        );
        return false;
      case "none":
        this.fail(
          "unknown-option",
          this.spanOf(start, start + 1),
          `no match or target before it in the rule has the option "${written}"`,
          helpForOption(written.replace(/^--/, "").replace(/=.*$/s, "")),
        );
        return false;
    }
  }

  /** Passes over an option that may belong to an extension not known here, and over whatever may be its arguments. */
  private swallow(start: number): boolean {
    this.swallowing = true;
    this.inversion = undefined;
    this.extendUnknown(start);
    return true;
  }

  private extendUnknown(index: number): void {
    for (let at = this.loaded.length - 1; at >= 0; at--) {
      const open = this.loaded[at];
      if (open !== undefined && open.extension === undefined) return this.extend(open, index, index + 1);
    }
  }

  /** Lets an extension's span reach over the words from `start` to `end`, if they follow it without a gap. */
  private extend(open: OpenUse, start: number, end: number): void {
    const last = this.words[end - 1];
    if (last === undefined || start > open.lastWord + 1 || end <= open.lastWord) return;
    open.span.length = last.column + last.length - open.span.column;
    open.lastWord = end - 1;
  }

  // ------------------------------------------------------------------------------------------------ extensions

  private load(extension: Extension | undefined, name: string, span: Span, lastWord: number): OpenUse {
    const options = noOptions;
    const use = extension === undefined ? { extension: name, span, options, unknown: true } : { extension: name, span, options };
    const open: OpenUse = { extension, use, options, span, lastWord };
    this.loaded.push(open);
    // Nobody here knows which of the following words are options of such an extension.
    const readable = extension?.unavailable === undefined ? extension : undefined;
    this.scope = this.scope.load(readable);
    this.swallowing = readable === undefined;
    return open;
  }

  private bindToExtension(
    start: number,
    written: string,
    resolution: Resolution & { kind: "extension" },
    joined: string | undefined,
  ): void {
    const { definition, name } = resolution;
    const open = this.loaded[resolution.index];
    this.swallowing = false;
    let text = "";
    if (definition.value === undefined) {
      if (joined !== undefined) this.fail("unexpected-argument", this.spanOf(start, start + 1), `option "${written}" takes no argument`);
    } else if (definition.optional !== true) {
      const argument = this.takeArgument(start, written, joined, definition.invertible === true, definition.words ?? 1);
      if (argument === undefined) return;
      text = argument;
    } else if (joined !== undefined) {
      text = joined;
    } else {
      // getopt wants `=` here; a word that can be nothing else is meant all the same.
      const word = this.words[this.next];
      if (word !== undefined && !word.text.startsWith("-") && word.text !== "!") {
        text = word.text;
        this.next++;
      }
    }
    const inverted = this.takeInversion(start, written, definition.invertible === true);
    const span = this.spanOf(start, this.next);
    if (open === undefined) return;
    this.extend(open, start, this.next);
    if (open.options[name] !== undefined && definition.repeatable !== true) {
      this.fail("repeated-option", span, `option "${written}" is given twice`);
      return;
    }
    const value = definition.value === undefined ? undefined : this.values.read(definition.value, text);
    if (value instanceof Invalid) {
      this.fail("invalid-value", span, `option "${written}": ${value.reason}`);
      return;
    }
    if (open.options === noOptions) open.use.options = open.options = {};
    open.options[name] = { name, value, text, inverted, span };
  }

  // ------------------------------------------------------------------------------------------ iptables' options

  private bindBuiltIn(start: number, written: string, option: BuiltInOption, joined: string | undefined): boolean {
    this.swallowing = false;
    const { letter } = option;
    const invertible = letter === "s" || letter === "d" || letter === "p" || letter === "i" || letter === "o" || letter === "f";
    let text = joined ?? "";
    if (option.argument === "required") {
      const argument = this.takeArgument(start, written, joined, invertible, 1);
      if (argument === undefined) return true;
      text = argument;
    } else if (option.argument === "none" && joined !== undefined) {
      this.fail("unexpected-argument", this.spanOf(start, start + 1), `option "${written}" takes no argument`);
      return true;
    }
    const inverted = this.takeInversion(start, written, invertible);
    switch (letter) {
      case "s":
        if (this.isFirst(start, written, this.sources.length === 0))
          this.sources = this.addresses(start, written, "source", text, inverted);
        return true;
      case "d":
        if (this.isFirst(start, written, this.destinations.length === 0))
          this.destinations = this.addresses(start, written, "destination", text, inverted);
        return true;
      case "i":
        if (this.isFirst(start, written, this.inInterface === undefined))
          this.inInterface = this.interfaceName(start, written, "in-interface", text, inverted, joined !== undefined);
        return true;
      case "o":
        if (this.isFirst(start, written, this.outInterface === undefined))
          this.outInterface = this.interfaceName(start, written, "out-interface", text, inverted, joined !== undefined);
        return true;
      case "p":
        if (this.isFirst(start, written, this.protocol === undefined)) this.readProtocol(start, written, text, inverted);
        return true;
      case "f":
        this.readFragment(start, written, inverted);
        return true;
      case "m":
        this.readMatch(start, text);
        return true;
      case "j":
      case "g":
        if (this.isFirst(start, written, this.jump === undefined)) this.readJump(start, text, letter === "g");
        return true;
      case "c":
        this.readCounters(start, written, text);
        return true;
      case "4":
      case "6":
        // iptables-restore forgets the rest of a line for the other family.
        this.otherFamily = (letter === "4") !== (this.family === "ipv4");
        return !this.otherFamily;
      case "n":
      case "x":
      case "0":
        this.illegal ??= { name: option.name, value: undefined, text: "", inverted: false, span: this.spanOf(start, this.next) };
        return true;
      case "v":
        return true;
      case "M":
        if (!this.standalone)
          this.report(
            "option-without-effect",
            this.spanOf(start, this.next),
            `option "${written}": the program that iptables would run to load modules is no part of a firewall and is left out`,
          );
        return true;
      case "t":
      case "w":
      case "W":
        if (this.standalone) {
          // iptables takes a number behind `-w` or `-W` for its argument.
          if (letter !== "t" && joined === undefined && /^[0-9]+$/.test(this.words[this.next]?.text ?? "")) this.next++;
          return true;
        }
        this.fail("invalid-command", this.spanOf(start, this.next), `option "${written}" cannot stand in a ruleset`);
        return true;
      case "V":
      case "h":
        this.fail("invalid-command", this.spanOf(start, this.next), `option "${written}" cannot stand in a ruleset`);
        return true;
      default:
        return this.readCommand(start, written, letter, joined, text);
    }
  }

  private isFirst(start: number, written: string, absent: boolean): boolean {
    if (!absent) this.fail("repeated-option", this.spanOf(start, this.next), `option "${written}" is given twice`);
    return absent;
  }

  /** The word read last, as a chain's name; it may be joined to the command. */
  private chainWord(name: string): Word | undefined {
    const word = this.words[this.next - 1];
    return word === undefined || word.text === name ? word : { ...word, text: name };
  }

  private readCommand(start: number, written: string, letter: string, joined: string | undefined, text: string): boolean {
    const name = commandNames[letter];
    if (name === undefined) return false;
    if (this.command !== undefined) {
      this.fail("invalid-command", this.spanOf(start, this.next), `"${written}" cannot stand beside another command`);
      return false;
    }
    this.command = name;
    const optionalChain = name === "flush" || name === "zero" || name === "delete-chain" || name === "list" || name === "list-rules";
    if (optionalChain) {
      const chain = joined ?? this.takeOptionalWord();
      if (chain !== undefined) this.chain = this.chainWord(chain);
    } else {
      this.chain = this.chainWord(text);
    }
    let number: string | undefined;
    switch (name) {
      case "insert":
      case "delete":
      case "replace":
      case "zero":
      case "list":
      case "list-rules":
        number = this.takeOptionalWord();
        break;
      case "rename-chain":
      case "policy":
        this.argument = this.takeOptionalWord();
        if (this.argument === undefined) this.fail("missing-argument", this.spanOf(start, this.next), `"${written}" needs two arguments`);
        break;
      default:
    }
    if (number !== undefined) {
      this.position = ruleNumber(number);
      if (this.position === undefined) {
        this.fail("invalid-value", this.spanOf(this.next - 1, this.next), `"${number}" is not the number of a rule`);
      }
    } else if (name === "replace") {
      this.fail("missing-argument", this.spanOf(start, this.next), `"${written}" needs the number of a rule`);
    }
    this.commandFirst = start;
    this.commandEnd = this.next;
    return true;
  }

  private addresses(start: number, written: string, name: string, text: string, inverted: boolean): readonly OptionUse<AddressMask>[] {
    const span = this.spanOf(start, this.next);
    const parts = text.includes(",") ? text.split(",") : [text];
    if (parts.length > 1 && inverted) {
      this.fail("not-invertible", span, `option "${written}": several addresses cannot be inverted with "!"`);
      return none;
    }
    const uses: OptionUse<AddressMask>[] = [];
    for (const part of parts) {
      const address = parts.length === 1 ? part : part.trimStart();
      const value = this.values.read(addressMask, address);
      if (value instanceof Invalid) {
        const other: Family = this.family === "ipv4" ? "ipv6" : "ipv4";
        const foreign = !(addressMask(address, { family: other }) instanceof Invalid);
        this.fail(
          foreign ? "mixed-families" : "invalid-value",
          span,
          foreign
            ? `option "${written}": "${address}" is an address of ${other === "ipv4" ? "IPv4" : "IPv6"} in a ruleset of ` +
                `${other === "ipv4" ? "IPv6" : "IPv4"}`
            : `option "${written}": ${value.reason}`,
        );
        continue;
      }
      uses.push({ name, value, text: address, inverted, span });
    }
    return uses;
  }

  private interfaceName(
    start: number,
    written: string,
    name: string,
    argument: string,
    inverted: boolean,
    joined: boolean,
  ): OptionUse<string> {
    const span = this.spanOf(start, this.next);
    let text = argument;
    const whole = this.words[start]?.text ?? "";
    if (joined && byteLength(whole) <= longestInterfaceName) {
      // iptables 1.8.9 takes the word, not what is joined to the option; a longer word it refuses.
      text = whole;
      this.report(
        "joined-interface",
        span,
        `iptables takes "${whole}" for the name of an interface, and so does the script`,
        `write "${written} ${argument}"`,
      );
    }
    if (text === "") this.fail("invalid-value", span, `option "${written}": the name of an interface is never empty`);
    if (text.length * 3 > longestInterfaceName && byteLength(text) > longestInterfaceName) {
      this.fail("invalid-value", span, `option "${written}": "${text}" is longer than ${longestInterfaceName} bytes`);
    }
    return { name, value: text, text, inverted, span };
  }

  private readProtocol(start: number, written: string, text: string, inverted: boolean): void {
    const span = this.spanOf(start, this.next);
    const value = this.values.read(protocolNumber, text);
    if (value instanceof Invalid) {
      this.fail("invalid-value", span, `option "${written}": ${value.reason}`);
      return;
    }
    if (value === 0 && inverted) this.fail("invalid-value", span, `option "${written}": no packet is of no protocol`);
    this.protocol = { name: "protocol", value, text, inverted, span };
  }

  private readFragment(start: number, written: string, inverted: boolean): void {
    const span = this.spanOf(start, this.next);
    if (this.family === "ipv6") {
      this.fail("invalid-placement", span, `option "${written}" is for IPv4 only`, "use -m frag");
      return;
    }
    if (!this.isFirst(start, written, this.fragment === undefined)) return;
    this.fragment = { name: "fragments", value: undefined, text: "", inverted, span };
  }

  private readCounters(start: number, written: string, text: string): void {
    const [packets = "", behind] = text.split(",", 2);
    const bytes = behind ?? this.takeOptionalWord();
    const span = this.spanOf(start, this.next);
    if (bytes === undefined) {
      this.fail("missing-argument", span, `option "${written}" needs a packet and a byte counter`);
    } else if (!/^[0-9]{1,19}$/.test(packets) || !/^[0-9]{1,19}$/.test(bytes)) {
      this.fail("invalid-counters", span, `option "${written}": "${packets}" and "${bytes}" are not counters`);
    } else {
      this.counters = { packets: BigInt(packets), bytes: BigInt(bytes) };
    }
  }

  /** The extension if it exists for the family; an error else. */
  private ofFamily<Kind extends Extension>(extension: Kind | undefined, what: string, name: string, span: Span): Kind | undefined {
    if (extension?.family === undefined || extension.family === this.family) return extension;
    this.fail("invalid-placement", span, `${what} "${name}" is for ${extension.family === "ipv4" ? "IPv4" : "IPv6"} only`);
    return undefined;
  }

  private readMatch(start: number, name: string): void {
    const span = this.spanOf(start, this.next);
    if (!/^[A-Za-z0-9_][A-Za-z0-9_-]*$/.test(name)) this.fail("invalid-value", span, `"${name}" is not the name of a match`);
    const extension = this.ofFamily(this.registry.findMatch(name), "match", name, span);
    this.load(extension, extension?.name ?? name, span, this.next - 1);
  }

  private readJump(start: number, name: string, goto: boolean): void {
    const span = this.spanOf(start, this.next);
    const kind = this.table.chainKind(name);
    if (kind !== undefined) {
      // A chain goes before a target of its name, which is then not loaded.
      this.jump = { span, name, target: { kind: "chain", chain: name, goto, span } };
      if (kind === "built-in") this.fail("invalid-placement", span, `"${name}" is a built-in chain, which cannot be jumped to`);
      return;
    }
    this.jump = { span, name, target: undefined };
    if (goto) {
      this.fail("undeclared-chain", span, `table "${this.table.name}" has no chain "${name}"`, didYouMean(name, this.table.chainNames()));
      return;
    }
    const extension = this.registry.findTarget(name);
    if (extension === undefined && !/^[A-Z][A-Z0-9_]*$/.test(name)) {
      const help = didYouMean(name, [...this.table.chainNames(), ...targetNames]);
      this.fail("undeclared-chain", span, `table "${this.table.name}" has no chain "${name}", and there is no such target`, help);
    } else {
      this.ofFamily(extension, "target", name, span);
    }
    this.jumpUse = this.load(extension, extension?.name ?? name, span, this.next - 1);
  }

  // -------------------------------------------------------------------------------------------------- the whole

  private finish(): Command | undefined {
    if (this.inversion !== undefined && !this.failed) {
      const { column, length } = this.inversion;
      this.fail("unexpected-argument", { file: this.file, line: this.line.line, column, length }, 'nothing follows "!"');
    }
    const { command } = this;
    const first = this.words[this.commandFirst];
    const last = this.words[this.commandEnd - 1];
    if (command === undefined || first === undefined || last === undefined) {
      if (!this.failed) this.fail("invalid-command", this.spanOf(0, this.words.length), 'the line has no command such as "-A"');
      return undefined;
    }
    if (ruleCommands.has(command)) this.checkRule();
    else this.checkNoRule();
    if (this.failed) return undefined;
    const takesRule = ruleCommands.has(command) && !(command === "delete" && this.position !== undefined);
    const rules = takesRule ? this.rules() : none;
    if (this.failed) return undefined;
    return {
      name: command,
      line: this.line.line,
      first,
      last,
      chain: this.chain,
      position: this.position,
      argument: this.argument,
      counters: this.counters,
      rules,
    };
  }

  /** Options that only rules have, beside a command that takes none. */
  private checkNoRule(): void {
    if (this.command === "list" || this.command === "list-rules") return;
    const option =
      this.sources[0] ??
      this.destinations[0] ??
      this.inInterface ??
      this.outInterface ??
      this.protocol ??
      this.fragment ??
      this.illegal ??
      this.jump ??
      this.loaded[0];
    if (option !== undefined) this.fail("conflicting-options", option.span, `"--${this.command}" takes no rule`);
  }

  private checkRule(): void {
    const chain = this.chain?.text ?? "";
    if (this.illegal !== undefined) {
      this.fail("conflicting-options", this.illegal.span, `option "--${this.illegal.name}" cannot stand in a rule`);
    }
    if (this.outInterface !== undefined && (chain === "INPUT" || chain === "PREROUTING")) {
      this.fail("invalid-placement", this.outInterface.span, `a packet in chain "${chain}" has no outgoing interface yet`);
    }
    if (this.inInterface !== undefined && (chain === "OUTPUT" || chain === "POSTROUTING")) {
      this.fail("invalid-placement", this.inInterface.span, `a packet in chain "${chain}" has no incoming interface any more`);
    }
    if (this.table.name === "nat" && this.jump?.name === "DROP") {
      this.fail("invalid-placement", this.jump.span, "iptables does not let the nat table drop packets");
    }
    // Options of an extension that is not known here may have gone to a wrong one or to none.
    if (this.scope.hasUnknown) return;
    const { protocol } = this;
    const context = {
      family: this.family,
      table: this.table.name,
      chain,
      protocolInverted: protocol?.inverted ?? false,
      protocol: protocol === undefined || protocol.inverted || protocol.value === 0 ? undefined : protocol.value,
    };
    for (const { extension, use } of this.loaded) {
      if (extension === undefined) continue;
      const label = `${extension === this.jumpUse?.extension ? "target" : "match"} "${use.extension}"`;
      for (const { code, span, message } of extensionFaults(extension, use, label, context, this.failed)) this.fail(code, span, message);
    }
  }

  /** The rules of the line: the cross product of source and destination addresses, sources changing slowest. */
  private rules(): readonly IptablesRule[] {
    const { sources, destinations } = this;
    const count = Math.max(1, sources.length) * Math.max(1, destinations.length);
    if (count === 1) return [this.rule(sources[0], destinations[0])];
    const several = sources.length > 1 ? sources[0] : destinations[0];
    const inverted = sources[0]?.inverted === true || destinations[0]?.inverted === true;
    if (several !== undefined && inverted) {
      this.fail("not-invertible", several.span, "several addresses cannot stand beside an inverted one");
      return none;
    }
    if (several !== undefined && this.command === "replace") {
      this.fail("invalid-value", several.span, "one rule cannot be replaced by several");
      return none;
    }
    this.expandedRules += count - 1;
    if (several !== undefined && this.expandedRules > mostExpandedRules) {
      this.fail("invalid-value", several.span, `the address lists make more than ${mostExpandedRules} rules more`);
      return none;
    }
    const rules: IptablesRule[] = [];
    for (const source of sources.length === 0 ? [undefined] : sources) {
      for (const destination of destinations.length === 0 ? [undefined] : destinations) rules.push(this.rule(source, destination));
    }
    return rules;
  }

  private rule(source: OptionUse<AddressMask> | undefined, destination: OptionUse<AddressMask> | undefined): IptablesRule {
    const { line, jump, jumpUse } = this;
    const first = this.words[0];
    const matches = (this.matches ??= this.loaded.filter((open) => open !== jumpUse).map((open) => open.use));
    const rule: Mutable<IptablesRule> = {
      span: { file: this.file, line: line.line, column: first?.column ?? 1, length: line.text.length },
      text: line.text,
      matches,
    };
    if (this.counters !== undefined) rule.counters = this.counters;
    // An empty mask, protocol 0 and the interface `+` test nothing, unless inverted: then nothing passes.
    if (source !== undefined && (source.inverted || source.value.mask !== 0n)) rule.source = source;
    if (destination !== undefined && (destination.inverted || destination.value.mask !== 0n)) rule.destination = destination;
    if (this.inInterface !== undefined && (this.inInterface.inverted || this.inInterface.value !== "+"))
      rule.inInterface = this.inInterface;
    if (this.outInterface !== undefined && (this.outInterface.inverted || this.outInterface.value !== "+"))
      rule.outInterface = this.outInterface;
    if (this.protocol !== undefined && this.protocol.value !== 0) rule.protocol = this.protocol;
    if (this.fragment !== undefined) rule.fragment = this.fragment;
    if (jumpUse !== undefined) rule.target = { kind: "extension", ...jumpUse.use };
    // An object of its own for each rule: renaming a chain changes it.
    else if (jump?.target !== undefined) rule.target = { ...jump.target };
    return rule;
  }
}

/** Who has an option that nothing in scope has, or which one was meant. */
function helpForOption(name: string): string {
  const order = "options follow the -m or -j they belong to";
  const owners = optionOwners.get(name);
  if (owners !== undefined) return owners.length <= 3 ? `${owners.join(" or ")} has it: ${order}` : order;
  return didYouMean(`--${name}`, optionNames) ?? order;
}
