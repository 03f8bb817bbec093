/** The interfaces that a captured script finds: those of this machine, as `ip` tells them, and those of the command line. */

import { isIP } from "node:net";
import { runProgram } from "../../../run-program.js";

/** An interface by its name, with its addresses. */
export interface Interface {
  readonly name: string;
  /** With the length of the prefix: `192.0.2.1/24`. */
  readonly addresses: readonly string[];
  /** Of its hardware, if known. */
  readonly hardware?: string;
  /** Bytes, if known. */
  readonly mtu?: number;
}

interface Route {
  readonly destination: string;
  readonly via?: string;
  readonly device: string;
}

export interface Machine {
  readonly interfaces: readonly Interface[];
  readonly routes: readonly Route[];
}

/** Characters of a name that the kernel takes and that no line of a batch can be broken with. */
const interfaceName = /^[A-Za-z0-9_.@+-]{1,15}$/;

export function isInterfaceName(name: string): boolean {
  return interfaceName.test(name) && !/^(?:-|\.{1,2}$)/.test(name);
}

/** An address with the length of its prefix; undefined where it is none. Without a length the address stands alone (32 or 128). */
export function addressWithLength(text: string): string | undefined {
  const [address = "", length, ...more] = text.split("/");
  const version = isIP(address);
  if (version === 0 || address.includes("%") || more.length > 0) return undefined;
  const bits = version === 4 ? 32 : 128;
  if (length === undefined) return `${address}/${bits}`;
  return /^[0-9]{1,3}$/.test(length) && Number(length) <= bits ? `${address}/${Number(length)}` : undefined;
}

/** Seconds. */
const patience = 20;
const mostOutput = 16 * 1024 * 1024;

/** What this machine has; nothing where `ip` cannot tell. */
export async function readMachine(searchPath: string | undefined, signal: AbortSignal): Promise<Machine> {
  const ask = async (...words: readonly string[]): Promise<readonly unknown[]> => {
    const outcome = await runProgram({
      program: "ip",
      arguments: ["-json", ...words],
      searchPath,
      seconds: patience,
      mostOutput,
      signal,
    });
    if (outcome.kind !== "ended" || outcome.status !== 0) return [];
    try {
      const read: unknown = JSON.parse(outcome.stdout.toString("utf8") || "[]");
      return Array.isArray(read) ? (read as readonly unknown[]) : [];
    } catch {
      return [];
    }
  };
  return {
    interfaces: interfacesOf(await ask("address", "show")),
    routes: [...routesOf(await ask("-4", "route", "show"), "0.0.0.0/0"), ...routesOf(await ask("-6", "route", "show"), "::/0")],
  };
}

const field = (value: unknown, name: string): unknown =>
  typeof value === "object" && value !== null ? (value as Readonly<Record<string, unknown>>)[name] : undefined;

/** Of what `ip -json address show` prints; loopback is there anyway. */
export function interfacesOf(read: readonly unknown[]): Interface[] {
  return read.flatMap((one) => {
    const [name, hardware, mtu, addresses] = ["ifname", "address", "mtu", "addr_info"].map((key) => field(one, key));
    if (typeof name !== "string" || !isInterfaceName(name) || name === "lo") return [];
    return [
      {
        name,
        addresses: (Array.isArray(addresses) ? addresses : []).flatMap((info: unknown) => {
          const address = addressWithLength(`${String(field(info, "local"))}/${String(field(info, "prefixlen"))}`);
          return address === undefined ? [] : [address];
        }),
        // That of a veth: no group address.
        ...(typeof hardware === "string" && /^[0-9a-f][02468ace](?::[0-9a-f]{2}){5}$/.test(hardware) && { hardware }),
        ...(typeof mtu === "number" && Number.isInteger(mtu) && mtu >= 68 && mtu <= 65535 && { mtu }),
      },
    ];
  });
}

/** Of what `ip -json route show` prints, without those that addresses bring with them; `everywhere` is what it calls `default`. */
export function routesOf(read: readonly unknown[], everywhere: string): Route[] {
  return read.flatMap((one) => {
    const [destination, via, device] = ["dst", "gateway", "dev"].map((key) => field(one, key));
    if (typeof destination !== "string" || typeof device !== "string" || !isInterfaceName(device)) return [];
    if (field(one, "protocol") === "kernel") return [];
    const network = destination === "default" ? everywhere : addressWithLength(destination);
    if (network === undefined) return [];
    if (via !== undefined && (typeof via !== "string" || isIP(via) === 0)) return [];
    return [{ destination: network, device, ...(via !== undefined && { via }) }];
  });
}

/** The machine with the interfaces of the command line, which take the place of those of their names. */
export function withInterfaces({ interfaces, routes }: Machine, more: readonly Interface[]): Machine {
  const names = new Set(more.map(({ name }) => name));
  return { interfaces: [...interfaces.filter(({ name }) => !names.has(name)), ...more], routes };
}

/** The lines for `ip -batch` that make the interfaces, from the side of their other ends, and those that give them what they have. */
export function batchesOf({ interfaces, routes }: Machine): { readonly peers: string; readonly addresses: string } {
  return {
    peers: interfaces
      .map(({ name }, index) => `link add peer${index} type veth peer name ${name} netns 1\nlink set peer${index} up`)
      .join("\n"),
    addresses: [
      ...interfaces.flatMap(({ name, addresses, hardware, mtu }) => [
        `link set dev ${name} addrgenmode none`,
        ...(hardware === undefined ? [] : [`link set dev ${name} address ${hardware}`]),
        ...(mtu === undefined ? [] : [`link set dev ${name} mtu ${mtu}`]),
        `link set dev ${name} up`,
        ...addresses.map((address) => `address add ${address} dev ${name}${address.includes(":") ? " nodad" : " brd +"}`),
      ]),
      ...routes.map(({ destination, via, device }) => `route add ${destination}${via === undefined ? "" : ` via ${via}`} dev ${device}`),
    ].join("\n"),
  };
}
