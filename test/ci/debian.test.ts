/** The Debian package, built and unpacked into a folder of its own. */

import { execFileSync, spawnSync } from "node:child_process";
import { existsSync, lstatSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

const root = new URL("../../", import.meta.url).pathname;
const { version, engines } = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as {
  readonly version: string;
  readonly engines: { readonly node: string };
};
const isThere = !spawnSync("dpkg-deb", ["--version"]).error;
const epoch = 1_750_000_000;

describe.skipIf(!isThere)(`build-deb.js${isThere ? "" : " (skipped: not installed: dpkg-deb)"}`, () => {
  let folder: string;
  let unpacked: string;
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), "ipt2nft-deb-"));
    unpacked = join(folder, "unpacked");
    mkdirSync(unpacked);
    const script = 'umask 077 && exec "$0" build-deb.js --directory "$1"';
    execFileSync("sh", ["-c", script, process.execPath, folder], {
      cwd: root,
      env: { ...process.env, SOURCE_DATE_EPOCH: String(epoch), TZ: "Asia/Tokyo" },
    });
    execFileSync("dpkg-deb", ["-R", join(folder, `ipt2nft-recent_${version}_all.deb`), unpacked]);
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  const all = (): string[] => readdirSync(unpacked, { recursive: true, encoding: "utf8" }).filter((path) => !path.startsWith("DEBIAN"));
  const share = (...path: string[]): string => join(unpacked, "usr", "share", ...path);

  it("depends on the Node.js that the command needs", () => {
    const control = readFileSync(join(unpacked, "DEBIAN", "control"), "utf8");
    expect(control).toContain(`\nVersion: ${version}\n`);
    expect(control).toContain(`\nDepends: nodejs (>= ${engines.node.replace(">=", "")})\n`);
  });

  it("has a command that runs, with its manual and its completions", () => {
    const command = join(unpacked, "usr", "bin", "ipt2nft-recent");
    expect(readFileSync(command, "utf8")).toMatch(/^#!\/usr\/bin\/node\n/);
    const { status, stdout } = spawnSync(process.execPath, [command, "review", "examples/repository/rules.v4"], {
      cwd: share("doc", "ipt2nft-recent"),
      encoding: "utf8",
    });
    expect({ status, isReview: /^Look|^Safe/m.test(stdout) || stdout.includes("finding") }).toEqual({ status: 0, isReview: true });
    expect(gunzipSync(readFileSync(share("man", "man1", "ipt2nft-recent-review.1.gz"))).toString()).toMatch(/^\.TH .* "2025-06-15"/);
    for (const file of ["bash-completion/completions/ipt2nft-recent", "zsh/vendor-completions/_ipt2nft-recent"])
      expect(readFileSync(share(file), "utf8")).toContain("completion lists");
    expect(existsSync(share("fish", "vendor_completions.d", "ipt2nft-recent.fish"))).toBe(true);
  });

  it("hangs neither on the time nor on the umask", () => {
    expect(all().length).toBeGreaterThan(200);
    const modes = new Set(all().map((path) => (lstatSync(join(unpacked, path)).mode & 0o777).toString(8)));
    expect([...modes].sort()).toEqual(["644", "755", "777"]);
    const files = all().map((path) => lstatSync(join(unpacked, path)));
    // Unpacking a link changes the time of its folder.
    const other = files.filter((status) => !status.isDirectory() && Math.round(status.mtimeMs / 1000) !== epoch);
    expect(other).toEqual([]);
  });

  it("has sums that are right", () => {
    const { status } = spawnSync("md5sum", ["--check", "--quiet", "DEBIAN/md5sums"], { cwd: unpacked });
    expect(status).toBe(0);
  });
});
