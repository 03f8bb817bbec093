import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { checkScript } from "../../../../src/cli/commands/translate/check.js";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "ipt2nft-check-"));
});
afterEach(() => rmSync(folder, { recursive: true }));

/** A stand-in for nft: what is tested is how it is called and how its answer is read. */
function nftThat(does: string): Record<string, string> {
  writeFileSync(join(folder, "nft"), `#!/bin/sh\n${does}\n`);
  chmodSync(join(folder, "nft"), 0o755);
  return { PATH: `${folder}:/usr/bin:/bin` };
}

it("hands the script to nft -c -f -", async () => {
  const environment = nftThat(`cat > ${folder}/script; echo "$@" > ${folder}/arguments`);
  await checkScript("table ip x {}\n", environment);
  expect(readFileSync(join(folder, "script"), "utf8")).toBe("table ip x {}\n");
  expect(readFileSync(join(folder, "arguments"), "utf8")).toBe("-c -f -\n");
});

it("passes on what nft says", async () => {
  await expect(checkScript("x".repeat(10_000_000), nftThat("echo '1:1-1: Error: syntax error' >&2; exit 1"))).rejects.toThrow(
    "nft does not accept the script (exit status 1):\n1:1-1: Error: syntax error",
  );
  await expect(checkScript("", nftThat("kill -9 $$"))).rejects.toThrow("ended by SIGKILL");
  await expect(
    checkScript("", nftThat("echo 'netlink: Error: cache initialization failed: Operation not permitted' >&2; exit 1")),
  ).rejects.toThrow("needs root's rights");
});
