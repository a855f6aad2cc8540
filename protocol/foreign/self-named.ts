/** Codes that say themselves whose they are. Spec: SPEC.md 17.11, 21.6. */

/** Later versions of this network's codes and of certificates too, and whatever begins as a JWS or JSON does. */
const SELF_NAMED = /^(?:ENT[0-9]:|HC[0-9]:|shc:\/|eyJ|\{)/;

/** Total: whether a text begins so. No beginning that a region announces for codes or numbers of its own does, nor does any of those. */
export function isSelfNamed(text: string): boolean {
  return SELF_NAMED.test(text);
}

const BARE = /^(?:eyJ|\{)/;

/**
 * Total: whether a text may be a code or number of somebody by a beginning that is not known here: it begins with printable ASCII, and not as a code
 * of this network, a certificate or a card. A bare JWS and bare JSON may be.
 */
export function mayBeUnnamed(text: string): boolean {
  return /^[!-~]/.test(text) && (BARE.test(text) || !isSelfNamed(text));
}
