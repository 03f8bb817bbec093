/** Bytes, and the same as words of four. */

export class Bytes {
  readonly words: DataView;

  constructor(readonly bytes: Uint8Array) {
    this.words = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }
}
