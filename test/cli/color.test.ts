import { expect, it } from "vitest";
import { wantsColor } from "../../src/cli/color.js";

it.each([
  ["on a terminal", undefined, {}, true, true],
  ["not elsewhere", undefined, {}, false, false],
  ["not on a dumb terminal", undefined, { TERM: "dumb" }, true, false],
  ["not with NO_COLOR", undefined, { NO_COLOR: "1" }, true, false],
  ["as before with an empty NO_COLOR", undefined, { NO_COLOR: "" }, true, true],
  ["elsewhere with FORCE_COLOR", undefined, { FORCE_COLOR: "1" }, false, true],
  ["not with FORCE_COLOR=0", undefined, { FORCE_COLOR: "0" }, true, false],
  ["not with NO_COLOR, even if FORCE_COLOR is there", undefined, { NO_COLOR: "1", FORCE_COLOR: "1" }, true, false],
  ["as --color says", true, { NO_COLOR: "1" }, false, true],
  ["as --no-color says", false, { FORCE_COLOR: "1" }, true, false],
] as const)("colours %s", (_name, choice, environment, terminal, expected) => {
  expect(wantsColor(choice, environment, terminal)).toBe(expected);
});
