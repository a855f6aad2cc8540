/** Every bound of the protocol, with its unit and its reason. SPEC.md 13 lists the same figures. */

/** Bytes of one entry of any log: what a 16-bit length in a C2SP entry bundle can say. */
export const ENTRY_BYTES_MAX = 65_535;

/** Levels of nesting in any decoded CBOR: rules nest deepest, and 16 of them is more than any profile uses. */
export const CBOR_DEPTH_MAX = 16;

/** Characters of a scanned text: what the largest QR code (version 40, level L) holds in alphanumeric mode. */
export const CODE_CHARS_MAX = 4_296;

/** Bytes of a code or presentation after base45: 4,296 characters hold 2,864. */
export const CODE_BYTES_MAX = 2_864;

/** Hashes in an inclusion or consistency proof: trees hold at most 2^53-1 leaves; a consistency proof has one more. */
export const PROOF_HASHES_MAX = 54;

/** Signature lines of a note that are looked at; more are refused. C2SP asks for at least 16; above 64 regions witness sets are 16. */
export const NOTE_SIGNATURES_MAX = 128;

/** Bytes of a signed note: a checkpoint with the most signature lines, each up to 400 bytes. */
export const NOTE_BYTES_MAX = 65_536;
