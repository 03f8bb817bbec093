/** The fields of a packet by name, as conditions ask for them. */

import { addressBits } from "../extensions/values/address.js";
import { packetStates } from "../extensions/values/connection-state.js";
import type { Family } from "../iptables/ast.js";
import type { Field } from "./conditions.js";
import type { Value } from "./nft-values.js";
import { icmpTypeOf, tcpFlagsOf, type Packet, type Path } from "./packet.js";

/** A packet of each family that nobody asked for. */
export const plainPacket: Readonly<Record<Family, Packet>> = {
  ipv4: packetBetween(0xc000_0207n, 0xc633_6401n),
  ipv6: packetBetween(0x2001_0db8_0000_0000_0000_0000_0000_0007n, 0x2001_0db8_0001_0000_0000_0000_0000_0001n),
};

function packetBetween(source: bigint, destination: bigint): Packet {
  return {
    time: 0,
    path: "input",
    source,
    destination,
    ttl: 64,
    protocol: 6,
    sourcePort: 40000,
    destinationPort: 9,
    inInterface: "eth0",
    outInterface: "",
  };
}

/** Values that fields have besides those which rules name. */
export function usualValues(family: Family): ReadonlyMap<Field, readonly Value[]> {
  const plain = plainPacket[family];
  return new Map<Field, readonly Value[]>([
    ["source", [plain.source, plain.source + 1n, plain.source + (1n << (family === "ipv4" ? 8n : 64n))]],
    ["destination", [plain.destination, plain.destination + 1n]],
    ["inInterface", ["eth0", "eth1", "ppp0", "lo"]],
    ["outInterface", ["eth1", "eth0", "ppp0", "lo"]],
    ["protocol", [6n, 17n, family === "ipv4" ? 1n : 58n, 47n]],
    ["sourcePort", [40000n, 1500n]],
    ["destinationPort", [9n, 40001n]],
    ["state", [...packetStates]],
    ["tcpFlags", [2n, 16n, 18n, 4n, 17n, 0n]],
    ["icmpType", [family === "ipv4" ? 8n : 128n, 3n, 0n]],
    ["icmpCode", [0n, 1n]],
    ["length", [60n, 1500n]],
    ["mark", [0n]],
    ["connectionMark", [0n]],
    ["ttl", [64n, 63n]],
  ]);
}

/** Bits of the fields that are numbers; those of addresses are the family's. */
const bitsOf: Partial<Readonly<Record<Field, number>>> = {
  protocol: 8,
  sourcePort: 16,
  destinationPort: 16,
  tcpFlags: 8,
  icmpType: 8,
  icmpCode: 8,
  length: 16,
  mark: 32,
  connectionMark: 32,
  ttl: 8,
};

/** Whether a packet can have the value: numbers have as many bits as in the header, and what comes in has no way out. */
export function fits(field: Field, value: Value, path: Path, family: Family): boolean {
  if (field === "inInterface") return (value === "") === (path === "output");
  if (field === "outInterface") return (value === "") === (path === "input");
  if (typeof value !== "bigint") return true;
  const bits = field === "source" || field === "destination" ? addressBits[family] : bitsOf[field];
  return bits === undefined || BigInt.asUintN(bits, value) === value;
}

/** The packet of the host so many addresses further; the first address follows the last. */
export function withNeighbour(packet: Packet, side: "source" | "destination", offset: bigint, family: Family): Packet {
  return { ...packet, [side]: BigInt.asUintN(addressBits[family], packet[side] + offset) };
}

/** What the field holds; the values that a packet does not tell are those of `Packet`. */
export function fieldOf(packet: Packet, field: Field): Value {
  if (field.startsWith("fact ")) return packet.facts?.has(field.slice("fact ".length)) ? 1n : 0n;
  switch (field as Exclude<Field, `fact ${string}`>) {
    case "source":
      return packet.source;
    case "destination":
      return packet.destination;
    case "inInterface":
      return packet.inInterface;
    case "outInterface":
      return packet.outInterface;
    case "protocol":
      return BigInt(packet.protocol);
    case "sourcePort":
      return BigInt(packet.sourcePort);
    case "destinationPort":
      return BigInt(packet.destinationPort);
    case "state":
      return packet.state ?? "new";
    case "tcpFlags":
      return BigInt(tcpFlagsOf(packet));
    case "icmpType":
      return BigInt(icmpTypeOf(packet));
    case "icmpCode":
      return BigInt(packet.icmpCode ?? 0);
    case "length":
      return BigInt(packet.length ?? 60);
    case "mark":
      return BigInt(packet.mark ?? 0);
    case "connectionMark":
      return BigInt(packet.connectionMark ?? 0);
    case "ttl":
      return BigInt(packet.ttl);
  }
}

export function withField(packet: Packet, field: Field, value: Value): Packet {
  if (field.startsWith("fact ")) {
    const name = field.slice("fact ".length);
    const facts = new Set(packet.facts);
    if (value === 1n) facts.add(name);
    else facts.delete(name);
    return { ...packet, facts };
  }
  switch (field as Exclude<Field, `fact ${string}`>) {
    case "source":
    case "destination":
    case "inInterface":
    case "outInterface":
    case "state":
      return { ...packet, [field]: value };
    default:
      return { ...packet, [field]: Number(value) };
  }
}
