/** How many elements sets hold, and for how long. */

/** Elements that a set of nft may hold at most: the kernel counts them in 32 bits. */
export const largestSet = 0xffff_ffff;

/** Seconds for which a set may be told to keep an element that no window limits, at most: ten years. */
export const longestMemory = 10 * 365 * 86400;

/**
 * Elements that a set holds whose script gives no size, from the first rule on that adds to it: `nft_dynset_init` of the kernel sets it
 * (measured on Linux 6.18 with nft 0.9.8, 1.0.6 and 1.1.3, which list it as `size 65535`).
 */
const sizeOfUnsized = 65535;

/**
 * The size that a set of a rule is declared with, for `most` elements. The kernel makes the table of a set with a size at once and
 * for all of it, 2 MB for 65535 elements; that of a set without one begins small and grows. So no size is given where none is needed.
 */
export function declaredSize(most: number): { readonly size?: number } {
  return most === sizeOfUnsized ? {} : { size: most };
}
