import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { checkScript } from "../../../../src/cli/commands/translate/check.js";
import { translate } from "../../../../src/translate.js";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "ipt2nft-check-"));
});
afterEach(() => rmSync(folder, { recursive: true }));

/** A stand-in for nft: what is tested is how it is called and how its answer is read. */
function nftThat(does: string): Record<string, string> {
  // One for unshare, too: not every machine that runs this has namespaces.
  return programs({ nft: does, unshare: 'while [ "$1" != nft ]; do shift; done; exec "$@"' });
}

function programs(scripts: Readonly<Record<string, string>>): Record<string, string> {
  for (const [name, does] of Object.entries(scripts)) {
    writeFileSync(join(folder, name), `#!/bin/sh\n${does}\n`);
    chmodSync(join(folder, name), 0o755);
  }
  return { PATH: `${folder}:/usr/bin:/bin` };
}

it("hands the script to nft -c -f -", async () => {
  const environment = nftThat(`cat > ${folder}/script; echo "$@" > ${folder}/arguments`);
  await checkScript("table ip x {}\n", [], environment);
  expect(readFileSync(join(folder, "script"), "utf8")).toBe("table ip x {}\n");
  expect(readFileSync(join(folder, "arguments"), "utf8")).toBe("-c -f -\n");
});

it("passes on what nft says", async () => {
  await expect(checkScript("x".repeat(10_000_000), [], nftThat("echo '1:1-1: Error: syntax error' >&2; exit 1"))).rejects.toThrow(
    "nft does not accept the script (exit status 1):\n1:1-1: Error: syntax error",
  );
  await expect(checkScript("", [], nftThat("kill -9 $$"))).rejects.toThrow("ended by SIGKILL");
});

it("never asks where the machine's own firewall is", async () => {
  const environment = programs({
    nft: `touch ${folder}/asked`,
    unshare: "echo 'unshare: unshare failed: Operation not permitted' >&2; exit 1",
  });
  await expect(checkScript("", [], environment)).rejects.toThrow("--check cannot ask nft: it takes a network namespace of its own");
  expect(existsSync(join(folder, "asked"))).toBe(false);
});

it("makes a user namespace where it has no rights to make a network namespace alone", async () => {
  const environment = programs({
    unshare: `[ "$1" = --user ] || { echo 'unshare: unshare failed: Operation not permitted' >&2; exit 1; }; echo "$@" >${folder}/arguments`,
  });
  await checkScript("", [], environment);
  expect(readFileSync(join(folder, "arguments"), "utf8")).toBe("--user --map-root-user --net nft -c -f -\n");
});

it("says that a script is too long for it", async () => {
  await expect(checkScript("", [], nftThat("echo 'netlink: Error: Message too long' >&2; exit 1"))).rejects.toThrow("run it as root");
});

it("names what the kernel lacks of what the script needs", async () => {
  const { nft, script } = translate("*filter\n-A INPUT -p tcp -m socket\n-A INPUT -j NFQUEUE\n-A INPUT -j LOG\nCOMMIT\n", {
    family: "ipv4",
  });
  const lacks = "if grep -qE '(queue|socket)' -; then echo 'Error: Could not process rule' >&2; exit 1; fi";
  await expect(checkScript(script!, nft!.tables, nftThat(lacks))).rejects.toThrow(
    /^this kernel lacks what the script needs: queue \(nft_queue\); socket \(nft_socket\)\n--without queue,socket makes a script without/,
  );
  const { nft: other, script: shorter } = translate("*filter\n-A INPUT -j LOG\nCOMMIT\n", { family: "ipv4" });
  await expect(checkScript(shorter!, other!.tables, nftThat(lacks))).resolves.toBeUndefined();
});
