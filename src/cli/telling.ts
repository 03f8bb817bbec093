/** What is told on standard error. */

import type { Diagnostic } from "../diagnostic.js";
import { Failure, InvalidInput } from "../failure.js";
import type { JsonMessage } from "../report/json.js";
import { renderInvalidSummary, renderText, type SourceText } from "../report/text.js";
import { visibleLines, withoutCommands } from "../report/visible.js";
import { wantsColor } from "./color.js";
import { Interrupted } from "./interruption.js";
import type { ExitStatus, Surroundings } from "./surroundings.js";

/** What went wrong, for the user. */
export function reasonOf(error: unknown): string {
  if (error instanceof Failure) return error.message;
  return `internal error, please report it with the input: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`;
}

/** Ends a run that threw. */
export async function tellError(error: unknown, color: boolean | undefined, surroundings: Surroundings): Promise<ExitStatus> {
  if (error instanceof Interrupted) {
    await fail(error.message, surroundings);
    return error.status;
  }
  if (!(error instanceof InvalidInput) || error.diagnostics.length === 0) return fail(reasonOf(error), surroundings);
  const { diagnostics, sources } = error;
  await tell((await diagnosticsText(diagnostics, sources, color, surroundings)) + renderInvalidSummary(diagnostics), surroundings);
  return 2;
}

/** Ends a run for a reason that is no fault of the ruleset. */
export async function fail(text: string, surroundings: Surroundings): Promise<ExitStatus> {
  await tell(messageText({ severity: "error", message: text.trimEnd() }), surroundings);
  return 2;
}

/** Nobody can be told that standard error does not work. */
export async function tell(text: string, surroundings: Surroundings): Promise<void> {
  await surroundings.writeError(withoutCommands(text)).catch(() => undefined);
}

/** What concerns no place in the input, as lines that begin with the command's name. */
export function messageText({ severity, message }: JsonMessage): string {
  return withoutCommands(`ipt2nft-recent: ${severity}: ${visibleLines(message)}\n`);
}

/** The diagnostics as standard error shows them. */
export async function diagnosticsText(
  diagnostics: readonly Diagnostic[],
  sources: readonly SourceText[],
  color: boolean | undefined,
  surroundings: Surroundings,
): Promise<string> {
  const width = await surroundings.errorWidth();
  return renderText(diagnostics, sources, {
    color: wantsColor(color, surroundings.environment, await surroundings.errorIsTerminal()),
    ...(width !== undefined && { width }),
  });
}
