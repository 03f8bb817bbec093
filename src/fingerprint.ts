/** A short name for a piece of content, for telling findings apart. */

const offsetBasis = 0xcbf29ce484222325n;
const prime = 0x100000001b3n;

/** FNV-1a of 64 bits over the UTF-16 code units of the parts, as 16 hexadecimal digits. It tells apart, it does not protect. */
export function fingerprint(parts: readonly string[]): string {
  let hash = offsetBasis;
  for (const part of parts) {
    for (let index = 0; index < part.length; index++) hash = BigInt.asUintN(64, (hash ^ BigInt(part.charCodeAt(index))) * prime);
    // A character no part has: the parts stay apart.
    hash = BigInt.asUintN(64, (hash ^ 0x10ffffn) * prime);
  }
  return hash.toString(16).padStart(16, "0");
}
