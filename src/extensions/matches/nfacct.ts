/**
 * `-m nfacct`: counts the packet in a named object of the accounting subsystem.
 *
 *     -m nfacct --nfacct-name web   →   (nothing: every packet matches)
 *
 * man iptables-extensions, section "nfacct".
 */

import { defineMatch } from "../extension.js";
import { text } from "../values/text.js";

export const nfacct = defineMatch({
  name: "nfacct",
  options: { "nfacct-name": { value: text(31), required: true } },
  facts: {
    reads: (options) => [{ memory: "nfacct", name: options["nfacct-name"]?.value ?? "" }],
    condition: [],
    played: true,
  },
  translate({ "nfacct-name": name }) {
    return {
      statements: [],
      approximations: [
        {
          message:
            `every packet matches, and none is counted in the object "${name?.value ?? ""}": where that object has a quota, ` +
            "iptables matches only packets beyond it",
          help: "read the rule's own counter instead",
          at: name,
        },
      ],
    };
  },
});
