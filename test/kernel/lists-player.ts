/**
 * Plays packets and writes to lists in the network namespace it runs in; bundled and started by `lists.test.ts`.
 *
 * Packets go by loopback, from addresses that the namespace takes for its own. What is written goes to the kernel's file, or to the sets
 * of the table as `lists write` does it.
 */

import { createSocket, type Socket } from "node:dgram";
import { readFileSync, writeFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";

import { writeCommands } from "../../src/cli/commands/lists/edit.js";
import type { Schedule } from "./lists-schedule.js";

const settings = { table: "ipt2nft", script: undefined };

/** @param side "file" writes to /proc/net/xt_recent, "sets" to the table */
export async function play(side: string, path: string, start: number): Promise<void> {
  const { slots } = JSON.parse(readFileSync(path, "utf8")) as Schedule;
  const sockets = new Map<string, Socket>();
  for (const { source } of slots.flatMap(({ packets }) => packets)) if (!sockets.has(source)) sockets.set(source, await bound(source));
  const note = (host: string, what: string): void => console.log(`${side} ${host} ${what} ${Date.now() - start}`);
  for (const { writesAt, packetsAt, writes, packets } of slots) {
    await sleep(Math.max(0, start + writesAt * 1000 - Date.now()));
    // Each is for another list.
    await Promise.all(
      writes.map(async ({ list, text, host }) => {
        if (side === "file") writeFileSync(`/proc/net/xt_recent/${list}`, `${text}\n`);
        else await writeCommands(settings, list, [text]);
        note(host, "write");
      }),
    );
    await sleep(Math.max(0, start + packetsAt * 1000 - Date.now()));
    for (const { source, port, host } of packets) {
      const destination = source.includes(":") ? "::1" : "127.0.0.1";
      await new Promise((sent) => sockets.get(source)!.send("", port, destination, sent));
      note(host, String(port));
    }
  }
  for (const socket of sockets.values()) socket.close();
}

async function bound(address: string): Promise<Socket> {
  const socket = createSocket(address.includes(":") ? "udp6" : "udp4");
  socket.on("error", () => undefined);
  await new Promise<void>((ready) => socket.bind(0, address, ready));
  return socket;
}
