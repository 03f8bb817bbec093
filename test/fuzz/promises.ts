/** What holds for every input whatsoever, and can be checked without a kernel. */

import { effectOf, type Span } from "../../src/diagnostic.js";
import type { NftChain, NftScript, NftTable, Statement } from "../../src/nft/ast.js";
import { translate, type Translation } from "../../src/translate.js";
import type { Dump } from "./hostile-dumps.js";

/** A sentence for each promise that is broken. */
export function brokenPromises({ sources, options }: Dump): { translation: Translation | undefined; broken: string[] } {
  let translation: Translation;
  try {
    translation = translate(sources, options);
  } catch (thrown) {
    return {
      translation: undefined,
      broken: [`translate throws ${thrown instanceof Error ? (thrown.stack ?? thrown.message) : String(thrown)}`],
    };
  }
  const { script, nft, diagnostics } = translation;
  const broken: string[] = [];
  const invalid = diagnostics.some(({ code }) => effectOf(code) === "invalid");
  if ((script === undefined) !== invalid) broken.push(`a script is ${invalid ? "given for invalid" : "missing for valid"} input`);
  const lineCounts = new Map([...sources, ...(options.ipsets ?? [])].map(({ file, text }) => [file, text.split("\n").length]));
  for (const { span, message, help } of diagnostics) {
    const lines = lineCounts.get(span.file);
    const inside = lines !== undefined && span.line >= 1 && span.line <= lines && span.column >= 1 && span.length >= 0;
    if (!inside) broken.push(`a diagnostic blames what is not there: ${JSON.stringify(span)} ${message}`);
    if (message === "" || /undefined|NaN|\[object/.test(`${message} ${help ?? ""}`.replace(/"[^]*"/, "")))
      broken.push(`a diagnostic says nothing: ${message}`);
  }
  if (script !== undefined && nft !== undefined) {
    broken.push(...brokenText(script, nft), ...nft.tables.flatMap(brokenTable), ...lostRules(translation));
  }
  return { translation, broken };
}

// ---------------------------------------------------------------------------------------------------- the script

/** Reads the script as nft's lexer does: comments to the end of the line, strings without escapes, everything else plain. */
function brokenText(script: string, nft: NftScript): string[] {
  const broken: string[] = [];
  const plain: string[] = [];
  for (const line of script.split("\n")) {
    const control = /[\0-\x08\x0b-\x1f\x7f\u0085\u2028\u2029]/.exec(line);
    if (control !== null) broken.push(`a control character in the script: ${JSON.stringify(line)}`);
    let rest = "";
    for (let at = 0; at < line.length; at++) {
      const character = line.charAt(at);
      if (character === "#") {
        if (line.slice(0, at).trim() !== "") broken.push(`a comment behind a statement: ${JSON.stringify(line)}`);
        break;
      }
      if (character === '"') {
        const close = line.indexOf('"', at + 1);
        if (close === -1) broken.push(`a string without an end: ${JSON.stringify(line)}`);
        at = close === -1 ? line.length : close;
        rest += '""';
      } else rest += character;
    }
    plain.push(rest);
    if (/[^ -~\t]|[$\\'`]/.test(rest)) broken.push(`text outside of quotes that is not nft: ${JSON.stringify(line)}`);
  }
  let depth = 0;
  const outside: string[] = [];
  for (const line of plain) {
    if (depth === 0 && line.trim() !== "") outside.push(line);
    depth += (line.match(/\{/g)?.length ?? 0) - (line.match(/\}/g)?.length ?? 0);
    if (depth < 0) broken.push(`a brace too many: ${JSON.stringify(line)}`);
  }
  if (depth !== 0) broken.push("braces do not match");
  const ours = [...nft.tables, ...(nft.replaced ?? [])].map(({ family, name }) => `${family} ${name}`);
  for (const line of outside) {
    const command =
      /^(?:(?:add |delete |flush )?table (\w+ \w+)(?: \{)?|(?:add|delete) chain (\w+ \w+) \w+(?: \{.*\})?|(?:add|flush) set (\w+ \w+) [\w.-]+(?: \{.*\}| \{)?|\})$/.exec(
        line,
      );
    const subject = command?.[1] ?? command?.[2] ?? command?.[3];
    if (command === null || (subject !== undefined && !ours.includes(subject)))
      broken.push(`a command that is not ours: ${JSON.stringify(line)}`);
  }
  return broken;
}

function brokenTable(table: NftTable): string[] {
  const broken: string[] = [];
  const names = [...table.chains, ...table.sets, ...table.helpers].map(({ name }) => name);
  const seen = new Set<string>();
  for (const name of names) {
    if (!/^[A-Za-z_][A-Za-z0-9_.-]{0,254}$/.test(name)) broken.push(`not a name: ${JSON.stringify(name)}`);
    if (!/[_.0-9]/.test(name) && name !== "connlimit") broken.push(`a name that may be a word of nft: ${name}`);
    if (seen.has(name)) broken.push(`a name given twice: ${name}`);
    seen.add(name);
  }
  const chains = new Set(table.chains.map(({ name }) => name));
  const sets = new Set(table.sets.map(({ name }) => name));
  const helpers = new Set(table.helpers.map(({ name }) => name));
  const walk = (node: unknown): void => {
    if (typeof node !== "object" || node === null) {
      if (typeof node === "number" && !(Number.isSafeInteger(node) && Math.abs(node) <= Number.MAX_SAFE_INTEGER))
        broken.push(`not a whole number: ${node}`);
      return;
    }
    if ("kind" in node) {
      const one = node as Statement | { kind: "set-reference"; set: string };
      if (one.kind === "jump" && !chains.has(one.chain)) broken.push(`a jump to a chain that is not there: ${one.chain}`);
      if ((one.kind === "set" || one.kind === "set-reference") && !sets.has(one.set)) broken.push(`a set that is not there: ${one.set}`);
      if (one.kind === "object" && one.type === "ct helper" && !helpers.has(one.object))
        broken.push(`an object that is not there: ${one.object}`);
      if (one.kind === "log" && one.prefix !== undefined && (/[$"]/.test(one.prefix) || byteLength(one.prefix) > 127))
        broken.push(`a log prefix that nft refuses: ${one.prefix}`);
    }
    for (const value of Array.isArray(node) ? node : Object.values(node)) walk(value);
  };
  for (const chain of table.chains) {
    for (const entry of chain.entries) {
      if (entry.kind !== "rule") continue;
      walk(entry.statements);
      if (entry.statements.length === 0) broken.push(`a rule without a statement in chain ${chain.name}`);
      if (entry.comment !== undefined && byteLength(entry.comment) > 128) broken.push(`a comment over 128 bytes in chain ${chain.name}`);
      const final = entry.statements.findIndex(
        (statement) => statement.kind === "verdict" || statement.kind === "jump" || statement.kind === "reject",
      );
      if (final !== -1 && final < entry.statements.length - 1) broken.push(`statements behind a verdict in chain ${chain.name}`);
    }
  }
  return broken;
}

const encoder = new TextEncoder();
const byteLength = (text: string): number => encoder.encode(text).length;

// ----------------------------------------------------------------------------------------------------- the rules

/**
 * Every rule that has a comment `tag N` is in the script with that comment, or a comment line tells that it never
 * matches, or a diagnostic that it is refused.
 */
function lostRules({ iptables, nft, diagnostics }: Translation): string[] {
  const comments = new Set((nft?.tables ?? []).flatMap(({ chains }) => chains.flatMap(commentsOf)));
  // A rule that asks an unknown ipset is written all the same.
  const refusals = diagnostics.filter(({ code }) => effectOf(code) === "refused" && code !== "ipset-missing").map(({ span }) => span);
  const rulesIn = new Map<string, number>();
  const place = ({ file, line }: Span): string => `${file}:${line}`;
  const stretch = ({ file, line, column, length }: Span): string => `${file}:${line}:${column}:${length}`;
  /** Those that a function or a loop of a script makes are all written in one place: how many are, and how many of them are told. */
  const alike = new Map<string, { rules: number; told: number }>();
  for (const { rules } of iptables.flatMap(({ tables }) => tables.flatMap(({ chains }) => chains)))
    for (const { span } of rules) rulesIn.set(place(span), (rulesIn.get(place(span)) ?? 0) + 1);
  // A line of a script may hold several rules: of those it is the one that the diagnostic stands in.
  const isRefused = (rule: Span): boolean =>
    refusals.some(
      (span) =>
        place(span) === place(rule) &&
        (rulesIn.get(place(rule)) === 1 || (span.column >= rule.column && span.column < rule.column + rule.length)),
    );
  const lines = new Set((nft?.tables ?? []).flatMap(({ chains }) => chains.flatMap(commentLines)));
  const neverMatching = [...lines].filter((line) => line.startsWith("can never match ("));
  const broken: string[] = [];
  for (const ruleset of iptables) {
    for (const table of ruleset.tables) {
      for (const { rules } of table.chains) {
        for (const { span, text } of rules) {
          const told = isRefused(span) ? lines.has(`    ${text}`) : undefined;
          if (told !== undefined) {
            const group = alike.get(stretch(span)) ?? { rules: 0, told: 0 };
            alike.set(stretch(span), { rules: group.rules + 1, told: group.told + (told ? 1 : 0) });
          }
          const tag = /--comment "(tag [0-9]+)"/.exec(text)?.[1];
          if (tag === undefined || told === true || comments.has(tag)) continue;
          // A rule that only stamps has no nft rule of its own to bear the comment.
          if (!lines.has(text) && !neverMatching.some((line) => line.endsWith(`): ${text}`)))
            broken.push(`the rule in line ${span.line} is lost: ${text}`);
        }
      }
    }
  }
  for (const [where, { told }] of alike) if (told === 0) broken.push(`the script does not tell of the refused rule at ${where}`);
  return broken;
}

/** Without the family that a line of an inet table begins with. */
function commentLines({ entries }: NftChain): string[] {
  return entries.flatMap((entry) => (entry.kind === "comment" ? entry.lines.map((line) => line.replace(/^v[46] /, "")) : []));
}

function commentsOf({ entries }: NftChain): string[] {
  return entries.flatMap((entry) => (entry.kind === "rule" && entry.comment !== undefined ? entry.comment.split("; ") : []));
}

/** The same dump with a comment on every rule that allows one, by which it is found again in the script. */
export function tagged({ sources, options }: Dump): Dump {
  let tag = 0;
  return {
    options,
    sources: sources.map((source) => ({
      ...source,
      text: source.text.replace(/^((?:\[\d+:\d+\] )?-A \S+)(?= |$)/gm, (start) => `${start} -m comment --comment "tag ${++tag}"`),
    })),
  };
}
