/** The scripts of all shells. */

import { describedCommands } from "../../described-commands.js";
import { bashCompletion } from "./bash.js";
import { fishCompletion } from "./fish.js";
import type { Shell } from "./options.js";
import { zshCompletion } from "./zsh.js";

const scripts = { bash: bashCompletion, zsh: zshCompletion, fish: fishCompletion };

/** What a shell reads. */
export function completionScript(shell: Shell): string {
  return scripts[shell](describedCommands());
}

/** The scripts by the names that their shells look for. */
export function completionScripts(): ReadonlyMap<string, string> {
  return new Map([
    ["ipt2nft-recent", completionScript("bash")],
    ["_ipt2nft-recent", completionScript("zsh")],
    ["ipt2nft-recent.fish", completionScript("fish")],
  ]);
}
