/**
 * `-m policy`: IPsec processing of the packet.
 *
 *     --dir in --pol none                 →   meta ipsec missing
 *     --dir out --pol ipsec               →   rt ipsec exists
 *     --dir in --pol ipsec --reqid 5      →   ipsec in reqid 5
 *     --dir in --pol ipsec --mode tunnel --tunnel-src 192.0.2.0/24   →   ipsec in ip saddr & 255.255.255.0 == 192.0.2.0
 *
 * nft 1.0.6 forgets the length of a prefix after `ipsec … saddr`, so the mask is written out.
 *
 * man iptables-extensions, section "policy".
 */

import type { AddressMask, OptionUse } from "../../iptables/ast.js";
import { binary, exists, keyword, match, meta, number, type Hook, type Statement } from "../../nft/ast.js";
import { defineMatch, Invalid, type OptionUses, type Remark, type ValueParser } from "../extension.js";
import { wordTests } from "../facts.js";
import { addressBits, addressLiteral, addressMask, prefixMask } from "../values/address.js";
import { outsideHooks } from "../values/hooks.js";
import { integer } from "../values/number.js";
import { protocol } from "../values/protocols.js";
import { oneOfWords } from "../values/text.js";

const inHooks: readonly Hook[] = ["prerouting", "input", "forward"];
const outHooks: readonly Hook[] = ["forward", "output", "postrouting"];

/** Protocols that IPsec puts around a packet: AH, ESP, IPComp, and IP in IP. */
const transformations: readonly number[] = [4, 50, 51, 108];
const transformation: ValueParser<number> = (text, context) => {
  const number = protocol(text, context);
  if (number instanceof Invalid || transformations.includes(number)) return number;
  return new Invalid(`"${text}" is none of the protocols ah, esp, ipcomp, ipencap`);
};

const options = {
  dir: { value: oneOfWords(["in", "out"]), required: true },
  pol: { value: oneOfWords(["none", "ipsec"]) },
  strict: {},
  reqid: { value: integer(0, 0xffffffff), invertible: true, repeatable: true },
  spi: { value: integer(0, 0xffffffff), invertible: true, repeatable: true },
  proto: { value: transformation, invertible: true, repeatable: true },
  mode: { value: oneOfWords(["tunnel", "transport"]), invertible: true, repeatable: true },
  "tunnel-src": { value: addressMask, invertible: true, repeatable: true },
  "tunnel-dst": { value: addressMask, invertible: true, repeatable: true },
  next: { repeatable: true },
} as const;

const elementOptions = ["reqid", "spi", "proto", "mode", "tunnel-src", "tunnel-dst"] as const;

function tunnelStatement(use: OptionUse<AddressMask>, direction: string, field: string): Statement {
  const { family, address, mask } = use.value;
  const expression = keyword("ipsec", direction, family === "ipv4" ? "ip" : "ip6", field);
  const whole = mask === prefixMask(addressBits[family], family);
  return match(whole ? expression : binary(expression, "&", addressLiteral(mask, family)), addressLiteral(address, family), use.inverted);
}

export const policy = defineMatch({
  name: "policy",
  options,
  check(uses: OptionUses<typeof options>) {
    const element = elementOptions.find((name) => uses[name]);
    if (uses.pol?.value === "none" && (element ?? uses.strict))
      return new Invalid(`--pol none cannot be combined with --${element ?? "strict"}`);
    if (uses.next && !uses.strict) return new Invalid("--next needs --strict");
    if (uses.strict && !element) return new Invalid("--strict needs at least one condition for every element");
    const tunnel = uses["tunnel-src"] ? "tunnel-src" : uses["tunnel-dst"] ? "tunnel-dst" : undefined;
    if (tunnel && (uses.mode?.value !== "tunnel" || uses.mode.inverted)) return new Invalid(`--${tunnel} needs --mode tunnel`);
    return undefined;
  },
  facts: {
    reads: ["routing"],
    condition: ({ pol }) => wordTests("policy", pol, pol ? [pol.value] : []).map((test) => ({ ...test, covers: ["dir"] })),
    played: true,
  },
  translate(uses, context) {
    const direction = uses.dir?.value ?? "in";
    const outside = outsideHooks(context, direction === "in" ? inHooks : outHooks, direction === "in" ? "meta ipsec" : "rt ipsec");
    if (outside) return outside;
    const any = direction === "in" ? meta("ipsec") : keyword("rt", "ipsec");
    if (uses.pol?.value === "none") return { statements: [exists(any, false)] };
    if (uses.next) return { untranslatable: "nft cannot compare the elements of a policy one by one", at: uses.next };
    if (uses.spi) {
      return {
        untranslatable: "iptables compares the bytes of an SPI in the order of the machine, so what the number means depends on it",
        help: `the SPI as it is on the wire: ipsec ${direction} spi NUMBER`,
        at: uses.spi,
      };
    }
    for (const use of [uses.proto, uses.mode]) {
      if (use?.inverted) return { untranslatable: "nft does not tell the protocols and modes of IPsec apart", at: use };
    }

    const statements: Statement[] = [];
    const approximations: Remark[] = [];
    if (uses.reqid) statements.push(match(keyword("ipsec", direction, "reqid"), number(uses.reqid.value), uses.reqid.inverted));
    if (uses["tunnel-src"]) statements.push(tunnelStatement(uses["tunnel-src"], direction, "saddr"));
    if (uses["tunnel-dst"]) statements.push(tunnelStatement(uses["tunnel-dst"], direction, "daddr"));
    if (statements.length > 0) {
      approximations.push({
        message: uses.strict
          ? "nft compares the first transformation of a packet and does not count them: packets with more than one match too"
          : "nft compares the first transformation of a packet: packets whose second or later one fits do not match",
      });
    }
    const namesTunnel = uses["tunnel-src"] ?? uses["tunnel-dst"];
    for (const use of [uses.proto, namesTunnel ? undefined : uses.mode]) {
      if (use)
        approximations.push({
          message: `nft cannot test it: packets of every IPsec ${use === uses.proto ? "protocol" : "mode"} match`,
          at: use,
        });
    }
    return { statements: statements.length > 0 ? statements : [exists(any)], approximations };
  },
});
