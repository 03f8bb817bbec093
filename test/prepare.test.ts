import { spawnSync } from "node:child_process";
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, describe, expect, it } from "vitest";

const folders: string[] = [];
afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
});

/** Runs prepare.js beside a build and an npm that only say that they were run; the status is that of npm. */
function prepare({ esbuild, npmStatus = 0 }: { readonly esbuild: boolean; readonly npmStatus?: number }): {
  status: number | null;
  ran: string;
} {
  const folder = mkdtempSync(join(tmpdir(), "ipt2nft-prepare-"));
  folders.push(folder);
  const log = join(folder, "log");
  const stub = (name: string, status: number): void =>
    writeFileSync(
      join(folder, name),
      `require("fs").appendFileSync(${JSON.stringify(log)}, [${JSON.stringify(name)}, ...process.argv.slice(2)].join(" ") + "\\n"); process.exit(${status});`,
    );
  cpSync(new URL("../prepare.js", import.meta.url), join(folder, "prepare.mjs"));
  stub("build.js", 0);
  stub("npm-cli.js", npmStatus);
  if (esbuild) mkdirSync(join(folder, "node_modules", "esbuild"), { recursive: true });
  const { status } = spawnSync(process.execPath, ["prepare.mjs"], {
    cwd: folder,
    env: { ...process.env, npm_execpath: join(folder, "npm-cli.js") },
  });
  return { status, ran: existsSync(log) ? readFileSync(log, "utf8") : "" };
}

describe("prepare.js", () => {
  it("builds", () => {
    expect(prepare({ esbuild: true })).toEqual({ status: 0, ran: "build.js\n" });
  });

  it("installs what the build needs where npm has not", () => {
    expect(prepare({ esbuild: false })).toEqual({
      status: 0,
      ran: "npm-cli.js ci --no-global --include=dev --ignore-scripts --no-audit --no-fund\nbuild.js\n",
    });
  });

  it("fails as npm does, and builds nothing", () => {
    expect(prepare({ esbuild: false, npmStatus: 3 })).toEqual({
      status: 3,
      ran: "npm-cli.js ci --no-global --include=dev --ignore-scripts --no-audit --no-fund\n",
    });
  });
});
