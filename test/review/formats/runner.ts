/** How GitHub's runner reads the lines a step prints (actions/runner, ActionCommand.cs). */

export interface WorkflowCommand {
  readonly name: string;
  readonly properties: Readonly<Record<string, string>>;
  readonly data: string;
}

/** The command a line is, or undefined for a line of the log. */
export function readCommand(line: string): WorkflowCommand | undefined {
  const found = /^\s*::([^\s:]+)(?: ([^:]*(?::(?!:)[^:]*)*))?::(.*)$/s.exec(line);
  if (!found) {
    const old = line.indexOf("##[");
    return old < 0 ? undefined : { name: "old form", properties: {}, data: line.slice(old) };
  }
  const properties = Object.fromEntries(
    (found[2] ?? "")
      .split(",")
      .filter((part) => part.includes("="))
      .map((part) => [part.slice(0, part.indexOf("=")), unescape(part.slice(part.indexOf("=") + 1), { "%3A": ":", "%2C": "," })]),
  );
  return { name: found[1]!, properties, data: unescape(found[3]!, {}) };
}

function unescape(text: string, further: Readonly<Record<string, string>>): string {
  const escapes: Readonly<Record<string, string>> = { "%0D": "\r", "%0A": "\n", "%25": "%", ...further };
  return text.replace(/%[0-9A-F]{2}/g, (escaped) => escapes[escaped] ?? escaped);
}
