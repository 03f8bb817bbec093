/** Makes a schedule that shows a difference as short as it gets. */

import { otherwise, type Differs } from "./explore.js";
import type { Firewall } from "./firewall.js";
import type { Packet } from "./packet.js";

/** The packets up to the first that the two decide otherwise; `undefined` if there is none. Both start empty. */
export function upToDifference(
  first: Firewall,
  second: Firewall,
  packets: readonly Packet[],
  differs: Differs = otherwise,
): readonly Packet[] | undefined {
  first.reset();
  second.reset();
  const index = packets.findIndex((packet) => differs(first.send(packet), second.send(packet)));
  return index < 0 ? undefined : packets.slice(0, index + 1);
}

/** Packets that shrinking may send: a schedule of thousands stays as it is in parts. */
const mostPackets = 300_000;

/** Leaves out packets, alone or with the pause before them, as long as the last packet is still decided otherwise. */
export function shrink(first: Firewall, second: Firewall, packets: readonly Packet[], differs: Differs = otherwise): readonly Packet[] {
  let shortest = packets;
  let sent = 0;
  for (let size = Math.ceil(packets.length / 2); size >= 1 && sent < mostPackets; ) {
    let shorter: readonly Packet[] | undefined;
    for (const attempt of attempts(shortest, size)) {
      sent += attempt.length;
      const found = upToDifference(first, second, attempt, differs);
      if (!found || found.length >= shortest.length) continue;
      shorter = found;
      break;
    }
    if (shorter) shortest = shorter;
    else size = Math.floor(size / 2);
  }
  return shortest;
}

/** The schedule without each stretch of `size` packets: what follows stays where it is, or moves up. */
function* attempts(packets: readonly Packet[], size: number): Generator<readonly Packet[]> {
  for (let start = 0; start + size < packets.length; start += size) {
    const [before, after] = [packets.slice(0, start), packets.slice(start + size)];
    yield [...before, ...after];
    const gap = packets[start + size]!.time - packets[start]!.time;
    yield [...before, ...after.map((packet) => ({ ...packet, time: packet.time - gap }))];
  }
}
