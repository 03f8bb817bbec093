/** Bytes of a packet by their position, for matches that look at no named field. */

import { binary, hex, match, range, type RawPayload, type Statement } from "../../nft/ast.js";

/** Last offset in bytes that kernels before 6.14 take; later ones take more. */
export const lastPayloadOffset = 255;

/** Bytes that one comparison holds at most (four 32-bit registers). */
const chunkLength = 16;

/** `length` bytes at `offset`, both in bytes. */
export function bytesAt(base: RawPayload["base"], offset: number, length: number): RawPayload {
  return { kind: "raw-payload", base, offset: offset * 8, length: length * 8 };
}

export interface Pattern {
  readonly bytes: readonly number[];
  /** Letters match in either case. */
  readonly ignoreCase: boolean;
}

function isLetter(byte: number): boolean {
  return (byte >= 0x41 && byte <= 0x5a) || (byte >= 0x61 && byte <= 0x7a);
}

function toNumber(bytes: readonly number[]): bigint {
  return bytes.reduce((value, byte) => (value << 8n) | BigInt(byte), 0n);
}

/** Whether the pattern stands at an offset (in bytes from the network header): comparisons that all have to hold. */
export function patternAt({ bytes, ignoreCase }: Pattern, offset: number, inverted = false): Statement[] {
  const statements: Statement[] = [];
  for (let start = 0; start < bytes.length; start += chunkLength) {
    const chunk = bytes.slice(start, start + chunkLength);
    const field = bytesAt("nh", offset + start, chunk.length);
    // Bit 5 is all that tells a letter's cases apart.
    const mask = chunk.map((byte) => (ignoreCase && isLetter(byte) ? 0xdf : 0xff));
    const masked = mask.some((byte) => byte !== 0xff) ? binary(field, "&", hex(toNumber(mask))) : field;
    const value = hex(toNumber(chunk.map((byte, index) => byte & mask[index]!)));
    // nft 1.0.6 merges `!=` of two neighbouring fields of at most four bytes together into one `!=` of both, which is another
    // test; it leaves ranges alone.
    statements.push(match(masked, inverted && masked === field && chunk.length <= 2 ? range(value, value) : value, inverted));
  }
  return statements;
}

/** Groups of statements of which one holds exactly if not all of `statements` do; each must be a match that is not inverted. */
export function notAll(statements: readonly Statement[]): Statement[][] {
  return statements.map((statement, index) => [...statements.slice(0, index), inverse(statement)]);
}

function inverse(statement: Statement): Statement {
  if (statement.kind !== "match" || (statement.operator !== "==" && statement.operator !== "!=")) return statement;
  return { ...statement, operator: statement.operator === "==" ? "!=" : "==" };
}
