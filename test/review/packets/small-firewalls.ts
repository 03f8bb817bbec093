/** Random small firewalls and all the packets they can tell apart, decided one by one: what the review concludes is held against it. */

import fc from "fast-check";

export interface SmallPacket {
  readonly protocol: "tcp" | "udp" | "icmp";
  readonly port: number;
  readonly source: number;
  readonly inInterface: string;
  readonly state: string;
  readonly marked: boolean;
}

export interface SmallRule {
  readonly protocol?: { readonly value: "tcp" | "udp"; readonly inverted: boolean } | undefined;
  readonly port?: { readonly from: number; readonly to: number; readonly inverted: boolean } | undefined;
  readonly source?: { readonly value: number; readonly bits: number; readonly inverted: boolean } | undefined;
  readonly inInterface?: { readonly value: string; readonly inverted: boolean } | undefined;
  readonly states?: readonly string[] | undefined;
  /** A test that no field of the packet tells. */
  readonly realm?: boolean | undefined;
  readonly target: string;
}

export interface SmallFirewall {
  readonly policy: "ACCEPT" | "DROP";
  readonly input: readonly SmallRule[];
  readonly first: readonly SmallRule[];
  readonly second: readonly SmallRule[];
}

const states = ["NEW", "ESTABLISHED", "INVALID"];
/** One of each kind that rules can tell apart: the last two are named by no rule. */
const interfaces = ["eth0", "eth1", "wlan0", "eth7", "ppp0"];
const packetStates = [...states, "RELATED"];

const optional = <Value>(value: fc.Arbitrary<Value>): fc.Arbitrary<Value | undefined> => fc.option(value, { nil: undefined, freq: 2 });

const rule = (targets: readonly string[]): fc.Arbitrary<SmallRule> =>
  fc.record({
    protocol: optional(fc.record({ value: fc.constantFrom("tcp" as const, "udp" as const), inverted: fc.boolean() })),
    port: optional(
      fc
        .tuple(fc.integer({ min: 1, max: 4 }), fc.integer({ min: 1, max: 4 }), fc.boolean())
        .map(([one, other, inverted]) => ({ from: Math.min(one, other), to: Math.max(one, other), inverted })),
    ),
    source: optional(fc.record({ value: fc.integer({ min: 0, max: 3 }), bits: fc.integer({ min: 30, max: 32 }), inverted: fc.boolean() })),
    inInterface: optional(fc.record({ value: fc.constantFrom("eth0", "eth1", "eth+", "wlan0"), inverted: fc.boolean() })),
    states: optional(fc.subarray(states, { minLength: 1 })),
    realm: optional(fc.boolean()),
    target: fc.constantFrom(...targets),
  });

export const smallFirewall: fc.Arbitrary<SmallFirewall> = fc.record({
  policy: fc.constantFrom("ACCEPT" as const, "DROP" as const),
  input: fc.array(rule(["ACCEPT", "DROP", "RETURN", "first", "second", "LOG", "-g second"]), { maxLength: 5 }),
  first: fc.array(rule(["ACCEPT", "DROP", "RETURN", "second", "-g second"]), { maxLength: 3 }),
  second: fc.array(rule(["ACCEPT", "DROP", "RETURN"]), { maxLength: 2 }),
});

/** As text for iptables-restore. */
export function dumpOf({ policy, input, first, second }: SmallFirewall): string {
  const rules = (chain: string, list: readonly SmallRule[]): string[] => list.map((one) => `-A ${chain} ${ruleText(one)}`);
  return [
    "*filter",
    `:INPUT ${policy} [0:0]`,
    ":FORWARD ACCEPT [0:0]",
    ":OUTPUT ACCEPT [0:0]",
    ":first - [0:0]",
    ":second - [0:0]",
    ...rules("INPUT", input),
    ...rules("first", first),
    ...rules("second", second),
    "COMMIT",
    "",
  ].join("\n");
}

const not = (inverted: boolean): string => (inverted ? "! " : "");

function ruleText({ protocol, port, source, inInterface, states: wanted, realm, target }: SmallRule): string {
  // Ports need a protocol that is not inverted.
  const asksPort = port && protocol && !protocol.inverted;
  return [
    ...(source ? [`${not(source.inverted)}-s 192.0.2.${source.value}/${source.bits}`] : []),
    ...(inInterface ? [`${not(inInterface.inverted)}-i ${inInterface.value}`] : []),
    ...(protocol ? [`${not(protocol.inverted)}-p ${protocol.value}`] : []),
    ...(asksPort ? [`${not(port.inverted)}--dport ${port.from}:${port.to}`] : []),
    ...(wanted ? [`-m conntrack --ctstate ${wanted.join(",")}`] : []),
    ...(realm !== undefined ? [`-m realm ${not(!realm)}--realm 0x1`] : []),
    target.startsWith("-g ") ? target : `-j ${target}`,
  ].join(" ");
}

/** Every packet that such rules can tell apart, and more. */
export const smallPackets: readonly SmallPacket[] = (["tcp", "udp", "icmp"] as const).flatMap((protocol) =>
  (protocol === "icmp" ? [0] : [1, 2, 3, 4, 5]).flatMap((port) =>
    [0, 1, 2, 3, 4].flatMap((source) =>
      interfaces.flatMap((inInterface) =>
        packetStates.flatMap((state) => [true, false].map((marked) => ({ protocol, port, source, inInterface, state, marked }))),
      ),
    ),
  ),
);

/** The verdict, and every rule that matched on the way. */
export function decide(
  firewall: SmallFirewall,
  packet: SmallPacket,
): { readonly verdict: "ACCEPT" | "DROP"; readonly matched: readonly SmallRule[] } {
  const matched: SmallRule[] = [];
  const walk = (rules: readonly SmallRule[]): "ACCEPT" | "DROP" | undefined => {
    for (const one of rules) {
      if (!matches(one, packet)) continue;
      matched.push(one);
      const { target } = one;
      if (target === "ACCEPT" || target === "DROP") return target;
      if (target === "RETURN") return undefined;
      if (target === "LOG") continue;
      const verdict = walk(target === "first" ? firewall.first : firewall.second);
      if (verdict || target.startsWith("-g ")) return verdict;
    }
    return undefined;
  };
  return { verdict: walk(firewall.input) ?? firewall.policy, matched };
}

function matches({ protocol, port, source, inInterface, states: wanted, realm }: SmallRule, packet: SmallPacket): boolean {
  if (protocol && (protocol.value === packet.protocol) === protocol.inverted) return false;
  if (port && protocol && !protocol.inverted && (packet.port >= port.from && packet.port <= port.to) === port.inverted) return false;
  if (source && (packet.source >> (32 - source.bits) === source.value >> (32 - source.bits)) === source.inverted) return false;
  if (inInterface) {
    const { value, inverted } = inInterface;
    const same = value.endsWith("+") ? packet.inInterface.startsWith(value.slice(0, -1)) : packet.inInterface === value;
    if (same === inverted) return false;
  }
  if (wanted && !wanted.includes(packet.state)) return false;
  return realm === undefined || realm === packet.marked;
}
