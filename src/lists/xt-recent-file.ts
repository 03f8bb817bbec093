/**
 * The files of /proc/net/xt_recent: read, printed, and what may be written to them (xt_recent.c, `recent_seq_show`,
 * `recent_mt_proc_write`).
 */

import { Failure } from "../failure.js";
import { addressBits, parseAddress } from "../extensions/values/address.js";
import type { Family } from "../iptables/ast.js";
import { readAddress, type Host } from "./hosts.js";

/** The kernel's clock at a moment. */
export interface KernelClock {
  readonly jiffies: bigint;
  /** Ticks in a second. */
  readonly ticksPerSecond: number;
}

/** Kernels are made with these (kernel/Kconfig.hz). */
const rates = [100, 250, 300, 1000];

/**
 * Reads /proc/timer_list. The counter begins five minutes before it overflows 32 bits (`INITIAL_JIFFIES`), so it tells with the time
 * since the start how fast it runs. Throws a Failure for any other text.
 */
export function readClock(text: string): KernelClock {
  const nanoseconds = Number(/^now at ([0-9]+) nsecs$/m.exec(text)?.[1]);
  const jiffies = [...text.matchAll(/^ *\.?(?:last_)?jiffies *: *([0-9]+)$/gm)]
    .map(([, count]) => BigInt(count!))
    .reduce((a, b) => (a > b ? a : b), 0n);
  const ran = (rate: number): number => Number(jiffies - ((1n << 32n) - BigInt(300 * rate))) / rate - nanoseconds / 1e9;
  const [best] = [...rates].sort((a, b) => Math.abs(ran(a)) - Math.abs(ran(b)));
  if (jiffies === 0n || Number.isNaN(nanoseconds) || Math.abs(ran(best!)) > 5)
    throw new Failure("the kernel's clock cannot be read from /proc/timer_list");
  return { jiffies, ticksPerSecond: best! };
}

/** A host of a file. */
export interface FileHost {
  readonly address: string;
  readonly family: Family;
  readonly ttl: number;
  /** In ticks of the kernel. */
  readonly stamps: readonly bigint[];
}

const lineForm = /^src=([0-9a-fA-F.:]{2,45}) ttl: ([0-9]{1,3}) last_seen: [0-9]{1,20} oldest_pkt: [0-9]{1,5} ([0-9, ]+)$/;

/** Stamps of a host: the kernel keeps fewer (XT_RECENT_MAX_NSTAMPS). */
const mostStamps = 65_536;

/** Reads a file; throws a Failure for a line that is none of it. */
export function readRecentFile(text: string, name: string): FileHost[] {
  return text.split("\n").flatMap((line, index) => {
    if (line.trim() === "") return [];
    const [, address, ttl, stamps] = lineForm.exec(line) ?? [];
    const found = address === undefined ? undefined : readAddress(address);
    const numbers = stamps?.split(", ", mostStamps + 1) ?? [];
    const isWhole = numbers.length <= mostStamps && numbers.every((number) => /^[0-9]{1,20}$/.test(number));
    if (!found || Number(ttl) > 255 || !isWhole)
      throw new Failure(`line ${index + 1} of ${JSON.stringify(name)} is no line of a list of xt_recent`);
    return [{ address: address!, family: found.family, ttl: Number(ttl), stamps: numbers.map(BigInt) }];
  });
}

/** How old the stamps are, in milliseconds. Throws a Failure for stamps that are still to come, of another start of the machine. */
export function agesOf({ stamps, address }: FileHost, { jiffies, ticksPerSecond }: KernelClock): number[] {
  return stamps.map((stamp) => {
    // A tick may have passed between the two readings.
    const ticks = Number(jiffies - stamp);
    if (ticks < -ticksPerSecond)
      throw new Failure(
        `${address} was seen at ${stamp}, and the kernel's clock is at ${jiffies}: ` + "the file is of another start of this machine",
      );
    return (Math.max(0, ticks) * 1000) / ticksPerSecond;
  });
}

/** A host as a line of the file. A hit of which only is known that it was is as old as the oldest that is known. */
export function recentLine({ address, family, ages, count, ttl = 0 }: Host, { jiffies, ticksPerSecond }: KernelClock): string {
  const stamps = ages.map((age) => jiffies - BigInt(Math.round((age * ticksPerSecond) / 1000)));
  const oldest = stamps.at(-1) ?? jiffies;
  const all = [...stamps, ...Array.from({ length: Math.max(0, count - stamps.length) }, () => oldest)].reverse();
  return `src=${longAddress(address, family)} ttl: ${ttl} last_seen: ${all.at(-1)} oldest_pkt: ${all.length} ${all.join(", ")}\n`;
}

/** IPv6 as the kernel prints it, in full. */
function longAddress(address: string, family: Family): string {
  if (family === "ipv4") return address;
  const digits = (parseAddress(address, family) ?? 0n).toString(16).padStart(addressBits.ipv6 / 4, "0");
  return digits.match(/.{4}/g)!.join(":");
}

/** A command as the file takes it, or as older kernels and scripts had it. */
export type FileCommand = { readonly kind: "add" | "remove"; readonly address: string } | { readonly kind: "clear" };

/** Reads a command, with or without a newline; undefined for what the kernel would refuse, but for a bare address and `clear`. */
export function readFileCommand(text: string): FileCommand | undefined {
  const line = text.split("\n")[0]!;
  if (line.startsWith("/") || line === "clear") return { kind: "clear" };
  const sign = /^[+-]/.exec(line)?.[0];
  const address = sign === undefined ? line : line.slice(1);
  if (!readAddress(address)) return undefined;
  return { kind: sign === "-" ? "remove" : "add", address };
}
