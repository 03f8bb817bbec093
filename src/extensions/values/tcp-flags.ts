/** The flags of TCP as bits of their byte (RFC 9293, RFC 3168). */

export const tcpFlags = { fin: 1, syn: 2, rst: 4, psh: 8, ack: 16, urg: 32, ece: 64, cwr: 128 } as const;
export type TcpFlag = keyof typeof tcpFlags;

/** In the order of their bits. */
export const tcpFlagNames = Object.keys(tcpFlags) as readonly TcpFlag[];

/** The six of RFC 793; iptables knows no others. */
export const firstTcpFlags = ["fin", "syn", "rst", "psh", "ack", "urg"] as const satisfies readonly TcpFlag[];

/** The bits of some flags together. */
export function flagBits(flags: readonly TcpFlag[]): number {
  return flags.reduce((bits, flag) => bits | tcpFlags[flag], 0);
}

/** What `--syn` looks at and wants: the packet that opens a connection. */
export const opening = { mask: flagBits(["fin", "syn", "rst", "ack"]), value: tcpFlags.syn } as const;
