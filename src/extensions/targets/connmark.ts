/**
 * `-j CONNMARK`: changes the connection's mark, or copies between it and the packet's. The rule goes on.
 *
 *     -j CONNMARK --set-xmark 0x1/0xffffffff                               →   ct mark set 0x1
 *     -j CONNMARK --restore-mark --nfmask 0xffffffff --ctmask 0xffffffff   →   meta mark set ct mark
 *     -j CONNMARK --save-mark --nfmask 0x3 --ctmask 0x3                    →   jump, to a chain of
 *         ct mark set ct mark & 0xfffffffc
 *         meta mark & 0x1 == 0x1 ct mark set ct mark | 0x1
 *         meta mark & 0x2 == 0x2 ct mark set ct mark | 0x2
 *
 * The chain is for masks that keep a part of the old mark: nft combines two marks in one expression only from kernel 6.13
 * and nftables 1.1 on. xt_connmark: save: ctmark = (ctmark & ~ctmask) ^ shift(mark & nfmask); restore the other way round;
 * set: ctmark = shift((ctmark & ~mask) ^ value).
 * man iptables-extensions, section "CONNMARK".
 */

import type { OptionUse } from "../../iptables/ast.js";
import { assign, binary, compare, ct, hex, jump, match, meta, number, type Expression, type Statement } from "../../nft/ast.js";
import { defineTarget, Invalid, type OptionUses, type RuleContext, type TargetTranslation } from "../extension.js";
import type { Effect } from "../facts.js";
import { integer, type ValueMask } from "../values/number.js";
import { allBits, changed, markChange, markOptions, xmark } from "./mark-change.js";

/** Bits to the left, or to the right if negative. */
type Shift = number;

function shiftedValue(value: number, shift: Shift): number {
  return Number(BigInt.asUintN(32, shift < 0 ? BigInt(value) >> BigInt(-shift) : BigInt(value) << BigInt(shift)));
}
function shifted(expression: Expression, shift: Shift): Expression {
  if (shift === 0) return expression;
  return binary(expression, shift < 0 ? ">>" : "<<", number(Math.abs(shift)));
}

interface Copy {
  readonly from: Expression;
  readonly fromMask: number;
  readonly to: Expression;
  /** The bits of the destination that the copy overwrites. */
  readonly toMask: number;
  readonly shift: Shift;
  readonly wish: string;
}

/** Without a connection nothing may change: reading its mark, whatever that is, then ends the rule. */
const connectionExists = compare(ct("mark"), ">=", hex(0));

/** One statement where the destination is overwritten as a whole, else a chain that copies bit by bit. */
function copy({ from, fromMask, to, toMask, shift, wish }: Copy, context: RuleContext): TargetTranslation {
  if (toMask === allBits && fromMask === 0) return { statements: [connectionExists, assign(to, hex(0))] };
  if (toMask === allBits) {
    const source = changed(from, { keep: fromMask, flip: 0 });
    return { statements: [assign(to, shifted(source, shift))] };
  }
  const rules: Statement[][] = [];
  if (toMask !== 0) rules.push([assign(to, changed(to, markChange({ value: 0, mask: toMask })))]);
  for (let position = 0; position < 32; position++) {
    const bit = (1 << position) >>> 0;
    const target = shiftedValue(bit, shift);
    if ((fromMask & bit) === 0 || target === 0) continue;
    // A bit that was cleared before is set; one outside the mask is flipped, as xt_connmark does.
    const operator = (toMask & target) === 0 ? "^" : "|";
    rules.push([match(binary(from, "&", hex(bit)), hex(bit)), assign(to, binary(to, operator, hex(target)))]);
  }
  if (rules.length === 0) return { statements: [] };
  return { statements: [connectionExists, jump(context.declare.chain(wish, rules))] };
}

const copies = ["save-mark", "restore-mark"] as const;
const mask = integer(0, allBits);

const options = {
  ...markOptions(...copies),
  "save-mark": { excludes: ["restore-mark"] },
  "restore-mark": { excludes: ["save-mark"] },
  mask: { value: mask, excludes: ["nfmask", "ctmask"] },
  nfmask: { value: mask, excludes: ["mask"] },
  ctmask: { value: mask, excludes: ["mask"] },
  "left-shift-mark": { value: integer(0, 31) },
  "right-shift-mark": { value: integer(0, 31) },
} as const;

/** What the options ask for: a change of the connection's mark, or a copy between it and the packet's. */
type Operation =
  | { readonly kind: "set"; readonly change: ValueMask; readonly shift: Shift }
  | { readonly kind: "save" | "restore"; readonly packetMask: number; readonly connectionMask: number; readonly shift: Shift };

function operationOf(uses: OptionUses<typeof options>): Operation {
  const { mask: both, nfmask, ctmask, "left-shift-mark": left, "right-shift-mark": right } = uses;
  // Of two shifts the one written last holds.
  const shift = right && !(left && isAfter(left, right)) ? -right.value : (left?.value ?? 0);
  if (uses["save-mark"] || uses["restore-mark"]) {
    const kind = uses["save-mark"] ? "save" : "restore";
    return { kind, packetMask: (both ?? nfmask)?.value ?? allBits, connectionMask: (both ?? ctmask)?.value ?? allBits, shift };
  }
  const change = xmark(uses) ?? { value: 0, mask: 0 };
  const operation = uses["set-xmark"] ?? uses["set-mark"] ?? uses["and-mark"] ?? uses["or-mark"] ?? uses["xor-mark"];
  // `--mask` behind the operation replaces the operation's own mask; before it, it is overwritten.
  return { kind: "set", change: both && operation && isAfter(both, operation) ? { value: change.value, mask: both.value } : change, shift };
}

function effectsOf(uses: OptionUses<typeof options>): Effect[] {
  const operation = operationOf(uses);
  const { shift } = operation;
  if (operation.kind === "set") {
    const { keep, flip } = markChange(operation.change);
    if (shift === 0) return [{ kind: "bits", of: "connmark", keep, flip }];
    if (keep === 0) return [{ kind: "bits", of: "connmark", keep: 0, flip: shiftedValue(flip, shift) }];
    return [{ kind: "other", of: "connmark", text: `(mark & ${keep} ^ ${flip}) << ${shift}` }];
  }
  const { packetMask, connectionMask } = operation;
  return operation.kind === "save"
    ? [{ kind: "copy", from: "mark", to: "connmark", mask: packetMask, keep: ~connectionMask >>> 0, shift }]
    : [{ kind: "copy", from: "connmark", to: "mark", mask: connectionMask, keep: ~packetMask >>> 0, shift }];
}

export const connmarkTarget = defineTarget({
  name: "CONNMARK",
  options,
  check: (options) =>
    xmark(options) || options["save-mark"] || options["restore-mark"]
      ? undefined
      : new Invalid("one of --set-xmark, --set-mark, --and-mark, --or-mark, --xor-mark, --save-mark and --restore-mark is needed"),
  compared: ({ mask: both, nfmask, ctmask, ...others }) => {
    const change = xmark(others);
    const copies = others["save-mark"] ? "save" : "restore";
    const shifts = [others["left-shift-mark"]?.value, others["right-shift-mark"]?.value];
    return change ? [change, shifts] : [copies, nfmask?.value ?? both?.value ?? allBits, ctmask?.value ?? both?.value ?? allBits, shifts];
  },
  facts: {
    way: "continue",
    effects: effectsOf,
    played: true,
    words: { does: "marks the connections of", done: "marked, with their connection" },
  },
  translate(uses, context) {
    const operation = operationOf(uses);
    const { shift } = operation;
    const [mark, packetMark] = [ct("mark"), meta("mark")];
    switch (operation.kind) {
      case "save":
        return copy(
          { from: packetMark, fromMask: operation.packetMask, to: mark, toMask: operation.connectionMask, shift, wish: "save_mark" },
          context,
        );
      case "restore":
        return copy(
          { from: mark, fromMask: operation.connectionMask, to: packetMark, toMask: operation.packetMask, shift, wish: "restore_mark" },
          context,
        );
      case "set": {
        const { keep, flip } = markChange(operation.change);
        const value = keep === 0 ? hex(shiftedValue(flip, shift)) : shifted(changed(mark, { keep, flip }), shift);
        return { statements: value === mark ? [] : [assign(mark, value)] };
      }
    }
  },
});

function isAfter(one: OptionUse<unknown>, other: OptionUse<unknown>): boolean {
  return one.span.line > other.span.line || (one.span.line === other.span.line && one.span.column > other.span.column);
}
