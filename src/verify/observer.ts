/**
 * What a namespace lets through, written down by nft sets in tables of the observer's own.
 *
 * The observer's chains stand behind everything else on their hooks (arrival: before everything else) and decide nothing.
 * Every set is keyed by the packet's number and holds at most four fields: nft 1.0.6 forgets the types of longer keys, and
 * then lists them wrongly or aborts.
 */

import type { Family } from "../iptables/ast.js";

const tableName = "packet_observer";
const setSize = 131_072;
const firstPriority = -1000;
const lastPriority = 1000;

export const observedHooks = ["input", "forward", "postrouting"] as const;
export type ObservedHook = (typeof observedHooks)[number];

/** A packet as it was when it had passed the last chain of a hook. */
export interface Sighting {
  readonly source: string;
  readonly destination: string;
  readonly mark: number;
  readonly ttl: number;
  readonly tos: number;
  /** Absent for packets without ports, as are the others for packets that have no such thing. */
  readonly sourcePort?: number;
  readonly destinationPort?: number;
  readonly maximumSegment?: number;
  /** The bits of `ct state`: 1 invalid, 2 established, 4 related, 8 new, 64 untracked. */
  readonly connectionState?: number;
  readonly connectionMark?: number;
}

export interface Observations {
  /** Numbers of the packets that reached the namespace. */
  readonly arrived: ReadonlySet<number>;
  /** Packet number → the moment it did, in nanoseconds of the kernel's clock. */
  readonly arrivals: ReadonlyMap<number, bigint>;
  readonly sightings: Readonly<Record<ObservedHook, ReadonlyMap<number, Sighting>>>;
  /** ICMP errors that left: the number of the packet they are about → "type/code". */
  readonly errors: ReadonlyMap<number, string>;
  /** TCP resets that left, as `resetKey` writes them. */
  readonly resets: ReadonlySet<string>;
  /** Echo replies that left, by identifier and number as they stand in the header. */
  readonly echoReplies: ReadonlySet<number>;
  /** Of packets that the firewall sent itself, by their source ports. */
  readonly own: OwnObservations;
}

export interface OwnObservations {
  readonly arrived: ReadonlySet<number>;
  /** In `input` those it sent to itself. */
  readonly sightings: Readonly<Record<OwnHook, ReadonlyMap<number, Sighting>>>;
  readonly errors: ReadonlyMap<number, string>;
}

const ownHooks = ["input", "postrouting"] as const;
export type OwnHook = (typeof ownHooks)[number];

/** Names a TCP reset by whom it goes to and the numbers it carries. */
export function resetKey(client: string, clientPort: number, sequence: number, acknowledgement: number): string {
  return [client, clientPort, sequence, acknowledgement].join(" ");
}

const protocols: Record<
  Family,
  {
    readonly name: string;
    readonly id: string;
    readonly ttl: string;
    /** The bytes of the header that hold the TOS byte, and how far it stands from their low end, in bits. */
    readonly tos: string;
    readonly tosShift: number;
    readonly icmp: string;
    readonly errorTypes: string;
    readonly echoReply: number;
    /** The number of the packet an ICMP error is about, in bits from the start of the ICMP header; and its source port. */
    readonly innerId: string;
    readonly innerPort: string;
  }
> = {
  ipv4: {
    name: "ip",
    id: "ip id",
    ttl: "ip ttl",
    tos: "@nh,8,8",
    tosShift: 0,
    icmp: "icmp",
    errorTypes: "{ 3, 11, 12 }",
    echoReply: 0,
    innerId: "@th,96,16",
    innerPort: "@th,224,16",
  },
  ipv6: {
    name: "ip6",
    id: "ip6 flowlabel",
    ttl: "ip6 hoplimit",
    tos: "@nh,0,16",
    tosShift: 4,
    icmp: "icmpv6",
    errorTypes: "{ 1, 2, 3, 4 }",
    echoReply: 129,
    innerId: "@th,76,20",
    innerPort: "@th,384,16",
  },
};

/**
 * The observer's nft script, for packets that come in by one of the interfaces, and for those that the firewall sends itself
 * from one of the ports.
 * With `conntrack`, connection states are written down; reading them also switches connection tracking on.
 */
export function observerScript(interfaces: readonly string[], conntrack: boolean, ownPorts: readonly number[] = []): string {
  const incoming = `iifname { ${interfaces.map((name) => JSON.stringify(name)).join(", ")} }`;
  return (Object.keys(protocols) as Family[]).map((family) => tableText(family, incoming, conntrack, [...new Set(ownPorts)])).join("");
}

function tableText(family: Family, incoming: string, conntrack: boolean, ownPorts: readonly number[]): string {
  const { name, id, ttl, tos, icmp, errorTypes, echoReply, innerId } = protocols[family];
  const sets: string[] = [];
  const record = (set: string, key: string): string => {
    sets.push(`  set ${set} { typeof ${key}; size ${setSize}; flags dynamic; }`);
    return `add @${set} { ${key} }`;
  };
  const chains = [
    chainText("prerouting", firstPriority, [`${incoming} ${record("arrival", `${id} . meta time`)}`]),
    ...observedHooks.map((hook) =>
      chainText(
        hook,
        lastPriority,
        [
          // A rule each: a packet that lacks a field ends only the rule that asks for it.
          record(`${hook}_address`, `${id} . ${name} saddr . ${name} daddr`),
          record(`${hook}_header`, `${id} . meta mark . ${ttl} . ${tos}`),
          record(`${hook}_port`, `${id} . th sport . th dport`),
          record(`${hook}_segment`, `${id} . tcp option maxseg size`),
          ...(conntrack ? [record(`${hook}_state`, `${id} . ct state`), record(`${hook}_connmark`, `${id} . ct mark`)] : []),
          // In postrouting the namespace's own packets have no incoming interface and stay out.
        ].map((rule) => `${incoming} ${rule}`),
      ),
    ),
    chainText("output", lastPriority, [
      `tcp flags & rst == rst ${record("reset_sent", `${name} daddr . tcp dport . tcp sequence . tcp ackseq`)}`,
      `${icmp} type ${errorTypes} ${record("error_sent", `${icmp} type . ${icmp} code . ${innerId}`)}`,
      `${icmp} type ${echoReply} ${record("echo_sent", `${icmp} id . ${icmp} sequence`)}`,
    ]),
  ];
  const own = ownPorts.length === 0 ? { sets: [], chains: [] } : observeOwn(family, conntrack, ownPorts);
  return `table ${name} ${tableName} {\n${[...sets, ...own.sets, ...chains, ...own.chains].join("\n")}\n}\n`;
}

/** Sets and chains for the packets that the firewall sends itself. */
function observeOwn(family: Family, conntrack: boolean, ports: readonly number[]): { readonly sets: string[]; readonly chains: string[] } {
  const { name, ttl, tos, icmp, errorTypes, innerPort } = protocols[family];
  // Named: written out in each rule, hundreds of ports are more than a user namespace loads at once.
  const list = "@own_ports";
  const set = (suffix: string, ...fields: readonly string[]): string =>
    `  set own_${suffix} { typeof ${["th sport", ...fields].join(" . ")}; size ${setSize}; flags dynamic; }`;
  const parts: Readonly<Record<string, string>> = {
    address: `${name} saddr . ${name} daddr`,
    header: `meta mark . ${ttl} . ${tos}`,
    port: "th sport . th dport",
    ...(conntrack ? { state: "ct state", connmark: "ct mark" } : {}),
  };
  // The port it was sent from is the connection's, unless the packet belongs to none: translation may have changed it. A packet that
  // answers is the connection's other way.
  const keys: readonly (readonly [key: string, condition: string])[] = conntrack
    ? [
        ["ct original proto-src", `ct direction original ct original proto-src ${list}`],
        ["ct reply proto-src", `ct direction reply ct reply proto-src ${list}`],
        ["th sport", `ct state untracked th sport ${list}`],
      ]
    : [["th sport", `th sport ${list}`]];
  // Of a connection the opening alone: what the kernel sends later has the same port.
  const openings = ["meta l4proto udp", "tcp flags & (syn | ack) == syn"];
  const chains: readonly (readonly [hook: OwnHook, condition: string])[] = [
    ["input", 'iifname "lo"'],
    ["postrouting", 'oifname != "lo"'],
  ];
  return {
    sets: [
      `  set own_ports { type inet_service; elements = { ${ports.join(", ")} }; }`,
      set("arrival"),
      `  set own_error { typeof ${icmp} type . ${icmp} code . ${innerPort}; size ${setSize}; flags dynamic; }`,
      ...ownHooks.flatMap((hook) => Object.entries(parts).map(([suffix, fields]) => set(`${hook}_${suffix}`, fields))),
    ],
    chains: [
      chainText(
        "output",
        firstPriority,
        openings.map((opening) => `${opening} th sport ${list} add @own_arrival { th sport }`),
        "own_arrival",
      ),
      chainText(
        "output",
        lastPriority,
        [`${icmp} type ${errorTypes} add @own_error { ${icmp} type . ${icmp} code . ${innerPort} }`],
        "own_error",
      ),
      ...chains.map(([hook, condition]) =>
        chainText(
          hook,
          lastPriority,
          openings.flatMap((opening) =>
            keys.flatMap(([key, belongs]) =>
              Object.entries(parts).map(
                ([suffix, fields]) => `${condition} ${opening} ${belongs} add @own_${hook}_${suffix} { ${key} . ${fields} }`,
              ),
            ),
          ),
          `own_${hook}`,
        ),
      ),
    ],
  };
}

function chainText(hook: string, priority: number, rules: readonly string[], name = hook): string {
  return [`  chain ${name} {`, `    type filter hook ${hook} priority ${priority};`, ...rules.map((rule) => `    ${rule}`), "  }"].join(
    "\n",
  );
}

/** Arguments for nft, which prints what the observer of this family saw, for `readObservations`; with the first as JSON. */
export function listCommands(family: Family): { readonly sets: string; readonly times: string } {
  const { name } = protocols[family];
  return {
    sets: `-n -j list table ${name} ${tableName}`,
    // nft lists times in whole seconds; what came from the kernel has nanoseconds.
    times: `--debug=netlink list set ${name} ${tableName} arrival`,
  };
}

interface Listing {
  readonly nftables: readonly { readonly set?: { readonly name: string; readonly elem?: readonly Element[] } }[];
}
type Element =
  | Field
  | { readonly concat: readonly Field[] }
  | { readonly elem: { readonly val: Field | { readonly concat: readonly Field[] } } };
type Field = number | string;

/** Reads the output of `listCommands`. */
export function readObservations(family: Family, json: string, times: string): Observations {
  const { tosShift } = protocols[family];
  const listing = JSON.parse(json) as Listing;
  const sets = new Map(
    listing.nftables.flatMap(({ set }) => (set === undefined ? [] : [[set.name, (set.elem ?? []).map(fieldsOf)] as const])),
  );
  const rows = (name: string): readonly (readonly Field[])[] => sets.get(name) ?? [];

  const sightingsAt = (hook: string): Map<number, Sighting> => {
    const sightings = new Map<number, Sighting>();
    const extend = (set: string, read: (fields: readonly Field[]) => Partial<Sighting>): void => {
      for (const [id, ...rest] of rows(`${hook}_${set}`)) {
        sightings.set(Number(id), { ...sightings.get(Number(id)), ...read(rest) } as Sighting);
      }
    };
    extend("address", ([source, destination]) => ({ source: String(source), destination: String(destination) }));
    extend("header", ([mark, ttl, tos]) => ({ mark: Number(mark), ttl: Number(ttl), tos: (Number(tos) >> tosShift) & 0xff }));
    extend("port", ([sourcePort, destinationPort]) => ({ sourcePort: Number(sourcePort), destinationPort: Number(destinationPort) }));
    extend("segment", ([maximumSegment]) => ({ maximumSegment: Number(maximumSegment) }));
    extend("state", ([connectionState]) => ({ connectionState: Number(connectionState) }));
    extend("connmark", ([connectionMark]) => ({ connectionMark: Number(connectionMark) }));
    return sightings;
  };

  return {
    arrived: new Set(rows("arrival").map(([id]) => Number(id))),
    arrivals: readTimes(family, times),
    sightings: { input: sightingsAt("input"), forward: sightingsAt("forward"), postrouting: sightingsAt("postrouting") },
    errors: new Map(rows("error_sent").map(([type, code, id]) => [Number(id), `${type}/${code}`])),
    resets: new Set(
      rows("reset_sent").map(([client, ...numbers]) => {
        const [clientPort, sequence, acknowledgement] = numbers.map(Number);
        return resetKey(String(client), clientPort!, sequence!, acknowledgement!);
      }),
    ),
    echoReplies: new Set(rows("echo_sent").map(([identifier, sequence]) => Number(identifier) * 0x1_0000 + Number(sequence))),
    own: {
      arrived: new Set(rows("own_arrival").map(([port]) => Number(port))),
      sightings: { input: sightingsAt("own_input"), postrouting: sightingsAt("own_postrouting") },
      errors: new Map(rows("own_error").map(([type, code, port]) => [Number(port), `${type}/${code}`])),
    },
  };
}

function fieldsOf(element: Element): readonly Field[] {
  if (typeof element !== "object") return [element];
  return "concat" in element ? element.concat : fieldsOf(element.elem.val);
}

/** An element as the kernel sends it: 32-bit words of this machine's byte order, the packet's number and a 64-bit time. */
function readTimes(family: Family, text: string): Map<number, bigint> {
  const times = new Map<number, bigint>();
  for (const [, id, low, high] of text.matchAll(/element ([0-9a-f]{8}) ([0-9a-f]{8}) ([0-9a-f]{8}) /gu)) {
    const bytes = Buffer.from(id!, "hex").reverse();
    times.set(family === "ipv4" ? bytes.readUInt16BE(0) : bytes.readUIntBE(0, 3), BigInt(`0x${high!}${low!}`));
  }
  return times;
}
