/** Takes one iptables rule apart: its tests and matches as steps in the order of evaluation, its target as a body. */

import { diagnostic, printable, type Diagnostic, type DiagnosticCode } from "../diagnostic.js";
import type { Declaration, Declarations } from "../extensions/declarations.js";
import { didYouMean } from "../did-you-mean.js";
import { findMatch, findTarget, matchNames, targetNames } from "../extensions/registry.js";
import { recentUse, type RecentUse } from "../extensions/matches/recent.js";
import type { OptionUses, OptionDefinitions, Remark, RuleContext, Untranslatable } from "../extensions/extension.js";
import { addressMatch } from "../extensions/values/address.js";
import { judgementOf, readsOf } from "../extensions/described.js";
import { firstFragmentOnly } from "../extensions/values/fragment.js";
import { protocolExpression, protocolName } from "../extensions/values/protocols.js";
import { holdsNothing } from "../extensions/values/range.js";
import { cutToBytes } from "../extensions/values/text.js";
import type { ExtensionUse, Family, IptablesRule, OptionUse, TableName } from "../iptables/ast.js";
import { binary, compare, goto, hex, jump, match, meta, number, payload, string, type Expression, type Statement } from "../nft/ast.js";
import { longestComment } from "../nft/rule-size.js";
import { isEnd, type RuleBody, type RuleParts, type Step } from "./parts.js";

/** What a rule became. A rule that can never match needs no nft rule; a refused one has none. */
export type Analysis = { readonly remarks: readonly Diagnostic[] } & (
  | { readonly kind: "parts"; readonly parts: RuleParts }
  | ({ readonly kind: "never"; readonly reason: string } & Remains)
  | ({ readonly kind: "refused"; readonly diagnostic: Diagnostic } & Remains)
);

/**
 * What such a rule still does: the matches of `recent` in front of the one that fails have recorded their hits by then.
 */
export interface Remains {
  readonly recording?: RuleParts;
}

export interface AnalysisContext extends RuleContext {
  /** Collects for this rule alone. */
  readonly declare: Declarations;
  readonly counters: boolean;
  /** The ruleset tracks connections, and so the kernel puts fragments together before any chain sees them. */
  readonly reassembles: boolean;
  /** The nft name of a user chain of this table. */
  chainName(chain: string): string;
}

/** The same context but for some members. The others are inherited and not copied: there may be a hundred thousand rules. */
export function derived<Context extends object, Changes extends object>(context: Context, changes: Changes): Context & Changes {
  return Object.assign(Object.create(context) as Context, changes);
}

/** Changes nothing but the collector of declarations it is given, which belongs to this rule. */
export function analyse(rule: IptablesRule, context: AnalysisContext): Analysis {
  return new Analyser(rule, context).run();
}

/** Ends the analysis early: the rule is refused. */
class Stop extends Error {
  constructor(readonly refused: { readonly diagnostic: Diagnostic } & Remains) {
    super();
  }
}

/** Of most rules there is nothing to say. */
const none: Diagnostic[] = [];

class Analyser {
  private readonly steps: Step[] = [];
  private readonly comments: string[] = [];
  private reported: Diagnostic[] = none;
  /** The match being taken apart. */
  private current: number | undefined;
  private never: { readonly reason: string; readonly after: readonly Step[] } | undefined;
  /** Fragments behind the first are kept out already. */
  private firstFragment = false;

  constructor(
    private readonly rule: IptablesRule,
    private readonly context: AnalysisContext,
  ) {}

  run(): Analysis {
    try {
      this.packetTests();
      this.rule.matches.forEach((use, position) => {
        this.current = this.context.declare.match = position;
        this.match(use);
      });
      this.context.declare.match = undefined;
      const body = this.target();
      const remarks = this.reported;
      if (this.never !== undefined) return { kind: "never", remarks, reason: this.never.reason, ...this.recordingOf(this.never.after) };
      return { kind: "parts", remarks, parts: { rule: this.rule, steps: this.steps, body, declarations: this.context.declare.all } };
    } catch (stop) {
      if (stop instanceof Stop) return { kind: "refused", remarks: this.reported, ...stop.refused };
      throw stop;
    }
  }

  private recordingOf(steps: readonly Step[]): Remains {
    return recordingOf(this.rule, steps, this.context.declare.all);
  }

  private neverMatches(reason: string): void {
    this.never ??= { reason, after: [...this.steps] };
  }

  private add(...statements: Statement[]): void {
    if (statements.length === 0) return;
    // Not by `push`: most steps are made here, and there may be a hundred thousand rules.
    const match = this.current;
    this.steps.push(match === undefined ? { kind: "statements", statements } : { kind: "statements", statements, match });
  }

  private push(step: Step): void {
    this.steps.push(this.current === undefined ? step : { ...step, match: this.current });
  }

  // -------------------------------------------------------------------------------------------- the packet tests

  /** `-s -d -i -o -p -f`: the kernel looks at them before any match, wherever they are written. */
  private packetTests(): void {
    const { source, destination, inInterface, outInterface, protocol, fragment } = this.rule;
    const header = this.context.family === "ipv4" ? "ip" : "ip6";
    if (source) this.address(payload(header, "saddr"), source);
    if (destination) this.address(payload(header, "daddr"), destination);
    if (inInterface) this.interface("iifname", inInterface);
    if (outInterface) this.interface("oifname", outInterface);
    if (protocol) {
      if (protocol.value === 0) {
        if (protocol.inverted) this.neverMatches("no packet has a protocol other than all");
      } else if (protocol.value === authenticationHeader && this.context.family === "ipv6") {
        // ip6tables looks behind this header for the protocol, and so never finds it.
        if (!protocol.inverted) this.neverMatches("ip6tables takes an authentication header for no protocol");
      } else {
        // nft 1.0.6 aborts when it lists a rule that reads transport bytes behind `meta l4proto` of a protocol it has no header for.
        const field =
          this.context.family === "ipv4" && protocolName(protocol.value) === undefined ? payload("ip", "protocol") : meta("l4proto");
        this.add(match(field, protocolExpression(protocol.value), protocol.inverted));
      }
    }
    // Second and further fragments have an offset; the field's upper three bits are flags.
    if (fragment) {
      this.firstFragment = fragment.inverted;
      const offset = binary(payload("ip", "frag-off"), "&", hex(0x1fff));
      this.add(compare(offset, fragment.inverted ? "==" : "!=", number(0)));
    }
  }

  private address(field: Expression, use: NonNullable<IptablesRule["source"]>): void {
    if (use.value.mask === 0n) {
      if (use.inverted) this.neverMatches("no address lies outside of all addresses");
      return;
    }
    this.add(addressMatch(field, use.value, use.inverted));
  }

  private interface(key: "iifname" | "oifname", use: OptionUse<string>): void {
    const wildcard = use.value.endsWith("+");
    const name = wildcard ? use.value.slice(0, -1) : use.value;
    if (wildcard && name === "") {
      if (use.inverted) this.neverMatches("no interface has a name outside of all names");
      return;
    }
    // nft gives these a meaning of their own, or cannot hold them in quotes.
    if (!/^[A-Za-z0-9_.:@~!%^=,;()[\]{}<>?|&#'/+-]+$/.test(name)) {
      this.refuse("unsafe-text", use.span, `interface name "${printable(use.value)}" has characters that nft cannot match`);
    }
    this.add(match(meta(key), string(wildcard ? `${name}*` : name), use.inverted));
  }

  // ------------------------------------------------------------------------------------------------ the matches

  private match(use: ExtensionUse): void {
    const extension = findMatch(use.extension);
    if (!extension || use.unknown) {
      this.refuse(
        "unknown-match",
        use.span,
        `match "${printable(use.extension)}" is not known here`,
        didYouMean(use.extension, matchNames),
      );
    }
    if (extension.name === "recent") {
      return this.push({ kind: "recent", use: recentUse(use, this.context.family) });
    }
    const translation = extension.translate(use.options as OptionUses<OptionDefinitions>, this.context);
    if ("untranslatable" in translation) this.untranslatable("match", use, translation);
    this.remarks("match", use, translation);
    this.emptyRanges(use);
    // Before the guard, which would stand between the protocol and what implies it.
    const statements = "statements" in translation ? this.implied(translation.statements) : [];
    if (!this.context.reassembles && !this.firstFragment && readsOf(use).includes("transport")) {
      this.add(firstFragmentOnly(this.context.family));
      this.firstFragment = true;
    }
    if ("statements" in translation) this.add(...statements);
    else if ("alternatives" in translation) this.push({ kind: "alternatives", alternatives: translation.alternatives });
    else if ("anyOf" in translation) this.push({ kind: "any", groups: translation.anyOf });
    else if ("unless" in translation) this.push({ kind: "unless", groups: translation.unless });
    else if ("never" in translation) this.neverMatches(translation.never);
    else this.comments.push(translation.comment);
  }

  /** `tcp dport 22` says `meta l4proto tcp` by itself: the test of `-p` is left out where the very next statement implies it. */
  private implied(statements: readonly Statement[]): readonly Statement[] {
    const protocol = this.context.protocol;
    const last = this.steps.at(-1);
    const first = statements[0];
    if (protocol === undefined || last?.kind !== "statements" || first === undefined) return statements;
    const test = last.statements[0];
    const isProtocolTest =
      last.statements.length === 1 && test?.kind === "match" && test.left.kind === "meta" && test.left.key === "l4proto";
    if (isProtocolTest && impliedProtocol(first) === protocol) this.steps.pop();
    return statements;
  }

  // ------------------------------------------------------------------------------------------------- the target

  private target(): RuleBody {
    const { rule, context } = this;
    const counter = context.counters
      ? { kind: "counter" as const, packets: rule.counters?.packets ?? 0n, bytes: rule.counters?.bytes ?? 0n }
      : undefined;
    const comment = this.comment();
    const common = { ...(counter && { counter }), ...(comment !== undefined && { comment }) };
    const target = rule.target;
    if (!target) return { ...common, effects: [] };
    if (target.kind === "chain") {
      const name = context.chainName(target.chain);
      return { ...common, effects: [], end: target.goto ? goto(name) : jump(name) };
    }
    const extension = findTarget(target.extension);
    if (!extension || target.unknown) {
      this.refuse(
        "unknown-target",
        target.span,
        `target "${printable(target.extension)}" is not known here`,
        didYouMean(target.extension, targetNames),
      );
    }
    const allowed = extension.tables;
    if (allowed && !allowed.includes(context.table)) {
      this.invalid(target, `target "${extension.name}" is not allowed in table "${context.table}", only in ${allowed.join(", ")}`);
    }
    const outside = extension.hooks && [...context.hooks].find((hook) => !extension.hooks!.includes(hook));
    if (outside !== undefined) {
      this.invalid(
        target,
        `target "${extension.name}" is not allowed in a chain reached from ${outside.toUpperCase()}, only from ` +
          `${extension.hooks!.map((hook) => hook.toUpperCase()).join(", ")}`,
      );
    }
    const translation = extension.translate(target.options as OptionUses<OptionDefinitions>, context);
    if ("untranslatable" in translation) this.untranslatable("target", target, translation);
    this.remarks("target", target, translation);
    const last = translation.statements.at(-1);
    const end = last && isEnd(last) ? last : undefined;
    const portNeeds =
      end && (end.kind === "nat" || end.kind === "tproxy") && end.port && context.protocol !== undefined
        ? { protocol: match(meta("l4proto"), protocolExpression(context.protocol)) }
        : {};
    return { ...common, effects: end ? translation.statements.slice(0, -1) : translation.statements, ...(end && { end }), ...portNeeds };
  }

  /** All comments of the rule in one, within the 128 bytes that nft keeps. */
  private comment(): string | undefined {
    if (this.comments.length === 0) return undefined;
    const joined = this.comments.join("; ");
    const kept = cutToBytes(joined, longestComment);
    if (kept !== joined) {
      const { span } = this.rule.matches.findLast(({ extension }) => extension === "comment")!;
      this.report(
        diagnostic("text-changed", span, `the comments of the rule are one in nft, which keeps its first ${longestComment} bytes`),
      );
    }
    return kept;
  }

  // ------------------------------------------------------------------------------------------------ diagnostics

  private report(found: Diagnostic): void {
    if (this.reported === none) this.reported = [];
    this.reported.push(found);
  }

  private remarks(
    kind: "match" | "target",
    use: ExtensionUse,
    { approximations, notes }: { approximations?: readonly Remark[]; notes?: readonly Remark[] },
  ): void {
    const say = (remark: Remark, code: DiagnosticCode): void => {
      this.report({
        ...diagnostic(remark.code ?? code, remark.at?.span ?? use.span, `${kind} "${use.extension}": ${remark.message}`, remark.help),
        ...(remark.without !== undefined && { without: remark.without }),
      });
    };
    for (const remark of approximations ?? []) say(remark, kind === "match" ? "approximate-match" : "approximate-target");
    for (const remark of notes ?? []) say(remark, "option-without-effect");
  }

  /** A range that runs backwards is often a slip: it loads in some versions of iptables, and then nothing is in it. */
  private emptyRanges({ extension, options }: ExtensionUse): void {
    for (const { name, text, value, inverted, span } of Object.values(options)) {
      if (!holdsNothing(value)) continue;
      const consequence = inverted ? "every packet matches that has what it asks for" : "no packet matches";
      const option = `option "--${name}" of match "${extension}"`;
      const message = `${option}: the range "${printable(text)}" runs backwards and holds nothing, so ${consequence}`;
      this.report(diagnostic("empty-range", span, message));
    }
  }

  private untranslatable(kind: "match" | "target", use: ExtensionUse, { untranslatable, at, help }: Untranslatable): never {
    const code = at ? "untranslatable-option" : kind === "match" ? "untranslatable-match" : "untranslatable-target";
    const blamed = at ? `option "--${at.name}" of ${kind} "${use.extension}"` : `${kind} "${use.extension}"`;
    this.refuse(code, at?.span ?? use.span, `${blamed} cannot be translated: ${untranslatable}`, help);
  }

  private refuse(code: DiagnosticCode, span: IptablesRule["span"], message: string, help?: string): never {
    throw new Stop({
      diagnostic: refusal(code, span, message, lossOf(this.rule, this.context.table, this.notRecorded()), help),
      ...this.recordingOf(this.steps),
    });
  }

  /** The uses of `recent` behind the point where the analysis ends. */
  private notRecorded(): RecentUse[] {
    const reached = this.steps.filter(({ kind }) => kind === "recent").length;
    return recentUses(this.rule, this.context.family).slice(reached);
  }

  private invalid(use: ExtensionUse, message: string): never {
    throw new Stop({ diagnostic: diagnostic("invalid-placement", use.span, message) });
  }
}

const authenticationHeader = 51;

const implying: Readonly<Record<string, number>> = {
  tcp: 6,
  udp: 17,
  udplite: 136,
  sctp: 132,
  dccp: 33,
  ah: 51,
  esp: 50,
  comp: 108,
  icmp: 1,
  icmpv6: 58,
  igmp: 2,
};

function impliedProtocol(statement: Statement): number | undefined {
  if (statement.kind !== "match") return undefined;
  const left = statement.left.kind === "binary" ? statement.left.left : statement.left;
  return left.kind === "payload" ? implying[left.protocol] : undefined;
}

/** All uses of `recent` in a rule, in order. */
export function recentUses(rule: IptablesRule, family: Family): RecentUse[] {
  return rule.matches.filter((use) => use.extension === "recent" && !use.unknown).map((use) => recentUse(use, family));
}

/** These steps, up to the last that records anything, as a rule without a target; nothing if none does. */
export function recordingOf(rule: IptablesRule, steps: readonly Step[], declarations: readonly Declaration[]): Remains {
  const end = steps.findLastIndex((step) => step.kind === "recent" && recordsHits(step.use)) + 1;
  if (end === 0) return {};
  const last = steps[end - 1]!.match!;
  const wanted = declarations.filter(({ match }) => match !== undefined && match <= last);
  return { recording: { rule, steps: steps.slice(0, end), body: { effects: [] }, declarations: wanted } };
}

function recordsHits({ operation }: RecentUse): boolean {
  return operation !== "rcheck";
}

/** What leaving a rule out means. */
export interface Loss {
  /** As clauses of a message. */
  readonly told: string;
  /** As in `Diagnostic.without`. */
  readonly without: string;
}

/** Says of a rule that it is not in the script, and what that means. */
export function refusal(code: DiagnosticCode, span: IptablesRule["span"], message: string, loss: Loss, help?: string): Diagnostic {
  return { ...diagnostic(code, span, `${message}; ${loss.told}`, help), without: loss.without };
}

/** What leaving the rule out means for the packets it was made for; `notRecorded` are the uses of `recent` that are lost with it. */
export function lossOf(rule: IptablesRule, table: TableName, notRecorded: readonly RecentUse[] = []): Loss {
  const lists = (operations: readonly string[]): string =>
    [...new Set(notRecorded.filter(({ operation }) => operations.includes(operation)).map(({ list }) => list))]
      .map((list) => `"${printable(list)}"`)
      .join(", ");
  const [fed, emptied] = [lists(["set", "update"]), lists(["remove"])];
  const lost = [
    ...(fed === ""
      ? []
      : [
          {
            told: `its hits are missing from list ${fed}, and rules that check it decide without them`,
            without: `no hits for list ${fed}`,
          },
        ]),
    ...(emptied === ""
      ? []
      : [
          {
            told: `it takes no host off list ${emptied} any more, and rules that check it still find it there`,
            without: `no host leaves list ${emptied}`,
          },
        ]),
  ];
  const all = [...(rule.target || lost.length === 0 ? [withoutTarget(rule, table)] : []), ...lost];
  return { told: all.map(({ told }) => told).join("; "), without: all.map(({ without }) => without).join(", ") };
}

function withoutTarget(rule: IptablesRule, table: TableName): Loss {
  const { target } = rule;
  const more = (state: "open" | "closed", told: string): Loss => ({
    told: `without the rule the firewall is more ${state}: ${told}`,
    without: `more ${state}`,
  });
  const clause = (told: string): Loss => ({ told, without: told });
  if (!target) return { told: "the rule only counted, no verdict changes", without: "no verdict changes" };
  if (target.kind === "chain") return clause(`packets no longer reach chain "${printable(target.chain)}" by this rule`);
  const judgement = judgementOf(rule, table);
  if (judgement === "stops") return more("open", "packets that it stopped go on to the next rule");
  if (judgement === "lets through") return more("closed", "packets that it let through go on to the next rule");
  switch (target.extension) {
    case "ACCEPT":
      return clause(`packets that it kept from the rest of table "${table}" go on to the next rule`);
    case "RETURN":
      return clause("without the rule the rest of the chain also decides about packets that it sent back");
    case "NFQUEUE":
    case "QUEUE":
      return more("open", "packets that a program was to judge go on to the next rule");
    case "SYNPROXY":
      return more("open", "SYNs that it answered in place of the server go on to the next rule");
    case "TPROXY":
      return clause("packets that it handed to a proxy go on to the next rule");
    case "LOG":
    case "NFLOG":
    case "ULOG":
    case "AUDIT":
    case "TRACE":
      return { told: "no verdict changes, but packets are no longer reported", without: "packets are no longer reported" };
    case "SNAT":
    case "DNAT":
    case "MASQUERADE":
    case "REDIRECT":
    case "NETMAP":
    case "SAME":
    case "BALANCE":
    case "DNETMAP":
      return clause("addresses and ports are no longer translated by this rule");
    default:
      return clause(`what "${printable(target.extension)}" did no longer happens`);
  }
}
