/** How a packet comes to be: what its shape asks of its fields, and the packets that must go before it. */

import {
  ack,
  echoReply,
  echoRequest,
  icmpNumber,
  isIcmpError,
  syn,
  tcpNumber,
  turned,
  udpNumber,
  type Draft,
  type Fields,
  type Shape,
  type Step,
} from "./draft.js";
import type { Chooser } from "./chooser.js";
import type { BuiltIn } from "./firewall.js";
import { canBeLocal, canBeRemote, isLinkLocal, isLoopback, kindOf, routeTo, type Needs } from "./net.js";
import { tupleOf, type Connection } from "./world.js";

const shapesAt: Readonly<Record<BuiltIn, readonly Shape[]>> = {
  PREROUTING: ["inward", "through"],
  INPUT: ["inward"],
  FORWARD: ["through"],
  OUTPUT: ["own", "own", "answer"],
  POSTROUTING: ["through", "through", "own"],
};

/** A packet at random that passes a hook. */
export function draftFor(hook: BuiltIn, chooser: Chooser): Draft {
  const { net } = chooser;
  const ipv6 = net.family === "ipv6";
  const shape = chooser.pick(shapesAt[hook]);
  const from = chooser.number(0, net.interfaces.length - 1);
  const inInterface = net.interfaces[from]!.name;
  const others = net.interfaces.filter((_, index) => index !== from);
  const outInterface = others.length === 0 ? inInterface : chooser.pick(others).name;
  const local = net.locals[from]!;
  const leaves = shape === "own" || shape === "answer";
  return {
    shape,
    inInterface,
    source: leaves ? local : chooser.source(inInterface),
    destination: leaves ? chooser.source(inInterface) : shape === "inward" ? local : chooser.destination(outInterface),
    outInterface: undefined,
    protocol: chooser.pick([tcpNumber, tcpNumber, udpNumber, icmpNumber[net.family]]),
    sourcePort: chooser.port(),
    destinationPort: chooser.pick([80, 443, chooser.number(1, 65_535)]),
    flags: syn,
    tcpOptions: chooser.chance(0.8) ? [] : [2, 4, 5, 0xb4],
    icmpType: echoRequest[net.family],
    icmpCode: 0,
    ttl: 64,
    tos: 0,
    length: 0,
    fragmented: false,
    head: undefined,
    extensionHeaders: [],
    ipOptions: !ipv6 && chooser.chance(0.01) ? [1, 1, 1, 0] : undefined,
    hardwareSource: undefined,
    about: undefined,
    state: "new",
  };
}

/**
 * What the draft needs of the surroundings so that it goes the way of its shape; undefined where that cannot be.
 * `constrains` tells whether a rule wishes for the address; `redirected` that a rule will give it another destination.
 */
export function fitShape(
  draft: Draft,
  chooser: Chooser,
  constrains: (side: "source" | "destination") => boolean,
  redirected = false,
): Needs | undefined {
  const { net } = chooser;
  const { family } = net;
  let needs = chooser.needs;
  const isLocal = (address: bigint): boolean => kindOf(net, needs, address) === "local";
  const makeLocal = (side: "source" | "destination", fallback: bigint): boolean => {
    if (isLocal(draft[side])) return true;
    if (!constrains(side)) draft[side] = fallback;
    else if (!canBeLocal(draft[side], family) || needs.routes.has(draft[side])) return false;
    else needs = { ...needs, locals: new Set([...needs.locals, draft[side]]) };
    return true;
  };
  const localBy = (name: string | undefined): bigint =>
    net.locals[
      Math.max(
        0,
        net.interfaces.findIndex((one) => one.name === name),
      )
    ]!;
  const reach = (): boolean => {
    const { outInterface } = draft;
    if (isLocal(draft.destination)) {
      if (constrains("destination")) return draft.shape === "own" && outInterface === undefined;
      draft.destination = chooser.destination(outInterface ?? chooser.pick(net.interfaces).name);
    }
    if (!canBeRemote(draft.destination, family)) return draft.shape !== "through";
    if (outInterface === undefined || routeTo(net, needs, draft.destination) === outInterface) return true;
    if (!constrains("destination")) draft.destination = chooser.destination(outInterface);
    else if (needs.routes.has(draft.destination)) return false;
    else needs = { ...needs, routes: new Map([...needs.routes, [draft.destination, outInterface]]) };
    return true;
  };
  if (redirected && (draft.shape === "inward" || draft.shape === "through")) return needs;
  switch (draft.shape) {
    case "inward": {
      const kind = kindOf(net, needs, draft.destination);
      if (isLinkLocal(draft.destination, family)) draft.inInterface = net.interfaces[0]!.name;
      // A multicast group is joined by having it as an address.
      if (kind === "multicast" && !needs.locals.has(draft.destination))
        needs = { ...needs, locals: new Set([...needs.locals, draft.destination]) };
      if (kind !== "broadcast" && kind !== "multicast" && !makeLocal("destination", localBy(draft.inInterface))) return undefined;
      return needs;
    }
    case "through":
      return reach() ? needs : undefined;
    case "own": {
      if ((draft.protocol !== tcpNumber && draft.protocol !== udpNumber) || draft.sourcePort === 0 || draft.destinationPort === 0)
        return undefined;
      Object.assign(draft, { flags: syn, fragmented: false, ipOptions: undefined, extensionHeaders: [], tcpOptions: [] });
      if (draft.outInterface === "lo") return loopBack(draft, chooser, constrains, makeLocal) ? needs : undefined;
      return makeLocal("source", localBy(draft.outInterface)) && !isLoopback(draft.source, family) && reach() ? needs : undefined;
    }
    case "answer":
      return makeLocal("source", localBy(draft.outInterface)) && reach() ? needs : undefined;
  }
}

/** Both ends on the firewall itself. */
function loopBack(
  draft: Draft,
  { net }: Chooser,
  constrains: (side: "source" | "destination") => boolean,
  makeLocal: (side: "source" | "destination", fallback: bigint) => boolean,
): boolean {
  const loopback = net.family === "ipv4" ? 0x7f00_0001n : 1n;
  const usual = (side: "source" | "destination", other: bigint): bigint =>
    constrains(side) ? draft[side] : constrains(side === "source" ? "destination" : "source") ? other : loopback;
  const { source, destination } = draft;
  draft.destination = usual("destination", source);
  draft.source = usual("source", destination);
  return makeLocal("source", loopback) && makeLocal("destination", loopback);
}

/** The packets that make the draft's wish come true, one after another; each may look at the connection of the one before. */
export function* stepsOf(draft: Draft, chooser: Chooser): Generator<Step, void, Connection | undefined> {
  const plain = {
    ...draft,
    extensionHeaders: [],
    fragmented: false,
    ipOptions: undefined,
    tcpOptions: [],
    hardwareSource: undefined,
    length: 0,
  };
  const from = (fields: Fields): Step => ({ fields, own: draft.shape === "own" });
  switch (draft.shape) {
    case "answer":
      yield { fields: questionFor(draft, chooser), own: false };
      return;
    case "own":
      if (draft.state === "established" || draft.state === "reply")
        yield { fields: beginning(outside(turned(plain), chooser)), own: false };
      yield from(draft);
      return;
    case "inward":
    case "through":
      yield* fromOutside(draft, plain, chooser);
  }
}

function* fromOutside(draft: Draft, plain: Fields, chooser: Chooser): Generator<Step, void, Connection | undefined> {
  const inward = draft.shape === "inward";
  const wire = (fields: Fields): Step => ({ fields, own: false });
  const { family } = chooser.net;
  // The firewall begins, from a socket; or somebody behind the other interface.
  const other = turned(plain);
  const sockets = other.protocol === tcpNumber || other.protocol === udpNumber;
  const begin = (fields: Fields): Step =>
    inward && sockets ? { fields: { ...beginning(fields), inInterface: "" }, own: true } : wire(beginning(outside(fields, chooser, draft)));
  switch (draft.state) {
    case "established":
      if (inward && sockets) break;
      {
        const known = yield wire(beginning(plain));
        if (!inward) yield wire(answerIn(known, beginning(plain), chooser, draft));
      }
      yield wire(draft);
      return;
    case "related": {
      const first = beginning(draft.protocol === icmpNumber[family] ? { ...other, protocol: udpNumber } : other);
      const known = yield inward ? { fields: { ...first, inInterface: "" }, own: true } : wire(outside(first, chooser, draft));
      const icmpType = isIcmpError(draft.icmpType, family) ? draft.icmpType : chooser.pick(family === "ipv4" ? [3, 11] : [1, 3]);
      yield wire({
        ...draft,
        protocol: icmpNumber[family],
        icmpType,
        about: known?.translated ?? first,
        destination: known?.translated.source ?? draft.destination,
      });
      return;
    }
    case "invalid":
      yield wire({
        ...draft,
        ...(draft.protocol === tcpNumber && ([syn, ack] as readonly number[]).includes(draft.flags & 0x37)
          ? { flags: chooser.pick([0, 0x29, 0x03, 0x06, 0x12]) }
          : {}),
        ...(draft.protocol === icmpNumber[family] && draft.icmpType === echoRequest[family] ? { icmpType: echoReply[family] } : {}),
      });
      return;
    case "new":
    case "untracked":
      yield wire(draft);
      return;
    case "reply":
  }
  const known = yield begin(other);
  yield wire({
    ...answerIn(known, other, chooser, draft),
    flags: draft.flags,
    tos: draft.tos,
    ttl: draft.ttl,
    length: draft.length,
    icmpCode: draft.icmpCode,
  });
}

/** A packet from beyond the interface that the draft leaves by. */
function outside(fields: Fields, { net, needs }: Chooser, draft?: Draft): Fields {
  return { ...fields, inInterface: draft?.outInterface ?? routeTo(net, needs, fields.source) };
}

/** As the first of its connection. */
function beginning(fields: Fields): Fields {
  const { protocol, icmpType } = fields;
  if (protocol === tcpNumber) return { ...fields, flags: syn };
  if (protocol === 1 && icmpType === 0) return { ...fields, icmpType: 8 };
  if (protocol === 58 && icmpType === 129) return { ...fields, icmpType: 128 };
  return fields;
}

/** The other side's answer to the first packet of a connection, to the address it came from after translation. */
function answerIn(known: Connection | undefined, first: Fields, chooser: Chooser, draft: Draft): Fields {
  const back = known?.replyFields ?? turned(first);
  const { protocol } = back;
  const reversed = tupleOf(first) === tupleOf(draft);
  return {
    ...back,
    hardwareSource: reversed ? undefined : draft.hardwareSource,
    inInterface: reversed ? (draft.outInterface ?? routeTo(chooser.net, chooser.needs, first.destination)) : draft.inInterface,
    ...(protocol === tcpNumber && { flags: syn | ack }),
    ...(protocol === 1 && back.icmpType === 8 && { icmpType: 0 }),
    ...(protocol === 58 && back.icmpType === 128 && { icmpType: 129 }),
  };
}

/** The packet to which the kernel answers with the draft, or nearly. */
function questionFor(draft: Draft, chooser: Chooser): Fields {
  const { family } = chooser.net;
  const question = outside(turned({ ...draft }), chooser, draft);
  if (draft.protocol !== icmpNumber[family]) return { ...question, flags: syn };
  // An error answers a datagram that nobody waits for.
  if (isIcmpError(draft.icmpType, family)) return { ...question, protocol: udpNumber, destinationPort: 9, icmpType: 0 };
  return { ...question, icmpType: echoRequest[family], icmpCode: 0 };
}
