/** A repository with rules on its main branch, and a branch that changes them, checked out as platforms do it. */

import { execFileSync } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";

/** Four attempts a minute at the SSH port of a machine that is otherwise closed. */
export const rules = `*filter
:INPUT DROP [0:0]
:FORWARD DROP [0:0]
:OUTPUT ACCEPT [0:0]
-A INPUT -i lo -j ACCEPT
-A INPUT -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
-A INPUT -p tcp -m tcp --dport 22 -m conntrack --ctstate NEW -m recent --set --name SSH --mask 255.255.255.255 --rsource
-A INPUT -p tcp -m tcp --dport 22 -m conntrack --ctstate NEW -m recent --update --seconds 60 --hitcount 4 --name SSH --mask 255.255.255.255 --rsource -j DROP
-A INPUT -p tcp -m tcp --dport 22 -m conntrack --ctstate NEW -j ACCEPT
COMMIT
`;

export const rulesIpv6 =
  "*filter\n:INPUT DROP [0:0]\n:FORWARD DROP [0:0]\n:OUTPUT ACCEPT [0:0]\n-A INPUT -s 2001:db8::/32 -j ACCEPT\nCOMMIT\n";

/** The rules with one that lets telnet in, on line 10. */
export const loosened = rules.replace("COMMIT", "-A INPUT -p tcp -m tcp --dport 23 -j ACCEPT\nCOMMIT");

/** The rules with other counters and a comment line: nothing changes. */
export const harmless = `# written by hand\n${rules.replace("[0:0]", "[5:300]")}`;

export interface Repository {
  /** The checkout, with the changed files. */
  readonly folder: string;
  /** The commit that the change starts from. */
  readonly base: string;
}

/** The files by their path; those of the change replace those of the main branch. `folder` must not exist yet. */
export function makeRepository(
  folder: string,
  main: Readonly<Record<string, string>>,
  change: Readonly<Record<string, string>>,
): Repository {
  const origin = `${folder}-origin`;
  git(dirname(folder), "init", "--quiet", "--initial-branch=main", origin);
  commit(origin, main);
  git(origin, "checkout", "--quiet", "-b", "change");
  commit(origin, change);
  git(dirname(folder), "clone", "--quiet", "--branch", "change", origin, folder);
  return { folder, base: git(folder, "rev-parse", "origin/main") };
}

/** Writes the files without committing them. */
export function writeFiles(folder: string, files: Readonly<Record<string, string>>): void {
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), text);
  }
}

function commit(folder: string, files: Readonly<Record<string, string>>): void {
  writeFiles(folder, files);
  git(folder, "add", "--all");
  git(
    folder,
    "-c",
    "user.name=Example",
    "-c",
    "user.email=example@example.org",
    "commit",
    "--quiet",
    "--allow-empty",
    "--message",
    "rules",
  );
}

/** Neither the settings of this user nor of this machine count. */
function git(folder: string, ...words: readonly string[]): string {
  return execFileSync("git", words, {
    cwd: folder,
    encoding: "utf8",
    env: { ...process.env, GIT_CONFIG_GLOBAL: "/dev/null", GIT_CONFIG_SYSTEM: "/dev/null" },
  }).trim();
}
