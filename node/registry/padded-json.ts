/** JSON as it is sealed: lengths at rest are multiples of some bytes, so that they tell little of what stands there. */

/** With blanks behind it, which JSON leaves out of account: the least multiple of `multiple` bytes that holds it. */
export function encodePaddedJson(value: unknown, multiple: number): Uint8Array {
  const text = JSON.stringify(value);
  const length = Buffer.byteLength(text);
  const padded = Buffer.allocUnsafe(Math.ceil(length / multiple) * multiple);
  padded.write(text);
  return padded.fill(' ', length);
}
