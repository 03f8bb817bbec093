/**
 * The user's own traffic as packets for the models: CSV with a header line, a JSON array of objects, or a capture.
 *
 * CSV and JSON have the same names: `time` in seconds and `source` are needed; `destination`, `protocol` (tcp, udp, icmp, a
 * number), `sport`, `dport`, `in`, `out`, `path` (input, forward, output), `state` (new, established, related, invalid,
 * untracked), `flags` (syn, ack …, divided by blanks), `type` and `code` of ICMP, `ttl`, `length`, `mark`. Others are faults.
 */

import { decode, isKnownLinkType } from "../capture/decode.js";
import { CaptureFault, isCapture, readCapture } from "../capture/read-pcap.js";
import { Invalid } from "../extensions/extension.js";
import { packetStates, type PacketState } from "../extensions/values/connection-state.js";
import { parseAddress } from "../extensions/values/address.js";
import { protocol as protocolValue } from "../extensions/values/protocols.js";
import type { Family } from "../iptables/ast.js";
import { tcpFlagBits, ticksPerSecond, type Packet, type Path } from "./packet.js";
import { Tracker } from "./tracker.js";
import { rowsOfCsv, rowsOfJson, TrafficFault, type Cell, type Name, type Row } from "./traffic-rows.js";

export { TrafficFault };

export interface TrafficPacket {
  readonly family: Family;
  readonly packet: Packet;
}

export interface Traffic {
  /** In the order of their times, the first at 0. */
  readonly packets: readonly TrafficPacket[];
  /** What was not read, in words; empty if nothing. */
  readonly skipped: readonly string[];
}

export interface TrafficOptions {
  /** Where packets come in that do not say it; `eth0` unless told. */
  readonly interface?: string;
  /** Addresses of the firewall: packets from them go out, packets to others are forwarded. Without any all packets come in. */
  readonly local?: readonly string[];
}

/** Reads a file of traffic; throws a `TrafficFault`. */
export function readTraffic(bytes: Uint8Array, { interface: inInterface = "eth0", local = [] }: TrafficOptions = {}): Traffic {
  const reader = new RowReader(inInterface, local);
  if (isCapture(bytes)) return readFromCapture(bytes, reader);
  let text: string;
  try {
    text = new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    throw new TrafficFault("neither a capture nor UTF-8 text");
  }
  const rows = /^\s*[[{]/.test(text) ? rowsOfJson(text) : rowsOfCsv(text);
  if (rows.length === 0) throw new TrafficFault("no packets in it", { line: 1, column: 1 });
  return finish(
    rows.map((row) => reader.read(row)),
    [],
  );
}

// -------------------------------------------------------------------------------------------------------- packets

interface Untracked {
  readonly family: Family;
  readonly packet: Omit<Packet, "state" | "time">;
  readonly seconds: number;
  readonly state: PacketState | undefined;
}

class RowReader {
  private readonly locals: readonly (readonly [Family, bigint])[];

  constructor(
    private readonly inInterface: string,
    local: readonly string[],
  ) {
    this.locals = local.map((text) => {
      const found = addressOf(text);
      if (!found) throw new TrafficFault(`"${text}" is not an address`);
      return found;
    });
  }

  read({ cells, place }: Row): Untracked {
    const at = (name: Name): Cell | undefined => {
      const cell = cells.get(name);
      return cell === undefined || cell.value === "" || cell.value === null ? undefined : cell;
    };
    const words = (name: Name): string | undefined => {
      const cell = at(name);
      return cell && String(cell.value);
    };
    const numeric = (name: Name, most: number): number | undefined => {
      const cell = at(name);
      if (!cell) return undefined;
      const text = String(cell.value).trim();
      const value = /^(0x[0-9a-f]+|\d+)$/i.test(text) ? Number(text) : NaN;
      if (!(value <= most)) throw new TrafficFault(`${name} "${text}" is not a number from 0 to ${most}`, cell.place);
      return value;
    };
    const oneOf = <Word extends string>(name: Name, allowed: readonly Word[]): Word | undefined => {
      const cell = at(name);
      const found = cell && allowed.find((word) => word === String(cell.value).toLowerCase());
      if (cell && !found) throw new TrafficFault(`${name} "${String(cell.value)}" is none of ${allowed.join(", ")}`, cell.place);
      return found;
    };
    const address = (name: "source" | "destination"): readonly [Family, bigint] | undefined => {
      const cell = at(name);
      const found = cell && addressOf(String(cell.value));
      if (cell && !found) throw new TrafficFault(`${name} "${String(cell.value)}" is not an address`, cell.place);
      return found;
    };

    const time = at("time");
    const seconds = Number(time?.value ?? NaN);
    if (!Number.isFinite(seconds))
      throw new TrafficFault(`time "${time ? String(time.value) : ""}" is not a number of seconds`, time?.place ?? place);
    const source = address("source");
    if (!source) throw new TrafficFault("no source", place);
    const [family, sourceAddress] = source;
    const destination = address("destination") ?? this.locals.find(([one]) => one === family) ?? usualDestination[family];
    if (destination[0] !== family)
      throw new TrafficFault("source and destination are of different families", at("destination")?.place ?? place);
    const protocolCell = at("protocol");
    const protocol = protocolCell ? protocolValue(String(protocolCell.value), { family }) : 6;
    if (protocol instanceof Invalid) throw new TrafficFault(`protocol ${protocol.reason}`, protocolCell?.place);
    const flags = words("flags")
      ?.toLowerCase()
      .split(/[\s,|]+/)
      .filter((flag) => flag !== "");
    const wrong = flags?.find((flag) => tcpFlagBits[flag] === undefined);
    if (wrong !== undefined)
      throw new TrafficFault(`flags "${wrong}" is none of ${Object.keys(tcpFlagBits).join(", ")}`, at("flags")?.place);
    const [icmpType, icmpCode, length, mark] = [
      numeric("type", 255),
      numeric("code", 255),
      numeric("length", 65535),
      numeric("mark", 0xffffffff),
    ];
    const [inward, outward] = [words("in"), words("out")];
    const path =
      oneOf("path", ["input", "forward", "output"]) ??
      (outward === undefined ? this.pathOf(family, sourceAddress, destination[1]) : inward === undefined ? "output" : "forward");
    return {
      family,
      seconds,
      state: oneOf("state", packetStates),
      packet: {
        ...this.interfaces(path, inward, outward),
        source: sourceAddress,
        destination: destination[1],
        protocol,
        ttl: numeric("ttl", 255) ?? 64,
        sourcePort: numeric("sport", 65535) ?? 40000,
        destinationPort: numeric("dport", 65535) ?? 0,
        ...(flags && { tcpFlags: flags.reduce((bits, flag) => bits | tcpFlagBits[flag]!, 0) }),
        ...(icmpType !== undefined && { icmpType }),
        ...(icmpCode !== undefined && { icmpCode }),
        ...(length !== undefined && { length }),
        ...(mark !== undefined && { mark }),
      },
    };
  }

  interfaces(path: Path, inward = this.inInterface, outward = this.inInterface): Pick<Packet, "path" | "inInterface" | "outInterface"> {
    return { path, inInterface: path === "output" ? "" : inward, outInterface: path === "input" ? "" : outward };
  }

  /** The way of a packet through the machine, as far as its addresses tell. */
  pathOf(family: Family, source: bigint, destination: bigint): Path {
    const isLocal = (address: bigint): boolean => this.locals.some(([one, value]) => one === family && value === address);
    if (this.locals.length === 0 || isLocal(destination)) return "input";
    return isLocal(source) ? "output" : "forward";
  }
}

const usualDestination: Readonly<Record<Family, readonly [Family, bigint]>> = {
  ipv4: ["ipv4", 0xc633_6401n],
  ipv6: ["ipv6", 0x2001_0db8_0001_0000_0000_0000_0000_0001n],
};

function addressOf(text: string): readonly [Family, bigint] | undefined {
  const family = text.includes(":") ? "ipv6" : "ipv4";
  const whole = family === "ipv6" || /^\d+\.\d+\.\d+\.\d+$/.test(text.trim());
  const value = whole ? parseAddress(text.trim(), family) : undefined;
  return value === undefined ? undefined : [family, value];
}

function readFromCapture(bytes: Uint8Array, reader: RowReader): Traffic {
  try {
    let other = 0;
    const packets = readCapture(bytes).flatMap(({ at, linkType, bytes: frame, offset }): Untracked[] => {
      if (!isKnownLinkType(linkType)) throw new CaptureFault(`packets of link type ${linkType}, which is not read here`, offset);
      const decoded = decode(linkType, frame);
      if (!decoded) {
        other += 1;
        return [];
      }
      const { family, ...rest } = decoded;
      const { icmpType, icmpCode, tcpFlags, ...common } = rest;
      const path = reader.pathOf(family, rest.source, rest.destination);
      return [
        {
          family,
          seconds: at,
          state: undefined,
          packet: {
            ...common,
            ...reader.interfaces(path),
            ...(tcpFlags !== undefined && { tcpFlags }),
            ...(icmpType !== undefined && { icmpType }),
            ...(icmpCode !== undefined && { icmpCode }),
          },
        },
      ];
    });
    if (packets.length === 0) throw new TrafficFault("no IP packets in it");
    return finish(packets, other === 0 ? [] : [`frames that are no whole IP packets: ${other}`]);
  } catch (error) {
    if (error instanceof CaptureFault) throw new TrafficFault(`byte ${error.offset}: ${error.message}`);
    throw error;
  }
}

/** Puts packets in order and finds the states of those that do not say theirs. */
function finish(rows: readonly Untracked[], skipped: readonly string[]): Traffic {
  const ordered = [...rows].sort((a, b) => a.seconds - b.seconds);
  const start = ordered[0]?.seconds ?? 0;
  const tracker = new Tracker();
  return {
    skipped,
    packets: ordered.map(({ family, packet, seconds, state }) => {
      // A microsecond more: a time that stands for a whole tick must not fall below it by rounding.
      const timed = { ...packet, time: Math.floor((seconds - start + 1e-6) * ticksPerSecond) };
      return { family, packet: { ...timed, state: state ?? tracker.stateOf(timed) } };
    }),
  };
}
