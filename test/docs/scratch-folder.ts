/** A folder in which the commands of the pages are run, as on a clone of the repository where the command is installed. */

import { execFileSync, spawnSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";

const root = new URL("../../", import.meta.url).pathname;

export interface ScratchFolder {
  /** Runs a script of bash, by these words (`unshare -n`) where told, in an empty clone of its own. */
  run(script: string, within?: readonly string[]): { readonly status: number | null; readonly output: string; readonly error: string };
  /** Installs the package for programs in the clones. */
  installLibrary(): void;
  remove(): void;
}

export function makeScratchFolder(): ScratchFolder {
  const folder = mkdtempSync(join(tmpdir(), "ipt2nft-docs-"));
  execFileSync(process.execPath, [join(root, "build.js"), "--directory", join(folder, "dist"), "--no-types"]);
  mkdirSync(join(folder, "bin"));
  symlinkSync(join(folder, "dist", "ipt2nft-recent.js"), join(folder, "bin", "ipt2nft-recent"));
  let clones = 0;
  return {
    run(script, within = []) {
      const clone = join(folder, String(clones++));
      mkdirSync(clone);
      // Nothing on the pages writes into these.
      for (const name of ["corpus", "examples", "package.json"]) symlinkSync(join(root, name), join(clone, name));
      symlinkSync(join(folder, "dist"), join(clone, "dist"));
      const [program, ...words] = [...within, "bash", "-s"];
      const { PATH = "", HOME = clone } = process.env;
      const { status, stdout, stderr } = spawnSync(program!, words, {
        cwd: clone,
        input: script,
        encoding: "utf8",
        env: { PATH: [join(folder, "bin"), PATH, "/usr/local/sbin", "/usr/sbin", "/sbin"].join(delimiter), HOME, LC_ALL: "C.UTF-8" },
        timeout: 120_000,
        maxBuffer: 1 << 28,
      });
      return { status, output: stdout, error: stderr };
    },
    installLibrary() {
      const library = join(folder, "node_modules", "ipt2nft-recent");
      mkdirSync(library, { recursive: true });
      for (const name of ["dist", "package.json"])
        cpSync(join(name === "dist" ? folder : root, name), join(library, name), { recursive: true });
    },
    remove: () => rmSync(folder, { recursive: true, force: true }),
  };
}
