/**
 * `-m osf`: the operating system, guessed from a SYN.
 *
 *     -p tcp -m osf --genre Linux --ttl 1   →   osf ttl loose name "Linux"
 *
 * Both sides use the fingerprints that nfnl_osf loaded.
 *
 * man iptables-extensions, section "osf".
 */

import { keyword, match, string } from "../../nft/ast.js";
import { defineMatch, Invalid, type Remark, type ValueParser } from "../extension.js";
import { outsideHooks } from "../values/hooks.js";
import { integer } from "../values/number.js";
import { text } from "../values/text.js";

/** Bytes of a name that nft compares, without its end. */
const longestName = 15;

const genreText: ValueParser<string> = (value, context) => (value === "" ? new Invalid("the name is empty") : text(31)(value, context));

export const osf = defineMatch({
  name: "osf",
  family: "ipv4",
  protocols: [6],
  options: {
    genre: { value: genreText, invertible: true, required: true },
    ttl: { value: integer(0, 2) },
    log: { value: integer(0, 2) },
  },
  facts: {
    reads: ["packet"],
    condition: [],
    played: true,
  },
  translate({ genre, ttl, log }, context) {
    const outside = outsideHooks(context, ["prerouting", "input", "forward"], "osf");
    if (outside) return outside;
    if (!genre) return { never: "no system is named" };
    if (!/^[A-Za-z0-9_.+-]+$/.test(genre.value) || genre.value.length > longestName) {
      return {
        untranslatable: `nft cannot hold "${genre.value}" as the name of a system (at most ${longestName} letters and digits)`,
        at: genre,
      };
    }
    const words = [[], ["ttl", "loose"], ["ttl", "skip"]][ttl?.value ?? 0] ?? [];
    const approximations: Remark[] = [
      {
        message: "nft names the first fingerprint that fits: a packet that fits several systems counts as the first of them only",
        at: genre,
      },
    ];
    const notes: Remark[] = log ? [{ code: "option-without-effect", message: "nft does not log the systems it finds", at: log }] : [];
    return { statements: [match(keyword("osf", ...words, "name"), string(genre.value), genre.inverted)], approximations, notes };
  },
});
