/** What the programs of a script mean for its rules. */

import type { Family } from "../iptables/ast.js";

export type Program =
  | { readonly kind: "iptables"; readonly family: Family }
  | { readonly kind: "ipset" }
  /** Reads rules from elsewhere. */
  | { readonly kind: "restore" }
  /** Makes no rules; `quiet` ones are nothing to be told of. */
  | { readonly kind: "harmless"; readonly quiet: boolean }
  | { readonly kind: "unknown" };

/** Words of the shell that begin something that is more than a plain command, and what that is. */
export const constructs: Readonly<Record<string, string>> = {
  if: "a condition",
  for: "a loop",
  while: "a loop",
  until: "a loop",
  case: "a condition",
  function: "a function",
  select: "a loop",
  "{": "a group of commands",
  "[[": "a condition",
};

/** Words that go on with such a thing; a command may follow them. */
export const continuations: ReadonlySet<string> = new Set(["then", "else", "elif", "do", "fi", "done", "esac", "}", "!", "time"]);

/** Programs that run the command given to them, with their options that take a word. */
export const wrappers: Readonly<Record<string, RegExp>> = {
  sudo: /^-[ugpCrthRTD]$/,
  doas: /^-[uC]$/,
  command: /^$/,
  exec: /^$/,
  env: /^-u$/,
  nice: /^-n$/,
  nohup: /^$/,
  busybox: /^$/,
};

const quiet: ReadonlySet<string> = new Set([
  "echo",
  "printf",
  "true",
  "false",
  ":",
  "set",
  "export",
  "readonly",
  "unset",
  "local",
  "shopt",
  "umask",
  "sleep",
  "cat",
  "test",
  "[",
  "date",
  "logger",
  "trap",
  "wait",
  "return",
  "cd",
  "exit",
  "log_daemon_msg",
  "log_end_msg",
  "clear",
]);
const harmless: ReadonlySet<string> = new Set([
  "modprobe",
  "insmod",
  "rmmod",
  "lsmod",
  "depmod",
  "sysctl",
  "ip",
  "ifconfig",
  "route",
  "tc",
  "systemctl",
  "service",
  "rc-service",
  "update-rc.d",
  "conntrack",
  "chmod",
  "chown",
  "mkdir",
  "touch",
  "cp",
  "mv",
  "rm",
  "tee",
  "grep",
  "awk",
  "sed",
  "id",
  "whoami",
  "which",
  "apt-get",
  "apt",
  "yum",
  "dnf",
  "invoke-rc.d",
  "netfilter-persistent",
  "iptables-save",
  "ip6tables-save",
  "iptables-legacy-save",
  "ip6tables-legacy-save",
  "iptables-nft-save",
  "ip6tables-nft-save",
  "hostname",
]);

/** The program of a name, which may have a path in front. */
export function findProgram(word: string): Program {
  const name = word.slice(word.lastIndexOf("/") + 1);
  if (/^iptables(?:-legacy|-nft)?$/.test(name)) return { kind: "iptables", family: "ipv4" };
  if (/^ip6tables(?:-legacy|-nft)?$/.test(name)) return { kind: "iptables", family: "ipv6" };
  if (name === "ipset") return { kind: "ipset" };
  if (/^(?:x|ip6?)tables(?:-legacy|-nft)?-(?:restore|apply|restore-translate)$/.test(name)) return { kind: "restore" };
  if (quiet.has(name)) return { kind: "harmless", quiet: true };
  if (harmless.has(name)) return { kind: "harmless", quiet: false };
  return { kind: "unknown" };
}

/** Whether a text is a script and no iptables-save text, by its first line that says anything. */
export function isScript(text: string): boolean {
  if (/^\ufeff?#!/.test(text)) return true;
  const line = firstLine(text);
  const [first = ""] = line.split(/[ \t;&|\r]/, 1);
  if (/^[A-Za-z_][A-Za-z0-9_]*=/.test(first) || /^["']?\$[A-Za-z_{]/.test(first)) return true;
  if (
    /^(?:if|for|while|case|function|export|set|sudo|doas|source|\.|echo|modprobe|sysctl)$/.test(first) ||
    /^[A-Za-z_][A-Za-z0-9_]*\(\)/.test(first)
  )
    return true;
  const { kind } = findProgram(first.replace(/^["']|["']$/g, ""));
  return kind === "iptables" || kind === "ipset" || kind === "restore";
}

/**
 * The first line that is neither empty nor a comment, without blanks in front. No regular expression: it would need a stack as deep as
 * the text.
 */
function firstLine(text: string): string {
  for (let start = text.startsWith("\ufeff") ? 1 : 0; start < text.length; ) {
    const newline = text.indexOf("\n", start);
    const end = newline < 0 ? text.length : newline;
    while (text[start] === " " || text[start] === "\t") start++;
    const isSaid = text[start] !== "#" && start < end && !(start === end - 1 && text[start] === "\r");
    if (isSaid || newline < 0) return text.slice(start, end);
    start = end + 1;
  }
  return "";
}
