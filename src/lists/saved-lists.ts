/** The file that `lists save` writes: the hosts of lists with the times of their hits by the clock of the world. */

import { Failure } from "../failure.js";
import { hostsOf, readAddress } from "./hosts.js";
import type { List } from "./lists.js";
import { agesOf, readRecentFile, type KernelClock } from "./xt-recent-file.js";

export interface SavedHost {
  readonly address: string;
  readonly ttl: number;
  /** All hits, those without a time among them. */
  readonly count: number;
  /** Milliseconds since 1970. */
  readonly stamps: readonly number[];
}

export interface SavedList {
  readonly name: string;
  readonly hosts: readonly SavedHost[];
}

const format = "ipt2nft-recent lists 1";

/** Characters of what is no address that are shown. */
const mostShown = 100;

/** @param now milliseconds since 1970 at which the lists were read */
export function saveLists(lists: readonly List[], now: number): string {
  const saved = lists.map((list) => ({
    name: list.name,
    hosts: hostsOf(list).map(({ address, ttl = 0, count, ages }) => ({
      address,
      ttl,
      count,
      stamps: ages.map((age) => Math.round(now - age)),
    })),
  }));
  return `${JSON.stringify({ format, saved: new Date(now).toISOString(), lists: saved }, undefined, 1)}\n`;
}

/**
 * A file of /proc/net/xt_recent, or a copy of one. Throws a Failure for any other text, and for stamps of another start of the machine.
 * @param now milliseconds since 1970 at which the clock was read
 */
export function savedFromRecentFile(text: string, name: string, clock: KernelClock, now: number): SavedList {
  const hosts = readRecentFile(text, name).map((host) => ({
    address: host.address,
    ttl: host.ttl,
    count: host.stamps.length,
    stamps: agesOf(host, clock).map((age) => now - age),
  }));
  return { name, hosts };
}

/** Throws a Failure for any other text. */
export function readSavedLists(text: string, name: string): SavedList[] {
  const refused = (reason: string): Failure => new Failure(`${JSON.stringify(name)} is no file of "lists save": ${reason}`);
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw refused("it is no JSON");
  }
  if (!isRecord(value) || value["format"] !== format || !Array.isArray(value["lists"]))
    throw refused(`it does not say "format": "${format}"`);
  return value["lists"].map((list: unknown): SavedList => {
    if (!isRecord(list) || typeof list["name"] !== "string" || !Array.isArray(list["hosts"]))
      throw refused("a list has no name or no hosts");
    const hosts = list["hosts"].map((host: unknown): SavedHost => {
      if (!isRecord(host)) throw refused("a host is none");
      const { address, ttl, count, stamps } = host;
      if (typeof address !== "string") throw refused("a host has no address");
      if (!readAddress(address)) throw refused(`${JSON.stringify(address.slice(0, mostShown))} is no address`);
      if (!isWhole(ttl, 255) || !isWhole(count, 65_535)) throw refused(`the host ${address} has no TTL or no count`);
      if (!Array.isArray(stamps) || !stamps.every((stamp) => isWhole(stamp, Number.MAX_SAFE_INTEGER)))
        throw refused(`the host ${address} has no stamps`);
      return { address, ttl, count, stamps: stamps };
    });
    return { name: list["name"], hosts };
  });
}

const isRecord = (value: unknown): value is Record<string, unknown> => typeof value === "object" && value !== null && !Array.isArray(value);

const isWhole = (value: unknown, most: number): value is number =>
  Number.isSafeInteger(value) && (value as number) >= 0 && (value as number) <= most;
