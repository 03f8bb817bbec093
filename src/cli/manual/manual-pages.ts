/** The manual: a page in the language of man(7) for each command, from the same tables as `--help`. */

import { describedCommands, type DescribedCommand, type DescribedOption } from "../described-commands.js";

export interface PageDetails {
  /** Of the program. */
  readonly version: string;
  /** Such as 2026-01-31; empty where it is not known. */
  readonly date: string;
}

/** The pages by the names of their files, such as `ipt2nft-recent-review.1`. */
export function manualPages(details: PageDetails): ReadonlyMap<string, string> {
  const root = describedCommands();
  const names = [root, ...root.children].map(pageName);
  return new Map([root, ...root.children].map((command) => [`${pageName(command)}.1`, page(command, names, details)]));
}

const pageName = ({ path }: DescribedCommand): string => ["ipt2nft-recent", ...path].join("-");

function page(command: DescribedCommand, names: readonly string[], { version, date }: PageDetails): string {
  const name = pageName(command);
  const summary = command.path.length === 0 ? "move an iptables firewall to nftables, -m recent included" : command.summary;
  return [
    `.TH ${name.toUpperCase()} 1 "${date}" "ipt2nft-recent ${version}" "User Commands"`,
    // Names of commands and options stay in one piece.
    ".nh",
    ".SH NAME",
    `${text(name)} \\- ${text(summary)}`,
    ".SH SYNOPSIS",
    ...synopses(command),
    ".SH DESCRIPTION",
    text(command.description),
    ...argumentsOf(command),
    ...optionsOf(command),
    // The root's details list its commands; so do those of a command its actions.
    ...command.children.flatMap((child) => (command.path.length === 0 ? [] : action(child, command))),
    ...detailsOf(command.details),
    ".SH SEE ALSO",
    seeAlso(names.filter((other) => other !== name)),
    "",
  ]
    .filter((line, index, all) => line !== ".PP" || !/^\.S[HS] /.test(all[index - 1]!))
    .join("\n");
}

function synopses(command: DescribedCommand): string[] {
  const own = [command, ...(command.path.length > 0 ? command.children : [])];
  const lines = own.map(({ path, usage }) => `.B ${text(["ipt2nft-recent", ...path].join(" "))}\n${text(usage)}`);
  return lines.flatMap((line, index) => (index === 0 ? [line] : [".br", line]));
}

function action(command: DescribedCommand, parent: DescribedCommand): string[] {
  const name = command.path.at(-1)!;
  return [
    `.SH ${text(name.toUpperCase())}`,
    text(command.description),
    ...argumentsOf(command),
    ...ownOptions(command, parent),
    // What all actions of a command say alike stands once on the page.
    ...blocksOf(command.details)
      .filter((block) => !blocksOf(parent.details).includes(block))
      .flatMap(paragraphs),
  ];
}

function ownOptions({ groups }: DescribedCommand, parent: DescribedCommand): string[] {
  const keyOf = ({ names, description }: DescribedOption): string => `${names.join()} ${description}`;
  const known = new Set(parent.groups.flatMap(({ options }) => options.map(keyOf)));
  const all = groups.flatMap(({ options }) => options);
  const shared = all.filter((one) => known.has(keyOf(one))).map(({ names }) => `\\fB${text(names.at(-1)!)}\\fR`);
  return [...all.filter((one) => !known.has(keyOf(one))).flatMap(option), ".PP", `Options as above: ${shared.join(", ")}.`];
}

const blocksOf = (details: string): string[] => details.split(/\n{2,}/).filter((block) => block !== "");

function argumentsOf({ arguments: all }: DescribedCommand): string[] {
  return all
    .filter(({ description }) => description !== "")
    .flatMap(({ name, variadic, description }) => [".TP", `.I ${text(variadic ? `${name}...` : name)}`, text(description)]);
}

function optionsOf({ groups }: DescribedCommand): string[] {
  return groups.flatMap(({ heading = "Options", options }) => [`.SH ${text(heading.toUpperCase())}`, ...options.flatMap(option)]);
}

function option({ names, description, value }: DescribedOption): string[] {
  const shown = names.map((name) => `\\fB${text(name)}\\fR`).join(", ");
  return [".TP", value === undefined ? shown : `${shown} \\fI${text(value.name)}\\fR`, text(description)];
}

/** A part of the help with a heading is a section of the page. */
function detailsOf(details: string): string[] {
  const lines: string[] = [];
  const loose: string[] = [];
  for (const block of blocksOf(details)) {
    const [, heading, rest] = /^(\p{Lu}[^\n:]*?)(?: \([^\n]*\))?:\n((?: +[^\n]*(?:\n|$))+)$/u.exec(block) ?? [];
    // Each action has a section.
    if (heading === "Actions") continue;
    if (heading === undefined) loose.push(...paragraphs(block));
    else lines.push(`.SH ${text(heading.toUpperCase())}`, ...(heading === "Exit status" ? statuses(rest!) : indented(rest!)));
  }
  return loose.length === 0 ? lines : [".SH NOTES", ...loose, ...lines];
}

/** Lines without an indent run on; the others stand as they are. */
function paragraphs(block: string): string[] {
  const parts: string[] = [];
  for (const line of block.split("\n")) {
    const goesOn = parts.length > 0 && line.startsWith(" ") === parts.at(-1)!.startsWith(" ");
    if (goesOn) parts.push(`${parts.pop()}\n${line}`);
    else parts.push(line);
  }
  return parts.flatMap((part) => (part.startsWith(" ") ? indented(part) : [".PP", text(part)]));
}

function indented(lines: string): string[] {
  return [
    ".PP",
    ".nf",
    ".RS 2",
    ...lines
      .trimEnd()
      .split("\n")
      .map((line) => text(line.replace(/^ {1,2}/, ""))),
    ".RE",
    ".fi",
  ];
}

function statuses(lines: string): string[] {
  const joined = lines.trimEnd().replaceAll(/\n {4,}/g, " ");
  return joined.split("\n").flatMap((line) => {
    const [status = "", ...meaning] = line.trim().split(" ");
    return [".TP", `.B ${text(status)}`, text(meaning.join(" ").trim())];
  });
}

function seeAlso(names: readonly string[]): string {
  const others = [...names.map((name) => [name, "1"] as const), ["nft", "8"] as const, ["iptables-save", "8"] as const];
  return others.map(([name, section], index) => `.BR ${text(name)} (${section})${index === others.length - 1 ? "" : " ,"}`).join("\n");
}

/** Text as roff reads it back: without escapes, requests, or hyphens that are no minus. */
function text(plain: string): string {
  const escaped = plain
    .replaceAll("\\", "\\e")
    .replaceAll("-", "\\-")
    .replaceAll(/[^\n -~]/gu, (sign) => `\\[u${sign.codePointAt(0)!.toString(16).toUpperCase().padStart(4, "0")}]`);
  return escaped.replaceAll(/^(?=[.'])/gm, "\\&");
}
