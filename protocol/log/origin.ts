/** The names of regions, networks, logs and witnesses. All are ASCII, so that no two look alike. Spec: SPEC.md 4.1. */
import { ProtocolError } from '../fault.ts';

const REGION = '[A-Z]{2}(?:-[A-Z0-9]{1,3})?';
const NETWORK = '[a-z0-9](?:[a-z0-9-]{0,30}[a-z0-9])?';
const ATTESTATION_LOG_ID = '2[0-9]{3}-(?:0[1-9]|1[0-2])(?:\\.[1-9])?';

const REGION_ONLY = new RegExp(`^${REGION}$`);
const NETWORK_ONLY = new RegExp(`^${NETWORK}$`);
const ATTESTATION_LOG_ID_ONLY = new RegExp(`^${ATTESTATION_LOG_ID}$`);
const NAME = new RegExp(`^(${REGION})\\.(${NETWORK})/(?:(trust|witness)|attest/(${ATTESTATION_LOG_ID}))$`);

/** What a name of this protocol names: a region's trust log, one of its attestation logs, or the region as a witness. */
export type Origin =
  | { readonly kind: 'trust' | 'witness'; readonly region: string; readonly network: string }
  | { readonly kind: 'attest'; readonly region: string; readonly network: string; readonly log: string };

/** Total: tells whether `text` is an ISO 3166-1 or 3166-2 code by its form, as in `DE` and `CN-33`. */
export function isRegion(text: string): boolean {
  return REGION_ONLY.test(text);
}

/** Total: tells whether `text` can name a network: 1 to 32 of `a-z0-9-`, no hyphen at either end. */
export function isNetwork(text: string): boolean {
  return NETWORK_ONLY.test(text);
}

/** Total: tells whether `text` is `yyyy-mm` or `yyyy-mm.k`, the id of an attestation log, years 2000 to 2999. */
export function isAttestationLogId(text: string): boolean {
  return ATTESTATION_LOG_ID_ONLY.test(text);
}

/** `<region>.<network>/trust`. @throws {RangeError} if a part has not its form. */
export function trustLogOrigin(region: string, network: string): string {
  return encodeOrigin({ kind: 'trust', region, network });
}

/** `<region>.<network>/attest/<log>`. @throws {RangeError} if a part has not its form. */
export function attestationLogOrigin(region: string, network: string, log: string): string {
  return encodeOrigin({ kind: 'attest', region, network, log });
}

/** `<region>.<network>/witness`. @throws {RangeError} if a part has not its form. */
export function witnessName(region: string, network: string): string {
  return encodeOrigin({ kind: 'witness', region, network });
}

/** Total: the region whose witness in this network has the name, if it is that of one. */
export function witnessRegion(name: string, network: string): string | undefined {
  const [, region, ofNetwork, kind] = NAME.exec(name) ?? [];
  return kind === 'witness' && ofNetwork === network ? region : undefined;
}

/** The name that `parseOrigin` takes apart. @throws {RangeError} if a part has not its form. */
export function encodeOrigin(origin: Origin): string {
  const { kind, region, network } = origin;
  const name = `${region}.${network}/${origin.kind === 'attest' ? `attest/${origin.log}` : kind}`;
  if (!isRegion(region) || !isNetwork(network) || !NAME.test(name)) {
    throw new RangeError('expected the parts of a log or witness name');
  }
  return name;
}

/** @throws {ProtocolError} ORIGIN_INVALID unless `text` is exactly a name of this protocol. */
export function parseOrigin(text: string): Origin {
  const [, region, network, kind, log] = NAME.exec(text) ?? [];
  if (region === undefined || network === undefined) {
    throw new ProtocolError(
      'ORIGIN_INVALID',
      'expected <region>.<network>/trust, /witness or /attest/<yyyy-mm>',
      {
        characters: text.length,
      },
    );
  }
  if (log !== undefined) return { kind: 'attest', region, network, log };
  return { kind: kind === 'trust' ? 'trust' : 'witness', region, network };
}
