/**
 * Reads capture files: pcap (micro- and nanoseconds, either byte order) and pcapng (sections, interfaces, enhanced, simple and
 * obsolete packet blocks). The formats are those of the drafts draft-ietf-opsawg-pcap and draft-ietf-opsawg-pcapng.
 */

export interface CapturedPacket {
  /** Seconds since 1970, or since the capture's own zero. */
  readonly at: number;
  /** What the bytes begin with: a number of the registry of link types. */
  readonly linkType: number;
  /** As much of the packet as was kept. */
  readonly bytes: Uint8Array;
  /** Offset of the packet's bytes in the file. */
  readonly offset: number;
}

/** A file that is not what it says it is. */
export class CaptureFault extends Error {
  /** @param offset in bytes from the file's beginning */
  constructor(
    message: string,
    readonly offset: number,
  ) {
    super(message);
  }
}

const microsecondMagic = 0xa1b2c3d4;
const nanosecondMagic = 0xa1b23c4d;
const sectionHeader = 0x0a0d0d0a;
const byteOrderMagic = 0x1a2b3c4d;

/** Bytes that no packet of a real capture exceeds. */
const largestPacket = 1 << 24;

/** Whether a file begins like a capture. */
export function isCapture(bytes: Uint8Array): boolean {
  if (bytes.length < 4) return false;
  const view = viewOf(bytes);
  return [view.getUint32(0), view.getUint32(0, true)].some(
    (magic) => magic === microsecondMagic || magic === nanosecondMagic || magic === sectionHeader,
  );
}

/** The packets in the order of the file; throws a `CaptureFault`. */
export function readCapture(bytes: Uint8Array): CapturedPacket[] {
  return viewOf(bytes).getUint32(0) === sectionHeader ? readSections(bytes) : readClassic(bytes);
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

// --------------------------------------------------------------------------------------------------------- pcap

const classicHeader = 24;
const recordHeader = 16;

function readClassic(bytes: Uint8Array): CapturedPacket[] {
  const view = viewOf(bytes);
  if (bytes.length < classicHeader) throw new CaptureFault("the file ends within its header", bytes.length);
  const little = [microsecondMagic, nanosecondMagic].includes(view.getUint32(0, true));
  const fraction = view.getUint32(0, little) === nanosecondMagic ? 1e9 : 1e6;
  // The upper bits tell of frame check sequences.
  const linkType = view.getUint32(20, little) & 0xffff;
  const packets: CapturedPacket[] = [];
  for (let offset = classicHeader; offset < bytes.length; ) {
    if (offset + recordHeader > bytes.length) throw new CaptureFault("the file ends within the header of a packet", offset);
    const length = view.getUint32(offset + 8, little);
    const start = offset + recordHeader;
    if (length > largestPacket) throw new CaptureFault(`a packet of ${length} bytes`, offset);
    if (start + length > bytes.length) throw new CaptureFault("the file ends within a packet", start);
    packets.push({
      at: view.getUint32(offset, little) + view.getUint32(offset + 4, little) / fraction,
      linkType,
      bytes: bytes.subarray(start, start + length),
      offset: start,
    });
    offset = start + length;
  }
  return packets;
}

// ------------------------------------------------------------------------------------------------------- pcapng

interface Interface {
  readonly linkType: number;
  readonly ticksPerSecond: number;
  readonly offsetSeconds: number;
}

const block = { interface: 1, obsoletePacket: 2, simplePacket: 3, enhancedPacket: 6 } as const;
/** Type, length at either end. */
const blockFrame = 12;

function readSections(bytes: Uint8Array): CapturedPacket[] {
  const view = viewOf(bytes);
  const packets: CapturedPacket[] = [];
  let interfaces: Interface[] = [];
  let little = false;
  for (let offset = 0; offset < bytes.length; ) {
    if (offset + blockFrame > bytes.length) throw new CaptureFault("the file ends within a block", offset);
    if (view.getUint32(offset) === sectionHeader) {
      const magic = view.getUint32(offset + 8);
      little = magic !== byteOrderMagic;
      if (little && view.getUint32(offset + 8, true) !== byteOrderMagic) throw new CaptureFault("a section without its byte order", offset);
      interfaces = [];
    }
    const length = view.getUint32(offset + 4, little);
    if (length < blockFrame || length % 4 !== 0) throw new CaptureFault(`a block of ${length} bytes`, offset);
    if (offset + length > bytes.length) throw new CaptureFault("the file ends within a block", offset);
    const body = { view, bytes, little, start: offset + 8, end: offset + length - 4 };
    switch (view.getUint32(offset, little)) {
      case block.interface:
        interfaces.push(readInterface(body));
        break;
      case block.enhancedPacket:
        packets.push(readPacketBlock(body, interfaces, view.getUint32(checked(body, 20), little)));
        break;
      case block.obsoletePacket:
        packets.push(readPacketBlock(body, interfaces, view.getUint16(checked(body, 20), little)));
        break;
      case block.simplePacket:
        throw new CaptureFault("a packet without its time", offset);
      default:
        break;
    }
    offset += length;
  }
  return packets;
}

interface Body {
  readonly view: DataView;
  readonly bytes: Uint8Array;
  readonly little: boolean;
  readonly start: number;
  readonly end: number;
}

/** The start of a body that is long enough. */
function checked({ start, end }: Body, length: number): number {
  if (start + length > end) throw new CaptureFault("a block that is too short", start);
  return start;
}

function readInterface(body: Body): Interface {
  const { view, little } = body;
  const start = checked(body, 8);
  let [ticksPerSecond, offsetSeconds] = [1e6, 0];
  for (let offset = start + 8; offset + 4 <= body.end; ) {
    const code = view.getUint16(offset, little);
    const length = view.getUint16(offset + 2, little);
    if (code === 0 || offset + 4 + length > body.end) break;
    if (code === 9 && length >= 1) {
      const resolution = view.getUint8(offset + 4);
      ticksPerSecond = (resolution & 0x80) === 0 ? 10 ** resolution : 2 ** (resolution & 0x7f);
    }
    if (code === 14 && length >= 8) offsetSeconds = Number(view.getBigInt64(offset + 4, little));
    offset += 4 + length + ((4 - (length % 4)) % 4);
  }
  return { linkType: view.getUint16(start, little), ticksPerSecond, offsetSeconds };
}

function readPacketBlock(body: Body, interfaces: readonly Interface[], number: number): CapturedPacket {
  const { view, bytes, little, start, end } = body;
  const from = interfaces[number];
  if (!from) throw new CaptureFault(`a packet of interface ${number}, which the section does not describe`, start);
  const ticks = view.getUint32(start + 4, little) * 2 ** 32 + view.getUint32(start + 8, little);
  const length = view.getUint32(start + 12, little);
  const offset = start + 20;
  if (offset + length > end) throw new CaptureFault("a packet that is longer than its block", start);
  return {
    at: ticks / from.ticksPerSecond + from.offsetSeconds,
    linkType: from.linkType,
    bytes: bytes.subarray(offset, offset + length),
    offset,
  };
}
