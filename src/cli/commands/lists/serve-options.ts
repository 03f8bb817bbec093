/** The options of `lists serve`. */

import { isIP } from "node:net";
import { InvalidArgumentError, type Command } from "commander";
import type { Shown } from "../../command.js";
import { usageError, wholeNumber } from "../../options/words.js";

export interface ServeSettings {
  /** Where it listens: an address and a port, or the path of a socket. */
  readonly place: { readonly address: string; readonly port: number } | { readonly socket: string };
  readonly tokenFile: string | undefined;
  readonly allowChanges: boolean;
  /** Of changes; undefined where none are allowed. */
  readonly log: string | undefined;
  /** Names beside the address by which browsers may call it. */
  readonly hosts: readonly string[];
}

const usualPort = 8323;
const usualLog = "/var/log/ipt2nft-recent-lists.log";

export function addServeOptions(command: Command): Command {
  return command
    .option("--port <PORT>", `port on 127.0.0.1 (default: ${usualPort})`, wholeNumber(0, 65_535))
    .option("--listen <ADDRESS:PORT>", "listen elsewhere; what is sent there is not encrypted", place)
    .option("--socket <PATH>", "listen on a Unix socket, for a server in front of it")
    .option("--host <NAME>", "a name by which browsers call it, such as that of a server in front of it", several)
    .option("--token-file <FILE>", "the token, in place of one that is made and printed")
    .option("--allow-changes", "let the page change lists; otherwise it only shows them")
    .option("--log <FILE>", `where changes are written to, with who and why (default: ${usualLog})`);
}

addServeOptions.details = `\
Who has the token sees the lists, and with --allow-changes changes the firewall. It is sent in a header with each request; there are
no cookies.

Examples:
  ipt2nft-recent lists serve
  ipt2nft-recent lists serve --allow-changes --token-file /etc/ipt2nft-recent/token
  ssh -L 8323:127.0.0.1:8323 firewall.example.net        (then http://127.0.0.1:8323 shows the lists of that machine)`;

interface RawOptions {
  readonly port?: number;
  readonly listen?: { readonly address: string; readonly port: number };
  readonly socket?: string;
  readonly host?: readonly string[];
  readonly tokenFile?: string;
  readonly allowChanges?: true;
  readonly log?: string;
}

function place(text: string): { readonly address: string; readonly port: number } {
  const [, bracketed, plain, port] = /^(?:\[([0-9a-fA-F:.]+)\]|([0-9.]+)):([0-9]{1,5})$/.exec(text) ?? [];
  const address = bracketed ?? plain;
  if (address === undefined || isIP(address) !== (bracketed === undefined ? 4 : 6) || Number(port) > 65_535)
    throw new InvalidArgumentError("it must be an address and a port in full, such as 192.0.2.1:8323 or [2001:db8::1]:8323");
  return { address, port: Number(port) };
}

function several(word: string, before: readonly string[] | undefined): readonly string[] {
  if (!/^[A-Za-z0-9.-]+(?::[0-9]{1,5})?$/.test(word))
    throw new InvalidArgumentError("it must be a name, with a port where it is not the usual one");
  return [...(before ?? []), word.toLowerCase()];
}

export function serveSettings(command: Command): ServeSettings | Shown {
  const { port, listen, socket, host = [], tokenFile, allowChanges = false, log } = command.opts<RawOptions>();
  if ([port, listen, socket].filter((one) => one !== undefined).length > 1)
    return usageError("--port, --listen and --socket say different places");
  if (log !== undefined && !allowChanges) return usageError("--log is for changes: it needs --allow-changes");
  return {
    place: socket !== undefined ? { socket } : (listen ?? { address: "127.0.0.1", port: port ?? usualPort }),
    tokenFile,
    allowChanges,
    log: allowChanges ? (log ?? usualLog) : undefined,
    hosts: host,
  };
}
