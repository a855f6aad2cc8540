/** Byte strings as one run, to be given to another thread: what is cloned there would be the whole buffer that each of them lies in. */

/** Of a length, big-endian. */
const LENGTH_BYTES = 4;

/** In a buffer of its own, which may be given away. */
export function packBytes(all: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const packed = new Uint8Array(all.reduce((sum, { length }) => sum + LENGTH_BYTES + length, 0));
  const view = new DataView(packed.buffer);
  let at = 0;
  for (const bytes of all) {
    view.setUint32(at, bytes.length);
    packed.set(bytes, at + LENGTH_BYTES);
    at += LENGTH_BYTES + bytes.length;
  }
  return packed;
}

/** Views into `packed`, which must be what `packBytes` gave. */
export function unpackBytes(packed: Uint8Array): Uint8Array[] {
  const view = new DataView(packed.buffer, packed.byteOffset, packed.length);
  const all: Uint8Array[] = [];
  for (let at = 0; at < packed.length;) {
    const from = at + LENGTH_BYTES;
    at = from + view.getUint32(at);
    all.push(packed.subarray(from, at));
  }
  return all;
}
