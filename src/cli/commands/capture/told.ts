/** What is said about a captured script: what was held, what is missing in the firewall, and what of it is there. */

import type { JsonMessage } from "../../../report/json.js";
import { otherFirewalls } from "./programs.js";

/** What became of a command that a stand-in has written down. */
type Fate = "refused" | "held" | "failing";

export interface LoggedCommand {
  readonly fate: Fate;
  /** The program and its words, as one line. */
  readonly text: string;
}

/** Lines of one group that are shown. */
const mostShown = 20;

const fates: readonly string[] = ["refused", "held", "failing"] satisfies readonly Fate[];

export function readLog(log: string): LoggedCommand[] {
  return log.split("\n").flatMap((line) => {
    const [fate = "", text] = line.split(/\t(.*)/s);
    return text !== undefined && fates.includes(fate) ? [{ fate: fate as Fate, text }] : [];
  });
}

/** What makes a rule, a chain, a policy or an element; iptables may refuse others without the firewall being less for it. */
const makes = {
  iptables: /^(?:-[AIRPNE]|--(?:app|ins|rep|pol|new|ren))/,
  ipset: /^(?:create|n|new|add|a|restore|swap|w|rename|e|-[NARWE]|--(?:create|add|restore|swap|rename))$/,
};
const asksOtherFirewall = /^(?:list|monitor|-L|--list.*|--state|--query.*|--get.*|-v|-V|--version|-h|--help)$/;

/** Whether something that the script wanted in its firewall is not there. */
export function isLost({ fate, text }: LoggedCommand): boolean {
  const [program = "", ...words] = text.split(" ");
  if (fate === "held") return otherFirewalls.includes(program) && !words.some((word) => asksOtherFirewall.test(word));
  if (fate !== "refused") return false;
  if (program === "ipset") return words.some((word) => makes.ipset.test(word));
  return program.endsWith("-restore") || words.some((word) => makes.iptables.test(word));
}

/** Equal lines once, with how often they came; no more than are read. */
function counted(lines: readonly string[]): string {
  const counts = new Map<string, number>();
  for (const line of lines) counts.set(line, (counts.get(line) ?? 0) + 1);
  const shown = [...counts].slice(0, mostShown).map(([line, count]) => `\n  ${line}${count > 1 ? ` (${count} times)` : ""}`);
  const more = counts.size - shown.length;
  return shown.join("") + (more > 0 ? `\n  and ${more} more` : "");
}

/** The programs that a shell did not find, by what dash, bash and busybox print in the language of C. */
export function missingPrograms(printed: string): string[] {
  const found = printed.split("\n").flatMap((line) => {
    const name =
      /: (?:line )?[0-9]+: (\S+): (?:command )?not found$/.exec(line)?.[1] ??
      /^(?:\S+: )?line [0-9]+: (\S+): not found$/.exec(line)?.[1] ??
      /: line [0-9]+: (\/\S*\/s?bin\/\S+): No such file or directory$/.exec(line)?.[1];
    return name === undefined ? [] : [name];
  });
  return [...new Set(found)];
}

export interface Told {
  readonly logged: readonly LoggedCommand[];
  /** What the script printed. */
  readonly printed: string;
  /** Paths. */
  readonly written: readonly string[];
}

/** The messages, what is lost first. */
export function tellOf({ logged, printed, written }: Told): JsonMessage[] {
  const messages: JsonMessage[] = [];
  const say = (severity: "warning" | "note", lines: readonly string[], message: (count: string) => string): void => {
    if (lines.length > 0) messages.push({ severity, message: message(String(lines.length)) + counted(lines) });
  };
  const commands = (count: string): string => (count === "1" ? "1 command" : `${count} commands`);
  const lost = logged.filter(isLost);
  say(
    "warning",
    lost.filter(({ fate }) => fate === "refused").map(({ text }) => text),
    (count) => `${commands(count)} that iptables or ipset refused, so that the firewall is without them:`,
  );
  say(
    "warning",
    lost.filter(({ fate }) => fate === "held").map(({ text }) => text),
    (count) => `${commands(count)} for another firewall, whose rules are not in what is printed:`,
  );
  say(
    "warning",
    missingPrograms(printed),
    (count) => `${count === "1" ? "1 program" : `${count} programs`} that the script asked for and that this machine lacks:`,
  );
  say(
    "warning",
    logged.filter(({ fate }) => fate === "failing").map(({ text }) => text),
    (count) => `${commands(count)} that failed for want of a network:`,
  );
  say(
    "note",
    logged.filter((one) => one.fate === "held" && !isLost(one)).map(({ text }) => text),
    (count) => `${commands(count)} held, without an effect on this machine:`,
  );
  say("note", written, (count) => `${count === "1" ? "1 file" : `${count} files`} written, as private copies that are gone now:`);
  return messages;
}
