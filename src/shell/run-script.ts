/**
 * Carries out a script as far as the script itself says what happens, without running anything.
 *
 * What is not known is followed as something that *perhaps* runs: commands that make no rules may stand there, and variables that are set
 * there are unknown afterwards. A command that would make rules, end the script or change how it goes on is refused there, with its place.
 * So the result has every rule that the script makes, or the script is refused.
 */

import { diagnostic, effectOf, printable, type Diagnostic, type DiagnosticCode, type Span } from "../diagnostic.js";
import type { IpsetReader } from "../ipset/read-ipsets.js";
import type { BuildResult, Source } from "../iptables/build.js";
import {
  expandToFields,
  expandToValue,
  knownText,
  type Field,
  type Reason,
  type Surroundings,
  type Value,
  type Variable,
} from "./expansion.js";
import { harmFrom, writtenBy, statusOfHarmless, type Harm } from "./harmless.js";
import { parseScript } from "./parse-script.js";
import { findProgram, wrappers, type Program } from "./programs.js";
import { ScriptFirewall, type Arguments, type Status } from "./script-firewall.js";
import { ScriptLines } from "./script-lines.js";
import type { Assignment, Command, CommandList, Pipeline, Place, Redirection, Script, ShellWord } from "./syntax.js";
import { evaluateTest } from "./test-command.js";

const advice =
  "run it: ipt2nft-recent capture -- ./script > captured, or give what iptables-save (and ip6tables-save, ipset save) prints then";

/** Commands carried out, those of loops and functions each time, beside one for each character of the script. */
const mostCommands = 10_000;
/** Characters of the words of all of them, beside so many for each character of the script: values may hold themselves twice. */
const mostCharacters = 1_000_000;
const charactersForEach = 20;
/** Functions that call each other. */
const mostCalls = 40;

const control = /[\x00-\x08\x0a-\x1f\x7f]/;

/** How it goes on behind a command. */
type Way = "next" | "exit" | "return" | "break" | "continue";

/** Reads a script. Sets go to `ipsets`. Never throws. */
export function buildScript(source: Source, ipsets: IpsetReader): BuildResult {
  return new ScriptRun(source, ipsets).run();
}

/** A word of a command whose text is known. */
interface KnownField {
  readonly text: string;
  readonly quoted: boolean;
  /** Only how it begins is known. */
  readonly isBeginning: boolean;
  readonly place: Place;
  /** As it stands in the script. */
  readonly isWritten: boolean;
}

/** Variables and functions as they were, by name; undefined: not there. */
interface Changed {
  readonly variables: Map<string, Variable | undefined>;
  readonly functions: Map<string, { readonly body: Command | undefined } | undefined>;
}

/** Of a script that does not end within its bounds; the message says which. */
class TooMuch extends Error {}

class ScriptRun implements Surroundings {
  private readonly diagnostics: Diagnostic[] = [];
  private readonly firewall: ScriptFirewall;
  private readonly lines: ScriptLines;
  private readonly script: Script;
  private readonly variables = new Map<string, Variable>();
  /** Undefined: which of several is not known. */
  private readonly functions = new Map<string, Command | undefined>();
  /** What the variables of the functions that run now were before, by name; the innermost function last. */
  private readonly locals: Map<string, Variable | undefined>[] = [];
  /** What the subshells that run now have changed, as it was before; the innermost last. */
  private readonly subshells: Changed[] = [];
  private readonly reported = new Set<string>();
  parameters: readonly Value[] | undefined;
  splitsAtBlanks = true;
  private status: Status = "success";
  private errexit: boolean;
  /** Why it is not known whether what runs now runs at all; the innermost last. */
  private readonly doubts: Place[] = [];
  /** What follows looks at the status: a failure does not end the script. */
  private handled = 0;
  private commands = 0;
  private characters = 0;
  private calls = 0;
  private loops = 0;
  /** Relative names of files may be anywhere, after `cd`. */
  private isElsewhere = false;

  constructor(
    private readonly source: Source,
    ipsets: IpsetReader,
  ) {
    this.firewall = new ScriptFirewall(source.file, ipsets, this.diagnostics);
    this.lines = new ScriptLines(source.text);
    this.script = parseScript(source.text);
    this.errexit = /^(?:\ufeff)?#![^\n]*[ \t]-[a-z]*e/.test(source.text);
  }

  run(): BuildResult {
    const { list, fault } = this.script;
    if (fault) {
      const code = fault.kind === "unclosed" && /quote/.test(fault.message) ? "unclosed-quote" : "shell-construct";
      this.report(code, fault.place, fault.message, fault.kind === "unclosed" ? undefined : advice);
    }
    try {
      this.runList(list, true);
    } catch (error) {
      if (!(error instanceof TooMuch)) throw error;
      this.report("shell-construct", { offset: 0, length: 1 }, error.message, advice);
    }
    return { rulesets: this.firewall.finish(), diagnostics: this.diagnostics };
  }

  // ------------------------------------------------------------------------------------------------------ reporting

  private span({ offset, length }: Place): Span {
    const { line, start } = this.lines.at(offset);
    return { file: this.source.file, line, column: offset - start + 1, length: Math.max(1, length) };
  }

  /** Once for a place: loops and functions come to it again. */
  private report(code: DiagnosticCode, place: Place, message: string, help?: string): void {
    const id = `${code} ${place.offset} ${message}`;
    if (this.reported.has(id)) return;
    this.reported.add(id);
    this.diagnostics.push(diagnostic(code, this.span(place), message, help));
  }

  private refuse(place: Place, message: string, help = advice, code: DiagnosticCode = "shell-construct"): void {
    this.firewall.isIncomplete = true;
    this.status = "unknown";
    this.report(code, place, message, help);
  }

  /** Once for a script: it has the same variable in every line. */
  private refuseUnknown({ message, place, help }: Reason): void {
    const id = `unknown ${message}`;
    this.firewall.isIncomplete = true;
    this.status = "unknown";
    if (this.reported.has(id)) return;
    this.reported.add(id);
    this.report("shell-construct", place, `${printable(message)} is known to a shell only`, help ?? advice);
  }

  /** Whether a command that changes something runs is not known; then it is refused. */
  private isDoubtful(place: Place, what: string): boolean {
    const doubt = this.doubts.at(-1);
    if (doubt === undefined) return false;
    const { line } = this.lines.at(doubt.offset);
    this.refuse(place, `only a shell knows whether ${what}: it depends on line ${line}`);
    return true;
  }

  perhaps<Result>(place: Place, run: () => Result): Result {
    this.doubts.push(place);
    try {
      return run();
    } finally {
      this.doubts.pop();
    }
  }

  // --------------------------------------------------------------------------------------------------- surroundings

  spend(characters: number): void {
    const most = mostCharacters + charactersForEach * this.source.text.length;
    if ((this.characters += characters) > most)
      throw new TooMuch(`the words of the script's commands have more than ${most} characters, which is far more than it holds`);
  }

  variable(name: string): Variable | undefined {
    return this.variables.get(name);
  }

  assign(name: string, value: Variable): void {
    if (name === "IFS") this.splitsAtBlanks = false;
    const place = this.doubts.at(-1);
    const isSure = place === undefined;
    this.write(name, isSure ? value : nothingKnown(`the value of "$${name}"`, place));
  }

  private write(name: string, value: Variable | undefined): void {
    const changed = this.subshells.at(-1)?.variables;
    if (changed && !changed.has(name)) changed.set(name, this.variables.get(name));
    put(this.variables, name, value && { value });
  }

  /** @param body undefined: which of several it is, is not known */
  private define(name: string, body: Command | undefined): void {
    const changed = this.subshells.at(-1)?.functions;
    if (changed && !changed.has(name)) changed.set(name, this.functions.has(name) ? { body: this.functions.get(name) } : undefined);
    this.functions.set(name, body);
  }

  reckon(written: string, place: Place): void {
    if (!/[^=!<>]=(?!=)|\+\+|--|[<>]{2}=/.test(written)) return;
    for (const [name] of written.matchAll(/[A-Za-z_]\w*/g)) if (this.variables.has(name)) this.forget(name, place);
  }

  private forget(name: string, place: Place): void {
    this.assign(name, nothingKnown(`the value of "$${name}"`, place));
  }

  substitute({ list }: { readonly list: CommandList }): void {
    // It runs for sure; what it sets is gone with it.
    this.inSubshell(() => this.runList(list));
  }

  /** Its variables are its own, and its end is no end of the script. */
  private inSubshell(run: () => Way): void {
    this.subshells.push({ variables: new Map(), functions: new Map() });
    const { parameters, errexit, isElsewhere } = this;
    const way = run();
    if (way === "exit" && this.doubts.length === 0) this.status = "unknown";
    const { variables, functions } = this.subshells.pop()!;
    for (const [name, value] of variables) put(this.variables, name, value && { value });
    for (const [name, known] of functions) put(this.functions, name, known && { value: known.body });
    Object.assign(this, { parameters, errexit, isElsewhere });
  }

  // ---------------------------------------------------------------------------------------------------------- lists

  /** @param isScript the whole script: what stands behind its end is refused */
  private runList(list: CommandList, isScript = false): Way {
    for (const [index, { first, rest, background }] of list.entries()) {
      const way = background ? this.runInBackground(first, rest) : this.runAndOr(first, rest);
      if (way === "next") continue;
      const next = list[index + 1];
      // A failure that ends it is told already.
      if (isScript && way === "exit" && next && !this.diagnostics.some(({ code }) => effectOf(code) === "invalid")) {
        this.refuse(placeOf(next.first), "the script ends before this");
      }
      return way;
    }
    return "next";
  }

  private runAndOr(first: Pipeline, rest: CommandList[number]["rest"]): Way {
    let way = this.runPipeline(first, rest.length > 0);
    for (const [index, { operator, pipeline }] of rest.entries()) {
      if (way !== "next") return way;
      const skips = operator === "&&" ? "failure" : "success";
      if (this.status === skips) continue;
      const isHandled = index < rest.length - 1;
      if (this.status !== "unknown") {
        way = this.runPipeline(pipeline, isHandled);
        continue;
      }
      const before = index === 0 ? first : rest[index - 1]!.pipeline;
      way = this.perhaps(placeOf(before), () => this.runPipeline(pipeline, isHandled));
      this.status = "unknown";
      if (way === "exit" || way === "return") way = "next";
    }
    return way;
  }

  private runInBackground(first: Pipeline, rest: CommandList[number]["rest"]): Way {
    // When it runs is not known: it must not matter.
    const place = placeOf(first);
    this.perhaps(place, () => this.inSubshell(() => this.runAndOr(first, rest)));
    this.status = "success";
    return "next";
  }

  private runPipeline({ negated, commands }: Pipeline, isHandled: boolean): Way {
    if (isHandled || negated) this.handled += 1;
    let way: Way = "next";
    const [only] = commands;
    if (commands.length === 1) way = this.runCommand(only!);
    else {
      const isOrdered = this.atMostOneMakesRules(commands);
      for (const command of commands)
        this.inSubshell(() => (isOrdered ? this.runCommand(command) : this.perhaps(command.place, () => this.runCommand(command))));
      this.status = "unknown";
    }
    if (isHandled || negated) this.handled -= 1;
    if (negated) this.status = this.status === "success" ? "failure" : this.status === "failure" ? "success" : "unknown";
    const minds = this.errexit && way === "next" && !isHandled && !negated && this.handled === 0;
    return minds ? this.mindFailure(only!) : way;
  }

  /** Of the commands of a pipe: where several make rules, which is first is not known. */
  private atMostOneMakesRules(commands: readonly Command[]): boolean {
    const makesRules = (one: Command): boolean => {
      if (one.kind !== "simple") return true;
      const [program] = one.words;
      const name = program && expandToValue(program.parts, { ...quietSurroundings, variable: (variable) => this.variables.get(variable) });
      return !name?.known || this.functions.has(name.text) || findProgram(name.text.split(" ")[0]!).kind !== "harmless";
    };
    return commands.filter(makesRules).length < 2;
  }

  /** With `set -e` the script ends at a command that fails. */
  private mindFailure({ place, kind }: Command): Way {
    if (this.status === "success" || !["simple", "subshell", "test"].includes(kind)) return "next";
    if (this.status === "failure" && kind === "simple") return this.end("exit", place);
    if (!this.firewall.isIncomplete) this.refuse(place, "with -e the script ends here if this fails, which only a shell knows");
    return "next";
  }

  // ------------------------------------------------------------------------------------------------------- commands

  private runCommand(command: Command): Way {
    const most = mostCommands + this.source.text.length;
    if (++this.commands > most) throw new TooMuch(`the script carries out more than ${most} commands, which is far more than it holds`);
    if (command.kind !== "simple" && !this.checkRedirections(command.redirections)) return "next";
    switch (command.kind) {
      case "simple":
        return this.runSimple(command);
      case "group":
        return this.runList(command.list);
      case "subshell":
        this.inSubshell(() => this.runList(command.list));
        return "next";
      case "if":
        return this.runIf(command);
      case "for":
        return this.runFor(command);
      case "while":
        return this.runWhile(command);
      case "case":
        return this.runCase(command);
      case "function":
        this.define(command.name, this.doubts.length > 0 ? undefined : command.body);
        this.status = "success";
        return "next";
      case "test":
        expandToValue(command.parts, this);
        this.reckon(command.written, command.place);
        this.status = "unknown";
        return "next";
    }
  }

  private condition(list: CommandList): Way {
    this.handled += 1;
    const way = this.runList(list);
    this.handled -= 1;
    return way;
  }

  /** What perhaps runs, and how it may go on behind it. */
  private runPerhaps(place: Place, list: CommandList): void {
    this.perhaps(place, () => this.runList(list));
    this.status = "unknown";
  }

  private runIf({ branches, otherwise, place }: Extract<Command, { kind: "if" }>): Way {
    for (const [index, { condition, list }] of branches.entries()) {
      const way = this.condition(condition);
      if (way !== "next") return way;
      if (this.status === "success") return this.runList(list);
      if (this.status === "failure") continue;
      this.runPerhaps(place, list);
      for (const later of branches.slice(index + 1)) {
        this.perhaps(place, () => this.condition(later.condition));
        this.runPerhaps(place, later.list);
      }
      if (otherwise) this.runPerhaps(place, otherwise);
      return "next";
    }
    this.status = "success";
    return otherwise ? this.runList(otherwise) : "next";
  }

  private runFor({ name, words, list, place }: Extract<Command, { kind: "for" }>): Way {
    const fields = words ? words.flatMap((word) => expandToFields(word, this)) : this.parameters?.map((value) => ({ value }));
    this.status = "success";
    const unknown = fields?.find(({ value }) => !value.known);
    if (!fields || unknown) {
      // However often it runs: what it does must not matter.
      const values = fields?.map((field) => field.value) ?? [nothingKnown(`the value of "$${name}"`, place)];
      this.perhaps(place, () => {
        // Twice: what the first round sets, the second one may use.
        for (const value of [...values, ...values]) {
          this.write(name, value);
          this.runLoopBody(list);
        }
      });
      this.forget(name, place);
      this.status = "unknown";
      return "next";
    }
    for (const { value } of fields) {
      this.assign(name, value);
      const way = this.runLoopBody(list);
      if (way === "break") break;
      if (way === "exit" || way === "return") return way;
    }
    return "next";
  }

  private runLoopBody(list: CommandList): Way {
    this.loops += 1;
    const way = this.runList(list);
    this.loops -= 1;
    return way;
  }

  private runWhile({ condition, list, place }: Extract<Command, { kind: "while" }>): Way {
    this.perhaps(place, () => {
      // Twice: what the first round sets, the second one may use.
      for (let round = 0; round < 2; round++) {
        this.condition(condition);
        this.runLoopBody(list);
      }
    });
    this.status = "unknown";
    return "next";
  }

  private runCase({ word, items, place }: Extract<Command, { kind: "case" }>): Way {
    expandToValue(word.parts, this);
    for (const { patterns, list } of items) {
      for (const pattern of patterns) expandToValue(pattern.parts, this);
      this.runPerhaps(place, list);
    }
    this.status = "unknown";
    return "next";
  }

  // --------------------------------------------------------------------------------------------------------- simple

  private runSimple(command: Extract<Command, { kind: "simple" }>): Way {
    const { assignments, words, redirections, place } = command;
    const fields = words.flatMap((word) => expandToFields(word, this).map((field) => ({ ...field, word })));
    if (!this.checkRedirections(redirections)) return "next";
    const [first] = fields;
    if (!first) {
      let status: Status = "success";
      for (const assignment of assignments) {
        this.runAssignment(assignment);
        if (hasSubstitution(assignment)) status = "unknown";
      }
      this.status = words.length > 0 ? "unknown" : status;
      return "next";
    }
    // Those in front of a command are for it alone, and those of programs that make rules change nothing.
    for (const { value } of assignments) for (const { parts } of "elements" in value ? value.elements : [value]) expandToValue(parts, this);
    if (!first.value.known) {
      this.refuseUnknown(first.value.why);
      return "next";
    }
    if (assignments.length > 0 && this.functions.has(first.value.text)) {
      this.refuse(place, "variables that are set for a function alone are not followed here");
      return "next";
    }
    const way = this.runFunction(first.value.text, first.word, fields.slice(1));
    return way ?? this.runProgram(fields, redirections, place);
  }

  private runAssignment({ name, appends, value, place }: Assignment): void {
    const made: Variable =
      "elements" in value
        ? { elements: value.elements.flatMap((word) => expandToFields(word, this).map((field) => field.value)) }
        : expandToValue(value.parts, this);
    if (!appends) {
      this.assign(name, made);
      return;
    }
    const before = this.variables.get(name);
    if (before && "elements" in before) this.spend(before.elements.length);
    if (before && "elements" in before && "elements" in made) this.assign(name, { elements: [...before.elements, ...made.elements] });
    else if (before && "known" in before && before.known && "known" in made) {
      this.assign(name, made.known ? knownText(before.text + made.text) : { ...made, prefix: before.text + made.prefix });
    } else this.forget(name, place);
  }

  /** Undefined where the script has no function of that name. */
  private runFunction(name: string, { place }: ShellWord, fields: readonly Field[]): Way | undefined {
    if (!this.functions.has(name)) return undefined;
    const body = this.functions.get(name);
    if (!body || this.calls >= mostCalls) {
      const calls = `functions call each other more than ${mostCalls} deep`;
      this.refuse(place, body ? calls : `only a shell knows which function "${printable(name)}" is`);
      return "next";
    }
    const { parameters, loops } = this;
    this.parameters = fields.map(({ value }) => value);
    this.calls += 1;
    this.loops = 0;
    this.status = "success";
    this.locals.push(new Map());
    const way = this.runCommand(body);
    for (const [variable, value] of this.locals.pop()!) this.write(variable, value);
    this.calls -= 1;
    Object.assign(this, { parameters, loops });
    return way === "exit" ? "exit" : "next";
  }

  private runProgram(all: readonly (Field & { readonly word: ShellWord })[], redirections: readonly Redirection[], place: Place): Way {
    const known: KnownField[] = [];
    let unknown: Reason | undefined;
    for (const { value, quoted, word } of all) {
      if (!value.known) unknown ??= value.why;
      known.push({
        text: value.known ? value.text : value.prefix,
        quoted,
        isBeginning: !value.known,
        place: word.place,
        isWritten: word.parts.every(({ kind }) => kind === "text"),
      });
    }
    let start = 0;
    let replaces = false;
    for (;;) {
      const wrapper = known[start]!.text.slice(known[start]!.text.lastIndexOf("/") + 1);
      if (!Object.hasOwn(wrappers, wrapper) || start + 1 >= known.length) break;
      if (wrapper === "command" && /^-[vV]/.test(known[start + 1]!.text)) {
        this.status = "unknown";
        return "next";
      }
      replaces ||= wrapper === "exec";
      start += 1;
      while (known[start]?.text.startsWith("-")) start += wrappers[wrapper]!.test(known[start]!.text) ? 2 : 1;
      while (wrapper === "env" && /^[A-Za-z_]\w*=/.test(known[start]?.text ?? "")) start += 1;
      if (known[start] === undefined) {
        this.refuse(place, "what this command runs is not told here", advice, "shell-command");
        return "next";
      }
    }
    const [program, ...rest] = known.slice(start) as [KnownField, ...KnownField[]];
    const found = findProgram(program.text);
    const way = this.runKnown(found, program, rest, unknown, redirections, place);
    return replaces && way === "next" ? this.end("exit", place) : way;
  }

  private runKnown(
    found: Program,
    program: KnownField,
    rest: readonly KnownField[],
    unknown: Reason | undefined,
    redirections: readonly Redirection[],
    place: Place,
  ): Way {
    const name = `"${printable(program.text)}"`;
    switch (found.kind) {
      case "unknown":
        this.refuse(program.place, `${name} is no command known here, and may change rules`, advice, "shell-command");
        return "next";
      case "harmless":
        return this.runHarmless(program, rest, unknown, place);
      case "save":
        this.status = "unknown";
        return "next";
      default:
    }
    // What only asks changes nothing, wherever it stands.
    const asks = found.kind === "iptables" && onlyAsks(rest.map(({ text }) => text));
    if (!asks && this.isDoubtful(program.place, `${name} runs here`)) return "next";
    if (unknown) {
      if (asks) this.status = "unknown";
      else this.refuseUnknown(unknown);
      return "next";
    }
    const odd = rest.find(({ text }) => control.test(text));
    if (odd !== undefined) {
      this.firewall.isIncomplete = true;
      this.report("invalid-character", odd.place, "a word with a control character in it cannot be translated");
      return "next";
    }
    if (found.kind === "restore") this.restore(found, program, rest, redirections);
    else if (this.doubts.length > 0) this.status = "unknown";
    else if (found.kind === "ipset") this.runIpset(program, rest);
    else this.status = this.firewall.iptables(found.family, this.argumentsOf(program, rest));
    return "next";
  }

  private runIpset(program: KnownField, rest: readonly KnownField[]): void {
    if (rest.some(({ text }) => text === "restore" || text === "-R" || text === "--restore")) {
      this.refuse(program.place, '"ipset restore" takes its sets from elsewhere', "give that file with --ipset", "shell-command");
      return;
    }
    this.status = this.firewall.ipset(this.argumentsOf(program, rest));
  }

  private restore(
    { family }: Extract<Program, { kind: "restore" }>,
    program: KnownField,
    rest: readonly KnownField[],
    redirections: readonly Redirection[],
  ): void {
    const document = redirections.filter(({ operator }) => operator.startsWith("<")).at(-1)?.document;
    const odd = rest.find(({ text }) => !/^(?:-n|--noflush|-w|--wait|-v|--verbose|-c|--counters|--wait=\d+)$/.test(text));
    if (family === undefined || !document || odd) {
      const help = "give that file instead of the script";
      this.refuse(program.place, `"${printable(program.text)}" takes its rules from elsewhere`, help, "shell-command");
      return;
    }
    const text = expandToValue(document.parts, this);
    if (!text.known) {
      this.refuseUnknown(text.why);
      return;
    }
    const keeps = rest.some((word) => word.text === "-n" || word.text === "--noflush");
    this.firewall.restore(family, text.text, document.line, keeps);
    this.status = "success";
  }

  private argumentsOf(program: KnownField, rest: readonly KnownField[]): Arguments {
    const { line, start } = this.lines.at(program.place.offset);
    const wordOf = ({ text, quoted, place }: KnownField): Arguments["words"][number] => ({
      text,
      quoted,
      column: place.offset - start + 1,
      length: place.length,
    });
    const last = rest.at(-1) ?? program;
    return {
      words: rest.map(wordOf),
      program: wordOf(program),
      line,
      endLine: this.lines.at(last.place.offset + last.place.length - 1).line,
      text: this.textOf(rest),
      isHandled: this.handled > 0,
      stopsAtFailure: this.errexit,
    };
  }

  /** As written, on one line; where values of variables stand in it, with these. */
  private textOf(words: readonly KnownField[]): string {
    const [first, last] = [words[0], words.at(-1)];
    if (!first || !last) return "";
    if (!words.every(({ isWritten }) => isWritten) || last.place.offset < first.place.offset) {
      return words.map(({ text }) => (/^[\w+,./:=@!%-]+$/.test(text) ? text : `"${text.replace(/["\\]/g, "\\$&")}"`)).join(" ");
    }
    return this.source.text
      .slice(first.place.offset, last.place.offset + last.place.length)
      .split(/\\\r?\n/)
      .map((piece, index, { length }) => withoutBlanks(piece, index > 0, index < length - 1))
      .join(" ")
      .replace(/\n/g, " ");
  }

  // ------------------------------------------------------------------------------------------------------- harmless

  private end(way: "exit" | "return" | "break" | "continue", place: Place): Way {
    return this.isDoubtful(place, way === "exit" ? "the script ends here" : `it goes on behind "${way}"`) ? "next" : way;
  }

  private runHarmless(program: KnownField, rest: readonly KnownField[], unknown: Reason | undefined, place: Place): Way {
    const name = program.text.slice(program.text.lastIndexOf("/") + 1);
    switch (name) {
      case "exit":
        return this.end("exit", place);
      case "return":
        return this.end(this.calls > 0 ? "return" : "exit", place);
      case "break":
      case "continue":
        if (this.loops === 0) return "next";
        if (rest.length > 0) {
          this.refuse(place, `which loop "${name}" is for is not followed here`);
          return "next";
        }
        return this.end(name, place);
      case "set":
        this.runSet(rest, unknown, place);
        return "next";
      case "shift":
        if (this.parameters && rest.length === 0 && this.doubts.length === 0) this.parameters = this.parameters.slice(1);
        else this.parameters = undefined;
        this.status = "unknown";
        return "next";
      case "export":
      case "readonly":
      case "local":
      case "declare":
      case "typeset":
        this.runDeclaration(name, rest, unknown, place);
        return "next";
      case "unset":
        for (const { text } of rest) {
          if (this.functions.has(text)) this.define(text, undefined);
          if (/^[A-Za-z_]\w*$/.test(text)) this.assign(text, knownText(""));
        }
        this.status = "success";
        return "next";
      case "read":
      case "getopts":
      case "let":
      case "mapfile":
      case "readarray":
        for (const text of [...rest.map((word) => word.text), "REPLY", "OPTARG", "MAPFILE"]) {
          for (const [variable] of text.matchAll(/[A-Za-z_]\w*/g)) this.forget(variable, place);
        }
        this.status = "unknown";
        return "next";
      case "test":
      case "[":
        this.status = unknown
          ? "unknown"
          : evaluateTest(
              rest.map(({ text }) => text),
              name === "[",
            );
        return "next";
      default:
    }
    const variable = name === "printf" && rest[0]?.text === "-v" ? rest[1]?.text : undefined;
    if (variable !== undefined) this.forget(variable, place);
    if (name === "cd") this.isElsewhere ||= unknown !== undefined || !/^\/(?!proc|dev)/.test(rest[0]?.text ?? "");
    const words = rest.map(({ text }) => text);
    const mayBeList = writtenBy(name, words).some((index) => {
      const { text, isBeginning } = rest[index]!;
      return !isOrdinary(name === "dd" ? text.slice("of=".length) : text, !isBeginning, this.isElsewhere);
    });
    const harm: Harm | undefined = harmFrom(name, words, unknown !== undefined, mayBeList);
    if (harm) {
      this.refuse(program.place, harm.message, advice, "shell-command");
      return "next";
    }
    const found = findProgram(program.text);
    if (found.kind === "harmless" && !found.quiet)
      this.report("shell-command-skipped", program.place, `"${printable(program.text)}" makes no rules and is passed over`);
    this.status = statusOfHarmless(name);
    return "next";
  }

  private runSet(rest: readonly KnownField[], unknown: Reason | undefined, place: Place): void {
    this.status = "success";
    let index = 0;
    for (; index < rest.length; index++) {
      const { text } = rest[index]!;
      if (/^-[a-z]*o$/.test(text) || /^\+[a-z]*o$/.test(text)) {
        if (rest[index + 1]?.text === "errexit") this.setErrexit(text.startsWith("-"));
        if (/^(?:noexec|noglob)$/.test(rest[index + 1]?.text ?? ""))
          this.refuse(place, "what the shell makes of the rest is not followed here");
        index += 1;
      } else if (!/^[-+][a-zA-Z]+$/.test(text)) break;
      if (/^[-+][a-z]*[nf]/.test(text)) this.refuse(place, "what the shell makes of the rest is not followed here");
      if (/^[-+][a-z]*e/.test(text)) this.setErrexit(text.startsWith("-"));
    }
    if (index >= rest.length) return;
    // The rest are the parameters of the script or function.
    const values = rest.slice(rest[index]!.text === "--" ? index + 1 : index).map(({ text }) => knownText(text));
    this.parameters = unknown || this.doubts.length > 0 ? undefined : values;
  }

  private setErrexit(on: boolean): void {
    this.errexit = this.doubts.length > 0 || on;
  }

  private runDeclaration(command: string, rest: readonly KnownField[], unknown: Reason | undefined, place: Place): void {
    const frame = this.locals.at(-1);
    if (command === "local" && !frame) {
      this.refuse(place, '"local" outside of a function, which shells do not agree on');
      return;
    }
    const meaning = rest.find(({ text }) => /^[-+]\w*[niluAct]/.test(text));
    if (meaning) {
      this.refuse(meaning.place, `what "${command} ${printable(meaning.text)}" makes of a value is not followed here`);
      return;
    }
    const isLocal = frame && /^(?:local|declare|typeset)$/.test(command) && !rest.some(({ text }) => /^-\w*g/.test(text));
    for (const { text, place: at } of rest) {
      const [, name, value] = /^([A-Za-z_]\w*)(?:=(.*))?$/s.exec(text) ?? [];
      if (name === undefined) continue;
      if (isLocal && !frame.has(name)) frame.set(name, this.variables.get(name));
      // Without quotes, shells do not agree on whether a value with blanks is one word here.
      const isSplit = rest.filter((other) => other.place === at).length > 1;
      if (value === undefined) {
        if (isLocal) this.assign(name, knownText(""));
      } else if (unknown || isSplit) this.forget(name, place);
      else this.assign(name, knownText(value));
    }
    this.status = "success";
  }

  // --------------------------------------------------------------------------------------------------- redirections

  /** Whether nothing is written where it would change the firewall. */
  private checkRedirections(redirections: readonly Redirection[]): boolean {
    let isFine = true;
    for (const { operator, target, document, place } of redirections) {
      if (document) {
        expandToValue(document.parts, this);
        continue;
      }
      const value = expandToValue(target.parts, this);
      if (!operator.includes(">") || (operator === ">&" && value.known && /^[0-9-]+$/.test(value.text))) continue;
      const path = value.known ? value.text : value.prefix;
      if (/xt_recent|ipt_recent/.test(path)) {
        this.refuse(place, `what is written to "${printable(path)}" changes a list of recent`, advice, "shell-command");
        isFine = false;
      } else if (!isOrdinary(path, value.known, this.isElsewhere)) {
        this.refuse(place, "where this is written is known to a shell only, and a list of recent is a file, too");
        isFine = false;
      }
    }
    return isFine;
  }
}

/** Whether each option of an iptables command is one of a listing: a word such as `-L` may also be the text of a comment. */
function onlyAsks(words: readonly string[]): boolean {
  const options = words.filter((word) => word.startsWith("-"));
  const listing = /^(?:-[LSVhnvxw]+|-t\w*|-W|--(?:list|list-rules|version|help|numeric|verbose|exact|line-numbers|table|wait)(?:=\w+)?)$/;
  const command = /^(?:-[nvxw]*[LSVh]\w*|--(?:list|list-rules|version|help))$/;
  return options.some((word) => command.test(word)) && options.every((word) => listing.test(word));
}

/** Whether a file is none of those by which the kernel's lists are written. */
function isOrdinary(path: string, isKnown: boolean, isElsewhere: boolean): boolean {
  if (/\/\.\.?(?:\/|$)/.test(path)) return false;
  if (/^\/(?:proc\/sys|sys|var|tmp|etc|dev|run|root|home|opt|usr|mnt|srv|lib|boot|media)\//.test(path)) return true;
  if (/^\/proc(?:\/|$)/.test(path)) return isKnown && !/\/net\//.test(path);
  return isKnown && (path.startsWith("/") || !isElsewhere);
}

const quietSurroundings: Surroundings = {
  variable: () => undefined,
  parameters: undefined,
  assign: () => undefined,
  reckon: () => undefined,
  spend: () => undefined,
  perhaps: (_, expand) => expand(),
  substitute: () => undefined,
  splitsAtBlanks: true,
};

function put<Item>(map: Map<string, Item>, name: string, item: { readonly value: Item } | undefined): void {
  if (item) map.set(name, item.value);
  else map.delete(name);
}

function nothingKnown(message: string, place: Place): Value {
  return { known: false, prefix: "", why: { message, place } };
}

function placeOf({ commands }: Pipeline): Place {
  return commands[0]!.place;
}

function hasSubstitution({ value }: Assignment): boolean {
  const words = "elements" in value ? value.elements : [value];
  return words.some(({ parts }) => parts.some(({ kind }) => kind === "substitution"));
}

/** Without blanks at its start, its end or both. A regular expression for those at the end tries each blank of the text as the first. */
function withoutBlanks(text: string, atStart: boolean, atEnd: boolean): string {
  const isBlank = (index: number): boolean => text[index] === " " || text[index] === "\t";
  let [start, end] = [0, text.length];
  if (atStart) while (start < end && isBlank(start)) start++;
  if (atEnd) while (end > start && isBlank(end - 1)) end--;
  return text.slice(start, end);
}
