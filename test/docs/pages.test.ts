import { existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { subcommands } from "../../src/cli/subcommands.js";
import { translate } from "../../src/translate.js";
import { blocksOf, commandBlocks, notRun, pages, pageText, userScript } from "./pages.js";
import { makeScratchFolder, type ScratchFolder } from "./scratch-folder.js";

const root = new URL("../../", import.meta.url).pathname;

/** Commands for root are run by test/kernel/docs.test.ts. */
const withCommands = pages.filter((page) => blocksOf(page).some(({ info }) => info === "sh"));

/** What commands for root have made by then. */
const saved = ["cp corpus/machine/small-server/rules.v4 corpus/machine/small-server/rules.v6 ."];

describe("the pages", () => {
  // Those of a change of firewalls and of its lists want a machine that goes on from step to step: cutover-guide and lists-guide run them.
  const guides = ["docs/cutover.md", "docs/lists.md"];

  it.each(pages.filter((page) => !guides.includes(page)))("%s: what is a command stands in a block of commands", (page) => {
    const known = [...commandBlocks, "", "nft", "ts", "js", "text", "yaml"];
    const blocks = blocksOf(page);
    expect(blocks.map(({ info }) => info).filter((info) => !known.includes(info))).toEqual([]);
    const others = blocks.filter(({ info }) => !commandBlocks.includes(info)).flatMap(({ text }) => text.split("\n"));
    expect(
      others.filter((line) => /^ *(?:ipt2nft-recent|npm|npx|node|nft -|iptables-save|iptables-restore|systemctl) /.test(line)),
    ).toEqual([]);
  });

  it("leave out of the run only lines that they have", () => {
    const lines = pages.flatMap((page) => blocksOf(page).flatMap(({ text }) => text.split("\n")));
    expect(Object.keys(notRun).filter((line) => !lines.includes(line))).toEqual([]);
    const { version } = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as { readonly version: string };
    expect(Object.keys(notRun)).toContain(`npm pack && npm install -g ./ipt2nft-recent-${version}.tgz`);
    expect(Object.keys(notRun)).toContain(`tar -C /usr/local --strip-components=1 -xzf dist/ipt2nft-recent-${version}-linux-x64.tar.gz`);
    expect(Object.keys(notRun)).toContain(`npm run -s build:deb && apt-get install ./dist/ipt2nft-recent_${version}_all.deb`);
  });

  it.each(["README.md", "CONTRIBUTING.md", ...pages.filter((page) => page !== "README.md")])("%s: its links lead somewhere", (page) => {
    for (const [, target] of pageText(page).matchAll(/\]\((?!https?:)([^)\s]+)\)/g)) {
      const [file = "", anchor] = target!.split("#");
      // The playground is built.
      if (file.endsWith("playground/index.html")) continue;
      const path = file === "" ? page : join(dirname(page), file);
      expect([target, existsSync(join(root, path))]).toEqual([target, true]);
      if (anchor === undefined || !path.endsWith(".md")) continue;
      const anchors = [...pageText(path).matchAll(/^#+ (.*)$/gm)].map(([, title]) =>
        title!
          .toLowerCase()
          .replace(/[^\p{L}\p{N} _-]/gu, "")
          .replaceAll(" ", "-"),
      );
      expect(anchors).toContain(anchor);
    }
  });

  it("README.md fits in 150 lines, and shows what is made of its first rules", () => {
    expect(pageText("README.md").split("\n").length - 1).toBeLessThanOrEqual(150);
    const [rules, script] = blocksOf("README.md");
    const dump = `*filter\n:INPUT ACCEPT [0:0]\n${rules!.text.replaceAll(/^ {4}/gm, "")}\nCOMMIT\n`;
    const made = translate(dump, { recent: "ban" }).script!.replaceAll(/^\t*#.*\n/gm, "");
    expect(made).toContain(script!.text);
  });

  it("docs/recent.md shows what is made of its first rules", () => {
    const [rules, script] = blocksOf("docs/recent.md");
    const dump = `*filter\n:INPUT ACCEPT [0:0]\n${rules!.text.replaceAll(/^ {4}/gm, "")}\nCOMMIT\n`;
    const made = translate(dump).script!.split("\n");
    expect(script!.text.split("\n").filter((line) => !made.includes(line))).toEqual([]);
  });

  it("docs/commands.md has a part for each command", () => {
    expect(Object.keys(subcommands).filter((name) => !new RegExp(`^## ${name}$`, "im").test(pageText("docs/commands.md")))).toEqual([]);
  });

  it("docs/library.md has a program that runs", () => {
    const program = blocksOf("docs/library.md").find(({ info }) => info === "js")!.text;
    folder.installLibrary();
    const { status, output, error } = folder.run(`cat > program.mjs <<'END'\n${program}\nEND\nnode program.mjs\n`);
    expect([status, output.split("\n")[0], error]).toEqual([
      0,
      "#!/usr/sbin/nft -f",
      expect.stringMatching(/^corpus\S+:8: note: xt_recent/),
    ]);
  });
});

let folder: ScratchFolder;
beforeAll(() => {
  folder = makeScratchFolder();
});
afterAll(() => folder.remove());

describe("commands on the pages", () => {
  it.each(withCommands)(
    "%s: those for users run",
    (page) => {
      const { status, error } = folder.run(userScript(page, saved));
      expect({ status, error: status === 0 ? "" : error }).toEqual({ status: 0, error: "" });
      // Some forty processes one after the other.
    },
    120_000,
  );

  it("README.md: what is tried first fits a screen", () => {
    const first = blocksOf("README.md").find(({ info }) => info === "sh")!.text;
    const { status, output, error } = folder.run(`${notRun[first]!.instead}\n`);
    expect(status).toBe(0);
    expect(output).toContain("set scanner_recent");
    expect((output + error).split("\n").length).toBeLessThanOrEqual(45);
  });
});
