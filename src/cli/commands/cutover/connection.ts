/** Who asks: the connection that a command was typed on, and when it was opened. */

import { readFileSync } from "node:fs";
import { networkInterfaces } from "node:os";
import { readConnection, type OwnConnection } from "../../../cutover/own-connection.js";
import { startOf } from "./state-directory.js";

/** Servers that have a process for each connection. One of tmux or screen outlives its connection, and is none of them. */
const servers = ["sshd", "sshd-session", "dropbear", "in.telnetd", "telnetd", "in.rlogind"];

export interface Login {
  readonly server: string;
  readonly pid: number;
  /** Seconds since the machine was started. */
  readonly at: number;
}

/** The connection's process above this one; undefined where there is none, as on a console or in a session of tmux. */
export function loginOf(pid: number = process.pid): Login | undefined {
  let found: Login | undefined;
  for (const one of ancestors(pid)) {
    const name = read(one, "comm").trim();
    if (!servers.includes(name)) {
      if (found) break;
      continue;
    }
    // The one that listens is above those of the connections.
    const title = read(one, "cmdline");
    if (found && !/^sshd(?:-session)?: (?!.*\[listener\])/.test(title)) break;
    const started = startOf(one);
    if (started !== undefined) found = { server: name, pid: one, at: started / 100 };
  }
  return found;
}

/** The connection as sshd has told it to this process or to one above, which `sudo` does not pass on. */
export function ownConnection(environment: Readonly<Record<string, string | undefined>>): OwnConnection | undefined {
  const told = [
    environment["SSH_CONNECTION"],
    ...[...ancestors(process.pid)].map((pid) => variable(read(pid, "environ"), "SSH_CONNECTION")),
  ];
  const connection = told.flatMap((text) => (text === undefined ? [] : (readConnection(text) ?? [])))[0];
  if (!connection) return undefined;
  return { ...connection, inInterface: interfaceOf(connection.server) };
}

function interfaceOf(address: string): string | undefined {
  return Object.entries(networkInterfaces()).find(([, infos]) => infos?.some((info) => info.address === address))?.[0];
}

const variable = (environ: string, name: string): string | undefined =>
  environ
    .split("\0")
    .find((entry) => entry.startsWith(`${name}=`))
    ?.slice(name.length + 1);

function* ancestors(pid: number): Iterable<number> {
  for (let one = pid; one > 1; ) {
    const parent = Number(/^PPid:\s*([0-9]+)$/m.exec(read(one, "status"))?.[1] ?? 0);
    if (parent < 1) return;
    yield parent;
    one = parent;
  }
}

function read(pid: number, file: string): string {
  try {
    return readFileSync(`/proc/${pid}/${file}`, "utf8");
  } catch {
    return "";
  }
}
