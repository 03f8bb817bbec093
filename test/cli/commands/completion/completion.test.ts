/** What shells make of the completions, the real ones where they are installed. */

import { spawnSync } from "node:child_process";
import { chmodSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { namesOfRunningLists } from "../../../../src/cli/commands/completion/list-names.js";
import { shells } from "../../../../src/cli/commands/completion/options.js";
import { completionScript } from "../../../../src/cli/commands/completion/scripts.js";
import { describedCommands, optionsOf, withChildren } from "../../../../src/cli/described-commands.js";
import { execute } from "../../execute.js";

const isInstalled = (shell: string): boolean => spawnSync(shell, ["-c", "exit"]).status === 0;

/** Names that a list may have, and a shell must not carry out. */
const listNames = ["ssh", "ssh_long", "f2b:$(touch ran) x", "a=b;c'd", "`touch ran`"];

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "ipt2nft-completion-"));
  mkdirSync(join(folder, "bin"));
  const stub = join(folder, "bin", "ipt2nft-recent");
  writeFileSync(
    stub,
    `#!/bin/sh\nprintf '%s\\n' "$*" >> "$0.log"\n[ "$1 $2 $3" = "completion lists --" ] && cat <<'END'\n${listNames.join("\n")}\nEND\n`,
  );
  chmodSync(stub, 0o755);
  for (const shell of shells) writeFileSync(join(folder, `completion.${shell}`), completionScript(shell));
  mkdirSync(join(folder, "work", "sub"), { recursive: true });
  for (const file of ["rules.v4", "live.v4"]) writeFileSync(join(folder, "work", file), "");
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function run(program: string, words: readonly string[]): string {
  const { stdout, stderr, error } = spawnSync(program, words, {
    cwd: join(folder, "work"),
    encoding: "utf8",
    env: { PATH: `${join(folder, "bin")}:${process.env["PATH"]}`, HOME: folder, TERM: "dumb", LC_ALL: "C.UTF-8" },
    timeout: 20_000,
  });
  if (error) throw error;
  expect(stderr).toBe("");
  // Nothing of the names was carried out.
  expect(readdirSync(join(folder, "work")).sort()).toEqual(["live.v4", "rules.v4", "sub"]);
  return stdout;
}

/** What bash would show; `words` are those that it cuts the line into, which `=` and `:` are by themselves. */
function bash(...words: readonly string[]): string[] {
  const script = `
    source "$1"; shift
    compopt() { echo "compopt $*"; }
    COMP_WORDS=(ipt2nft-recent "$@"); COMP_CWORD=$#
    _ipt2nft_recent
    for word in "\${COMPREPLY[@]}"; do printf '%s\\n' "$word"; done`;
  return lines(run("bash", ["-c", script, "bash", join(folder, "completion.bash"), ...words]));
}

/** What fish would show, without its descriptions. */
function fish(line: string): string[] {
  const script = `source ${join(folder, "completion.fish")}; complete -C (cat | string collect)`;
  const { stdout } = spawnSync("fish", ["-N", "-c", script], {
    cwd: join(folder, "work"),
    input: `ipt2nft-recent ${line}`,
    encoding: "utf8",
    env: { PATH: `${join(folder, "bin")}:${process.env["PATH"]}`, HOME: folder, TERM: "dumb", LC_ALL: "C.UTF-8" },
    timeout: 20_000,
  });
  return lines(stdout).map((one) => one.replace(/\t.*/, ""));
}

/** The line as zsh leaves it after Tab. */
function zsh(line: string): string {
  const script = `
    zmodload zsh/zpty
    zpty shell zsh -f -i
    zpty -w shell "PS1='>' PROMPT_EOL_MARK= ; stty -echo; bindkey -e; autoload -U compinit; compinit -D -u; source $1"
    zpty -w shell 'show() { print -r -- "<<$BUFFER>>"; BUFFER=; zle accept-line }; zle -N show; bindkey "^X" show'
    zpty -w shell 'print -r -- READ""Y'
    zpty -r -m shell text '*READY*'
    zpty -n -w shell "ipt2nft-recent $2"$'\\t\\030'
    zpty -r -m shell text '*<<*>>*'
    print -r -- "$text"
    zpty -d shell`;
  const shown = run("zsh", ["-f", "-c", script, "zsh", join(folder, "completion.zsh"), line]);
  return /<<ipt2nft-recent (.*?)>>/s.exec(shown)?.[1] ?? shown;
}

const lines = (text: string): string[] => text.split("\n").filter((line) => line !== "");

describe("what a value may be", () => {
  it("is said of every option and argument, or known to be the user's own", () => {
    /** Names of values that nobody can offer. */
    const own =
      /^(?:ADDRESS|ADDRESS:PORT|COMMAND|COUNT|DURATION|GROUP|KEY|MATCH|MB|MODE|N|NAME|NAME\[=ADDRESS\/LEN,…\]|PATTERN|PORT|REF|SECONDS|TABLE|TEXT|USER|VERSION)$/;
    const values = withChildren(describedCommands()).flatMap((command) => [
      ...command.arguments,
      ...optionsOf(command).flatMap(({ value }) => value ?? []),
    ]);
    const unknown = values.filter(({ name, offer }) => (offer === "nothing") !== own.test(name));
    // The script that is captured is a program, and a pattern begins as the path of a file.
    expect(unknown.map(({ name, offer }) => [name, offer])).toEqual([
      ["COMMAND", "programs"],
      ["PATTERN", "files"],
    ]);
  });

  it("is a word that needs no quotes", () => {
    const words = withChildren(describedCommands())
      .flatMap(optionsOf)
      .flatMap(({ value }) => (typeof value?.offer === "object" ? value.offer.words : []));
    expect(words.length).toBeGreaterThan(10);
    expect(words.filter((word) => !/^[\w.-]+$/.test(word))).toEqual([]);
  });
});

describe("bash", () => {
  it.each<[what: string, words: readonly string[], shown: readonly string[]]>([
    ["commands and files", ["li"], ["compopt -o filenames", "lists", "live.v4"]],
    ["files where no command begins so", ["ru"], ["compopt -o default"]],
    ["actions", ["cutover", ""], ["confirm", "plan", "start", "status", "undo"]],
    ["no action behind an option", ["lists", "--table", "x", "s"], []],
    ["options", ["--for"], ["--forget-after", "--format"]],
    ["options of an action", ["lists", "add", "ssh", "--o"], ["--over"]],
    ["values", ["--format", ""], ["json", "text"]],
    ["values behind =", ["--format", "=", "j"], ["json"]],
    ["values behind an = that bash does not cut at", ["--format=j"], ["--format=json"]],
    ["several values", ["--without", "queue,lo"], ["compopt -o nospace", "queue,log"]],
    ["a format and a file", ["review", "--write", "sa"], ["compopt -o nospace", "sarif="]],
    ["that file", ["review", "--write", "sarif", "=", "r"], ["compopt -o default"]],
    ["folders", ["corpus", ""], ["compopt -o dirnames"]],
    ["files of a captured program", ["capture", "sh", "--"], ["compopt -o default"]],
    ["no options behind --", ["--", "--f"], ["compopt -o default"]],
    ["nothing where only the user knows", ["--target-nft", ""], []],
    ["nothing for an option that is not known", ["--no-such"], []],
    ["names of lists", ["lists", "show", "ss"], ["ssh", "ssh_long"]],
    ["names of lists in quotes, but for those that mean something there", ["lists", "show", '"'], ["ssh", "ssh_long"]],
    ["one list", ["lists", "add", "ssh", "s"], []],
    ["names that a shell would carry out, quoted", ["lists", "clear", "f2b"], ["f2b\\:\\$\\(touch\\ ran\\)\\ x"]],
    ["names behind what is quoted already", ["lists", "clear", "a\\=b"], ["a\\=b\\;c\\'d"]],
  ])("offers %s", (_, words, shown) => {
    expect(bash(...words).toSorted()).toEqual(shown);
  });

  it("asks for the names with the words so far", () => {
    bash("lists", "--table", "edge", "");
    rmSync(join(folder, "bin", "ipt2nft-recent.log"), { force: true });
    bash("lists", "show", "--table", "edge", "s");
    expect(run("cat", [join(folder, "bin", "ipt2nft-recent.log")])).toBe("completion lists -- lists show --table edge\n");
  });
});

describe.skipIf(!isInstalled("fish"))("fish", () => {
  it.each<[what: string, line: string, shown: readonly string[]]>([
    ["commands and files", "li", ["lists", "live.v4"]],
    ["actions", "cutover s", ["start", "status"]],
    ["values", "--format ", ["json", "text"]],
    ["values behind =", "--format=j", ["--format=json"]],
    ["several values", "--without queue,lo", ["queue,log"]],
    ["a format and a file", "review --write sa", ["sarif="]],
    ["folders", "corpus ", ["sub/"]],
    ["names of lists", "lists show --table x ss", ["ssh", "ssh_long"]],
    ["one list", "lists add ssh s", []],
    ["names that a shell would carry out", "lists clear f2b", ["f2b:$(touch ran) x"]],
  ])("offers %s", (_, line, shown) => {
    expect(fish(line)).toEqual(shown);
  });
});

describe.skipIf(!isInstalled("zsh"))("zsh", () => {
  it.each<[what: string, line: string, made: string]>([
    ["commands", "lis", "lists "],
    ["values behind =", "--format=j", "--format=json "],
    ["a format and a file", "review --write sa", "review --write sarif="],
    ["names that a shell would carry out", "lists clear f2b", "lists clear f2b:\\$\\(touch\\ ran\\)\\ x "],
  ])("completes %s", (_, line, made) => {
    expect(zsh(line)).toBe(made);
  });
});

describe("completion", () => {
  it.each(shells)("prints what %s reads, all of it text", async (shell) => {
    const { status, output } = await execute(["completion", shell]);
    expect({ status, output }).toEqual({ status: 0, output: completionScript(shell) });
    if (isInstalled(shell)) run(shell, ["-n", join(folder, `completion.${shell}`)]);
  });

  it("takes one shell that it knows", async () => {
    expect((await execute(["completion"])).status).toBe(2);
    expect((await execute(["completion", "tcsh"])).error).toContain("bash, zsh, fish");
    expect((await execute(["completion", "bash", "zsh"])).status).toBe(2);
    expect((await execute(["completion", "lists", "show"])).status).toBe(2);
  });

  it("has no name where no list can be read, and does not say why", async () => {
    expect(await namesOfRunningLists(["--table", "no_such_table_of_ours"])).toEqual([]);
    expect(await namesOfRunningLists(["--script", "/no/such/file"])).toEqual([]);
  });
});
