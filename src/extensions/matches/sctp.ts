/**
 * `-m sctp`: ports and chunks of SCTP.
 *
 *     -p sctp -m sctp --dport 2905                     →   sctp dport 2905
 *     -p sctp -m sctp --chunk-types all INIT,ABORT     →   sctp chunk init exists sctp chunk abort exists
 *     -p sctp -m sctp --chunk-types any INIT,ABORT     →   sctp chunk init exists   or   sctp chunk init missing sctp chunk abort exists
 *
 * man iptables-extensions, section "sctp".
 */

import { exists, keyword, type Expression } from "../../nft/ast.js";
import { defineMatch, Invalid, type MatchTranslation, type ValueParser } from "../extension.js";
import { anyExists, anyMissing } from "../values/existence.js";
import { portRange, portTests } from "../values/port.js";
import { allOf } from "../values/range.js";

/** The chunks of iptables and the words nft has for them; the last is unknown to nft 1.0.6. */
const chunkWords: ReadonlyMap<string, string | undefined> = new Map([
  ["data", "data"], ["init", "init"], ["init_ack", "init-ack"], ["sack", "sack"], ["heartbeat", "heartbeat"],
  ["heartbeat_ack", "heartbeat-ack"], ["abort", "abort"], ["shutdown", "shutdown"], ["shutdown_ack", "shutdown-ack"], ["error", "error"],
  ["cookie_echo", "cookie-echo"], ["cookie_ack", "cookie-ack"], ["ecn_ecne", "ecne"], ["ecn_cwr", "cwr"],
  ["shutdown_complete", "shutdown-complete"], ["i_data", undefined], ["re_config", undefined], ["pad", undefined],
  ["asconf", "asconf"], ["asconf_ack", "asconf-ack"], ["forward_tsn", "forward-tsn"], ["i_forward_tsn", undefined],
]);

interface ChunkTest { readonly mode: "all" | "any" | "only"; readonly chunks: readonly string[]; readonly everything: boolean; readonly flags: boolean }

const chunkTest: ValueParser<ChunkTest> = (text) => {
  const [modeText = "", listText = ""] = text.toLowerCase().split(" ");
  const mode = (["all", "any", "only"] as const).find((word) => word === modeText);
  if (mode === undefined) return new Invalid(`"${modeText}" is none of all, any, only`);
  if (listText === "all" || listText === "none") return { mode, chunks: [], everything: listText === "all", flags: false };
  const chunks = new Set<string>();
  let flags = false;
  for (const part of listText.split(",")) {
    const [name = "", bits] = part.split(":");
    if (part === "") continue;
    if (!chunkWords.has(name)) return new Invalid(`"${name}" is not an SCTP chunk`);
    if (bits !== undefined) flags = true;
    chunks.add(name);
  }
  return { mode, chunks: [...chunks], everything: false, flags };
};

function chunkCases({ mode, chunks, everything, flags }: ChunkTest, inverted: boolean): MatchTranslation {
  if (flags) return { untranslatable: "nft does not see the flags of SCTP chunks" };
  if (mode === "only") return { untranslatable: "nft cannot tell that a packet has no other chunks" };
  if (everything) return { untranslatable: "nft does not know every type of SCTP chunk" };
  const things: Expression[] = [];
  for (const chunk of chunks) {
    const word = chunkWords.get(chunk);
    if (word === undefined) return { untranslatable: `nft does not know the SCTP chunk ${chunk.toUpperCase()}` };
    things.push(keyword("sctp", "chunk", word));
  }
  if (things.length === 0) return (mode === "all") !== inverted ? { statements: [] } : { never: "the list of chunks is empty" };
  if (mode === "all") return inverted ? anyMissing(things) : { statements: things.map((thing) => exists(thing)) };
  return inverted ? { statements: things.map((thing) => exists(thing, false)) } : anyExists(things);
}

export const sctp = defineMatch({
  name: "sctp",
  protocols: [132],
  options: {
    "source-port": { aliases: ["sport"], value: portRange, invertible: true },
    "destination-port": { aliases: ["dport"], value: portRange, invertible: true },
    "chunk-types": { value: chunkTest, words: 2, invertible: true },
  },
  translate({ "source-port": source, "destination-port": destination, "chunk-types": chunks }): MatchTranslation {
    const statements = allOf(portTests("sctp", source, destination));
    if (!Array.isArray(statements)) return statements;
    const byChunk = chunks ? chunkCases(chunks.value, chunks.inverted) : { statements: [] };
    if ("untranslatable" in byChunk) return { ...byChunk, at: chunks };
    if ("statements" in byChunk) return { statements: [...statements, ...byChunk.statements] };
    return "alternatives" in byChunk ? { alternatives: byChunk.alternatives.map((group) => [...statements, ...group]) } : byChunk;
  },
});
