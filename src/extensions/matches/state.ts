/**
 * `-m state`: the old name of `-m conntrack --ctstate`.
 *
 *     -m state --state RELATED,ESTABLISHED   →   ct state established,related
 *     -m state ! --state NEW,INVALID         →   ct state != { new, invalid }
 *
 * man iptables-extensions, section "state".
 */

import { defineMatch, type MatchTranslation } from "../extension.js";
import { wordTests } from "../facts.js";
import { stateCases, stateList } from "../values/connection-state.js";

export const state = defineMatch({
  name: "state",
  options: {
    state: { value: stateList(["invalid", "new", "established", "related", "untracked"]), invertible: true, required: true },
  },
  facts: {
    reads: ["tracking"],
    condition: ({ state: use }) => wordTests("state", use, use?.value.states ?? []),
    played: true,
  },
  translate({ state: use }): MatchTranslation {
    const [only] = use ? stateCases(use.value, use.inverted, false) : [];
    return only ? { statements: only.statements } : { never: "every connection state is excluded" };
  },
});
