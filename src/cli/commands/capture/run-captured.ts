/**
 * Runs a command in namespaces of its own, and brings what it has made in the kernel there.
 *
 * `namespace/outer.sh` runs on the machine and starts `namespace/inner.sh`, which is number 1 of a process namespace: when it ends, is
 * killed, or when the pipe from this process closes, the kernel kills everything in it, and the namespaces are gone. Both are
 * constants; what differs comes to them as words.
 */

import { Failure } from "../../../failure.js";
import { findProgram, startProgram } from "../../../run-program.js";
import { batchesOf, type Machine } from "./machine.js";
import innerScript from "./namespace/inner.sh?raw";
import outerScript from "./namespace/outer.sh?raw";
import failing from "./namespace/stand-ins/failing.sh?raw";
import firewall from "./namespace/stand-ins/firewall.sh?raw";
import held from "./namespace/stand-ins/held.sh?raw";
import ifconfig from "./namespace/stand-ins/ifconfig.sh?raw";
import ip from "./namespace/stand-ins/ip.sh?raw";
import log from "./namespace/stand-ins/log.sh?raw";
import route from "./namespace/stand-ins/route.sh?raw";
import sudo from "./namespace/stand-ins/sudo.sh?raw";
import sysctl from "./namespace/stand-ins/sysctl.sh?raw";
import { PartReader } from "./parts.js";
import { alwaysThere, heldWherePresent, networkPrograms } from "./programs.js";

const standIns = [log, firewall, held, failing, ip, ifconfig, route, sysctl, sudo];

export interface CaptureRequest {
  readonly command: readonly string[];
  readonly machine: Machine;
  /** Seconds that the command may take. */
  readonly timeout: number;
  /** That it may write. */
  readonly megabytes: number;
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Gives the command our standard input; else it reads nothing. */
  readonly readsInput: boolean;
  /** Called with what the command prints, piece by piece. */
  readonly heard: (piece: Buffer) => void;
  readonly signal: AbortSignal;
}

/** What the command left behind, as the kernel and the stand-ins tell it. */
export interface Left {
  /** Exit status; more than 128 where a signal ended it. */
  readonly status: number;
  /** Lines: what iptables, ipset and the kernel call themselves. */
  readonly versions: string;
  readonly ipv4: string;
  readonly ipv6: string;
  readonly sets: string;
  /** The files of /proc/net/xt_recent, each behind a line `list NAME`. */
  readonly lists: string;
  /** Lines: what became of a command, a tab, and the command. */
  readonly log: string;
  /** Lines: paths of files. */
  readonly written: string;
  /** What `ip` complained of when it made the interfaces. */
  readonly interfaces: string;
}

/** The command took too long, and everything was ended. */
export class TookTooLong extends Failure {}

/** Seconds for what comes before the command and after it. */
const patience = 120;
/** Bytes of a captured firewall. */
const mostResult = 256 * 1024 * 1024;
/** Bytes of standard error that are looked at for a reason. */
const mostReason = 4_000;

const neededPrograms: readonly (readonly [program: string, debianPackage: string])[] = [
  ["sh", "dash"],
  ["unshare", "util-linux"],
  ["nsenter", "util-linux"],
  ["mount", "mount"],
  ["pivot_root", "util-linux"],
  ["iptables", "iptables"],
  ["ip6tables", "iptables"],
];

/** Throws a Failure that names what this machine lacks. */
export function requireTools(searchPath: string | undefined): void {
  if (process.platform !== "linux") throw new Failure("capture needs Linux, whose kernel holds the firewall; this is another system");
  const missing = neededPrograms.filter(([program]) => findProgram(program, searchPath) === undefined);
  if (missing.length === 0) return;
  const packages = [...new Set(missing.map(([, name]) => name))].join(" ");
  throw new Failure(`not installed: ${missing.map(([name]) => name).join(", ")}; install with: apt-get install ${packages}`);
}

/** Runs the command to its end. Throws a Failure where it cannot be run, `TookTooLong`, or the signal's reason. */
export function runCaptured(request: CaptureRequest): Promise<Left> {
  const { command, machine, timeout, megabytes, environment, readsInput, heard, signal } = request;
  requireTools(environment["PATH"]);
  const { peers, addresses } = batchesOf(machine);
  const words = [
    ...[process.cwd(), String(megabytes), peers, addresses],
    ...[alwaysThere, heldWherePresent, networkPrograms].map((names) => names.join(" ")),
    ...standIns,
    ...command,
  ];
  const started = startProgram(
    {
      program: "sh",
      arguments: ["-c", outerScript, "sh", process.getuid?.() === 0 ? "root" : "user", "sh", "-c", innerScript, "sh", ...words],
      // It does when the pipe closes, and the kernel ends the rest with it.
      endsItself: true,
      environment: environmentFor(environment),
      searchPath: environment["PATH"],
    },
    ["pipe", "pipe", "pipe", "ignore", readsInput ? 0 : "ignore"],
  );
  if (!started) throw new Failure("the program sh is not installed");
  const { child, end } = started;
  return new Promise((resolve, reject) => {
    const reader = new PartReader();
    let stopped: Error | undefined;
    let length = 0;
    let begun = false;
    let said = "";
    const stop = (reason: Error): void => {
      stopped ??= reason;
      end();
    };
    let timer: NodeJS.Timeout | undefined;
    const within = (seconds: number, reason: () => Error): void => {
      clearTimeout(timer);
      timer = setTimeout(() => stop(reason()), seconds * 1000);
    };
    const slow = (what: string) => (): Error => new Failure(`${what} took longer than ${patience} s`);
    within(patience, slow("making the namespaces"));
    const whole = (name: string): void => {
      begun ||= name === "began";
      if (name === "began") within(timeout, () => new TookTooLong(`the script took longer than ${timeout} s and was ended`));
      if (name === "ended") within(patience, slow("reading the firewall"));
    };
    child.stdout?.on("data", (chunk: Buffer) => {
      length += chunk.length;
      try {
        if (length > mostResult) stop(new Failure(`the firewall has more than ${mostResult} bytes`));
        else reader.take(chunk, whole);
      } catch (error) {
        stop(error as Error);
      }
    });
    child.stderr?.on("data", (chunk: Buffer) => {
      if (begun) heard(chunk);
      else if (said.length < mostReason) said += chunk.toString("utf8");
    });
    child.stdin?.on("error", () => undefined);
    const abort = (): void => stop(signal.reason as Error);
    signal.addEventListener("abort", abort, { once: true });
    if (signal.aborted) abort();
    child.on("error", (error) => stop(new Failure(`sh cannot be started: ${error.message}`)));
    child.on("close", () => {
      clearTimeout(timer);
      signal.removeEventListener("abort", abort);
      if (stopped) reject(stopped);
      else if (reader.parts.has("fault")) reject(new Failure(reader.text("fault").trim()));
      else if (!begun) reject(new Failure(`no namespaces can be made here${reasonIn(said)}`));
      else if (!reader.parts.has("status")) reject(new Failure("the namespaces ended before the firewall was read"));
      else resolve(leftIn(reader));
    });
  });
}

function leftIn(reader: PartReader): Left {
  const [versions, ipv4, ipv6, sets, lists, log, written, interfaces] = (
    ["versions", "ipv4", "ipv6", "sets", "lists", "log", "written", "interfaces"] as const
  ).map((name) => reader.text(name));
  return {
    status: Number(reader.text("status").trim()),
    versions: versions!,
    ipv4: ipv4!,
    ipv6: ipv6!,
    sets: sets!,
    lists: lists!,
    log: log!,
    written: written!,
    interfaces: interfaces!,
  };
}

/** What sh or the loader of programs takes as an order; `PATH` is as `startProgram` makes it. */
const orders = ["ENV", "BASH_ENV", "LD_PRELOAD", "LD_LIBRARY_PATH", "PS4", "SHELLOPTS", "BASHOPTS", "IFS", "PATH"];

/** The environment for the command. Ours is read by the same sh, so that what gives orders to a shell is left out. */
function environmentFor(environment: Readonly<Record<string, string | undefined>>): Record<string, string | undefined> {
  const kept = Object.entries(environment).filter(([name]) => !orders.includes(name) && !name.startsWith("BASH_FUNC_"));
  return { ...Object.fromEntries(kept), LC_ALL: "C" };
}

function reasonIn(said: string): string {
  const hint =
    "user namespaces are not allowed (sysctl kernel.unprivileged_userns_clone, user.max_user_namespaces, AppArmor), or this is a container";
  const text = said.trim().split("\n").slice(0, 3).join("; ");
  return text === "" ? `: ${hint}` : `: ${text} (${hint})`;
}
