/** release.js, beside programs that only write what they are asked to. */

import { spawnSync } from "node:child_process";
import { chmodSync, cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "ipt2nft-release-"));
  cpSync(new URL("../release.js", import.meta.url), join(folder, "release.js"));
  for (const name of ["package.json", "package-lock.json"]) writeFileSync(join(folder, name), '{ "version": "1.2.3", "type": "module" }\n');
  writeFileSync(join(folder, "CHANGELOG.md"), "# Changelog\n\n## 1.2.3 (2026-01-31)\n\n- something\n");
  writeFileSync(join(folder, ".gitignore"), "release/\n");
  const writes = (name: string, file: string): void =>
    writeFileSync(
      join(folder, name),
      `import { writeFileSync } from "node:fs";\nwriteFileSync(process.argv[3] + ${JSON.stringify(file)}, process.env.SOURCE_DATE_EPOCH);\n`,
    );
  writes("build-deb.js", "/x.deb");
  writes("build-ansible.js", "/x.tar.gz");
  writes("build-single.js", "/x-linux-x64");
  writes("build-playground.js", "");
  mkdirSync(join(folder, "bin"));
  writeFileSync(join(folder, "bin", "npm"), '#!/bin/sh\nprintf packed > "$3/x.tgz"\n');
  chmodSync(join(folder, "bin", "npm"), 0o755);
  git("init", "-q");
  commit();
});
afterEach(() => rmSync(folder, { recursive: true }));

function git(...words: readonly string[]): void {
  const identity = ["-c", "user.name=me", "-c", "user.email=me@example.org"];
  const date = "2026-01-31T00:00:00Z";
  const { status } = spawnSync("git", [...identity, ...words], {
    cwd: folder,
    env: { ...process.env, GIT_COMMITTER_DATE: date, GIT_AUTHOR_DATE: date },
  });
  expect(status).toBe(0);
}

function commit(): void {
  git("add", "-A");
  git("commit", "-q", "-m", "a commit");
}

function release(): { readonly status: number | null; readonly error: string } {
  const { PATH, SOURCE_DATE_EPOCH: _, ...environment } = process.env;
  const { status, stderr } = spawnSync(process.execPath, ["release.js"], {
    cwd: folder,
    encoding: "utf8",
    env: { ...environment, PATH: `${join(folder, "bin")}:${PATH}` },
  });
  return { status, error: stderr };
}

describe("release.js", () => {
  it("builds everything with the date of the commit, and sums that are right", () => {
    expect(release()).toEqual({ status: 0, error: "" });
    const made = join(folder, "release", "1.2.3");
    expect(readFileSync(join(made, "x.deb"), "utf8")).toBe("1769817600");
    expect(readFileSync(join(made, "SHA256SUMS"), "utf8")).toMatch(
      /^[0-9a-f]{64} {2}playground\.html\n.* {2}x-linux-x64\n.* {2}x\.deb\n.* {2}x\.tar\.gz\n.* {2}x\.tgz\n$/,
    );
    expect(spawnSync("sha256sum", ["--check", "--quiet", "SHA256SUMS"], { cwd: made }).status).toBe(0);
  });

  it("refuses a clone with changes, and a version that nothing tells of", () => {
    writeFileSync(join(folder, "more"), "");
    expect(release()).toEqual({ status: 1, error: "release: the clone has changes: commit them first\n" });
    writeFileSync(join(folder, "CHANGELOG.md"), "# Changelog\n\n## Unreleased\n\n- something\n");
    commit();
    expect(release()).toMatchObject({
      status: 1,
      error: expect.stringContaining('the first part of CHANGELOG.md is "Unreleased"') as string,
    });
    writeFileSync(join(folder, "CHANGELOG.md"), "# Changelog\n\n## 1.2.3\n\n- something\n");
    writeFileSync(join(folder, "package-lock.json"), '{ "version": "1.2.2" }\n');
    commit();
    expect(release()).toMatchObject({ status: 1, error: "release: package-lock.json has the version 1.2.2, and package.json 1.2.3\n" });
  });
});
