/** One command, from its words to the exit status. */

import type { CommandDefinition, SharedSettings } from "./command.js";
import type { ExitStatus, Surroundings } from "./surroundings.js";
import { fail, tellError } from "./telling.js";

/** The one place where errors of all commands end; everything is written when the promise is kept, and it is never broken. */
export async function perform<Settings extends SharedSettings>(
  command: CommandDefinition<Settings>,
  words: readonly string[],
  surroundings: Surroundings,
): Promise<ExitStatus> {
  let color: boolean | undefined;
  try {
    const parsed = command.parse(words);
    if ("text" in parsed) {
      if (parsed.error) return await fail(parsed.text, surroundings);
      await surroundings.writeOutput(parsed.text);
      return 0;
    }
    ({ color } = parsed.settings);
    return await command.run(parsed.settings, surroundings);
  } catch (error) {
    return tellError(error, color, surroundings);
  }
}
