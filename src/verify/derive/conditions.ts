/** The conditions of a rule, each with its test and with a way to make it hold or fail. */

import { rangesTest, type FieldTest, type PacketField } from "../../extensions/facts.js";
import type { AddressMask, IptablesRule, IptablesRuleset, OptionUse } from "../../iptables/ast.js";
import { gatherLists } from "../../rewrite/recent/usage.js";
import type { Condition } from "./condition.js";
import { matchConditions } from "./conditions-of-matches.js";
import type { Surroundings } from "./conditions-of-memory.js";
import type { Ipsets } from "./conditions-of-sets.js";
import { testCondition } from "./fields.js";

/** Tells the conditions of each rule of a ruleset, in the order in which the kernel asks. */
export function conditionsIn(ruleset: IptablesRuleset, sets: Ipsets): (rule: IptablesRule) => Condition[] {
  const surroundings: Surroundings = { family: ruleset.family, lists: gatherLists(ruleset), sets };
  return (rule) => [...ownConditions(rule), ...rule.matches.flatMap((use) => matchConditions(use, surroundings))];
}

/** Of the tests that belong to no match. */
function ownConditions({ source, destination, inInterface, outInterface, protocol, fragment }: IptablesRule): Condition[] {
  return [
    ...(source ? [testCondition(addressTest("source", source), "-s")] : []),
    ...(destination ? [testCondition(addressTest("destination", destination), "-d")] : []),
    ...(inInterface ? [testCondition(interfaceTest("inInterface", inInterface), "-i")] : []),
    ...(outInterface ? [testCondition(interfaceTest("outInterface", outInterface), "-o")] : []),
    ...(protocol ? [testCondition(rangesTest("protocol", protocol, [{ from: protocol.value, to: protocol.value }]), "-p")] : []),
    ...(fragment ? [fragmentCondition(fragment)] : []),
  ];
}

function addressTest(field: PacketField, { name, value: { address, mask }, inverted }: OptionUse<AddressMask>): FieldTest {
  return { option: name, fields: [field], values: { kind: "bits", value: address, mask }, inverted };
}

function interfaceTest(field: PacketField, { name, value, inverted }: OptionUse<string>): FieldTest {
  return { option: name, fields: [field], values: { kind: "pattern", pattern: value }, inverted };
}

function fragmentCondition({ inverted }: OptionUse<undefined>): Condition {
  return {
    label: inverted ? "! -f" : "-f",
    kind: "field",
    test: ({ fragmented }) => fragmented !== inverted,
    make(draft, wanted) {
      draft.fragmented = wanted !== inverted;
    },
  };
}
