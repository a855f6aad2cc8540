/** Files that are no evidence by their form alone. */
import { type CborValue, decodeCbor, encodeCbor } from '../../../protocol/encoding/cbor.ts';
import { encodeEvidence } from '../../../protocol/evidence/evidence.ts';
import { type FaultCode } from '../../../protocol/fault.ts';
import { cosignatures, fork, GROUNDS, headOf, indexes, leaf, noteOn, story, tables } from '../../support/evidence-fixture.ts';

type Members = Readonly<Record<string, CborValue>>;

const good = encodeEvidence(fork());
const members = (bytes: Uint8Array) => decodeCbor(bytes, { bytesMax: bytes.length }) as Members;
const withMembers = (changes: Members, bytes = good) => encodeCbor({ ...members(bytes), ...changes });
const leafBytes = encodeEvidence(leaf());
const cosigned = encodeEvidence(cosignatures());
const sides = (bytes: Uint8Array) => members(bytes)['sides'] as Members[];
const [ground = []] = GROUNDS;

function without(name: string): Uint8Array {
  return encodeCbor(Object.fromEntries(Object.entries(members(good)).filter(([member]) => member !== name)));
}

export const malformed: readonly (readonly [name: string, bytes: Uint8Array, fault?: FaultCode])[] = [
  ['nothing', new Uint8Array()],
  ['a checkpoint', noteOn(story)],
  ['cut', good.subarray(0, -1)],
  ['B25 a byte behind', Uint8Array.of(...good, 0)],
  ['B24 an indefinite length', Uint8Array.of(0xbf, ...good.subarray(1), 0xff)],
  ['B22 a list', encodeCbor([members(good)])],
  ['another format', withMembers({ format: 2 })],
  ['another kind', withMembers({ kind: 'slander' })],
  ['without format', without('format')],
  ['without grounds', without('grounds')],
  ['a member too many', withMembers({ note: new Uint8Array() })],
  ['the members of another kind', withMembers({ kind: 'leaf' })],
  ['no statements at all', withMembers({ grounds: [] })],
  ['a region without statements', withMembers({ grounds: [[]] })],
  ['A28 statements of three regions', withMembers({ grounds: [ground, ground, ground] })],
  ['A28 65 statements', withMembers({ grounds: [Array.from({ length: 65 }, () => new Uint8Array(1))] })],
  ['a fork of the empty tree', withMembers({ size: 0 })],
  ['A22 a size that is a text', withMembers({ size: '5' })],
  ['one side alone', withMembers({ sides: (members(good)['sides'] as CborValue[]).slice(0, 1) })],
  ['cosignatures without the proofs of a root', withMembers({ sides: sides(good) }, cosigned)],
  ['A23 B60 cosignatures with a proof of a root of 33 bytes', withMembers({ sides: sides(cosigned).map((side) => ({ ...side, firstPath: new Uint8Array(33) })) }, cosigned)],
  ['a fork with the proofs of a root', withMembers({ sides: sides(cosigned) })],
  ['A23 a path of 33 bytes', withMembers({ path: new Uint8Array(33) }, leafBytes)],
  ['A23 B60 a path of 55 hashes', withMembers({ path: new Uint8Array(55 * 32) }, leafBytes)],
  ['B60 a leaf hash of 31 bytes', withMembers({ leafHash: new Uint8Array(31) }, leafBytes)],
  ['three tables', withMembers({ heads: [headOf(1), headOf(2), headOf(3)] }, encodeEvidence(tables()))],
  ['a head of 1,025 bytes', withMembers({ heads: [headOf(1), new Uint8Array(1_025)] }, encodeEvidence(tables()))],
  ['three attestations', withMembers({ attestations: [new Uint8Array(), new Uint8Array(), new Uint8Array()] }, encodeEvidence(indexes()))],
];
