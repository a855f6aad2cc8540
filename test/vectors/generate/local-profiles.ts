/** Profiles of local codes as they stand in statements: such as announce something, and such as announce nothing. */
import { COSE_PROFILE, JSON_PROFILE, JWS_PROFILE, mapped, type ProfileJson } from '../../support/local-fixture.ts';

interface ProfileCase {
  readonly name: string;
  readonly profile: unknown;
}

const one = (name: string, profile: unknown): ProfileCase => ({ name, profile: JSON.parse(JSON.stringify(profile)) as unknown });
const MEMBERS = JSON_PROFILE['members'] as ProfileJson;
const many = (count: number) => Array.from({ length: count }, (_, i) => i);
const COLOURS = (count: number) => ({ at: ['st'], colours: Object.fromEntries(many(count).map((i) => [`s${i}`, 'red'])) });
const FIELDS = (count: number) => Object.fromEntries(many(count).map((i) => [`f${i}`, ['x']]));

export const GOOD_PROFILES: readonly ProfileCase[] = [
  one('signed JSON', JSON_PROFILE),
  one('a JWS without a beginning', JWS_PROFILE),
  one('COSE', COSE_PROFILE),
  one('a beginning of 64 characters', { ...JWS_PROFILE, prefix: 'x'.repeat(64) }),
  one('a path of 8 steps', mapped(JSON_PROFILE, { id: many(8) })),
  one('a name of 64 characters', mapped(JSON_PROFILE, { id: ['x'.repeat(64)] })),
  one('32 colours', mapped(JSON_PROFILE, { status: COLOURS(32) })),
  one('32 fields', mapped(JSON_PROFILE, { fields: FIELDS(32) })),
  one('the times alone', { ...JWS_PROFILE, map: { issuedAt: { at: ['iat'], unit: 's' }, life: 60 } }),
  one('one algorithm that codes do not name', { ...JSON_PROFILE, algorithms: ['ES256'], members: { ...MEMBERS, algorithm: undefined } }),
];

export const BAD_PROFILES: readonly ProfileCase[] = [
  one('nothing', {}),
  one('another container', { ...JWS_PROFILE, container: 'jwt' }),
  one('a member more', { ...JWS_PROFILE, typ: 'x' }),
  one('a beginning of 65 characters', { ...JWS_PROFILE, prefix: 'x'.repeat(65) }),
  one('a beginning with a space', { ...JWS_PROFILE, prefix: 'ZZ ' }),
  one('B17 a beginning that is no ASCII', { ...JWS_PROFILE, prefix: 'ZZ\u202e' }),
  ...['ENT1:', 'HC1:', 'HC9:', 'shc:/', 'eyJ', '{'].map((begin) => one(`a beginning of other codes: ${begin}`, { ...JWS_PROFILE, prefix: begin })),
  one('COSE without a beginning', { ...COSE_PROFILE, prefix: '' }),
  one('JSON in base64url without a beginning', { ...JSON_PROFILE, prefix: '', text: 'base64url' }),
  one('COSE as plain text', { ...COSE_PROFILE, text: 'plain', deflate: undefined }),
  one('a JWS in base45', { ...JWS_PROFILE, text: 'base45' }),
  one('plain text that is deflated', { ...JSON_PROFILE, deflate: 'zlib' }),
  one('B39 no algorithm', { ...JWS_PROFILE, algorithms: [] }),
  one('B39 the algorithm none', { ...JWS_PROFILE, algorithms: ['none'] }),
  one('B39 HMAC', { ...JWS_PROFILE, algorithms: ['HS256'] }),
  one('an algorithm twice', { ...JWS_PROFILE, algorithms: ['EdDSA', 'EdDSA'] }),
  one('several algorithms that codes do not name', { ...JSON_PROFILE, members: { ...MEMBERS, algorithm: undefined } }),
  one('one member for two things', { ...JSON_PROFILE, members: { ...MEMBERS, keyId: 'a' } }),
  one('a form that is none', { ...JSON_PROFILE, members: { ...MEMBERS, form: 'canonical' } }),
  one('no time of issue', { ...JWS_PROFILE, map: { life: 60 } }),
  one('neither expiry nor life', mapped(JSON_PROFILE, { expiresAt: undefined })),
  one('expiry and life', mapped(JSON_PROFILE, { life: 60 })),
  one('a life of 59 seconds', mapped(JSON_PROFILE, { expiresAt: undefined, life: 59 })),
  one('a life of ten years', mapped(JSON_PROFILE, { expiresAt: undefined, life: 315_360_000 })),
  one('a unit that is none', mapped(JSON_PROFILE, { issuedAt: { at: ['iat'], unit: 'h' } })),
  one('a day without the offset of its zone', mapped(JSON_PROFILE, { issuedAt: { at: ['iat'], unit: 'day' } })),
  one('an offset of 841 minutes', mapped(JSON_PROFILE, { issuedAt: { at: ['iat'], unit: 'day', offset: 841 } })),
  one('seconds with an offset', mapped(JSON_PROFILE, { issuedAt: { at: ['iat'], unit: 's', offset: 0 } })),
  one('a path of no step', mapped(JSON_PROFILE, { id: [] })),
  one('a path of 9 steps', mapped(JSON_PROFILE, { id: many(9) })),
  one('a path as text', mapped(JSON_PROFILE, { id: '/id' })),
  one('a step that is a fraction', mapped(JSON_PROFILE, { id: [0.5] })),
  one('a name of 65 characters', mapped(JSON_PROFILE, { id: ['x'.repeat(65)] })),
  one('an empty name', mapped(JSON_PROFILE, { id: [''] })),
  one('a colour that is none', mapped(JSON_PROFILE, { status: { at: ['st'], colours: { G: 'blue' } } })),
  one('33 colours', mapped(JSON_PROFILE, { status: COLOURS(33) })),
  one('33 fields', mapped(JSON_PROFILE, { fields: FIELDS(33) })),
  one('a field whose name is a path', mapped(JSON_PROFILE, { fields: { 'test.day': ['x'] } })),
];
