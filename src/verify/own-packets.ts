/** Packets that the firewall sends itself: a small program in each namespace opens the sockets it is told to. */

import type { Frame } from "./frame.js";

/** A line that the program reads. */
interface Order {
  readonly kind: "udp" | "tcp";
  readonly source: string;
  readonly sourcePort: number;
  readonly destination: string;
  readonly destinationPort: number;
  readonly ttl: number;
  /** Of the payload, in bytes. */
  readonly length: number;
}

/** Of an order: frames from outside that the namespace has received before it is carried out. */
export type OrderLine = (received: number) => string;

/** The line for a frame; undefined if no socket sends such a packet. */
export function orderFor({ packet }: Frame): OrderLine | undefined {
  const { source, destination, transport, ttl = 64, payload } = packet;
  if (transport.kind !== "udp" && transport.kind !== "tcp") return undefined;
  const { kind, sourcePort, destinationPort } = transport;
  const order: Order = { kind, source, sourcePort, destination, destinationPort, ttl, length: payload?.length ?? 0 };
  return (received) => `${JSON.stringify({ ...order, received })}\n`;
}

/** What the program prints for each order it has carried out. */
export const sentLine = "sent-by-socket";

/** The one word with which the single executable, which Node.js is a part of, is the program itself (`start-single-executable.ts`). */
export const ownSenderWord = "--send-own-packets";

/** The program, as CommonJS: it reads one order a line, and leaves at the end of its input. */
export const ownSender = `
const fs = require("node:fs");
const dgram = require("node:dgram");
const net = require("node:net");
const readline = require("node:readline");

const ignore = () => undefined;
// What stands before a packet of ours in the schedule may still be on its way to us, and would find its socket.
const forFrames = 700;
// Of IP, which has then looked at them; those that it sent to itself do not count.
const received = () => {
  const read = (name, expression) => Number(expression.exec(fs.readFileSync("/proc/self/net/" + name, "utf8"))?.[1] ?? 0);
  const own = read("dev", /^ *lo: *\\d+ +(\\d+)/m);
  return read("snmp", /^Ip: \\d+ \\d+ (\\d+)/m) + read("snmp6", /^Ip6InReceives\\s+(\\d+)/m) - own;
};
const behind = (frames, send, patience = forFrames) => {
  if (received() >= frames || patience === 0) setTimeout(send, 1);
  else setTimeout(() => behind(frames, send, patience - 1), 1);
};
const done = () => process.stdout.write("${sentLine}\\n");
// Long enough for an answer, short enough that the kernel does not repeat its SYN.
const patience = 300;

// An order that cannot be carried out is a packet that was not sent.
process.on("uncaughtException", done);

readline.createInterface({ input: process.stdin }).on("line", (line) => {
  const order = JSON.parse(line);
  behind(order.received, () => send(order));
});

const send = ({ kind, source, sourcePort, destination, destinationPort, ttl, length }) => {
  if (kind === "udp") {
    const socket = dgram.createSocket({ type: source.includes(":") ? "udp6" : "udp4", reuseAddr: true });
    socket.on("error", ignore);
    socket.once("error", done);
    socket.bind({ address: source, port: sourcePort, exclusive: true }, () => {
      socket.off("error", done);
      socket.setTTL(ttl);
      socket.send(new Uint8Array(length), destinationPort, destination, done);
      setTimeout(() => socket.close(), patience);
    });
    return;
  }
  const socket = net.connect({ host: destination, port: destinationPort, localAddress: source, localPort: sourcePort });
  socket.on("error", ignore);
  // The SYN leaves in the turn after this one.
  setImmediate(() => setImmediate(done));
  // A FIN, which the kernel repeats until somebody answers, would count on the side that is looked at later.
  setTimeout(() => (socket.connecting ? socket.destroy() : socket.resetAndDestroy()), patience);
};
`;
