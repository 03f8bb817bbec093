/** Commands that make no rules, unless they are asked to run others or to start what makes rules. */

import { printable } from "../diagnostic.js";
import type { Status } from "./script-firewall.js";

export interface Harm {
  /** Lower case, no full stop. */
  readonly message: string;
}

/** Commands of services that neither start nor stop anything. */
const quietServiceWords = /^(?:status|is-active|is-enabled|is-failed|enable|disable|daemon-reload|show|cat|list-[\w-]+|mask|unmask|save)$/;
const services: ReadonlySet<string> = new Set([
  "systemctl",
  "service",
  "rc-service",
  "invoke-rc.d",
  "netfilter-persistent",
  "rc-update",
  "chkconfig",
]);

/**
 * Those of a command's words that name what it writes, as places in the list; of a word of which only the beginning is known, what it
 * may be is asked elsewhere.
 */
export function writtenBy(name: string, words: readonly string[]): number[] {
  const all = [...words.keys()];
  switch (name) {
    case "tee":
    // What is linked may be a list as well, and written by its other name.
    // falls through
    case "ln":
      return all.filter((index) => !words[index]!.startsWith("-"));
    case "dd":
      return all.filter((index) => words[index] === "" || words[index]!.startsWith("of="));
    case "cp":
    case "mv":
    case "install": {
      const isFolderOption = (word: string | undefined): boolean => word !== undefined && /^(?:-\w*t$|--target)/.test(word);
      return all.filter((index) => index === words.length - 1 || isFolderOption(words[index]) || isFolderOption(words[index - 1]));
    }
    default:
      return [];
  }
}

/** Modules that hold rules, or without which they are gone. */
const ruleModules = /^(?:ip6?_?tables?|ip6?table_\w+|x_tables|xt_\w+|ipt_\w+|ip6t_\w+|nf_\w+|ip_set\w*|nft_\w+|arp\w+|eb\w+)$/;

/**
 * What a command of this name does to the firewall with these words, or may do; undefined: nothing.
 * @param words where only the beginning of one is known, that
 * @param someUnknown not all of the words are known
 * @param mayBeList one of the files could be by which a list of recent is written
 */
export function harmFrom(name: string, words: readonly string[], someUnknown: boolean, mayBeList: boolean): Harm | undefined {
  const runs = (what: string): Harm => ({ message: `"${printable(name)}" ${what}` });
  if (words.some((word) => /xt_recent|ipt_recent/.test(word)) && !readers.has(name)) return runs("may write to a list of recent");
  switch (name) {
    case "ip":
      if (words.some((word) => /^(?:netns|vrf|-n|-netns|-b|-batch|-B)$/.test(word)))
        return runs("runs commands in another namespace, or from a file");
      return undefined;
    case "modprobe":
    case "rmmod": {
      const takesAway = name === "rmmod" || words.some((word) => /^-\w*r|^--remove/.test(word));
      return takesAway && (someUnknown || words.some((word) => ruleModules.test(word.replaceAll("-", "_"))))
        ? runs("takes away modules that hold rules")
        : undefined;
    }
    case "awk":
    case "gawk":
    case "mawk":
      return words.some((word) => /system|\||getline/.test(word)) ? runs("may run commands") : undefined;
    case "sed":
      return words.some((word) => /(?:^|[;{}\s\d/$!])e(?:\s|$|[a-z])|\/\w*e\w*$/.test(word) && !/^-/.test(word) && /[/;]|^\d*e/.test(word))
        ? runs("may run commands")
        : undefined;
    case "find":
      return words.some((word) => /^-(?:exec|execdir|ok|okdir)$/.test(word)) ? runs("may run commands") : undefined;
    case "trap":
      return words[0] === undefined || words[0] === "-" || words[0] === "" || words[0] === "-l" || words[0] === "-p"
        ? undefined
        : runs("runs commands later");
    case "tee":
    case "cp":
    case "mv":
    case "dd":
    case "ln":
    case "install":
      return mayBeList ? runs("writes to a file that only a shell knows, which a list of recent could be") : undefined;
    case "shopt":
      return words.includes("expand_aliases") ? runs("changes what commands mean") : undefined;
    default:
  }
  if (services.has(name)) {
    const verb = words.find((word) => !word.startsWith("-") && (quietServiceWords.test(word) || isLoud(word)));
    const isQuiet = verb !== undefined && quietServiceWords.test(verb) && !words.includes("--now") && !someUnknown && !words.some(isLoud);
    if (!isQuiet && name !== "rc-update" && name !== "chkconfig") return runs("may start or stop what makes rules");
  }
  return undefined;
}

function isLoud(word: string): boolean {
  return /^(?:start|stop|restart|reload|try-restart|reload-or-restart|condrestart|force-reload|flush|isolate|kill|reboot|poweroff)$/.test(
    word,
  );
}

/** Programs that only read files. */
const readers: ReadonlySet<string> = new Set([
  "cat",
  "grep",
  "egrep",
  "fgrep",
  "awk",
  "sed",
  "head",
  "tail",
  "wc",
  "ls",
  "cut",
  "sort",
  "test",
  "[",
  "echo",
  "printf",
  "logger",
]);

/** What is known of the end of such a command without running it. */
export function statusOfHarmless(name: string): Status {
  if (name === "true" || name === ":" || name === "echo" || name === "printf" || name === "trap") return "success";
  return name === "false" ? "failure" : "unknown";
}
