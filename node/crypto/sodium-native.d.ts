/** The functions of sodium-native 5 used here; the package ships no types. It throws on any wrong length. */
declare module 'sodium-native' {
  /** Fills `publicKey` (32 bytes) and `secretKey` (64 bytes) from `seed` (32 bytes). */
  function crypto_sign_seed_keypair(publicKey: Uint8Array, secretKey: Uint8Array, seed: Uint8Array): void;
  /** Whether `point` (32 bytes) is canonical, on the curve, and of the order of the main subgroup. */
  function crypto_core_ed25519_is_valid_point(point: Uint8Array): boolean | undefined;
  /** Fills `signature` (64 bytes). */
  function crypto_sign_detached(signature: Uint8Array, message: Uint8Array, secretKey: Uint8Array): void;
  /**
   * Reads the first 64 bytes of `signature` and ignores what follows them. Gives undefined, and no error, where
   * an argument lies in a SharedArrayBuffer.
   */
  function crypto_sign_verify_detached(
    signature: Uint8Array,
    message: Uint8Array,
    publicKey: Uint8Array,
  ): boolean | undefined;
}
