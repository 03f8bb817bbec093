/** Files that play each difference again: its packets as a capture, and all that the firewall and its surroundings were. */

import { visibleJson } from "../../report/visible.js";
import { hardwareAddress, senderAddress, defaultInterfaces, type Frame, type Interface } from "../frame.js";
import { serialize } from "../packet.js";
import { ethernetFrame, fileHeader, recordOf } from "../pcap.js";
import type { Difference } from "../differences.js";
import type { VerifyReport } from "../verify.js";

export interface ReproductionFile {
  readonly name: string;
  readonly content: string | Uint8Array;
}

/** `PREFIX.json`, and `PREFIX-1.pcap` and so on for each difference that has packets from outside. */
export function reproductionFiles(prefix: string, { differences, loaded }: VerifyReport): ReproductionFile[] {
  const captures = differences.map(({ replay }, index) => ({ name: `${prefix}-${index + 1}.pcap`, content: captureOf(replay) }));
  const description = {
    ...loaded,
    differences: differences.map((difference, index) => describe(difference, captures[index]!.name)),
  };
  return [{ name: `${prefix}.json`, content: `${visibleJson(JSON.stringify(description, undefined, 2))}\n` }, ...captures];
}

function describe({ packet, iptables, nft, replay }: Difference, capture: string): object {
  const start = replay.frames[0]?.at ?? 0;
  return {
    packet,
    iptables,
    nft,
    capture,
    interfaces: interfacesOf(replay),
    prepare: replay.prepare?.split("\n") ?? [],
    conntrack: replay.conntrack ?? true,
    schedule: replay.frames.map(({ at, packet: sent, interface: name, own }) => ({
      at: Number((at - start).toFixed(6)),
      ...(own ? { from: "a socket of the firewall" } : { interface: name ?? interfacesOf(replay)[0]!.name }),
      source: sent.source,
      destination: sent.destination,
      transport: { ...sent.transport, ...("options" in sent.transport ? { options: undefined } : {}) },
    })),
  };
}

function interfacesOf({ interfaces }: Difference["replay"]): readonly Interface[] {
  return interfaces ?? defaultInterfaces;
}

/** Frames in the order of their times; the firewall's own packets are not on the wire before it. */
function captureOf(replay: Difference["replay"]): Uint8Array {
  const interfaces = interfacesOf(replay);
  const start = replay.frames[0]?.at ?? 0;
  const records = replay.frames.flatMap((frame: Frame, index) => {
    if (frame.own) return [];
    const target = hardwareAddress(
      Math.max(
        0,
        interfaces.findIndex(({ name }) => name === frame.interface),
      ),
    );
    return serialize(frame.packet, index + 1).map((bytes) =>
      recordOf({ at: frame.at - start, bytes: ethernetFrame(target, frame.hardwareSource ?? senderAddress, bytes) }),
    );
  });
  return Buffer.concat([fileHeader, ...records]);
}
