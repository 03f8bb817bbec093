/** The translation alone, as one script. */

import { translateCommand } from "./commands/translate/translate.js";
import { perform } from "./perform.js";
import { thisProcess } from "./this-process.js";

void perform(translateCommand, process.argv.slice(2), thisProcess).then((status) => {
  process.exitCode = status;
});
