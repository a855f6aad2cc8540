/** Attempts to prove against a region what it did not do: all of the right form. */
import { type Evidence } from '../../../protocol/evidence/evidence.ts';
import { type FaultCode } from '../../../protocol/fault.ts';
import { attestationLogOrigin } from '../../../protocol/log/origin.ts';
import * as fixture from '../../support/evidence-fixture.ts';
import { ReferenceTree } from '../../support/reference-tree.ts';
import { DAY_S, LOG_ID, RegionFixture, START_S, testKey } from '../../support/region-fixture.ts';
import { keysOfNewRoot, rootChange } from './evidence-proven.ts';

const { accused, anew, witness, story, otherStory, trustStory, otherTrustStory, trustStoryAnew, backdated, disordered } = fixture;
const { ORIGIN, sideOf, rootedSideOf, noteOn, groundOf, attestation, placed, headOf, tables } = fixture;
const { GROUNDS, BOTH_GROUNDS, byWitness, fork, cosignatures, leaf, indexes, hours, misplaced } = fixture;

const [ground = []] = GROUNDS;
const [rootEntry = new Uint8Array(), keysEntry = new Uint8Array()] = ground;
const thief = testKey('evidence: thief');
const [honest, lie] = [sideOf(story, 5, { size: 5 }), sideOf(otherStory, 5, { size: 5 })];

/** Of the region's name and network, with a root of its own. */
const impostor = new RegionFixture({ region: 'DE', network: fixture.NETWORK, keyOf: (name) => testKey(`impostor ${name}`) });
const elsewhere = new RegionFixture({ region: 'DE', network: 'other' });

/** One bit of the last byte, which is within the last signature or its line. */
function flipped(bytes: Uint8Array, fromEnd: number): Uint8Array {
  const copy = bytes.slice();
  const at = copy.length - fromEnd;
  copy[at] = (copy[at] ?? 0) ^ 1;
  return copy;
}

/** A note with the characters of its last signature changed. */
function forgedNote(note: Uint8Array): Uint8Array {
  const text = new TextDecoder().decode(note);
  const at = text.lastIndexOf(' ') + 20;
  const other = text[at] === 'A' ? 'B' : 'A';
  return new TextEncoder().encode(text.slice(0, at) + other + text.slice(at + 1));
}

const bySame = [byWitness];
const seen = rootedSideOf(trustStory, 5, { by: bySame });
const contrary = rootedSideOf(otherTrustStory, 5, { size: 5, by: bySame });
const seenAnew = rootedSideOf(trustStoryAnew, 5, { by: bySame });
/** With an entry before its root. */
const headless = new ReferenceTree([new Uint8Array(1), ...trustStory.entries]);
const late = START_S + 60 * DAY_S;

export const framed: readonly (readonly [name: string, fault: FaultCode, evidence: Evidence])[] = [
  // Whose words: the root's own statements, and the pin.
  ['A27 T19 an impostor with a root of its own', 'PIN_MISMATCH', fork({ grounds: [groundOf(impostor)], sides: [sideOf(story, 5, { size: 5, key: impostor.keys.checkpoint }), sideOf(otherStory, 5, { size: 5, key: impostor.keys.checkpoint })] })],
  ['T19 a region that the reader does not know', 'PIN_MISMATCH', fork({ grounds: [groundOf(new RegionFixture({ region: 'XX', network: fixture.NETWORK }))] })],
  ['A19 a root of another network', 'PIN_MISMATCH', fork({ grounds: [groundOf(elsewhere)] })],
  ['A27 a second key that a stranger named', 'STATEMENT_UNAUTHORISED', fork({ grounds: [[...ground, accused.entryOf(accused.keysStatement([{ key: thief, role: 'checkpoint' }]), [thief])]], sides: [honest, sideOf(otherStory, 5, { size: 5, key: thief })] })],
  ['T5 a second key that the root of another region named', 'STATEMENT_UNAUTHORISED', fork({ grounds: [[...ground, witness.entryOf(witness.keysStatement([{ key: thief, role: 'checkpoint' }]))]] })],
  ['T3 a second key that the trust-log key named', 'STATEMENT_UNAUTHORISED', fork({ grounds: [[...ground, accused.entryOf(accused.keysStatement([{ key: thief, role: 'checkpoint' }]), 'trust-log')]] })],
  ['A27 keys that a root named after it was replaced', 'STATEMENT_UNAUTHORISED', fork({ grounds: [[rootEntry, rootChange, keysEntry]] })],
  ['A27 keys of a root that is not there', 'STATEMENT_UNAUTHORISED', fork({ grounds: [[...ground, keysOfNewRoot]] })],
  ['A27 a statement of another kind', 'EVIDENCE_MALFORMED', fork({ grounds: [accused.entries.slice(0, 3)] })],
  ['A27 keys without a root', 'EVIDENCE_MALFORMED', fork({ grounds: [[keysEntry]] })],
  ['a statement that is none', 'STATEMENT_MALFORMED', fork({ grounds: [[...ground, Uint8Array.of(0)]] })],
  ['the same statement twice', 'STATEMENT_CONFLICT', fork({ grounds: [[...ground, keysEntry]] })],
  ['statements of a second region that nothing is said of', 'EVIDENCE_MALFORMED', fork({ grounds: BOTH_GROUNDS })],
  // Two trees.
  ['A27 a consistent pair', 'EVIDENCE_UNFOUNDED', fork({ size: 5, sides: [honest, sideOf(story, 5)] })],
  ['A27 one checkpoint twice', 'EVIDENCE_UNFOUNDED', fork({ sides: [honest, honest] })],
  ['A27 the common past of a fork', 'EVIDENCE_UNFOUNDED', fork({ size: 3, sides: [sideOf(story, 3), sideOf(otherStory, 3)] })],
  ['A27 swapped roots', 'PROOF_INVALID', fork({ sides: [{ ...honest, root: lie.root }, { ...lie, root: honest.root }] })],
  ['A27 a root of nobody', 'PROOF_INVALID', fork({ sides: [honest, { ...sideOf(story, 5), root: lie.root }] })],
  ['A23 a path with a hash too many', 'PROOF_INVALID', fork({ sides: [honest, { ...lie, path: [lie.root] }] })],
  ['A23 a size above that of a note', 'SIZE_INVALID', fork({ size: 6, sides: [honest, lie] })],
  ['A27 A12 the second by a stranger', 'NOTE_UNSIGNED', fork({ sides: [honest, sideOf(otherStory, 5, { size: 5, key: thief })] })],
  ['A27 the second by an attest key', 'NOTE_UNSIGNED', fork({ sides: [honest, sideOf(otherStory, 5, { size: 5, key: accused.keys.attest })] })],
  ['T5 the second by the checkpoint key of another region', 'NOTE_UNSIGNED', fork({ sides: [honest, sideOf(otherStory, 5, { size: 5, key: witness.keys.checkpoint })] })],
  ['A27 a key whose statement is not there', 'NOTE_UNSIGNED', fork({ grounds: [[rootEntry]] })],
  ['A20 A27 a signature with a changed bit', 'SIGNATURE_INVALID', fork({ sides: [honest, { ...lie, note: forgedNote(lie.note) }] })],
  ['A19 notes of two logs with one key', 'NOTE_UNSIGNED', fork({ sides: [honest, sideOf(otherStory, 5, { size: 5, origin: attestationLogOrigin('DE', fixture.NETWORK, '2026-12') })] })],
  ['A19 T5 a log of another region', 'ORIGIN_INVALID', fork({ sides: [sideOf(story, 5, { size: 5, origin: witness.origin }), lie] })],
  ['A19 a log of another network', 'ORIGIN_INVALID', fork({ sides: [sideOf(story, 5, { size: 5, origin: elsewhere.origin }), lie] })],
  ['A19 an origin that is no name', 'ORIGIN_INVALID', fork({ sides: [sideOf(story, 5, { size: 5, origin: 'example.org/log' }), lie] })],
  ['A21 a note with CRLF', 'NOTE_MALFORMED', fork({ sides: [{ ...honest, note: new TextEncoder().encode('DE.test/trust\r\n') }, lie] })],
  // Two cosignatures.
  ['A27 a witness that vouched for one tree alone', 'EVIDENCE_UNFOUNDED', cosignatures({ sides: [seen, rootedSideOf(otherTrustStory, 5, { size: 5 })] })],
  ['A27 a witness that saw one tree grow', 'EVIDENCE_UNFOUNDED', cosignatures({ sides: [seen, rootedSideOf(trustStory, 5, { size: 5, by: bySame })] })],
  ['A22 a cosignature with another time', 'SIGNATURE_INVALID', cosignatures({ sides: [seen, { ...contrary, note: forgedNote(contrary.note) }] })],
  ['A22 the checkpoint key as a witness', 'EVIDENCE_UNFOUNDED', cosignatures({ sides: [seen, rootedSideOf(otherTrustStory, 5, { size: 5, by: [{ region: 'FR', key: witness.keys.checkpoint }] })] })],
  ['A13 another witness on the second tree', 'EVIDENCE_UNFOUNDED', cosignatures({ sides: [seen, rootedSideOf(otherTrustStory, 5, { size: 5, by: [{ region: 'DE', key: accused.keys.witness }] })] })],
  ['A11 a cosignature from after its key', 'EVIDENCE_UNFOUNDED', cosignatures({ sides: [seen, rootedSideOf(otherTrustStory, 5, { size: 5, by: [{ ...byWitness, atS: late }] })] })],
  ['A15 a second tree that the log never signed', 'NOTE_UNSIGNED', cosignatures({ sides: [seen, rootedSideOf(otherTrustStory, 5, { size: 5, key: thief, by: bySame })] })],
  ['A15 the tree of a region that was set up anew, with keys of its own', 'NOTE_UNSIGNED', cosignatures({ sides: [seen, rootedSideOf(trustStoryAnew, 5, { key: impostor.keys.checkpoint, by: bySame })] })],
  ['A15 A27 the tree of a region that was set up anew, with the same checkpoint key', 'PROOF_INVALID', cosignatures({ sides: [seen, seenAnew] })],
  ['A15 A27 the tree of a region before it was set up anew with the same checkpoint key', 'PROOF_INVALID', cosignatures({ sides: [seenAnew, seen] })],
  ['A15 A27 the tree of a region that was set up anew, with the proof of the root before', 'PROOF_INVALID', cosignatures({ sides: [seen, { ...seenAnew, firstPath: seen.firstPath }] })],
  ['A15 A27 the tree of a region that was set up anew, by the statements of the root after', 'PIN_MISMATCH', cosignatures({ grounds: [groundOf(anew), groundOf(witness)], sides: [seen, seenAnew] })],
  ['A27 two trees of an attestation log, which names no root', 'EVIDENCE_UNFOUNDED', cosignatures({ sides: [rootedSideOf(story, 5, { origin: ORIGIN, by: bySame }), rootedSideOf(otherStory, 5, { origin: ORIGIN, size: 5, by: bySame })] })],
  ['A27 a tree that begins with another entry', 'PROOF_INVALID', cosignatures({ sides: [seen, rootedSideOf(headless, 5, { by: bySame })] })],
  ['A27 a tree with the root at index 1', 'PROOF_INVALID', cosignatures({ sides: [seen, { ...rootedSideOf(headless, 5, { by: bySame }), firstPath: headless.path(1) }] })],
  ['A23 no proof of the root', 'PROOF_INVALID', cosignatures({ sides: [{ ...seen, firstPath: [] }, contrary] })],
  ['A23 a proof of the root with a hash too many', 'PROOF_INVALID', cosignatures({ sides: [seen, { ...contrary, firstPath: [...contrary.firstPath, contrary.root] }] })],
  ['no statements of the witness', 'EVIDENCE_MALFORMED', cosignatures({ grounds: GROUNDS })],
  ['no statements of the log', 'EVIDENCE_MALFORMED', cosignatures({ grounds: [groundOf(witness)] })],
  ['statements of a third region', 'EVIDENCE_MALFORMED', cosignatures({ witness: 'DE', grounds: BOTH_GROUNDS })],
  ['statements not in the order of the regions', 'EVIDENCE_MALFORMED', cosignatures({ grounds: [groundOf(witness), groundOf(accused)] })],
  ['statements of one region twice', 'EVIDENCE_MALFORMED', cosignatures({ grounds: [groundOf(accused), groundOf(accused)] })],
  // An attestation and the log.
  ['A27 the leaf of that very attestation', 'EVIDENCE_UNFOUNDED', leaf({ attestation: attestation(4) })],
  ['A10 an attestation that the log may still get', 'SIZE_INVALID', leaf({ attestation: attestation(9) })],
  ['A27 an attestation by a stranger', 'EVIDENCE_UNFOUNDED', leaf({ attestation: attestation(4, 0, { key: thief }) })],
  ['A27 an attestation by the checkpoint key', 'EVIDENCE_UNFOUNDED', leaf({ attestation: attestation(4, 0, { key: accused.keys.checkpoint }) })],
  ['T5 an attestation of another region', 'EVIDENCE_UNFOUNDED', leaf({ attestation: attestation(4, 0, { region: 'FR' }) })],
  ['A19 an attestation of another network', 'SIGNATURE_INVALID', leaf({ attestation: attestation(4, 0, { network: 'other', salting: 'other' }) })],
  ['A27 an attestation with a changed bit', 'SIGNATURE_INVALID', leaf({ attestation: flipped(attestation(4, 0, { salting: 'other' }), 70) })],
  ['A11 an attestation of an hour before its key', 'EVIDENCE_UNFOUNDED', leaf({ attestation: attestation(4, -10) })],
  ['A23 the leaf of the index beside it', 'PROOF_INVALID', leaf({ leafHash: story.leaf(5), path: story.path(5) })],
  ['A23 a leaf of nobody', 'PROOF_INVALID', leaf({ leafHash: new Uint8Array(32) })],
  ['A19 the note of another log', 'NOTE_UNSIGNED', leaf({ note: noteOn(story, { origin: accused.origin }) })],
  ['A27 a note by a stranger', 'NOTE_UNSIGNED', leaf({ note: noteOn(story, { key: thief }) })],
  ['B18 an attestation that is none', 'ATTESTATION_MALFORMED', leaf({ attestation: new Uint8Array(145) })],
  // Two attestations for one index.
  ['A27 one attestation twice', 'EVIDENCE_UNFOUNDED', indexes({ attestations: [attestation(4), attestation(4)] })],
  ['A27 two attestations for two indexes', 'EVIDENCE_UNFOUNDED', indexes({ attestations: [attestation(4), attestation(5)] })],
  ['A27 two attestations of two logs', 'EVIDENCE_UNFOUNDED', indexes({ attestations: [attestation(4), attestation(4, 0, { log: `${LOG_ID}.1` })] })],
  ['A27 the second by a stranger', 'EVIDENCE_UNFOUNDED', indexes({ attestations: [attestation(4), attestation(4, 0, { key: thief, salting: 'other' })] })],
  ['A27 the second with a changed bit', 'SIGNATURE_INVALID', indexes({ attestations: [attestation(4), flipped(attestation(4), 70)] })],
  // Hours.
  ['A27 two entries of one hour', 'EVIDENCE_UNFOUNDED', hours({ note: noteOn(story), entries: [placed(story, 4), placed(story, 5)] })],
  ['A27 two entries in the wrong order', 'EVIDENCE_UNFOUNDED', hours({ entries: [placed(backdated, 5), placed(backdated, 4)] })],
  ['A27 the later entry first, with a later hour behind', 'EVIDENCE_UNFOUNDED', hours({ entries: [placed(backdated, 5), placed(backdated, 6)] })],
  ['A27 an attestation that is not in the log', 'PROOF_INVALID', hours({ entries: [placed(backdated, 4), { attestation: attestation(5, 0), path: backdated.path(5) }] })],
  ['A9 an attestation at the index of another', 'PROOF_INVALID', hours({ note: noteOn(disordered), entries: [placed(disordered, 2), placed(disordered, 3)] })],
  ['A27 an attestation of another log of the region', 'EVIDENCE_UNFOUNDED', hours({ note: noteOn(disordered), entries: [placed(disordered, 0), placed(disordered, 4)] })],
  ['A27 a note by a stranger on entries of two hours', 'NOTE_UNSIGNED', hours({ note: noteOn(backdated, { key: thief }) })],
  // Entries for no place.
  ['A27 an attestation at its own index', 'EVIDENCE_UNFOUNDED', misplaced(6)],
  ['A27 an entry of a trust log', 'EVIDENCE_UNFOUNDED', misplaced(5, { note: noteOn(disordered, { origin: accused.origin }) })],
  ['A23 an entry at an index where it is not', 'PROOF_INVALID', misplaced(3, { index: 2 })],
  ['A23 an index beyond the log', 'SIZE_INVALID', misplaced(3, { index: 7 })],
  // Two tables of numbers.
  ['A27 one table twice', 'EVIDENCE_UNFOUNDED', tables({ heads: [headOf(1), headOf(1)] })],
  ['A27 one table that is signed anew within its minute', 'EVIDENCE_UNFOUNDED', tables({ heads: [headOf(1), headOf(1, { at: START_S + 59 })] })],
  ['A27 tables of two minutes', 'EVIDENCE_UNFOUNDED', tables({ heads: [headOf(1), headOf(2, { at: START_S + 60 })] })],
  ['A27 tables of two days', 'EVIDENCE_UNFOUNDED', tables({ heads: [headOf(1), headOf(2, { day: Math.floor(START_S / DAY_S) + 1 })] })],
  ['A27 the second table by a stranger', 'EVIDENCE_UNFOUNDED', tables({ heads: [headOf(1), headOf(2, {}, thief)] })],
  ['A27 the second table by an attest key', 'EVIDENCE_UNFOUNDED', tables({ heads: [headOf(1), headOf(2, {}, accused.keys.attest)] })],
  ['T5 the second table by the trust-log key of another region', 'EVIDENCE_UNFOUNDED', tables({ heads: [headOf(1), headOf(2, {}, witness.keys['trust-log'])] })],
  ['A27 tables after the end of the key', 'EVIDENCE_UNFOUNDED', tables({ heads: [headOf(1, { at: late }), headOf(2, { at: late })] })],
  ['A19 the second table of another region', 'EVIDENCE_UNFOUNDED', tables({ heads: [headOf(1), headOf(2, { region: 'FR' })] })],
  ['A19 the second table of another network', 'EVIDENCE_UNFOUNDED', tables({ heads: [headOf(1), headOf(2, { network: 'other' })] })],
  ['A27 the second table with a changed bit', 'SIGNATURE_INVALID', tables({ heads: [headOf(1), flipped(headOf(2), 1)] })],
  ['a table that is none', 'LOOKUP_MALFORMED', tables({ heads: [headOf(1), Uint8Array.of(0x80)] })],
  ['A27 a note by a stranger on an entry that is none', 'NOTE_UNSIGNED', misplaced(5, { note: noteOn(disordered, { key: thief }) })],
];

