/** The types of sets that ipset has (`man ipset`, section "SET TYPES"). */

import type { Dimension, IpsetType } from "./ast.js";

function hash(...dimensions: Dimension[]): IpsetType {
  return { name: `hash:${dimensions.join(",")}`, dimensions, method: "hash" };
}

const bitmapIp: IpsetType = { name: "bitmap:ip", dimensions: ["ip"], method: "bitmap" };
const bitmapIpMac: IpsetType = { name: "bitmap:ip,mac", dimensions: ["ip", "mac"], method: "bitmap" };
const bitmapPort: IpsetType = { name: "bitmap:port", dimensions: ["port"], method: "bitmap" };
const listSet: IpsetType = { name: "list:set", dimensions: ["set"], method: "list" };

export const hashIp = hash("ip");
export const hashNet = hash("net");
export const hashIpPort = hash("ip", "port");
export const hashIpPortIp = hash("ip", "port", "ip");

const types: readonly IpsetType[] = [
  hashIp,
  hashNet,
  hashIpPort,
  hashIpPortIp,
  hash("net", "port"),
  hash("ip", "port", "net"),
  hash("net", "net"),
  hash("net", "port", "net"),
  hash("net", "iface"),
  hash("mac"),
  hash("ip", "mac"),
  hash("ip", "mark"),
  bitmapIp,
  bitmapIpMac,
  bitmapPort,
  listSet,
];

/** Names of ipset 4 and before, which every ipset still takes. */
const formerNames: Readonly<Record<string, string>> = {
  iphash: "hash:ip",
  nethash: "hash:net",
  ipporthash: "hash:ip,port",
  ipportiphash: "hash:ip,port,ip",
  ipportnethash: "hash:ip,port,net",
  ipmap: "bitmap:ip",
  macipmap: "bitmap:ip,mac",
  portmap: "bitmap:port",
  setlist: "list:set",
};

const byName: ReadonlyMap<string, IpsetType> = new Map([
  ...types.map((type) => [type.name, type] as const),
  ...Object.entries(formerNames).map(([former, name]) => [former, types.find((type) => type.name === name)!] as const),
]);

export function findType(name: string): IpsetType | undefined {
  return byName.get(name);
}
