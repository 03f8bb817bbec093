import { chmodSync, chownSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { requirePrivateFolder } from "../../src/cli/private-folder.js";

describe.skipIf(process.platform !== "linux")("a folder of one's own", () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "ipt2nft-recent-private-"));
    mkdirSync(join(folder, "open"));
    chmodSync(join(folder, "open"), 0o777);
    mkdirSync(join(folder, "open", "below"));
    mkdirSync(join(folder, "sticky"));
    chmodSync(join(folder, "sticky"), 0o1777);
    mkdirSync(join(folder, "sticky", "below"));
    writeFileSync(join(folder, "file"), "");
    symlinkSync("sticky/below", join(folder, "link"));
    symlinkSync(join(folder, "sticky"), join(folder, "open", "link"));
    symlinkSync("loop", join(folder, "loop"));
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  it.each([".", "sticky/below", "link", "not-there", "sticky/not-there/either"])("is %s", (path) => {
    expect(() => requirePrivateFolder(join(folder, path))).not.toThrow();
  });

  it.each([
    ["open", "others may write to"],
    ["open/below", "others may write to"],
    ["open/not-there", "others may write to"],
    ["sticky", "others may write to"],
    // Who may exchange the link chooses the folder.
    ["open/link/below", "others may write to"],
    ["file", "is no folder"],
    ["loop", "too many links"],
  ])("is not %s: %s", (path, reason) => {
    expect(() => requirePrivateFolder(join(folder, path))).toThrow(reason);
  });

  it.runIf(process.getuid?.() === 0)("is not what another user owns, or leads to", () => {
    chownSync(join(folder, "sticky", "below"), 12_345, 0);
    expect(() => requirePrivateFolder(join(folder, "sticky", "below"))).toThrow("belongs to another user (12345)");
    expect(() => requirePrivateFolder(join(folder, "link", "deeper"))).toThrow("belongs to another user (12345)");
  });
});
