/**
 * Whether to colour what goes to standard error. What the command line says wins (as no-color.org asks); otherwise never
 * with NO_COLOR, else as FORCE_COLOR says, else on a terminal that is not dumb.
 */
export function wantsColor(
  choice: boolean | undefined,
  environment: Readonly<Record<string, string | undefined>>,
  terminal: boolean,
): boolean {
  if (choice !== undefined) return choice;
  if (environment["NO_COLOR"]) return false;
  const force = environment["FORCE_COLOR"];
  if (force !== undefined) return force !== "0" && force !== "false";
  return terminal && environment["TERM"] !== "dumb";
}
