import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { describedCommands, optionsOf, withChildren } from "../../../src/cli/described-commands.js";
import { manualPages } from "../../../src/cli/manual/manual-pages.js";

const pages = manualPages({ version: "1.2.3", date: "2026-01-31" });
const isInstalled = (program: string): boolean => !spawnSync(program, ["--version"]).error;

function shown(page: string): string {
  const { stdout } = spawnSync("man", ["-l", "-"], {
    input: page,
    encoding: "utf8",
    env: { PATH: process.env["PATH"], LC_ALL: "C.UTF-8", MANWIDTH: "200", MANROFFOPT: "-c", TERM: "dumb" },
  });
  return stdout.replaceAll(/.\x08/g, "").replaceAll(/ +/g, " ");
}

describe("the manual", () => {
  it("has a page for each command, which package.json installs", () => {
    const names = describedCommands().children.map(({ path }) => `ipt2nft-recent-${path[0]}.1`);
    expect([...pages.keys()]).toEqual(["ipt2nft-recent.1", ...names]);
    const { man } = JSON.parse(readFileSync(new URL("../../../package.json", import.meta.url), "utf8")) as { readonly man: string[] };
    expect(man).toEqual([...pages.keys()].map((name) => `dist/man/${name}`));
  });

  it("tells of every option and every action", () => {
    for (const command of withChildren(describedCommands())) {
      const page = pages.get(`ipt2nft-recent${command.path[0] === undefined ? "" : `-${command.path[0]}`}.1`)!;
      for (const { names } of optionsOf(command))
        for (const name of names) expect(page).toContain(`\\fB${name.replaceAll("-", "\\-")}\\fR`);
      if (command.path[1] !== undefined) expect(page).toContain(`.SH ${command.path[1].toUpperCase()}\n`);
    }
  });

  it("has no request but those it means, and no sign beyond ASCII", () => {
    for (const page of pages.values()) {
      expect(page).toMatch(/^\.TH IPT2NFT-RECENT(-[A-Z]+)? 1 "2026-01-31" "ipt2nft-recent 1\.2\.3" "User Commands"\n/);
      expect(
        page.split("\n").filter((line) => /^['.]/.test(line) && !/^\.(?:TH|SH|PP|TP|RS 2|RE|nf|fi|nh|br|B|BR|I)(?: |$)/.test(line)),
      ).toEqual([]);
      expect(page).toMatch(/^[\n -~]*$/);
    }
  });

  it.skipIf(!isInstalled("man"))("reads without warnings, as the help says it", () => {
    for (const [name, page] of pages) {
      const { stderr } = spawnSync("man", ["--warnings", "-l", "-"], {
        input: page,
        encoding: "utf8",
        env: { ...process.env, LC_ALL: "C.UTF-8" },
      });
      expect([name, stderr]).toEqual([name, ""]);
    }
    const capture = shown(pages.get("ipt2nft-recent-capture.1")!);
    expect(capture).toContain("ipt2nft-recent capture --interface ppp0=198.51.100.7 -- sh -c '. ./settings; . ./rules' > captured\n");
    expect(capture).toMatch(/^EXIT STATUS\n 0 the firewall is printed$/m);
  });

  it.skipIf(!isInstalled("mandoc"))("is clean for mandoc", () => {
    for (const [name, page] of pages) {
      const { stdout, stderr } = spawnSync("mandoc", ["-Tlint", "-W", "warning"], { input: page, encoding: "utf8" });
      expect([name, stdout + stderr]).toEqual([name, ""]);
    }
  });
});
