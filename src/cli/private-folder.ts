/** Folders in which nobody else may exchange what this process has put there, or put something there before it. */

import { lstatSync, readFileSync, readlinkSync } from "node:fs";
import { join, resolve } from "node:path";
import { Failure } from "../failure.js";

/** As many as Linux follows (MAXSYMLINKS). */
const mostLinks = 40;

/**
 * Throws a Failure where somebody else than root and this process's user may write to the folder, or rename a folder on the way to it or
 * a link there. What is not there yet is passed over: who may make it is asked of the folder above it.
 * @returns the path to go on with: with `..` taken literally, as it was looked at
 */
export function requirePrivateFolder(path: string): string {
  const wanted = resolve(path);
  const refuse = (reason: string): never => {
    throw new Failure(`${JSON.stringify(path)} is no folder of one's own: ${reason}`);
  };
  let links = 0;
  let at = "/";
  const left = wanted.split("/").filter((name) => name !== "");
  for (;;) {
    const status = lstatSync(at, { throwIfNoEntry: false });
    if (!status) return wanted;
    const isLast = left.length === 0;
    if (!isTrusted(status.uid, isLast)) refuse(`${JSON.stringify(at)} belongs to another user (${status.uid})`);
    if (status.isSymbolicLink()) {
      if ((links += 1) > mostLinks) refuse("too many links");
      left.unshift(
        ...resolve(at, "..", readlinkSync(at))
          .split("/")
          .filter((name) => name !== ""),
      );
      at = "/";
      continue;
    }
    if (!status.isDirectory()) refuse(`${JSON.stringify(at)} is no folder`);
    // In a folder such as /tmp others may make entries, but neither rename nor remove ours.
    const mayRename = (status.mode & 0o022) !== 0 && (isLast || (status.mode & 0o1000) === 0);
    if (mayRename) refuse(`others may write to ${JSON.stringify(at)}`);
    if (isLast) return wanted;
    at = join(at, left.shift()!);
  }
}

function isTrusted(uid: number, isLast: boolean): boolean {
  return uid === 0 || uid === process.getuid?.() || (!isLast && uid === unmappedUser());
}

/** Whose files of users are whom this namespace of users does not know, root of the machine among them; undefined where it knows all. */
function unmappedUser(): number | undefined {
  const counts = [...readFileSync("/proc/self/uid_map", "latin1").matchAll(/([0-9]+)\s*$/gm)].map(([, count]) => Number(count));
  if (counts.reduce((sum, count) => sum + count, 0) >= 0xffff_fffe) return undefined;
  return Number(readFileSync("/proc/sys/kernel/overflowuid", "latin1"));
}
