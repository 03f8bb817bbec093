/** Protocol numbers of IP and their names. */

import { number, symbol, type Expression } from "../../nft/ast.js";
import { Invalid, type ValueParser } from "../extension.js";
import { parseInteger } from "./number.js";

/**
 * Names and aliases of the protocols database (/etc/protocols of Debian), in lower case, and the ones that xtables knows
 * by itself (`all`, `icmpv6`, `mh`, `ipv6-mh`). 0 stands for every protocol.
 */
const protocolNumbers: ReadonlyMap<string, number> = new Map(
  Object.entries({
    all: 0,
    ip: 0,
    hopopt: 0,
    icmp: 1,
    igmp: 2,
    ggp: 3,
    ipencap: 4,
    "ip-encap": 4,
    st: 5,
    tcp: 6,
    egp: 8,
    igp: 9,
    pup: 12,
    udp: 17,
    hmp: 20,
    "xns-idp": 22,
    rdp: 27,
    "iso-tp4": 29,
    dccp: 33,
    xtp: 36,
    ddp: 37,
    "idpr-cmtp": 38,
    ipv6: 41,
    "ipv6-route": 43,
    "ipv6-frag": 44,
    idrp: 45,
    rsvp: 46,
    gre: 47,
    esp: 50,
    "ipsec-esp": 50,
    ah: 51,
    "ipsec-ah": 51,
    skip: 57,
    "ipv6-icmp": 58,
    "ipv6-nonxt": 59,
    "ipv6-opts": 60,
    rspf: 73,
    cphb: 73,
    vmtp: 81,
    eigrp: 88,
    ospf: 89,
    ospfigp: 89,
    "ax.25": 93,
    ipip: 94,
    etherip: 97,
    encap: 98,
    pim: 103,
    ipcomp: 108,
    vrrp: 112,
    l2tp: 115,
    isis: 124,
    sctp: 132,
    fc: 133,
    "mobility-header": 135,
    udplite: 136,
    "mpls-in-ip": 137,
    manet: 138,
    hip: 139,
    shim6: 140,
    wesp: 141,
    rohc: 142,
    ethernet: 143,
    icmpv6: 58,
    mh: 135,
    "ipv6-mh": 135,
  }),
);

/** TCP, UDP, DCCP, SCTP, UDP-Lite: their header begins with two ports. iptables reads ports of these alone; in others a port is 0. */
export const protocolsWithPorts: readonly number[] = [6, 17, 33, 132, 136];

export function hasPorts(protocol: number): boolean {
  return protocolsWithPorts.includes(protocol);
}

/** A number from 0 to 255, or a name in letters of either case, as `iptables -p` reads it. */
export const protocol: ValueParser<number> = (text) => {
  const value = parseInteger(text);
  if (value !== undefined) return value > 255n ? new Invalid(`"${text}" is not between 0 and 255`) : Number(value);
  return protocolNumbers.get(text.toLowerCase()) ?? new Invalid(`"${text}" is not a known protocol`);
};

/** The names that are words of the nft language; all others depend on the database of the machine that loads the script. */
const nftNames: Readonly<Record<number, string>> = {
  1: "icmp",
  2: "igmp",
  6: "tcp",
  17: "udp",
  33: "dccp",
  50: "esp",
  51: "ah",
  58: "icmpv6",
  108: "comp",
  132: "sctp",
  136: "udplite",
};

/** The name by which every nft knows a protocol number; `undefined` where it has to be written as a number. */
export function protocolName(value: number): string | undefined {
  return nftNames[value];
}

/** A protocol number as nft writes it: by name where that is safe. */
export function protocolExpression(value: number): Expression {
  const name = protocolName(value);
  return name === undefined ? number(value) : symbol(name);
}
