/** Leads a packet through the rules and notes what each of them says: a guess at what the kernel will do. */

import type { PacketState } from "../../extensions/values/connection-state.js";
import { hasPorts } from "../../extensions/values/protocols.js";
import { opening, tcpFlags } from "../../extensions/values/tcp-flags.js";
import type { TableName } from "../../iptables/ast.js";
import type { Condition, View } from "./condition.js";
import {
  ack,
  echoReply,
  echoRequest,
  fin,
  icmpNumber,
  rst,
  syn,
  tcpNumber,
  turned,
  udpNumber,
  unreachable,
  type Fields,
  type Step,
} from "./draft.js";
import { longestWay, type BuiltIn, type Firewall, type FirewallRule } from "./firewall.js";
import { kindOf, routeTo, type Needs } from "./net.js";
import { applyTarget, type Passage } from "./targets.js";
import { tupleOf, type Connection, type World } from "./world.js";

/** A rule that matched, or that should have, and what it said. */
export interface Answer {
  readonly rule: FirewallRule;
  readonly hook: BuiltIn;
  readonly matched: boolean;
  /** The first condition that did not hold. */
  readonly failed: Condition | undefined;
  /** The packet as it was then, with its translated addresses. */
  readonly at: { readonly source: bigint; readonly destination: bigint };
}

export interface Walk {
  readonly answers: readonly Answer[];
  /** The hook at which the packet ended, and how; `undefined` if it got through. */
  readonly dropped: BuiltIn | undefined;
  readonly rejected: boolean;
  /** Its connection afterwards. */
  readonly connection: Connection | undefined;
}

/** What a packet costs beside the rules that are asked, as so many of these (measured: some 30 µs). */
const stepsOfJourney = 40;

const tablesAt: Readonly<Record<BuiltIn, readonly TableName[]>> = {
  PREROUTING: ["raw", "mangle", "nat"],
  INPUT: ["mangle", "filter", "security", "nat"],
  FORWARD: ["mangle", "filter", "security"],
  OUTPUT: ["raw", "mangle", "nat", "filter", "security"],
  POSTROUTING: ["mangle", "nat"],
};

/** Sends a packet and what the kernel answers. Where a condition cannot be told, `hopes` says what to take it for. */
export function walk(step: Step, firewall: Firewall, needs: Needs, world: World, hopes: (rule: FirewallRule) => boolean): Walk {
  return new Walker(firewall, needs, world, hopes).send(step);
}

class Walker {
  private readonly answers: Answer[] = [];
  private dropped: BuiltIn | undefined;
  private rejected = false;
  private connection: Connection | undefined;

  constructor(
    private readonly firewall: Firewall,
    private readonly needs: Needs,
    private readonly world: World,
    private readonly hopes: (rule: FirewallRule) => boolean,
  ) {}

  send(step: Step): Walk {
    this.journey(this.viewOf(step.fields, step.own, false));
    return { answers: this.answers, dropped: this.dropped, rejected: this.rejected, connection: this.connection };
  }

  private viewOf(fields: Fields, own: boolean, answer: boolean): View {
    const { net } = this.firewall;
    return {
      ...fields,
      ...(own || answer ? { inInterface: "" } : {}),
      outInterface: "",
      mark: 0,
      connmark: 0,
      state: "new",
      reply: false,
      sourceChanged: false,
      destinationChanged: false,
      own,
      answer,
      net,
      needs: this.needs,
    };
  }

  private journey(view: View): void {
    this.firewall.effort.asked += stepsOfJourney;
    const { net } = this.firewall;
    const original = { ...view };
    const local = view.own || view.answer;
    let ended: Passage = "continue";
    const pass = (hook: BuiltIn): boolean => {
      ended = this.atHook(hook, view, original);
      return ended === "continue";
    };
    const isLocal = (): boolean => ["local", "broadcast", "multicast"].includes(kindOf(net, this.needs, view.destination));
    const finish = (): void => this.confirm(original, view);

    if (local) {
      view.outInterface = kindOf(net, this.needs, view.destination) === "local" ? "lo" : routeTo(net, this.needs, view.destination);
      if (!pass("OUTPUT") || !pass("POSTROUTING")) return this.end(view, ended);
      if (view.outInterface !== "lo") return finish();
      finish();
      Object.assign(view, { inInterface: "lo", outInterface: "" });
    }
    if (!pass("PREROUTING")) return this.end(view, ended);
    if (isLocal()) {
      if (!pass("INPUT")) return this.end(view, ended);
      finish();
      return this.answerTo(view, original);
    }
    view.outInterface = routeTo(net, this.needs, view.destination);
    if (view.ttl <= 1) return;
    view.ttl -= 1;
    if (!pass("FORWARD") || !pass("POSTROUTING")) return this.end(view, ended);
    finish();
  }

  private end(view: View, passage: Passage): void {
    if (typeof passage === "object") {
      this.rejected = true;
      if (!view.answer) this.refuse(view, passage.answer === "reset" ? "reset" : "port");
    }
  }

  // ------------------------------------------------------------------------------------------------- hooks

  private atHook(hook: BuiltIn, view: View, original: View): Passage {
    for (const name of tablesAt[hook]) {
      if (name === "mangle" && (hook === "PREROUTING" || hook === "OUTPUT")) this.track(view, original);
      const chains = this.firewall.tables.get(name);
      const chain = chains?.get(hook);
      if (chains === undefined || chain === undefined) continue;
      if (name === "nat" && (view.state !== "new" || this.connection !== undefined)) continue;
      const { source, destination, sourcePort, destinationPort } = view;
      const passage = this.inTable(name, hook, view);
      view.sourceChanged ||= view.source !== source || view.sourcePort !== sourcePort;
      view.destinationChanged ||= view.destination !== destination || view.destinationPort !== destinationPort;
      if (passage === "drop" || typeof passage === "object") {
        this.dropped = hook;
        return passage;
      }
    }
    return "continue";
  }

  /** The way through one table's chains; `continue` for accepted. */
  private inTable(name: TableName, hook: BuiltIn, view: View): Passage {
    const chains = this.firewall.tables.get(name)!;
    const stack: { readonly chain: string; next: number }[] = [{ chain: hook, next: 0 }];
    for (let top = stack.at(-1); top !== undefined; top = stack.at(-1)) {
      const rule = chains.get(top.chain)?.rules[top.next];
      top.next += 1;
      if (rule === undefined) {
        stack.pop();
        continue;
      }
      if (!this.ask(rule, hook, view)) continue;
      const { target } = rule.rule;
      if (target?.kind === "chain") {
        if (target.goto) stack.pop();
        if (stack.length > longestWay) return "continue";
        stack.push({ chain: target.chain, next: 0 });
        continue;
      }
      const passage = target === undefined ? "continue" : applyTarget(target, view, hook);
      if (passage === "return") stack.pop();
      else if (passage === "accept") return "continue";
      else if (passage !== "continue") return passage;
    }
    return chains.get(hook)?.policy === "DROP" ? "drop" : "continue";
  }

  private ask(rule: FirewallRule, hook: BuiltIn, view: View): boolean {
    this.firewall.effort.asked += 1;
    const failed = rule.conditions.find((condition) => !(condition.test(view, this.world) ?? this.hopes(rule)));
    // Of a thousand rules that a packet misses nobody asks why.
    if (failed !== undefined && !this.hopes(rule)) return false;
    const { source, destination } = view;
    this.answers.push({ rule, hook, matched: failed === undefined, failed, at: { source, destination } });
    return failed === undefined;
  }

  // ------------------------------------------------------------------------------------------- connections

  /** Finds the packet's connection, and undoes its translation for answers. */
  private track(view: View, original: View): void {
    if (view.state === "untracked" || view.inInterface === "lo") return;
    const found = this.world.connection(tupleOf(view));
    this.connection = found;
    if (view.about !== undefined) {
      const about = this.world.connection(tupleOf(view.about));
      view.state = about ? "related" : "invalid";
      return;
    }
    if (view.answer && original.state === "related") {
      view.state = "related";
      return;
    }
    const begins = this.firewall.family === "ipv4" ? beginsIpv4(view) : beginsIpv6(view);
    if (begins === "untracked" || begins === "broken") {
      view.state = begins === "broken" ? "invalid" : begins;
      return;
    }
    if (found === undefined) {
      view.state = begins === "opens" ? "new" : "invalid";
      return;
    }
    view.reply = tupleOf(view) !== found.original;
    view.connmark = found.mark;
    view.sourceChanged = found.sourceChanged;
    view.destinationChanged = found.destinationChanged;
    view.state = found.replied || view.reply ? "established" : "new";
    if (view.reply) {
      this.world.remember({ ...found, replied: true });
      // The answer goes to whoever asked.
      const { source, destination, sourcePort, destinationPort } = turnedTuple(found);
      Object.assign(view, { source, destination, sourcePort, destinationPort });
    } else {
      const { source, destination, sourcePort, destinationPort } = found.translated;
      Object.assign(view, { source, destination, sourcePort, destinationPort });
    }
  }

  /** A packet that got through makes its connection known. */
  private confirm(original: View, view: View): void {
    if (view.state === "invalid" || view.state === "untracked" || view.about !== undefined) return;
    const known = this.connection ?? this.world.connection(tupleOf(original));
    if (known !== undefined) {
      this.connection = { ...(this.world.connection(known.original) ?? known), mark: view.connmark };
      this.world.remember(this.connection);
      return;
    }
    this.connection = {
      original: tupleOf(original),
      translated: { ...view },
      replyFields: turned(view),
      replied: false,
      mark: view.connmark,
      sourceChanged: original.source !== view.source || original.sourcePort !== view.sourcePort,
      destinationChanged: original.destination !== view.destination || original.destinationPort !== view.destinationPort,
    };
    this.world.remember(this.connection);
  }

  // ----------------------------------------------------------------------------------------------- answers

  /** What the firewall's host says to a packet that it took; no service listens. */
  private answerTo(view: View, original: View): void {
    const { family, net } = this.firewall;
    if (view.answer || view.about !== undefined || kindOf(net, this.needs, view.destination) !== "local" || view.fragmented) return;
    const back = turned(view);
    const { protocol, flags } = view;
    if (protocol === tcpNumber && (flags & rst) === 0) this.reply({ ...back, flags: (flags & ack) === 0 ? rst | ack : rst }, "new");
    else if (protocol === icmpNumber[family] && view.icmpType === echoRequest[family])
      this.reply({ ...back, icmpType: echoReply[family] }, "new");
    else if (protocol !== tcpNumber && protocol !== icmpNumber[family]) this.refuse(original, protocol === udpNumber ? "port" : "protocol");
  }

  /** What a rejected packet is answered with. */
  private refuse(view: View, how: "reset" | "port" | "protocol"): void {
    const { family } = this.firewall;
    const back = turned(view);
    if (how === "reset") {
      if (view.protocol === tcpNumber && (view.flags & rst) === 0) this.reply({ ...back, flags: rst | ack }, "related");
      return;
    }
    if (view.protocol === icmpNumber[family] && ![8, 13, 128].includes(view.icmpType)) return;
    const code = family === "ipv4" ? (how === "protocol" ? 2 : 3) : how === "protocol" ? 1 : 4;
    this.reply(
      {
        ...back,
        protocol: icmpNumber[family],
        icmpType: family === "ipv6" && how === "protocol" ? 4 : unreachable[family],
        icmpCode: code,
      },
      "related",
    );
  }

  private reply(fields: Fields, state: PacketState): void {
    const answer = this.viewOf({ ...fields, about: undefined }, false, true);
    answer.state = state;
    const inner = new Walker(this.firewall, this.needs, this.world, this.hopes);
    inner.journey(answer);
    this.answers.push(...inner.answers);
  }
}

/** As the first packet's sender knows the connection, turned. */
function turnedTuple(connection: Connection): Pick<Fields, "source" | "destination" | "sourcePort" | "destinationPort"> {
  const [, source = "0", destination = "0", ...ports] = connection.original.split(" ");
  const { protocol, sourcePort, destinationPort } = connection.replyFields;
  const named = hasPorts(protocol) && ports.length === 2;
  return {
    source: BigInt(destination),
    destination: BigInt(source),
    sourcePort: named ? Number(ports[1]) : sourcePort,
    destinationPort: named ? Number(ports[0]) : destinationPort,
  };
}

type Beginning = "opens" | "continues" | "broken" | "untracked";

/** What connection tracking makes of a packet that belongs to nothing known. */
function beginsIpv4(view: View): Beginning {
  if (view.protocol === tcpNumber) return ofSegment(view.flags);
  if (view.protocol === 1) return [8, 13, 15, 17].includes(view.icmpType) ? "opens" : "continues";
  return "opens";
}

function beginsIpv6(view: View): Beginning {
  if (view.protocol === tcpNumber) return ofSegment(view.flags);
  if (view.protocol !== 58) return "opens";
  if ([130, 131, 132, 133, 134, 135, 136, 137, 143].includes(view.icmpType)) return "untracked";
  return [128, 139].includes(view.icmpType) ? "opens" : "continues";
}

/** A lone acknowledgement is picked up; other later segments are not. */
function ofSegment(flags: number): Beginning {
  const { urg: urgent } = tcpFlags;
  const bits = flags & (opening.mask | urgent);
  const known = [syn, syn | urgent, syn | ack, rst, rst | ack, fin | ack, fin | ack | urgent, ack, ack | urgent];
  if (!known.includes(bits)) return "broken";
  return (bits & ~urgent) === syn || (bits & ~urgent) === ack ? "opens" : "continues";
}
