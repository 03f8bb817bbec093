/** The conditions of each `-m`: one for each of its options. A match that is not here cannot be told, and is left to chance. */

import type { ExtensionUse, Family, OptionUse } from "../../iptables/ast.js";
import type { Chooser, Range } from "./chooser.js";
import { fieldCondition, type Condition, type PacketState, type View } from "./condition.js";
import { memoryConditions } from "./conditions-of-memory.js";
import {
  ack,
  flagBit,
  hasPorts,
  icmpNumber,
  lengthOf,
  longest,
  syn,
  tcpNumber,
  type Draft,
  type Fields,
  type WishedState,
} from "./draft.js";
import { kindOf, wholeMask, type AddressKind } from "./net.js";

interface Masked {
  readonly value: number;
  readonly mask: number;
}
type Uses = (use: ExtensionUse, option: <Value>(name: string) => OptionUse<Value> | undefined, family: Family) => Condition[];

export function matchConditions(use: ExtensionUse, family: Family): Condition[] {
  const option = <Value>(name: string): OptionUse<Value> | undefined => use.options[name] as OptionUse<Value> | undefined;
  const conditions = matches[use.extension]?.(use, option, family) ?? memoryConditions(use) ?? [unknownCondition(use)];
  return conditions.map((condition) => ({ ...condition, label: `-m ${use.extension} ${condition.label}` }));
}

/** Nothing here knows; `-m comment` and the like say nothing. */
function unknownCondition({ extension }: ExtensionUse): Condition {
  return { label: "", kind: "closed", test: () => (extension === "comment" ? true : undefined) };
}

type NumberField = { [Name in keyof Fields]: Fields[Name] extends number ? Name : never }[keyof Fields];

/** A number of the packet lies in a range. */
function rangeCondition(label: string, use: OptionUse<Range<number>> | undefined, field: NumberField, maximum: number): Condition[] {
  if (!use) return [];
  const { from, to } = use.value;
  return [
    fieldCondition(
      label,
      use,
      (view) => view[field] >= from && view[field] <= to,
      (draft, wanted, chooser) => {
        if ((draft[field] >= from && draft[field] <= to) === wanted) return;
        draft[field] = chooser.inRanges([use.value], wanted, maximum) ?? draft[field];
      },
    ),
  ];
}

/** Bits of a number of the packet under a mask. */
function maskedCondition(
  label: string,
  use: { readonly value: Masked; readonly inverted: boolean } | undefined,
  field: "tos" | "flags",
): Condition[] {
  if (!use) return [];
  const { value, mask } = use.value;
  return [
    fieldCondition(
      label,
      use,
      (view) => (view[field] & mask) === value,
      (draft, wanted, chooser) => {
        if (((draft[field] & mask) === value) !== wanted) draft[field] = chooser.masked(use.value, wanted, 8, draft[field]);
      },
    ),
  ];
}

const ports: Uses = (_use, option) => [
  ...rangeCondition("--sport", option("source-port"), "sourcePort", 65_535),
  ...rangeCondition("--dport", option("destination-port"), "destinationPort", 65_535),
];

const bitsOf = (names: readonly string[]): number => names.reduce((sum, name) => sum | flagBit(name), 0);

const tcp: Uses = (use, option, family) => {
  const flags = option<{ readonly mask: readonly string[]; readonly set: readonly string[] }>("tcp-flags");
  const opening = option("syn");
  const kind = option<number>("tcp-option");
  return [
    ...ports(use, option, family),
    ...maskedCondition(
      "--tcp-flags",
      flags && { value: { value: bitsOf(flags.value.set), mask: bitsOf(flags.value.mask) }, inverted: flags.inverted },
      "flags",
    ),
    ...(opening
      ? [
          fieldCondition(
            "--syn",
            opening,
            ({ flags: bits }) => (bits & 0x17) === syn,
            (draft, wanted) => {
              draft.flags = wanted ? syn : ack;
              if (wanted && draft.state !== "related") draft.state = "new";
            },
          ),
        ]
      : []),
    ...(kind
      ? [
          fieldCondition("--tcp-option", kind, undefined_, (draft, wanted) => {
            draft.tcpOptions = wanted ? [kind.value, 4, 1, 2] : [];
          }),
        ]
      : []),
  ];
};
const undefined_ = (): undefined => undefined;

const multiport: Uses = (_use, option) =>
  (["source-ports", "destination-ports", "ports"] as const).flatMap((name) => {
    const use = option<readonly Range<number>[]>(name);
    if (!use) return [];
    const fields =
      name === "source-ports"
        ? (["sourcePort"] as const)
        : name === "destination-ports"
          ? (["destinationPort"] as const)
          : (["sourcePort", "destinationPort"] as const);
    const among = (port: number): boolean => use.value.some(({ from, to }) => port >= from && port <= to);
    return [
      fieldCondition(
        `--${name}`,
        use,
        (view) => hasPorts(view.protocol) && fields.some((field) => among(view[field])),
        (draft, wanted, chooser) => {
          if (fields.some((field) => among(draft[field])) === wanted) return;
          if (wanted) draft[chooser.pick(fields)] = chooser.inRanges(use.value, true, 65_535) ?? 0;
          else for (const field of fields) draft[field] = chooser.inRanges(use.value, false, 65_535) ?? draft[field];
        },
      ),
    ];
  });

const icmpType =
  (name: string): Uses =>
  (_use, option) => {
    const use = option<{ readonly type?: number; readonly code?: number }>(name);
    const { type, code } = use?.value ?? {};
    if (!use || type === undefined) return [];
    return [
      fieldCondition(
        `--${name}`,
        use,
        ({ icmpType: is, icmpCode }) => is === type && (code === undefined || icmpCode === code),
        (draft, wanted, chooser) => {
          if (wanted) {
            draft.icmpType = type;
            draft.icmpCode = code ?? 0;
          } else if (code !== undefined && chooser.chance(0.5)) draft.icmpCode = (code + 1) & 0xff;
          else if (draft.icmpType === type)
            draft.icmpType = chooser.pick([8, 128, 13, (type + 1) & 0xff].filter((other) => other !== type));
        },
      ),
    ];
  };

const iprange: Uses = (_use, option, family) =>
  (
    [
      ["src-range", "source"],
      ["dst-range", "destination"],
    ] as const
  ).flatMap(([name, side]) => {
    const use = option<Range<bigint>>(name);
    if (!use) return [];
    const { from, to } = use.value;
    return [
      {
        sides: [side],
        ...fieldCondition(
          `--${name}`,
          use,
          (view) => view[side] >= from && view[side] <= to,
          (draft, wanted, chooser) => {
            if ((draft[side] >= from && draft[side] <= to) !== wanted)
              draft[side] = chooser.pick(wanted ? [from, to, (from + to) / 2n] : [from - 1n, to + 1n]) & wholeMask[family];
          },
        ),
      },
    ];
  });

/** `--ttl-eq`, `--ttl-lt` and `--ttl-gt`, or the same of `hl`. */
const hops: Uses = (use, option) =>
  (
    [
      ["eq", 0, 0],
      ["lt", -255, -1],
      ["gt", 1, 255],
    ] as const
  ).flatMap(([suffix, below, above]) => {
    const found = option<number>(`${use.extension}-${suffix}`);
    return found
      ? rangeCondition(
          `--${use.extension}-${suffix}`,
          { ...found, value: { from: Math.max(1, found.value + below), to: Math.min(255, found.value + above) } },
          "ttl",
          255,
        )
      : [];
  });

const length: Uses = (_use, option, family) => {
  const use = option<Range<number>>("length");
  if (!use) return [];
  const { from, to } = use.value;
  return [
    fieldCondition(
      "--length",
      use,
      (view) => {
        const bytes = lengthOf(view, family);
        return bytes >= from && bytes <= to;
      },
      (draft, wanted, chooser) => {
        draft.fragmented = false;
        draft.length = chooser.inRanges([use.value], wanted, wanted && from > 1500 ? longest : 1500) ?? draft.length;
        if (wanted && lengthOf({ ...draft, length: 0 }, family) > to) draft.protocol = icmpNumber[family];
      },
    ),
  ];
};

const ecn: Uses = (_use, option) => [
  ...(
    [
      ["ecn-tcp-ece", "ece"],
      ["ecn-tcp-cwr", "cwr"],
    ] as const
  ).flatMap(([name, flag]) => {
    const found = option(name);
    return found
      ? maskedCondition(`--${name}`, { value: { value: flagBit(flag), mask: flagBit(flag) }, inverted: found.inverted }, "flags")
      : [];
  }),
  ...maskedCondition("--ecn-ip-ect", masked(option<number>("ecn-ip-ect"), 3, 0), "tos"),
];

function masked(
  use: OptionUse<number> | undefined,
  mask: number,
  shift: number,
): { readonly value: Masked; readonly inverted: boolean } | undefined {
  return use && { value: { value: use.value << shift, mask }, inverted: use.inverted };
}

const states: Uses = (_use, option) => {
  const use = option<{ readonly states: readonly PacketState[]; readonly virtual?: readonly string[] }>("ctstate") ?? option("state");
  const direction = option<"original" | "reply">("ctdir");
  return [
    ...(use ? [stateCondition(use)] : []),
    ...(direction
      ? [
          fieldCondition(
            "--ctdir",
            direction,
            ({ reply }) => reply === (direction.value === "reply"),
            (draft, wanted, chooser) => {
              draft.state = (direction.value === "reply") === wanted ? "reply" : chooser.pick(["new", "established"]);
            },
            "state",
          ),
        ]
      : []),
    ...[
      "ctproto",
      "ctorigsrc",
      "ctorigdst",
      "ctreplsrc",
      "ctrepldst",
      "ctorigsrcport",
      "ctorigdstport",
      "ctreplsrcport",
      "ctrepldstport",
      "ctstatus",
      "ctexpire",
    ]
      .filter((name) => option(name))
      .map((name): Condition => ({ label: `--${name}`, kind: "closed", test: undefined_ })),
  ];
};

function stateCondition(use: OptionUse<{ readonly states: readonly PacketState[]; readonly virtual?: readonly string[] }>): Condition {
  const { states: listed, virtual = [] } = use.value;
  const all: readonly PacketState[] = ["new", "established", "related", "invalid", "untracked"];
  const holds = ({ state, sourceChanged, destinationChanged }: View): boolean =>
    listed.includes(state) || (virtual.includes("snat") && sourceChanged) || (virtual.includes("dnat") && destinationChanged);
  // Address translation is what another rule does.
  if (listed.length === 0) return fieldCondition("--ctstate", use, holds, undefined, "mark");
  return fieldCondition(
    "--ctstate",
    use,
    holds,
    (draft, wanted, chooser) => {
      const fitting = all.filter((state) => listed.includes(state) === wanted);
      if (fitting.length === 0 || fitting.some((state) => isOf(draft.state, state))) return;
      const ways: readonly WishedState[] = fitting.flatMap((state) =>
        state === "established" ? (["established", "reply"] as const) : [state],
      );
      draft.state = chooser.pick(ways);
      if (draft.protocol !== tcpNumber) return;
      draft.flags = draft.state === "new" ? syn : draft.state === "reply" ? syn | ack : ack;
    },
    "state",
  );
}

function isOf(wished: WishedState, state: PacketState): boolean {
  return wished === state || (wished === "reply" && state === "established");
}

const addressTypes: Uses = (_use, option) =>
  (
    [
      ["src-type", "source"],
      ["dst-type", "destination"],
    ] as const
  ).flatMap(([name, side]) => {
    const use = option<readonly string[]>(name);
    if (!use) return [];
    const wanted = use.value.map((type) => type.toLowerCase());
    return [
      {
        sides: [side],
        ...fieldCondition(
          `--${name}`,
          use,
          (view) => wanted.includes(kindOf(view.net, view.needs, view[side])),
          (draft, holds, chooser) => {
            const known: readonly AddressKind[] = ["local", "unicast", "broadcast", "multicast"];
            const fitting = known.filter(
              (kind) => wanted.includes(kind) === holds && !(side === "source" && ["broadcast", "multicast"].includes(kind)),
            );
            if (fitting.includes(kindOf(chooser.net, chooser.needs, draft[side])) || fitting.length === 0) return;
            draft[side] = addressOfKind(chooser.pick(fitting), draft, chooser);
          },
        ),
      },
    ];
  });

function addressOfKind(kind: AddressKind, draft: Draft, chooser: Chooser): bigint {
  const { net } = chooser;
  switch (kind) {
    case "local":
      return chooser.pick(net.locals);
    case "broadcast":
      return net.family === "ipv4" ? net.locals[0]! | 0xffn : 1n;
    case "multicast":
      return net.family === "ipv4" ? 0xe000_0001n : (0xff02n << 112n) | 1n;
    default:
      return chooser.destination(draft.outInterface ?? chooser.pick(net.interfaces).name);
  }
}

const addressBytes = (value: number): readonly number[] => [value >>> 24, (value >>> 16) & 0xff, (value >>> 8) & 0xff, value & 0xff];

const matches: Readonly<Record<string, Uses>> = {
  comment: () => [],
  tcp,
  udp: ports,
  udplite: ports,
  sctp: ports,
  dccp: ports,
  multiport,
  iprange,
  length,
  ecn,
  icmp: icmpType("icmp-type"),
  icmp6: icmpType("icmpv6-type"),
  ttl: hops,
  hl: hops,
  state: states,
  conntrack: states,
  addrtype: addressTypes,
  tos: (_use, option) => maskedCondition("--tos", option("tos"), "tos"),
  dscp: (_use, option) => maskedCondition("--dscp", masked(option<number>("dscp") ?? option<number>("dscp-class"), 0xfc, 2), "tos"),
  mac: (_use, option) => {
    const use = option("mac-source");
    return use
      ? [
          fieldCondition(
            "--mac-source",
            use,
            ({ hardwareSource }) => hardwareSource === use.text.toLowerCase(),
            (draft, wanted) => {
              draft.hardwareSource = wanted ? use.text.toLowerCase() : undefined;
            },
          ),
        ]
      : [];
  },
  tcpmss: (_use, option) => {
    const use = option<Range<number>>("mss");
    if (!use) return [];
    const { from, to } = use.value;
    return [
      fieldCondition(
        "--mss",
        use,
        ({ tcpOptions: [kind, , high = 0, low = 0] }) => kind === 2 && high * 256 + low >= from && high * 256 + low <= to,
        (draft, wanted, chooser) => {
          const size = chooser.inRanges([use.value], wanted, 65_535) ?? 0;
          draft.tcpOptions = [2, 4, size >> 8, size & 0xff];
          draft.flags |= syn;
        },
      ),
    ];
  },
  esp: (_use, option) => {
    const use = option<Range<number>>("espspi");
    return use
      ? [
          fieldCondition("--espspi", use, undefined_, (draft, wanted, chooser) => {
            draft.head = [...addressBytes(chooser.inRanges([use.value], wanted, 0xffff_ffff) ?? 0), 0, 0, 0, 1, 0, 0, 0, 0];
          }),
        ]
      : [];
  },
  ah: (_use, option) => {
    const use = option<Range<number>>("ahspi");
    return use
      ? [
          fieldCondition("--ahspi", use, undefined_, (draft, wanted, chooser) => {
            draft.head = [
              59,
              4,
              0,
              0,
              ...addressBytes(chooser.inRanges([use.value], wanted, 0xffff_ffff) ?? 0),
              ...new Array<number>(16).fill(0),
            ];
          }),
        ]
      : [];
  },
  // No packet here comes out of a tunnel.
  policy: (_use, option) => {
    const use = option<string>("pol");
    return use ? [fieldCondition("--pol", use, () => /none/iu.test(use.text), undefined, "closed")] : [];
  },
  // Every frame is sent to the interface's own hardware address.
  pkttype: (_use, option) => {
    const use = option<string>("pkt-type");
    return use ? [fieldCondition("--pkt-type", use, () => use.value === "host", undefined, "closed")] : [];
  },
  // Sockets here are root's.
  owner: (_use, option) =>
    (["uid-owner", "gid-owner", "socket-exists"] as const).flatMap((name) => {
      const use = option<Range<number> | string | undefined>(name);
      if (!use) return [];
      const rootToo = typeof use.value !== "object" || use.value.from === 0;
      return [fieldCondition(`--${name}`, use, ({ own, answer }) => (answer ? false : own && rootToo), undefined, "closed")];
    }),
  rt: (_use, option) => {
    const use = option<number>("rt-type");
    const type = use?.value ?? 0;
    return [
      fieldCondition(
        "--rt-type",
        { inverted: use?.inverted ?? false },
        ({ extensionHeaders }) => extensionHeaders.some(([number, bytes]) => number === 43 && bytes[1] === type),
        (draft, wanted) => {
          draft.extensionHeaders = wanted ? [[43, Uint8Array.of(0, type, 0, 0, 0, 0, 0)]] : [];
        },
      ),
    ];
  },
};
