/**
 * `-m helper`: connections that a helper of connection tracking expected (the data connections of FTP, for instance).
 *
 *     -m helper --helper ftp   →   ct helper "ftp"
 *
 * Both sides ask for the helper of the connection that this one belongs to. The kernel (net/netfilter/xt_helper.c) accepts
 * a helper whose name is the beginning of the one asked for: `ftp-2121` holds for `ftp` too.
 *
 * man iptables-extensions, section "helper".
 */

import { ct, match, oneOf, string, type Statement } from "../../nft/ast.js";
import { defineMatch, type MatchTranslation } from "../extension.js";
import { text } from "../values/text.js";

/** Names of the kernel's helpers. */
const kernelHelpers = ["amanda", "ftp", "H.245", "irc", "netbios-ns", "pptp", "Q.931", "RAS", "sane", "sip", "snmp", "snmp_trap", "tftp"];
/** Characters of a name, NF_CT_HELPER_NAME_LEN less the zero at its end. */
const maximumLength = 15;
/** No helper is called this: nft refuses an empty name to compare with. */
const nobody = "-";

export const helper = defineMatch({
  name: "helper",
  options: { helper: { value: text(1023), invertible: true, required: true } },
  facts: {
    reads: ["tracking"],
    condition: [],
    played: true,
    words: ({ helper: use }) => (use && use.text !== "" ? `it belongs to a connection of helper "${use.text}"` : undefined),
  },
  translate({ helper: use }): MatchTranslation {
    const wanted = use?.value ?? "";
    const field = ct("helper");
    const names = [wanted, ...kernelHelpers.filter((name) => name !== wanted && wanted.startsWith(name))].filter(
      (name) => /^[A-Za-z0-9_.-]+$/.test(name) && name.length <= maximumLength,
    );
    if (wanted !== "" && names.length === 0) {
      return use?.inverted ? { statements: [] } : { never: "no helper has such a name" };
    }
    const matching: Statement[] = [
      wanted === "" ? match(field, string(nobody), true) : match(field, oneOf(names.map((name) => string(name)))),
    ];
    if (!use?.inverted) return { statements: matching };
    // Without an expecting connection there is no helper, so the inverted test holds.
    return { unless: [matching] };
  },
});
