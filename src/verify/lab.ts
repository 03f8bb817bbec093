/**
 * The laboratory: the same packets at the same moments into two namespaces, one with iptables and one with an nft script (or with
 * another ruleset of iptables).
 *
 *                              ┌── eth0, eth1 … namespace "iptables": legacy restore, observer
 *     tcpreplay ── bridge ─────┤
 *                 (floods)     └── eth0, eth1 … namespace "nft": nft -f, observer
 *
 * The inner ends of both namespaces have the same hardware and IP addresses, so one frame sent reaches both within
 * microseconds of each other. Which interface takes a frame is decided by its hardware address: the bridge gives every
 * frame to all, and the others see a stranger's frame. What leaves the namespaces reaches the sender alone.
 */

import { createWriteStream } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import type { Writable } from "node:stream";

import type { Family } from "../iptables/ast.js";
import { families } from "../iptables/family.js";
import { compare, type Report } from "./fate.js";
import { defaultInterfaces, hardwareAddress, senderAddress, type Frame, type Interface } from "./frame.js";
import { labScript, ordersOf, sides, type IptablesVariant, type Side, type SideSetup } from "./lab-script.js";
import { runInNamespace, withFiles } from "./namespace.js";
import { observerScript, readObservations, type Observations } from "./observer.js";
import { orderFor, ownSender, ownSenderWord, sentLine, type OrderLine } from "./own-packets.js";
import { packetLimit, serialize } from "./packet.js";
import { ethernetFrame, fileHeader, recordOf } from "./pcap.js";

/** What iptables loads on one side. */
export interface Loaded {
  /** What iptables-legacy-restore and ip6tables-legacy-restore load. */
  readonly dumps: Partial<Readonly<Record<Family, string>>>;
  /** What `ipset save` printed, restored before the dumps. */
  readonly ipsets?: string;
}

export interface ReplayInput extends Loaded {
  /** What nft loads on the other side. */
  readonly script?: string;
  /** What iptables loads on the other side, in the place of a script; the same as on this side unless told. */
  readonly other?: Loaded;
  readonly frames: readonly Frame[];
  readonly interfaces?: readonly Interface[];
  /** Connection tracking in both namespaces from the start (the default), or only if the rules ask for it. */
  readonly conntrack?: boolean;
  /** Further lines for both namespaces before the rules are loaded, such as `sysctl -qw net.ipv4.ip_forward=0`. */
  readonly prepare?: string;
  /** Lines for iptables' namespace once its rules are loaded and before the other side's are, such as writes to /proc/net/xt_recent. */
  readonly hosts?: string;
  /** `legacy` unless told. */
  readonly variant?: IptablesVariant;
  /** The root directory of an nft of another version, with a folder `in`, for the script; the machine's own unless told. Needs root. */
  readonly nftRoot?: string;
}

/** A ruleset that did not load, or a machine that could not play. */
export class ReplayError extends Error {}

/** What sends the firewall's own packets: Node.js with the program, or the single executable, which has both. */
const ownSenderCommand = [process.execPath, typeof IS_SINGLE_EXECUTABLE === "boolean" && IS_SINGLE_EXECUTABLE ? ownSenderWord : "own.cjs"];

/** Milliseconds that tcpreplay has for its own start before the first packet is due. */
const playerStart = 200;

/** Seconds allowed for everything but the packets themselves; ample, because other tests may load the machine. */
const allowance = 60;

/** Plays the frames and compares every packet's fate; throws `ReplayError` if a ruleset does not load. */
export function replay(input: ReplayInput): Promise<Report> {
  return replayWhen(input, () => Promise.resolve());
}

/**
 * Plays several inputs at once, each in namespaces of its own; none begins before all are set up, because setting up
 * would delay the others' packets. A ruleset that does not load is a `ReplayError` in its place.
 * When `signal` is aborted everything ends at once, and the promise is broken with the signal's reason.
 */
export async function replayAll(inputs: readonly ReplayInput[], signal?: AbortSignal): Promise<(Report | ReplayError)[]> {
  let waiting = inputs.length;
  let open = (): void => undefined;
  const gate = new Promise<void>((resolve) => {
    open = resolve;
  });
  const reports = await Promise.all(
    inputs.map(async (input) => {
      let arrived = false;
      const arrive = (): Promise<void> => {
        if (!arrived) waiting -= 1;
        arrived = true;
        if (waiting === 0) open();
        return gate;
      };
      try {
        return await replayWhen(input, arrive, signal);
      } catch (error) {
        if (error instanceof ReplayError) return error;
        throw error;
      } finally {
        void arrive();
      }
    }),
  );
  signal?.throwIfAborted();
  return reports;
}

/** What is to be sent at a moment, for the frame of this index: bytes on the wire, or an order to the firewalls. */
type Event = { readonly at: number; readonly index: number } & ({ readonly bytes: Uint8Array } | { readonly order: OrderLine });

function eventsOf(frames: readonly Frame[], interfaces: readonly Interface[], start: number): Event[] {
  return frames
    .flatMap((frame, index): Event[] => {
      const at = frame.at - start;
      if (frame.own) {
        const order = orderFor(frame);
        return order === undefined ? [] : [{ at, index, order }];
      }
      const target = hardwareAddress(interfaceIndex(interfaces, frame.interface));
      return serialize(frame.packet, index + 1).map((bytes) => ({
        at,
        index,
        bytes: ethernetFrame(target, frame.hardwareSource ?? senderAddress, bytes),
      }));
    })
    .sort((a, b) => a.at - b.at);
}

function interfaceIndex(interfaces: readonly Interface[], name: string | undefined): number {
  const index = name === undefined ? 0 : interfaces.findIndex((candidate) => candidate.name === name);
  if (index < 0) throw new ReplayError(`no interface "${name ?? ""}"`);
  return index;
}

/** `ready` is called when everything is set up; the first packet waits for what it returns. */
async function replayWhen(input: ReplayInput, ready: () => Promise<void>, signal?: AbortSignal): Promise<Report> {
  const { frames, interfaces = defaultInterfaces, conntrack = true } = input;
  if (frames.length > packetLimit) throw new ReplayError(`${frames.length} packets: more than ${packetLimit} cannot be told apart`);
  const moments = frames.map(({ at }) => at).sort((a, b) => a - b);
  const start = moments[0] ?? 0;
  const duration = (moments.at(-1) ?? 0) - start;
  const events = eventsOf(frames, interfaces, start);
  const ownPorts = frames.flatMap(({ own, packet: { transport } }) => (own && "sourcePort" in transport ? [transport.sourcePort] : []));

  const files = {
    "observer.nft": observerScript(
      interfaces.map(({ name }) => name),
      conntrack,
      ownPorts,
    ),
    "script.nft": input.script ?? "",
    ...filesOf("iptables", input),
    ...filesOf("nft", input.other ?? input),
    "prepare.sh": input.prepare ?? "",
    "hosts.sh": input.hosts ?? "",
    "own.cjs": ownSender,
    "lab.sh": labScript({
      interfaces,
      loaded: { iptables: loadedOn(input), nft: loadedOn(input.other ?? input) },
      hasScript: input.script !== undefined,
      prepares: input.prepare !== undefined,
      hasHosts: input.hosts !== undefined,
      variant: input.variant ?? "legacy",
      hasWire: events.some((event) => "bytes" in event),
      ownSender: ownPorts.length === 0 ? undefined : ownSenderCommand,
      nftRoot: input.nftRoot,
    }),
  };
  return withFiles(files, async (directory) => {
    const acknowledgements = new Acknowledgements();
    const postponed: number[] = [];
    const { status, stdout, stderr } = await runInNamespace(join(directory, "lab.sh"), duration + allowance, {
      ...(signal && { signal }),
      heard: (text) => {
        acknowledgements.hear(text);
      },
      feed: (stream) => {
        const orders = ownPorts.length === 0 ? [] : sides.map((side) => pipeTo(join(directory, ordersOf(side))));
        void ready().then(() => setTimeout(() => play(events, stream, orders, acknowledgements, postponed), playerStart));
      },
    });
    if (status !== 0) throw new ReplayError(`${stderr.trim()}\n${stdout.trim()}`.trim());
    const read = (name: string): Promise<string> => readFile(join(directory, name), "utf8");
    const observe = async (side: Side): Promise<Record<Family, Observations>> => ({
      ipv4: readObservations("ipv4", await read(`${side}.ipv4.json`), await read(`${side}.ipv4.times`)),
      ipv6: readObservations("ipv6", await read(`${side}.ipv6.json`), await read(`${side}.ipv6.times`)),
    });
    const after = { dump: await read("after.dump"), ruleset: await read("after.ruleset") };
    return compare(
      frames,
      await observe("iptables"),
      await observe("nft"),
      (index) => frames[index]!.at - start + (postponed[index] ?? 0),
      after,
    );
  });
}

function filesOf(side: Side, { dumps, ipsets = "" }: Loaded): Record<string, string> {
  return { [`dump.${side}.ipv4`]: dumps.ipv4 ?? "", [`dump.${side}.ipv6`]: dumps.ipv6 ?? "", [`sets.${side}`]: ipsets };
}

function loadedOn({ dumps, ipsets }: Loaded): SideSetup {
  return { families: families.filter((family) => dumps[family] !== undefined), hasSets: ipsets !== undefined };
}

/** Opens a named pipe; for reading too, because opening would else wait for a reader that may never come. */
function pipeTo(file: string): Writable {
  const stream = createWriteStream(file, { flags: "r+" });
  stream.on("error", () => undefined);
  return stream;
}

/** Counts how often the senders of both sides have said that a packet is on its way. */
class Acknowledgements {
  private text = "";
  private waiting: { readonly count: number; readonly resume: () => void } | undefined;

  hear(text: string): void {
    this.text += text;
    if (this.waiting && this.count() >= this.waiting.count) this.resume();
  }

  /** Calls `resume` as soon as so many were heard, or when nothing comes any more. */
  await(count: number, resume: () => void): void {
    this.waiting = { count, resume };
    if (this.count() >= count) return this.resume();
    setTimeout(() => {
      if (this.waiting?.count === count) this.resume();
    }, senderPatience);
  }

  private resume(): void {
    const { resume } = this.waiting!;
    this.waiting = undefined;
    resume();
  }

  private count(): number {
    return this.text.split(sentLine).length - 1;
  }
}

/** Milliseconds; more than the program waits for what is still on the wire. */
const senderPatience = 1000;

/**
 * Writes each frame when it is due, into a pipe from which tcpreplay sends whatever comes. While a socket of the firewalls
 * sends, everything else waits: the rest of the schedule comes later by that, in seconds by frame in `postponed`.
 * (tcpreplay's own clock is no use: it sleeps too long by a quarter of a millisecond a packet, tenths of a second in the end.)
 */
function play(
  events: readonly Event[],
  wire: Writable,
  orders: readonly Writable[],
  acknowledgements: Acknowledgements,
  postponed: number[],
): void {
  let start = performance.now();
  const began = start;
  wire.write(fileHeader);
  let next = 0;
  let sent = 0;
  let ordered = 0;
  const sendDue = (): void => {
    // The namespace was ended: nobody takes the rest.
    if (wire.destroyed) return;
    const now = (performance.now() - start) / 1000;
    for (let event = events[next]; event !== undefined && event.at <= now; event = events[next]) {
      next += 1;
      postponed[event.index] = (start - began) / 1000;
      if ("bytes" in event) {
        wire.write(recordOf(event));
        sent += 1;
      } else {
        for (const stream of orders) stream.write(event.order(sent));
        ordered += orders.length;
        const asked = performance.now();
        acknowledgements.await(ordered, () => {
          start += performance.now() - asked;
          sendDue();
        });
        return;
      }
    }
    // The namespace keeps this process alive while there is anything to send, and an interrupted run must not wait for what is left.
    if (next < events.length) return void setTimeout(sendDue, (events[next]!.at - now) * 1000).unref();
    for (const stream of [wire, ...orders]) stream.end();
  };
  sendDue();
}
