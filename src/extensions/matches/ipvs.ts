/**
 * `-m ipvs`: properties of a load-balanced (IPVS) connection. nft knows nothing of IPVS.
 *
 * man iptables-extensions, section "ipvs".
 */

import { defineMatch } from "../extension.js";
import { addressMask } from "../values/address.js";
import { port } from "../values/port.js";
import { protocol } from "../values/protocols.js";
import { oneOfWords } from "../values/text.js";

export const ipvs = defineMatch({
  name: "ipvs",
  options: {
    ipvs: { invertible: true },
    vproto: { value: protocol, invertible: true },
    vaddr: { value: addressMask, invertible: true },
    vport: { value: port, invertible: true },
    vdir: { value: oneOfWords(["ORIGINAL", "REPLY"]) },
    vmethod: { value: oneOfWords(["GATE", "IPIP", "MASQ"]), invertible: true },
    vportctl: { value: port, invertible: true },
  },
  facts: {
    reads: ["outside"],
    condition: [],
    played: true,
  },
  translate() {
    return {
      untranslatable: "nft has no expression for IPVS connections",
      help: "match the virtual service's address and port: ct original ip daddr, ct original proto-dst",
    };
  },
});
