/** Hardware addresses as numbers and as text. */

export function parseHardwareAddress(text: string): bigint {
  return BigInt(`0x${text.replaceAll(":", "")}`);
}

export function formatHardwareAddress(address: bigint): string {
  return address.toString(16).padStart(12, "0").match(/../gu)!.join(":");
}
