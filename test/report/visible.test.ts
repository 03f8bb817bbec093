import { expect, it } from "vitest";
import { visibleJson, withoutCommands } from "../../src/report/visible.js";
import { translate } from "../../src/translate.js";
import { execute } from "../cli/execute.js";
import { dump } from "../review/dumps.js";

/** Whether GitHub's runner takes a line for a command (ActionCommand.cs: `TrimStart`, then `::`; the older form anywhere). */
const isCommand = (line: string): boolean => line.trimStart().startsWith("::") || /##\[/.test(line);

it("shows no line that a workflow's runner obeys", () => {
  const text = "a :: b\n::add-mask::x\n  ::stop-commands::y\n\u00a0\t::set-env name=PATH::z\n::\n##[add-path]x\n- ##vso[task]\n";
  const shown = withoutCommands(text);
  expect(shown.split("\n").filter(isCommand)).toEqual([]);
  expect(shown).toContain("a :: b\n\\x3a:add-mask::x\n  \\x3a:stop");
  expect(shown).not.toContain("##vso[");
});

it("keeps JSON what it was", () => {
  const document = JSON.stringify({ text: "##[add-path]x \u202e\u009b ::" });
  expect(visibleJson(document)).not.toMatch(/##\[|\u202e|\u009b/);
  expect(JSON.parse(visibleJson(document))).toEqual(JSON.parse(document));
});

// Lines of a dump that stand alone in a message, or begin a diagnostic's excerpt.
it.each([
  [[], "::error file=x::forged\n  ::stop-commands::z\n"],
  [[], dump("::add-mask::x -j DROP", "-A INPUT -m nowhere --comment ##[add-path]/tmp -j DROP")],
  [["simulate"], "::error::forged\n"],
  [["review", "--format", "text"], dump('-A INPUT -m comment --comment "##[add-path]/tmp" -j DROP')],
])("tells %j of a hostile dump without a command", async (words, input) => {
  const { output, error } = await execute([...words, "-"], { input });
  const told = words.length === 0 ? error : output + error;
  expect(told).not.toBe("");
  expect(told.split("\n").filter(isCommand)).toEqual([]);
});

it("writes no character without a form into the comments of a script", () => {
  const hostile = "\u202eevil\u2066 \u009b31m\u200b";
  const ipsets = [{ file: "sets", text: `create a hash:ip comment\nadd a 192.0.2.1 comment "${hostile}"\n` }];
  const { script } = translate(
    dump(
      `-A INPUT -m comment --comment "${hostile}" -m set --match-set a src -j DROP`,
      `-A INPUT -m recent --set -m comment --comment "${hostile}" -j DROP`,
      `-A INPUT -j LOG --log-prefix "${hostile}"`,
      `-A INPUT -m nowhere --x ${hostile.replace(" ", "")} -j DROP`,
    ),
    { ipsets, origins: true },
  );
  expect(script).toContain("evil");
  expect(script).not.toMatch(/[^\P{C}\n\t]/u);
});

it("writes none into simulate --json", async () => {
  const input = dump(
    '-A INPUT -m recent --name "a\u202e\u009b" --set',
    '-A INPUT -m recent --name "a\u202e\u009b" --rcheck --seconds 5 -j DROP',
  );
  const { output } = await execute(["simulate", "--json", "-"], { input });
  expect(output).toContain("\\u202e");
  expect(output).not.toMatch(/[^\P{C}\n]/u);
});
