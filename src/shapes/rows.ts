/** Rows of numbers that grow. */

/** The row in one of twice its length. */
export function longer(row: Int32Array<ArrayBuffer>): Int32Array<ArrayBuffer> {
  const copy = new Int32Array(row.length * 2);
  copy.set(row);
  return copy;
}
