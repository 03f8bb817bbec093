/** What the build makes of the tables of commands. */

export { completionScripts } from "../commands/completion/scripts.js";
export { manualPages } from "./manual-pages.js";
