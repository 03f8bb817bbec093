/**
 * `-m sctp`: ports and chunks of SCTP.
 *
 *     -p sctp -m sctp --dport 2905                     →   sctp dport 2905
 *     -p sctp -m sctp --chunk-types all INIT,ABORT     →   sctp chunk init exists sctp chunk abort exists
 *     -p sctp -m sctp --chunk-types any INIT,ABORT     →   sctp chunk init exists   or   sctp chunk init missing sctp chunk abort exists
 *     -p sctp -m sctp --chunk-types all ABORT:T        →   sctp chunk abort flags & 0x1 == 0x1
 *
 * man iptables-extensions, section "sctp".
 */

import { binary, exists, hex, keyword, match, type Expression, type Statement } from "../../nft/ast.js";
import { defineMatch, Invalid, type MatchTranslation, type ValueParser } from "../extension.js";
import { portFieldTests } from "../facts.js";
import { anyExists, anyMissing } from "../values/existence.js";
import { notAll } from "../values/raw-payload.js";
import { portRange, portTests } from "../values/port.js";
import { allOf } from "../values/range.js";

/** The chunks of iptables and the words nft has for them; the last is unknown to nft 1.0.6. */
const chunkWords: ReadonlyMap<string, string | undefined> = new Map([
  ["data", "data"],
  ["init", "init"],
  ["init_ack", "init-ack"],
  ["sack", "sack"],
  ["heartbeat", "heartbeat"],
  ["heartbeat_ack", "heartbeat-ack"],
  ["abort", "abort"],
  ["shutdown", "shutdown"],
  ["shutdown_ack", "shutdown-ack"],
  ["error", "error"],
  ["cookie_echo", "cookie-echo"],
  ["cookie_ack", "cookie-ack"],
  ["ecn_ecne", "ecne"],
  ["ecn_cwr", "cwr"],
  ["shutdown_complete", "shutdown-complete"],
  ["i_data", undefined],
  ["re_config", undefined],
  ["pad", undefined],
  ["asconf", "asconf"],
  ["asconf_ack", "asconf-ack"],
  ["forward_tsn", "forward-tsn"],
  ["i_forward_tsn", undefined],
]);

/** The letters of a chunk's flags, from bit 7 to bit 0; a capital asks for the bit, a small letter for its absence. */
const flagLetters: ReadonlyMap<string, string> = new Map([
  ["data", "----iube"],
  ["i_data", "----iube"],
  ["abort", "-------t"],
  ["shutdown_complete", "-------t"],
]);

interface Flags {
  readonly value: number;
  readonly mask: number;
}
interface ChunkTest {
  readonly mode: "all" | "any" | "only";
  readonly chunks: ReadonlyMap<string, Flags | undefined>;
  readonly everything: boolean;
}

function chunkFlags(chunk: string, letters: string): Flags | Invalid {
  let value = 0;
  let mask = 0;
  for (const letter of letters) {
    const place = flagLetters.get(chunk)?.indexOf(letter.toLowerCase()) ?? -1;
    if (letter === "-" || place === -1) return new Invalid(`"${letter}" is not a flag of chunk ${chunk.toUpperCase()}`);
    mask |= 0x80 >> place;
    if (letter !== letter.toLowerCase()) value |= 0x80 >> place;
  }
  return { value, mask };
}

const chunkTest: ValueParser<ChunkTest> = (text) => {
  const [modeText = "", listText = ""] = text.split(" ");
  const mode = (["all", "any", "only"] as const).find((word) => word === modeText.toLowerCase());
  if (mode === undefined) return new Invalid(`"${modeText}" is none of all, any, only`);
  const whole = listText.toLowerCase();
  if (whole === "all" || whole === "none") return { mode, chunks: new Map(), everything: whole === "all" };
  const chunks = new Map<string, Flags | undefined>();
  for (const part of listText.split(",")) {
    const [nameText = "", letters] = part.split(":");
    if (part === "") continue;
    const name = nameText.toLowerCase();
    if (!chunkWords.has(name)) return new Invalid(`"${nameText}" is not an SCTP chunk`);
    const flags = letters === undefined ? undefined : chunkFlags(name, letters);
    if (flags instanceof Invalid) return flags;
    chunks.set(name, flags);
  }
  return { mode, chunks, everything: false };
};

function chunkCases({ mode, chunks, everything }: ChunkTest, inverted: boolean): MatchTranslation {
  if (mode === "only") return { untranslatable: "nft cannot tell that a packet has no other chunks" };
  if (everything) return { untranslatable: "nft does not know every type of SCTP chunk" };
  const things: Expression[] = [];
  const tests: Statement[] = [];
  let flagged = false;
  for (const [chunk, flags] of chunks) {
    const word = chunkWords.get(chunk);
    if (word === undefined) return { untranslatable: `nft does not know the SCTP chunk ${chunk.toUpperCase()}` };
    const thing = keyword("sctp", "chunk", word);
    things.push(thing);
    if (flags === undefined || flags.mask === 0) tests.push(exists(thing));
    else {
      tests.push(match(binary(keyword("sctp", "chunk", word, "flags"), "&", hex(flags.mask)), hex(flags.value)));
      flagged = true;
    }
  }
  if (things.length === 0) return (mode === "all") !== inverted ? { statements: [] } : { never: "the list of chunks is empty" };
  if (flagged) return flaggedCases(mode, tests, inverted);
  if (mode === "all") return inverted ? anyMissing(things) : { statements: tests };
  return inverted ? { statements: things.map((thing) => exists(thing, false)) } : anyExists(things);
}

function flaggedCases(mode: "all" | "any", tests: readonly Statement[], inverted: boolean): MatchTranslation {
  const whoMatches = inverted ? "match in nft and not in iptables" : "match in iptables and not in nft";
  const approximations = [
    { message: `nft looks at the flags of the first chunk of a kind only: packets in which those of a later one fit ${whoMatches}` },
  ];
  const groups = mode === "all" ? [tests] : tests.map((test) => [test]);
  if (inverted) return { unless: groups, approximations };
  return groups.length === 1 ? { statements: groups[0]!, approximations } : { anyOf: groups, approximations };
}

export const sctp = defineMatch({
  name: "sctp",
  protocols: [132],
  options: {
    "source-port": { aliases: ["sport"], value: portRange, invertible: true },
    "destination-port": { aliases: ["dport"], value: portRange, invertible: true },
    "chunk-types": { value: chunkTest, words: 2, invertible: true },
  },
  facts: {
    reads: ["transport"],
    condition: portFieldTests,
    played: true,
  },
  translate({ "source-port": source, "destination-port": destination, "chunk-types": chunks }): MatchTranslation {
    const statements = allOf(portTests("sctp", source, destination));
    if (!Array.isArray(statements)) return statements;
    const byChunk = chunks ? chunkCases(chunks.value, chunks.inverted) : { statements: [] };
    if ("untranslatable" in byChunk) return { ...byChunk, at: chunks };
    if ("statements" in byChunk) return { ...byChunk, statements: [...statements, ...byChunk.statements] };
    if ("alternatives" in byChunk) return { alternatives: byChunk.alternatives.map((group) => [...statements, ...group]) };
    if ("anyOf" in byChunk) return { ...byChunk, anyOf: byChunk.anyOf.map((group) => [...statements, ...group]) };
    return "unless" in byChunk ? { ...byChunk, unless: [...byChunk.unless, ...notAll(statements)] } : byChunk;
  },
});
