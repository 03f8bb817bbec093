/** Every command that translates takes `--optimize`. Those that need the kernel are tried there. */

import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";

import { translate } from "../../src/translate.js";
import { execute } from "../cli/execute.js";

const throttle = "-A INPUT -p tcp -m tcp --dport 22 -m recent --name SSH";
const text = [
  "*filter",
  ":INPUT ACCEPT [0:0]",
  ...Array.from({ length: 200 }, (_, index) => `-A INPUT -s 198.51.100.${index}/32 -j DROP`),
  `${throttle} --set`,
  `${throttle} --update --seconds 60 --hitcount 4 -j DROP`,
  "COMMIT",
  "",
].join("\n");

let folder: string;
let file: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "ipt2nft-optimize-"));
  file = join(folder, "rules.v4");
  writeFileSync(file, text);
});
afterAll(() => rmSync(folder, { recursive: true }));

it("simulate plays the optimised script", async () => {
  const { status, output } = await execute(["simulate", "--budget", "500", "--optimize", file]);
  expect(output).toMatch(/\nno difference: 1 list, 0 different, /);
  expect(status).toBe(0);
});

it("review shows each line's element", async () => {
  const { output } = await execute(["review", "--optimize", "--no-simulate", file]);
  expect(output).toMatch(
    /line 9 .*-A INPUT -s 198\.51\.100\.6\/32 -j DROP\n +nft \d+ +ip saddr @filter_INPUT_saddr drop\n +note +one of 200 in a look-up: 198\.51\.100\.6\n/,
  );
});

it("fleet makes the same script as the translation", async () => {
  const { status } = await execute(["fleet", join(folder, "*.v4"), "--out", join(folder, "out"), "--optimize"]);
  expect(status).toBe(0);
  const { script } = translate([{ file, text }], { optimize: true });
  expect(script).toContain("@filter_INPUT_saddr");
  expect(readFileSync(join(folder, "out", "rules.nft"), "utf8")).toBe(script);
});
