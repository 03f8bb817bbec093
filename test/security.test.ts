/** SECURITY.md lists what starts programs, writes files and reads texts without a bound; what is added to the code must be added there. */

import { existsSync, readdirSync, readFileSync } from "node:fs";
import { posix } from "node:path";
import { fileURLToPath } from "node:url";
import ts from "typescript";
import { describe, expect, it } from "vitest";
import { diagnosticsWords, scriptWords } from "../src/corpus/difference-words.js";
import { reviewRulesets } from "../src/review/review.js";

const root = fileURLToPath(new URL("..", import.meta.url));
const page = readFileSync(`${root}SECURITY.md`, "utf8");

const files = ["src", "grammar"]
  .flatMap((folder) => readdirSync(`${root}${folder}`, { recursive: true, encoding: "utf8" }).map((file) => `${folder}/${file}`))
  .filter((file) => /\.(?:ts|js)$/.test(file))
  .map((file) => ({ file, source: ts.createSourceFile(file, readFileSync(`${root}${file}`, "utf8"), ts.ScriptTarget.Latest, true) }));

/** Paths in the first column of the tables of a section; a name alone is beside the one before it. */
function listed(section: string): string[] {
  const text = page.split(/^## /m).find((one) => one.startsWith(section));
  return (text ?? "").split("\n").flatMap((line) => {
    let folder = "";
    return [...(/^\| (.*?) \|/.exec(line)?.[1] ?? "").matchAll(/`([^`]+)`/g)].map(([, path = ""]) => {
      const whole = path.includes("/") ? path : posix.join(folder, path);
      folder = posix.dirname(whole);
      return whole;
    });
  });
}

/** Files that import one of these names from a module. */
function importers(module: RegExp, names: ReadonlySet<string>): string[] {
  return files.flatMap(({ file, source }) => {
    const uses = source.statements.some((statement) => {
      if (!ts.isImportDeclaration(statement) || !module.test((statement.moduleSpecifier as ts.StringLiteral).text)) return false;
      const bindings = statement.importClause?.namedBindings;
      return bindings === undefined || ts.isNamespaceImport(bindings) || bindings.elements.some(({ name }) => names.has(name.text));
    });
    return uses ? [file] : [];
  });
}

const regularExpressions = files.flatMap(({ file, source }) => {
  const found: { file: string; text: string }[] = [];
  const visit = (node: ts.Node): void => {
    if (ts.isRegularExpressionLiteral(node)) found.push({ file, text: node.text });
    ts.forEachChild(node, visit);
  };
  visit(source);
  return found.filter(({ text }) => /[*+]|\{\d+,\}/.test(text.replace(/\\.|\[(?:\\.|[^\]])*\]/g, "x")));
});

const missing = (present: readonly string[], places: readonly string[]): string[] =>
  [...new Set(present)].filter((file) => !places.some((place) => file === place || file.startsWith(`${place}/`)));

describe("SECURITY.md", () => {
  it.each([["Every place that starts a program"], ["Every place that writes a file"], ["Every regular expression over text"]])(
    "names files that are there: %s",
    (section) => {
      const places = listed(section);
      expect(places.length).toBeGreaterThan(4);
      expect(places.filter((place) => !existsSync(`${root}${place}`))).toEqual([]);
    },
  );

  it("lists every place that starts a program", () => {
    const starters = new Set(["runProgram", "runProgramSync", "startProgram", "startDetached"]);
    const present = importers(/\/run-program\.js$/, starters);
    expect(present.length).toBeGreaterThan(8);
    expect(missing(present, listed("Every place that starts a program"))).toEqual([]);
    expect(importers(/^(?:node:)?(?:child_process|cluster)$/, new Set(["spawn", "spawnSync", "exec", "execFile", "fork"]))).toEqual([
      "src/run-program.ts",
    ]);
  });

  it("lists every place that writes a file", () => {
    const harmless = new Set(
      "accessSync closeSync constants existsSync fstatSync lstatSync readFile readFileSync readSync readdirSync readlinkSync realpathSync statSync".split(
        " ",
      ),
    );
    const all = new Set(files.flatMap(({ source }) => [...source.text.matchAll(/\b[a-z]\w*\b/g)].map(([name]) => name)));
    const present = importers(/^(?:node:)?fs(?:\/promises)?$/, new Set([...all].filter((name) => !harmless.has(name) && name !== "type")));
    expect(present.length).toBeGreaterThan(6);
    // These open files to read them, and write to what is open.
    const readers = ["src/cli/read-file.ts", "src/cli/stream.ts"];
    // What draws the diagram of the grammar is a tool of the project.
    expect(missing(present, [...listed("Every place that writes a file"), ...readers, "grammar/diagram.js"])).toEqual([]);
  });

  it("lists every regular expression over text without a bound", () => {
    expect(regularExpressions.length).toBeGreaterThan(100);
    const present = regularExpressions.map(({ file }) => file);
    expect(missing(present, listed("Every regular expression over text"))).toEqual([]);
  });
});

describe("a regular expression", () => {
  const size = 10_000;
  /** What would take it long if any did: its own characters, and others, again and again, with something that it does not end with. */
  function* hostileTexts(text: string): Generator<string> {
    const body = text.slice(1, text.lastIndexOf("/"));
    const own = body
      .replace(/\\[bB]|\(\?<?[=!:]|[\^$]|\{\d+(?:,\d*)?\}/g, "")
      .replace(/\\[sS]/g, " ")
      .replace(/\\t/g, "\t")
      .replace(/\\n/g, "\n")
      .replace(/\\[dw]/g, "1")
      .replace(/\[\^?(\\.|.)(?:\\.|[^\]\\])*\]/g, "$1")
      .replace(/\\(.)/g, "$1")
      .replace(/[?*+()]/g, "");
    const pieces = [
      " ",
      "\t",
      "\n",
      '"',
      "a",
      "1",
      "A",
      "-",
      ":",
      "=",
      "#",
      "/",
      "\\",
      "[",
      "a ",
      " a",
      "1d",
      '"a',
      "a: ",
      "[a",
      own,
      ...own.split("|"),
    ];
    for (const piece of new Set(pieces.filter((one) => one !== ""))) {
      const many = piece.repeat(Math.ceil(size / piece.length));
      for (const start of ["", own.slice(0, 20)]) for (const end of ["", "\r!", "\n\u0000"]) yield start + many + end;
    }
  }

  /** Asked only of what is checked: numbers, texts that another regular expression has matched from end to end, words of the user. */
  const bounded = new Set([
    "/([0-9]+)(ms|[wdhms])/g",
    "/(\\d+)(d|h|ms|m|s)/g",
    "/(\\d+)([wdhms])/g",
    "/=+$/",
    "/\\B(?=(\\d{3})+$)/g",
    "/0+$/",
    "/\\/+$/",
  ]);

  const seconds = (run: () => void): number => {
    const begin = process.cpuUsage();
    run();
    return process.cpuUsage(begin).user / 1e6;
  };

  it("gives nothing back of a comment, a script or diagnostics with long runs", () => {
    const allow = `# ipt2nft-recent: allow recent-list-size${" ".repeat(200_000)}`;
    const text = `*filter\n:INPUT ACCEPT [0:0]\n${allow}\n-A INPUT -j DROP\nCOMMIT\n`;
    const { findings } = reviewRulesets({ new: [{ file: "rules.v4", text }], tool: { name: "ipt2nft-recent", version: "test" } });
    expect(findings.map(({ code }) => code)).not.toContain("unused-suppression");
    expect(scriptWords("\n".repeat(300_000), "")).toEqual(["only comments, counters or the head differ"]);
    expect(diagnosticsWords(`a${": error: [".repeat(30_000)}`, "")).toHaveLength(1);
  });

  it("takes a time that grows as its text", { timeout: 120_000 }, () => {
    const asked = regularExpressions.filter(({ text }) => !bounded.has(text));
    const slow = asked.filter(({ text }) => {
      const end = text.lastIndexOf("/");
      const expression = new RegExp(text.slice(1, end), text.slice(end + 1));
      for (const hostile of hostileTexts(text)) {
        // What gives back takes some ten million steps for these, and what does not some ten thousand; a processor may be busy once.
        if ([1, 2, 3].every(() => seconds(() => hostile.replace(expression, "")) > 0.04)) return true;
      }
      return false;
    });
    expect(slow).toEqual([]);
  });
});
