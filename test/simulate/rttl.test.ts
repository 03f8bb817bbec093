/** `--rttl` in virtual time: the lists that are played on the kernel, with more packets and to the tick, through both models. */

import { describe, expect, test } from "vitest";

import { translate } from "../../src/index.js";
import { parseAddress } from "../../src/extensions/values/address.js";
import { differences } from "../../src/simulate/compare.js";
import { modelsOf } from "../../src/simulate/models.js";
import { ticksPerSecond, type Packet } from "../../src/simulate/packet.js";
import type { Frame } from "../../src/verify/frame.js";
import { familyOf } from "../../src/verify/packet.js";
import { framesOf, hereOf, programs, type TtlProgram } from "../kernel/recent-ttl.js";

/** Another one sends other packets: `RTTL_SEED=7 npx vitest run test/simulate/rttl`. */
const seed = Number(process.env["RTTL_SEED"] ?? 1);

/** The models know no target that changes a TTL. */
const modelled = programs.filter(({ dump }) => !dump.includes("-j TTL"));

function packetOf({ at, packet }: Frame): Packet {
  const family = familyOf(packet);
  const { transport, source, destination, ttl = 64 } = packet;
  if (transport.kind !== "udp") throw new Error("only datagrams are sent");
  const arrives = destination === hereOf[family];
  return {
    time: 1000 + Math.round(at * ticksPerSecond),
    path: arrives ? "input" : "forward",
    source: parseAddress(source, family)!,
    destination: parseAddress(destination, family)!,
    ttl,
    protocol: 17,
    sourcePort: transport.sourcePort,
    destinationPort: transport.destinationPort,
    inInterface: "eth0",
    outInterface: arrives ? "" : "eth1",
  };
}

function scheduleOf(program: TtlProgram, seed: number): Packet[] {
  return framesOf(program, seed)
    .map(packetOf)
    .sort((a, b) => a.time - b.time);
}

function differing({ dump, family, targetNft }: TtlProgram, schedule: readonly Packet[], translated = dump): number {
  const { iptables } = translate(dump, { family });
  const { nft } = translate(translated, { family, ...(targetNft !== undefined && { targetNft }) });
  const { xtables, nft: machine } = modelsOf(iptables[0]!, nft!.tables[0]!);
  return differences(xtables, machine, schedule).length;
}

describe("hosts that change their TTL up to ten times a second", () => {
  test.each(modelled)("$name", (program) => {
    expect(differing(program, scheduleOf(program, seed))).toBe(0);
  });
});

test("the models would see --rttl left out, and one that compares with what the header holds", () => {
  for (const name of ["update above set", "INPUT and FORWARD", "accepted while not over the limit, by update"]) {
    const program = programs.find((one) => one.name === name)!;
    expect(differing(program, scheduleOf(program, 1), program.dump.replaceAll(" --rttl", "")), name).toBeGreaterThan(0);
  }
  const both = programs.find(({ name }) => name === "INPUT and FORWARD")!;
  // A list for each chain keeps what the header holds; the packets of one host go through both.
  const apart = both.dump.replaceAll(/^(-A FORWARD .*--name )L/gmu, "$1M");
  expect(differing(both, scheduleOf(both, 1), apart)).toBeGreaterThan(0);
});

test("beyond the guard an older TTL is kept, and the next one that stays is known again", () => {
  const program = programs.find(({ name }) => name === "update above set")!;
  const flood = Array.from({ length: 60 }, (_, index) => ({ at: index / 50, ttl: index % 2 === 0 ? 64 : 63 }));
  const after = Array.from({ length: 12 }, (_, index) => ({ at: 2.2 + index / 7, ttl: 77 }));
  const frames = (visits: readonly { at: number; ttl: number }[]): Packet[] =>
    visits.map(({ at, ttl }) =>
      packetOf({
        at,
        packet: { source: "203.0.113.9", destination: hereOf.ipv4, ttl, transport: { kind: "udp", sourcePort: 1, destinationPort: 7 } },
      }),
    );
  const all = frames([...flood, ...after]);
  const { iptables, nft } = translate(program.dump, { family: "ipv4" });
  const models = modelsOf(iptables[0]!, nft!.tables[0]!);
  const found = differences(models.xtables, models.nft, all).map(({ index }) => index);
  expect(found.length).toBeGreaterThan(10);
  expect(Math.max(...found)).toBeLessThan(flood.length);
});
