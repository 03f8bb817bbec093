/**
 * Every field of a packet that rules ask for: how it is read of a packet on its way, and how a draft is changed so that a test of it
 * holds or fails. Which match asks for which field, the extensions say themselves.
 */

import type { FieldTest, FieldValues, PacketField } from "../../extensions/facts.js";
import { packetStates, type PacketState } from "../../extensions/values/connection-state.js";
import { interfaceMatches } from "../../extensions/values/interface.js";
import { hasPorts } from "../../extensions/values/protocols.js";
import { opening } from "../../extensions/values/tcp-flags.js";
import type { Family } from "../../iptables/ast.js";
import type { Chooser, Range } from "./chooser.js";
import { viewOf, type Condition, type ConditionKind, type View } from "./condition.js";
import {
  ack,
  headFor,
  icmpNumber,
  lengthOf,
  longest,
  syn,
  tcpNumber,
  udpNumber,
  type Draft,
  type Fields,
  type WishedState,
} from "./draft.js";
import { kindOf, wholeMask, type AddressKind } from "./net.js";

type Side = "source" | "destination";

interface Field {
  readonly kind: (values: FieldValues) => ConditionKind;
  /** The address it is about. */
  readonly side?: Side;
  /** For what is counted by it. */
  readonly value?: (view: View) => number | bigint;
  readonly bind: (values: FieldValues) => BoundField;
}

/** A field and the values that a test asks for. */
interface BoundField {
  /** Whether the packet has one of them; undefined where it has no such field: then the test fails, inverted or not. */
  readonly has: (view: View) => boolean | undefined;
  /** Gives the draft one of them, or something else; it may not succeed. */
  readonly make?: (draft: Draft, inside: boolean, chooser: Chooser) => void;
  /** `make` may take the field off the packet. */
  readonly removes?: boolean;
}

// ------------------------------------------------------------------------------------------------------- tests

export function testCondition({ option, fields: names, values, inverted }: FieldTest, label = `--${option}`): Condition {
  const asked = names.map((name) => fields[name]);
  const bound = asked.map((field) => field.bind(values));
  const makers = bound.flatMap(({ make }) => make ?? []);
  const [first] = asked;
  // Asked for every rule that a packet meets: most tests are of one field.
  const ofOne = (view: View): boolean => {
    const has = bound[0]!.has(view);
    return has !== undefined && has !== inverted;
  };
  const ofAny = (view: View): boolean => {
    let there = false;
    for (const field of bound) {
      const has = field.has(view);
      if (has === true) return !inverted;
      there ||= has !== undefined;
    }
    return there && inverted;
  };
  const test = bound.length === 1 ? ofOne : ofAny;
  return {
    label: inverted ? `! ${label}` : label,
    kind: first?.kind(values) ?? "closed",
    fields: names,
    ...(first?.side && { sides: [first.side] }),
    test,
    ...(makers.length > 0 && {
      make(draft: Draft, wanted: boolean, chooser: Chooser) {
        const inside = wanted !== inverted;
        for (const make of inside ? [chooser.pick(makers)] : makers) make(draft, inside, chooser);
        // A field that was taken off the packet may fail an inverted test, too.
        if (!inside && bound.some(({ removes }) => removes) && test(viewOf(draft, chooser)) !== wanted)
          for (const make of makers) make(draft, inside, chooser);
      },
    }),
  };
}

/** What packets are told apart by that are counted by these fields. */
export function keyOf(view: View, names: readonly PacketField[]): string {
  return names.map((name) => fields[name].value?.(view) ?? "").join(" ");
}

// ----------------------------------------------------------------------------------------------------- numbers

interface NumberField {
  readonly kind?: ConditionKind;
  readonly maximum: number;
  readonly minimum?: number;
  /** Asks for each number that the packet has there; undefined where it has no place for one. */
  readonly asks: (packet: View, holds: (value: number) => boolean) => boolean | undefined;
  readonly value?: (view: View) => number;
  /** What a draft has there before. */
  readonly before?: (draft: Draft) => number;
  readonly write?: (draft: Draft, value: number, chooser: Chooser) => void;
  /** Takes it off the draft. */
  readonly remove?: (draft: Draft) => void;
  /** Values of sensible packets, for those that are to miss. */
  readonly usual?: readonly number[];
}

function rangesIn(values: FieldValues): Range<number>[] {
  return values.kind === "ranges" ? values.ranges.map(({ from, to }) => ({ from: Number(from), to: Number(to) })) : [];
}

/** Told once for all packets. */
function numberTest(values: FieldValues): (value: number) => boolean {
  if (values.kind === "bits") {
    const [bits, mask] = [Number(values.value), Number(values.mask)];
    return (value) => (value & mask) >>> 0 === bits;
  }
  const ranges = rangesIn(values);
  const [only, ...more] = ranges;
  if (only !== undefined && more.length === 0) return (value) => value >= only.from && value <= only.to;
  return (value) => ranges.some(({ from, to }) => value >= from && value <= to);
}

function numbers({ kind = "field", maximum, minimum = 0, asks, value, before, write, remove, usual = [] }: NumberField): Field {
  const choose = (values: FieldValues, inside: boolean, draft: Draft, chooser: Chooser): number | undefined => {
    const holds = numberTest(values);
    const sensible = inside ? [] : usual.filter((one) => !holds(one));
    if (sensible.length > 0 && chooser.chance(0.7)) return chooser.pick(sensible);
    if (values.kind !== "bits") return chooser.inRanges(rangesIn(values), inside, maximum, minimum);
    const bits = { value: Number(values.value), mask: Number(values.mask) };
    return chooser.masked(bits, inside, Math.log2(maximum + 1), before?.(draft) ?? 0);
  };
  return {
    kind: () => kind,
    ...(value && { value }),
    bind(values) {
      const holds = numberTest(values);
      return {
        has: (view) => asks(view, holds),
        removes: remove !== undefined,
        ...(write && {
          make(draft, inside, chooser) {
            if (!inside && remove && asks(viewOf(draft, chooser), holds) === true) return remove(draft);
            const chosen = choose(values, inside, draft, chooser);
            if (chosen !== undefined) write(draft, chosen, chooser);
          },
        }),
      };
    },
  };
}

const port = (name: "sourcePort" | "destinationPort"): Field =>
  numbers({
    maximum: 65_535,
    asks: (view, holds) => (hasPorts(view.protocol) ? holds(view[name]) : undefined),
    value: (view) => view[name],
    write(draft, value) {
      draft[name] = value;
    },
  });

const marks = (name: "mark" | "connmark"): Field =>
  numbers({ kind: "mark", maximum: 0xffff_ffff, asks: (view, holds) => holds(view[name]), value: (view) => view[name] });

const flags = numbers({
  maximum: 0xff,
  usual: [ack, syn],
  asks: (view, holds) => (view.protocol === tcpNumber ? holds(view.flags) : undefined),
  before: (draft) => draft.flags,
  write(draft, value) {
    draft.flags = value;
  },
});

/** Type and code; a code is 0 where any will do, and one who misses sends a question. */
const icmp = numbers({
  maximum: 0xffff,
  usual: [8, 128, 13].map((type) => type * 256),
  asks: (view, holds) => (view.protocol === icmpNumber[view.net.family] ? holds(view.icmpType * 256 + view.icmpCode) : undefined),
  write(draft, value) {
    Object.assign(draft, { icmpType: value >> 8, icmpCode: value & 0xff });
  },
});

const fourBytes = (value: number): readonly number[] => [value >>> 24, (value >>> 16) & 0xff, (value >>> 8) & 0xff, value & 0xff];

/** An index of IPsec in the header of a protocol. */
const securityIndex = (protocol: number, offset: number, header: (index: readonly number[]) => readonly number[]): Field =>
  numbers({
    maximum: 0xffff_ffff,
    asks(view, holds) {
      if (view.protocol !== protocol) return undefined;
      const [a = 0, b = 0, c = 0, d = 0] = headFor(view).slice(offset);
      return holds(((a << 24) | (b << 16) | (c << 8) | d) >>> 0);
    },
    write(draft, value) {
      Object.assign(draft, { protocol, head: header(fourBytes(value)) });
    },
  });

const routingHeader = 43;

/** Kinds and bytes of the options of TCP. */
function tcpOptionsOf({ tcpOptions: bytes }: Fields): { readonly kind: number; readonly bytes: readonly number[] }[] {
  const found: { readonly kind: number; readonly bytes: readonly number[] }[] = [];
  for (let at = 0; at < bytes.length; ) {
    const kind = bytes[at]!;
    const length = kind < 2 ? 1 : Math.max(2, bytes[at + 1] ?? 0);
    found.push({ kind, bytes: bytes.slice(at, at + length) });
    at += length;
  }
  return found;
}

/** `-m length` sees the whole packet, which the headers make longer than wished. */
const length: Field = {
  kind: () => "field",
  bind(values) {
    const holds = numberTest(values);
    const [{ from, to } = { from: 0, to: 0 }] = rangesIn(values);
    return {
      has: (view) => holds(lengthOf(view, view.net.family)),
      make(draft, inside, chooser) {
        const { family } = chooser.net;
        draft.fragmented = false;
        draft.length = chooser.inRanges(rangesIn(values), inside, inside && from > 1500 ? longest : 1500) ?? draft.length;
        if (inside && lengthOf({ ...draft, length: 0 }, family) > to) draft.protocol = icmpNumber[family];
      },
    };
  },
};

const protocol: Field = {
  kind: () => "field",
  bind(values) {
    const holds = numberTest(values);
    return {
      has: (view) => holds(view.protocol),
      make(draft, inside, chooser) {
        const others = [tcpNumber, udpNumber, icmpNumber[chooser.net.family]].filter((number) => !holds(number));
        draft.protocol = inside
          ? (rangesIn(values)[0]?.from ?? draft.protocol)
          : others.length === 0
            ? draft.protocol
            : chooser.pick(others);
      },
    };
  },
};

// --------------------------------------------------------------------------------------------------- addresses

function addressTest(values: FieldValues): (address: bigint) => boolean {
  if (values.kind === "bits") return (address) => (address & values.mask) === values.value;
  const ranges = values.kind === "ranges" ? values.ranges : [];
  return (address) => ranges.some(({ from, to }) => address >= from && address <= to);
}

const addressField = (side: Side): Field => ({
  kind: () => "field",
  side,
  value: (view) => view[side],
  bind(values) {
    const holds = addressTest(values);
    return {
      has: (view) => holds(view[side]),
      make(draft, inside, chooser) {
        const { family, locals } = chooser.net;
        if (values.kind !== "bits") {
          const ranges = values.kind === "ranges" ? values.ranges : [];
          const candidates = ranges
            .flatMap(({ from, to }) => (inside ? [from, to, (from + to) / 2n] : [from - 1n, to + 1n]))
            .map((address) => address & wholeMask[family])
            .filter((address) => holds(address) === inside);
          if (candidates.length > 0) draft[side] = chooser.pick(candidates);
          return;
        }
        const network = { family, address: values.value, mask: values.mask };
        const local = locals.filter((address) => holds(address) === inside);
        // Addresses of the interfaces need nothing set up.
        if (side === "destination" && draft.shape === "inward" && local.length > 0) draft[side] = chooser.pick(local);
        else if (inside) draft[side] = chooser.within(network);
        else draft[side] = side === "source" && chooser.chance(0.7) ? chooser.source(draft.inInterface) : chooser.outside(network);
      },
    };
  },
});

// ------------------------------------------------------------------------------------------------------- words

interface WordField {
  readonly kind?: (words: readonly string[]) => ConditionKind;
  readonly side?: Side;
  /** As `asks` of numbers. */
  readonly asks: (view: View, holds: (word: string) => boolean) => boolean | undefined;
  /** Gives the draft a word that fits. */
  readonly make?: (draft: Draft, fits: (word: string) => boolean, chooser: Chooser, words: readonly string[]) => void;
}

function words({ kind, side, asks, make }: WordField): Field {
  return {
    kind: (values) => kind?.(wordsIn(values)) ?? "field",
    ...(side && { side }),
    bind(values) {
      const listed = wordsIn(values);
      const holds =
        values.kind === "pattern"
          ? (word: string): boolean => interfaceMatches(word, values.pattern)
          : (word: string): boolean => listed.includes(word);
      return {
        has: (view) => asks(view, holds),
        ...(make && { make: (draft, inside, chooser) => make(draft, (word) => holds(word) === inside, chooser, listed) }),
      };
    },
  };
}

const wordsIn = (values: FieldValues): readonly string[] => (values.kind === "words" ? values.words : []);

/** Nothing here can change it. */
const closed = (asks: WordField["asks"]): Field => words({ kind: () => "closed", asks });

const interfaceField = (side: "inInterface" | "outInterface"): Field =>
  words({
    asks: (view, holds) => holds(view[side]),
    make(draft, fits, chooser) {
      const fitting = chooser.net.interfaces.map(({ name }) => name).filter(fits);
      if (fits("lo") && fitting.length === 0) {
        // What comes in by the loopback went out by it.
        Object.assign(draft, { shape: "own", outInterface: "lo" });
        return;
      }
      if (side === "inInterface" && draft.outInterface === "lo" && !fits("lo"))
        Object.assign(draft, { shape: "inward", outInterface: undefined });
      if (draft[side] !== undefined && fits(draft[side])) return;
      if (fitting.length > 0) draft[side] = chooser.pick(fitting);
    },
  });

const translations: readonly string[] = ["snat", "dnat"];

function isOf(wished: WishedState, state: PacketState): boolean {
  return wished === state || (wished === "reply" && state === "established");
}

const withoutConnection = ({ state }: View): boolean => state === "invalid" || state === "untracked";

const addressKinds: readonly AddressKind[] = ["local", "unicast", "broadcast", "multicast"];

const addressType = (side: Side): Field =>
  words({
    side,
    asks: (view, holds) => holds(kindOf(view.net, view.needs, view[side])),
    make(draft, fits, chooser) {
      const possible = addressKinds.filter((kind) => fits(kind) && !(side === "source" && ["broadcast", "multicast"].includes(kind)));
      if (possible.length > 0) draft[side] = addressOfKind(chooser.pick(possible), draft, chooser);
    },
  });

function addressOfKind(kind: AddressKind, draft: Draft, chooser: Chooser): bigint {
  const { net } = chooser;
  const multicast: Readonly<Record<Family, bigint>> = { ipv4: 0xe000_0001n, ipv6: (0xff02n << 112n) | 1n };
  switch (kind) {
    case "local":
      return chooser.pick(net.locals);
    case "broadcast":
      return net.family === "ipv4" ? net.locals[0]! | 0xffn : 1n;
    case "multicast":
      return multicast[net.family];
    default:
      return chooser.destination(draft.outInterface ?? chooser.pick(net.interfaces).name);
  }
}

// ------------------------------------------------------------------------------------------------------ fields

const fields: Readonly<Record<PacketField, Field>> = {
  source: addressField("source"),
  destination: addressField("destination"),
  protocol,
  sourcePort: port("sourcePort"),
  destinationPort: port("destinationPort"),
  icmp: {
    ...icmp,
    bind(values) {
      const bound = icmp.bind(values);
      return {
        ...bound,
        make(draft, inside, chooser) {
          const [range] = rangesIn(values);
          if (!inside || range === undefined) bound.make?.(draft, inside, chooser);
          else Object.assign(draft, { icmpType: range.from >> 8, icmpCode: range.from & 0xff });
        },
      };
    },
  },
  tcpFlags: {
    ...flags,
    bind(values) {
      const bound = flags.bind(values);
      const asksOpening =
        values.kind === "bits" && (Number(values.mask) & opening.mask) === opening.mask && (Number(values.value) & opening.mask) === syn;
      return {
        ...bound,
        make(draft, inside, chooser) {
          bound.make?.(draft, inside, chooser);
          // A segment that opens a connection belongs to none yet.
          if (asksOpening && inside && draft.state !== "related") draft.state = "new";
        },
      };
    },
  },
  tcpOption: numbers({
    maximum: 255,
    asks: (view, holds) => (view.protocol === tcpNumber ? tcpOptionsOf(view).some(({ kind }) => holds(kind)) : undefined),
    write(draft, value) {
      draft.tcpOptions = value < 2 ? [value, value, value, value] : [value, 4, 1, 2];
    },
    remove(draft) {
      draft.tcpOptions = [];
    },
  }),
  segmentSize: numbers({
    maximum: 65_535,
    asks(view, holds) {
      if (view.protocol !== tcpNumber) return undefined;
      return tcpOptionsOf(view).some(({ kind, bytes: [, , high = 0, low = 0] }) => kind === 2 && holds(high * 256 + low));
    },
    write(draft, value) {
      draft.tcpOptions = [2, 4, value >> 8, value & 0xff];
      draft.flags |= syn;
    },
  }),
  tos: numbers({
    maximum: 0xff,
    asks: (view, holds) => holds(view.tos),
    before: (draft) => draft.tos,
    write(draft, value) {
      draft.tos = value;
    },
  }),
  ttl: numbers({
    maximum: 255,
    minimum: 1,
    asks: (view, holds) => holds(view.ttl),
    write(draft, value) {
      draft.ttl = value;
    },
  }),
  length,
  mark: marks("mark"),
  connmark: marks("connmark"),
  espSpi: securityIndex(50, 0, (index) => [...index, 0, 0, 0, 1, 0, 0, 0, 0]),
  ahSpi: securityIndex(51, 4, (index) => [59, 4, 0, 0, ...index, ...new Array<number>(16).fill(0)]),
  routingType: numbers({
    maximum: 255,
    asks(view, holds) {
      const headers = view.extensionHeaders.filter(([number]) => number === routingHeader);
      return headers.length === 0 ? undefined : headers.some(([, bytes]) => holds(bytes[1] ?? 0));
    },
    write(draft, value) {
      draft.extensionHeaders = [[routingHeader, Uint8Array.of(0, value, 0, 0, 0, 0, 0)]];
    },
    remove(draft) {
      draft.extensionHeaders = [];
    },
  }),
  inInterface: interfaceField("inInterface"),
  outInterface: interfaceField("outInterface"),
  state: words({
    // Address translation is what another rule does.
    kind: (listed) => (listed.every((word) => translations.includes(word)) ? "mark" : "state"),
    asks: (view, holds) => holds(view.state) || (view.sourceChanged && holds("snat")) || (view.destinationChanged && holds("dnat")),
    make(draft, fits, chooser) {
      const fitting = packetStates.filter(fits);
      if (fitting.length === 0 || fitting.some((state) => isOf(draft.state, state))) return;
      const ways: readonly WishedState[] = fitting.flatMap((state) =>
        state === "established" ? (["established", "reply"] as const) : [state],
      );
      draft.state = chooser.pick(ways);
      if (draft.protocol !== tcpNumber) return;
      draft.flags = draft.state === "new" ? syn : draft.state === "reply" ? syn | ack : ack;
    },
  }),
  direction: words({
    kind: () => "state",
    asks: (view, holds) => (withoutConnection(view) ? undefined : holds(view.reply ? "reply" : "original")),
    make(draft, fits, chooser) {
      draft.state = fits("reply") ? "reply" : chooser.pick(["new", "established"] as const);
    },
  }),
  sourceType: addressType("source"),
  destinationType: addressType("destination"),
  hardwareSource: words({
    // What the firewall itself sends came by no wire.
    asks: (view, holds) => (view.own || view.answer ? undefined : view.hardwareSource !== undefined && holds(view.hardwareSource)),
    make(draft, fits, _chooser, listed) {
      draft.hardwareSource = listed.find(fits);
    },
  }),
  // Every frame is sent to the interface's own hardware address.
  packetType: closed((_view, holds) => holds("host")),
  // No packet here comes out of a tunnel.
  policy: closed((_view, holds) => holds("none")),
  // Sockets here are root's; what the kernel itself sends is nobody's.
  owner: closed(({ own }, holds) => own && holds("root")),
};
