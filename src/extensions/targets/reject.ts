/**
 * `-j REJECT`: drop, and tell the sender.
 *
 *     -p tcp -j REJECT --reject-with tcp-reset          →   meta l4proto tcp reject with tcp reset
 *     -j REJECT --reject-with icmp-host-prohibited      →   reject with icmp type host-prohibited
 *
 * man iptables-extensions, section "REJECT".
 */

import type { RejectStatement } from "../../nft/ast.js";
import { defineTarget, Invalid, type ValueParser } from "../extension.js";

interface RejectType {
  readonly name: string;
  readonly alias: string;
  readonly with: NonNullable<RejectStatement["with"]>;
}

const icmp = (name: string, alias: string, code: string): RejectType => ({ name, alias, with: { type: "icmp", code } });
const icmpv6 = (name: string, alias: string, code: string): RejectType => ({ name, alias, with: { type: "icmpv6", code } });

/** In the order of the extensions' own tables: the first name that begins with the argument is meant. */
const rejectTypes: Readonly<Record<"ipv4" | "ipv6", readonly RejectType[]>> = {
  ipv4: [
    icmp("icmp-net-unreachable", "net-unreach", "net-unreachable"),
    icmp("icmp-host-unreachable", "host-unreach", "host-unreachable"),
    icmp("icmp-proto-unreachable", "proto-unreach", "prot-unreachable"),
    icmp("icmp-port-unreachable", "port-unreach", "port-unreachable"),
    icmp("icmp-net-prohibited", "net-prohib", "net-prohibited"),
    icmp("icmp-host-prohibited", "host-prohib", "host-prohibited"),
    { name: "tcp-reset", alias: "tcp-rst", with: { type: "tcp reset" } },
    icmp("icmp-admin-prohibited", "admin-prohib", "admin-prohibited"),
  ],
  ipv6: [
    icmpv6("icmp6-no-route", "no-route", "no-route"),
    icmpv6("icmp6-adm-prohibited", "adm-prohibited", "admin-prohibited"),
    icmpv6("icmp6-addr-unreachable", "addr-unreach", "addr-unreachable"),
    icmpv6("icmp6-port-unreachable", "port-unreach", "port-unreachable"),
    { name: "tcp-reset", alias: "tcp-reset", with: { type: "tcp reset" } },
    icmpv6("icmp6-policy-fail", "policy-fail", "policy-fail"),
    icmpv6("icmp6-reject-route", "reject-route", "reject-route"),
  ],
};

/** Letter case does not matter, and any beginning of a name or alias will do. */
const rejectType: ValueParser<RejectType["with"]> = (text, { family }) => {
  const wanted = text.toLowerCase();
  const found = rejectTypes[family].find(({ name, alias }) => name.startsWith(wanted) || alias.startsWith(wanted));
  return (
    found?.with ?? new Invalid(`"${text}" is not a way to reject; known are ${rejectTypes[family].map(({ name }) => name).join(", ")}`)
  );
};

export const rejectTarget = defineTarget({
  name: "REJECT",
  tables: ["filter"],
  hooks: ["input", "forward", "output"],
  options: {
    "reject-with": { value: rejectType },
  },
  check(options, { protocol }) {
    return options["reject-with"]?.value.type === "tcp reset" && protocol !== 6 ? new Invalid("tcp-reset needs -p tcp") : undefined;
  },
  compared: (options, { family }) => options["reject-with"]?.value ?? rejectType("port-unreach", { family }),
  facts: {
    way: "drop",
    refusal(options) {
      const answer = options["reject-with"]?.value;
      return answer?.type === "tcp reset"
        ? { kind: "reset", words: "a TCP reset" }
        : { kind: "unreachable", words: `an ICMP error ("${answer?.code ?? "port-unreachable"}")` };
    },
    effects: [],
    played: true,
    words: { does: "rejects", done: "rejected" },
  },
  translate(options) {
    const answer = options["reject-with"]?.value;
    // Both families' default is what nft sends for a bare `reject`.
    if (!answer || (answer.type !== "tcp reset" && answer.code === "port-unreachable")) return { statements: [{ kind: "reject" }] };
    return { statements: [{ kind: "reject", with: answer }] };
  },
});
