/** Elements that a set of nft may hold at most: the kernel counts them in 32 bits. */
export const largestSet = 0xffff_ffff;
