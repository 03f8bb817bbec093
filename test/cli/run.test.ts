import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";

import { run } from "../../src/cli/run.js";
import type { Surroundings } from "../../src/cli/surroundings.js";
import { diagnostic } from "../../src/diagnostic.js";
import { Failure } from "../../src/failure.js";
import type { Source, TranslateOptions, Translation } from "../../src/translate.js";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "ipt2nft-run-"));
});
afterEach(() => rmSync(folder, { recursive: true }));

const span = { file: "<stdin>", line: 1, column: 1, length: 7 };
const exact: Translation = {
  script: "table ip x {\n}\n",
  diagnostics: [],
  iptables: [],
  nft: undefined,
  ipsets: new Map(),
  listStores: [],
  merges: [],
  leftOut: [],
  outcome: "exact",
};
const approximated: Translation = { ...exact, outcome: "approximated", diagnostics: [diagnostic("recent-rttl", span, "stricter")] };
const refused: Translation = { ...exact, outcome: "refused", diagnostics: [diagnostic("unknown-match", span, "opens")] };
const invalid: Translation = {
  ...exact,
  script: undefined,
  outcome: "invalid",
  diagnostics: [diagnostic("missing-commit", span, "no COMMIT")],
};

interface Result {
  status: number;
  output: string;
  error: string;
  sources: readonly Source[];
  options: TranslateOptions;
}

async function execute(
  words: string[],
  translation: Translation | Error = exact,
  surroundings: Partial<Surroundings> & { input?: string | Uint8Array } = {},
): Promise<Result> {
  const result: Result = { status: -1, output: "", error: "", sources: [], options: {} };
  result.status = await run(words, {
    translate: (input, options) => {
      result.sources = input as readonly Source[];
      result.options = options ?? {};
      if (translation instanceof Error) throw translation;
      return translation;
    },
    environment: {},
    readInput: async () => Buffer.from(surroundings.input ?? "*filter\nCOMMIT\n"),
    inputIsTerminal: async () => false,
    writeOutput: async (text) => {
      result.output += text;
    },
    writeError: async (text) => {
      result.error += text;
    },
    outputIsTerminal: async () => false,
    outputWidth: async () => undefined,
    errorIsTerminal: async () => false,
    errorWidth: async () => undefined,
    ...surroundings,
  });
  return result;
}

function write(name: string, content: string | Uint8Array): string {
  const path = join(folder, name);
  writeFileSync(path, content);
  return path;
}

describe("exit status and streams", () => {
  it("is silent when all is exact", async () => {
    expect(await execute([])).toMatchObject({ status: 0, output: exact.script, error: "" });
  });

  it.each([
    ["an approximation", approximated, [], 0],
    ["an approximation under --strict", approximated, ["--strict"], 1],
    ["a refused rule", refused, [], 1],
  ] as const)("gives the script and a warning for %s", async (_name, translation, words, status) => {
    const result = await execute([...words], translation);
    expect(result).toMatchObject({ status, output: exact.script });
    expect(result.error).toMatch(/^<stdin>:1:1: warning: .*\n {2}\*filter\n {2}\^{7}\n0 rules: /);
  });

  it("writes nothing for an invalid input, not even to a file", async () => {
    const output = join(folder, "rules.nft");
    for (const words of [[], ["-o", output]]) {
      const result = await execute(words, invalid);
      expect(result).toMatchObject({ status: 2, output: "" });
      expect(result.error).toContain("1 error: nothing was translated\n");
    }
    expect(existsSync(output)).toBe(false);
  });

  it("writes nothing when translating fails unexpectedly", async () => {
    const result = await execute([], new Error("impossible"));
    expect(result).toMatchObject({ status: 2, output: "" });
    expect(result.error).toMatch(/^ipt2nft-recent: error: internal error.*impossible/);
  });

  it("tells usage errors from requests for help", async () => {
    const wrong = await execute(["--nonsense"]);
    expect(wrong).toMatchObject({ status: 2, output: "" });
    expect(wrong.error).toBe("ipt2nft-recent: error: unknown option '--nonsense'\n(--help lists the options)\n");
    expect(await execute(["--help"])).toMatchObject({ status: 0, error: "" });
    expect((await execute(["\x1b[31m", "--\x1b"])).error).not.toContain("\x1b");
  });

  it("puts the script into the file of -o", async () => {
    const output = join(folder, "rules.nft");
    expect(await execute(["-o", output], refused)).toMatchObject({ status: 1, output: "" });
    expect(readFileSync(output, "utf8")).toBe(exact.script);
  });

  it("fails when the output cannot be written", async () => {
    const toFile = await execute(["-o", join(folder, "none", "rules.nft")]);
    expect(toFile).toMatchObject({ status: 2, output: "" });
    expect(toFile.error).toContain("no such file or directory");
    expect(await execute([], exact, { writeOutput: () => Promise.reject(new Failure("full")) })).toMatchObject({
      status: 2,
      error: "ipt2nft-recent: error: full\n",
    });
  });

  it("survives a standard error that does not work", async () => {
    expect(await execute([], refused, { writeError: () => Promise.reject(new Error("closed")) })).toMatchObject({ status: 1 });
  });
});

describe("input", () => {
  it("reads standard input under a name, and files under theirs", async () => {
    const file = write("rules.v6", "*nat\n");
    const { sources } = await execute(["--ipv6", "-", file]);
    expect(sources).toEqual([
      { file: "<stdin>", text: "*filter\nCOMMIT\n", family: "ipv6" },
      { file, text: "*nat\n", family: "ipv6" },
    ]);
    expect((await execute([])).sources).toEqual([{ file: "<stdin>", text: "*filter\nCOMMIT\n" }]);
  });

  it("reads files of sets beside the dumps, and blames their lines", async () => {
    const sets = write("sets.ipset", "create office hash:nothing\n");
    const blaming: Translation = {
      ...invalid,
      diagnostics: [diagnostic("invalid-value", { file: sets, line: 1, column: 15, length: 12 }, "no such type")],
    };
    const result = await execute(["--ipset", sets], blaming);
    expect(result.options.ipsets).toEqual([{ file: sets, text: "create office hash:nothing\n" }]);
    expect(result).toMatchObject({ status: 2, output: "" });
    expect(result.error).toContain("  create office hash:nothing\n                ^^^^^^^^^^^^\n");
  });

  it("reads the addresses of countries, and ends where they cannot be read", async () => {
    const table = write("countries.csv", "192.0.2.0,192.0.2.255,CN\n");
    const { options } = await execute(["--geoip", table]);
    expect(options.geoip?.("CN", "ipv4")).toEqual([{ from: 0xc0000200n, to: 0xc00002ffn }]);
    expect(await execute(["--geoip", join(folder, "none")])).toMatchObject({
      status: 2,
      output: "",
      error: expect.stringContaining("no such file") as string,
    });
    const late = await execute(["--geoip", table], exact, {
      translate: () => {
        throw new Failure("of a folder's file");
      },
    });
    expect(late).toMatchObject({ status: 2, output: "", error: "ipt2nft-recent: error: of a folder's file\n" });
  });

  it("says what it waits for on a terminal", async () => {
    expect((await execute([], exact, { inputIsTerminal: async () => true })).error).toContain("Ctrl-D");
  });

  it("says why a file cannot be read, and reads no other", async () => {
    const missing = await execute([join(folder, "none")]);
    expect(missing).toMatchObject({ status: 2, output: "" });
    expect(missing.error).toMatch(/^ipt2nft-recent: error: ".*none" cannot be read: no such file or directory\n$/);
    expect((await execute([folder])).error).toMatch(/it is a directory; each machine .* fleet 'FOLDER/);
  });

  it("notes an input that is not UTF-8, and translates it", async () => {
    const result = await execute([], exact, { input: Uint8Array.of(0x23, 0xe9, 0x0a) });
    expect(result).toMatchObject({ status: 0, error: "ipt2nft-recent: note: <stdin> is not valid UTF-8 and was read as ISO 8859-1\n" });
    expect(result.sources[0]?.text).toBe("#é\n");
  });
});

describe("options", () => {
  it("reach the translation", async () => {
    const { options } = await execute([
      "--table",
      "fw",
      "--recent",
      "exact",
      "--set-size",
      "1000",
      "--forget-after",
      "90m",
      "--keep-sets",
      "--no-counters",
      "--origins",
      "--ipv4",
    ]);
    expect(options).toEqual({
      table: "fw",
      recent: "exact",
      setSize: 1000,
      forgetAfter: 5400,
      keepSets: true,
      counters: false,
      origins: true,
      family: "ipv4",
    });
    expect((await execute([])).options).toEqual({
      table: "ipt2nft",
      recent: "auto",
      setSize: 65535,
      keepSets: false,
      counters: true,
      origins: false,
    });
  });

  it("--format json gives one document, whatever happens", async () => {
    const outcomeOf = async (words: string[], translation?: Translation): Promise<unknown> =>
      JSON.parse((await execute(["--format", "json", ...words], translation)).error).outcome;
    expect(await outcomeOf([])).toBe("exact");
    expect(await outcomeOf([], refused)).toBe("refused");
    expect(await outcomeOf([], invalid)).toBe("invalid");
    expect(await outcomeOf([join(folder, "none")])).toBe("failed");
  });

  it("--check asks nft before anything is written", async () => {
    const output = join(folder, "rules.nft");
    const nft = write("nft", "#!/bin/sh\necho 'refused\x1b[31m' >&2\nexit 1\n");
    chmodSync(nft, 0o755);
    chmodSync(write("unshare", '#!/bin/sh\nwhile [ "$1" != nft ]; do shift; done\nexec "$@"\n'), 0o755);
    const result = await execute(["--check", "-o", output], exact, { environment: { PATH: `${folder}:/usr/bin:/bin` } });
    expect(result.status).toBe(2);
    expect(result.error).toBe("ipt2nft-recent: error: nft does not accept the script (exit status 1):\nrefused\\x1b[31m\n");
    expect(existsSync(output)).toBe(false);
  });

  it("does not write over what it reads", async () => {
    const dump = write("rules.v4", "*filter\nCOMMIT\n");
    const result = await execute(["-o", dump, dump], exact);
    expect(result).toMatchObject({ status: 2, error: expect.stringContaining("would be written over") as string });
    expect(readFileSync(dump, "utf8")).toBe("*filter\nCOMMIT\n");
  });

  it("colours for a terminal only", async () => {
    const terminal = { errorIsTerminal: async () => true };
    expect((await execute([], refused, terminal)).error).toContain("\x1b[");
    expect((await execute([], refused, { ...terminal, environment: { NO_COLOR: "1" } })).error).not.toContain("\x1b[");
    expect((await execute([], refused)).error).not.toContain("\x1b[");
  });
});
