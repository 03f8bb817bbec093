/** What nft makes of a script, loaded into a network namespace that is gone when it has answered. */

import { spawnSync } from "node:child_process";
import { codeOf, systemReason } from "../../system-error.js";

/** Milliseconds. */
const deadline = 30_000;

export type Listing =
  | { readonly listing: string }
  /** What nft says against the script. */
  | { readonly refused: string }
  /** Why nft cannot be asked. */
  | { readonly unavailable: string };

/** The ruleset as nft lists it, without what counters stand at. */
export function listingOf(script: string): Listing {
  const user = process.getuid?.() === 0 ? [] : ["--user", "--map-root-user"];
  const { error, status, stdout, stderr, signal } = spawnSync(
    "unshare",
    [...user, "--net", "sh", "-c", "command -v nft >/dev/null || exit 77; unshare -n true || exit 78; nft -f - && nft -s list ruleset"],
    // nft is installed where only root's PATH looks.
    {
      input: script,
      encoding: "utf8",
      timeout: deadline,
      maxBuffer: 1 << 30,
      env: { ...process.env, PATH: `${process.env["PATH"] ?? ""}:/usr/local/sbin:/usr/sbin:/sbin` },
    },
  );
  if (error) return { unavailable: codeOf(error) === "ENOENT" ? "the program unshare (util-linux) is not installed" : systemReason(error) };
  if (status === 0) return { listing: stdout };
  if (status === 77) return { unavailable: "the program nft is not installed" };
  const said = stderr.trim();
  if (signal !== null) return { unavailable: `nft was ended by ${signal}` };
  if (status === 78 || /^unshare:|Operation not permitted/m.test(said))
    return { unavailable: `no network namespace can be made here: ${said}` };
  return { refused: said };
}
