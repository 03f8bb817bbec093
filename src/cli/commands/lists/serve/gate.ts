/** Who may ask: everything is checked before a request is looked at. */

import { createHash, timingSafeEqual } from "node:crypto";
import type { IncomingMessage } from "node:http";

import { formatAddress, prefixMask } from "../../../../extensions/values/address.js";
import { readAddress } from "../../../../lists/hosts.js";

/** Why a request is refused. */
export interface Refusal {
  readonly status: 400 | 401 | 403 | 415 | 429;
  readonly message: string;
}

export interface GateOptions {
  readonly token: string;
  /** What the header `Host` may say, in lower case. */
  readonly hosts: readonly string[];
}

/** Wrong tokens of one address in a minute after which it gets no answer but "later". */
const mostWrong = 10;
const minute = 60_000;

/** Addresses of which wrong tokens are remembered. */
const mostAddresses = 10_000;

export class Gate {
  private readonly token: Buffer;
  /** By network, the one that tried last at the end. */
  private readonly wrong = new Map<string, { count: number; until: number }>();

  constructor(private readonly options: GateOptions) {
    this.token = digest(options.token);
  }

  /**
   * Whether a request comes from where it says. A page of another origin can send one by the reader's browser: its `Origin` says so, and a
   * name that was made to point here (DNS rebinding) stands in `Host`.
   */
  refuseOrigin({ headers }: IncomingMessage): Refusal | undefined {
    const host = headers.host?.toLowerCase() ?? "";
    if (!this.options.hosts.includes(host)) return { status: 403, message: "this server is not called so (--host gives it a name)" };
    const { origin } = headers;
    if (origin !== undefined && origin !== `http://${host}` && origin !== `https://${host}`)
      return { status: 403, message: "another page asks" };
    const site = headers["sec-fetch-site"];
    if (site !== undefined && site !== "same-origin" && site !== "none") return { status: 403, message: "another page asks" };
    return undefined;
  }

  /**
   * Whether a request has the token; it stands in a header that no other page can make a browser send.
   * @param address that asks
   */
  refuseToken({ headers }: IncomingMessage, address: string, now: number): Refusal | undefined {
    const [, given] = /^Bearer ([!-~]+)$/.exec(headers.authorization ?? "") ?? [];
    // Who has the token is let in whatever others have tried.
    if (given !== undefined && timingSafeEqual(digest(given), this.token)) return undefined;
    const network = networkOf(address);
    const seen = this.wrong.get(network);
    const tries = seen && seen.until > now ? seen : { count: 0, until: now + minute };
    if (given !== undefined) {
      tries.count += 1;
      this.wrong.delete(network);
      this.wrong.set(network, tries);
      const [oldest] = this.wrong.keys();
      if (this.wrong.size > mostAddresses) this.wrong.delete(oldest!);
    }
    if (tries.count > mostWrong) return { status: 429, message: "too many wrong tokens; try again in a minute" };
    return { status: 401, message: "the token is missing or wrong" };
  }
}

/** Who has an address of IPv6 has its whole network of 64 bits. */
function networkOf(address: string): string {
  const read = readAddress(plainAddress(address));
  return read?.family === "ipv6" ? formatAddress(read.value & prefixMask(64, "ipv6"), "ipv6") : plainAddress(address);
}

/**
 * An address as servers write it, in the notation of lists: without a port, brackets or a zone, and one of IPv4 that is written as one of
 * IPv6 as what it is.
 */
export function plainAddress(text: string): string {
  const trimmed = text.trim();
  const bare = (/^\[([^\]]*)\]/.exec(trimmed)?.[1] ?? /^([0-9.]+):[0-9]+$/.exec(trimmed)?.[1] ?? trimmed).replace(/%.*$/s, "");
  const value = readAddress(bare);
  return value?.family === "ipv6" && value.value >> 32n === 0xffffn ? formatAddress(value.value & 0xffff_ffffn, "ipv4") : bare;
}

function digest(text: string): Buffer {
  return createHash("sha256").update(text).digest();
}
