/** Whether a statement follows from what the log said before it. Spec: SPEC.md 8.3, rule 3. */
import { equalBytes, hexOf } from '../bytes.ts';
import { ProtocolError } from '../fault.ts';
import { SLOT_BYTES_MAX, VOIDING_REACH_MAX } from '../limits.ts';
import { type Sha256 } from '../primitives.ts';
import { keyIdOf } from '../signature/key-id.ts';
import { areKeysOver, isForeignRevocationOver, isLogOver, isNodeOver } from './pruning.ts';
import {
  adapterSlot,
  compromiseSlot,
  logSlot,
  nodeSlot,
  recognitionSlot,
  retirementSlot,
  rulesSlot,
  type Signer,
  type Slot,
  slotName,
  suspensionSlot,
  tallySlot,
} from './slot.ts';
import { type StateDraft } from './state-draft.ts';
import { type Statement, type StatementKind, type StatementOf } from './statement-schema.ts';
import { reachOf, voidingOf } from './voiding.ts';

/** The state of all entries before a statement. */
export interface OrderPlace {
  readonly draft: StateDraft;
  /** The root of the trust log at a size of at most the statement's index; undefined where no root is to be held against it. */
  readonly rootAt: ((size: number) => Uint8Array) | undefined;
}

interface Arrival extends OrderPlace {
  readonly index: number;
  readonly signer: Signer;
}

type OrderRule<K extends StatementKind> = (
  statement: StatementOf<K>,
  arrival: Arrival,
  sha256: Sha256,
) => void;

const ORDER_RULES: { readonly [K in StatementKind]: OrderRule<K> } = {
  root: checkRoot,
  keys: checkKeys,
  limits: checkLimits,
  recognition: checkRecognition,
  withdrawal: checkWithdrawal,
  suspension: checkSuspension,
  compromise: checkCompromise,
  retirement: checkRetirement,
  rules: checkRules,
  adapter: checkAdapter,
  log: checkLog,
  node: checkNode,
  // What a revocation adds is known only when its set is decoded; the state is compared by rule 5.
  revocation: checkRevocation,
  'foreign-revocation': checkForeignRevocation,
  tally: checkTally,
  state: () => undefined,
};

/** Checks a statement that has authority, as the content of the slot that it would fill. @throws {ProtocolError} STATEMENT_CONFLICT */
export function verifyOrder(slot: Slot, place: OrderPlace, sha256: Sha256): void {
  const { index, signer, entry } = slot;
  const { statement } = entry;
  const { draft, rootAt } = place;
  if (signer === 'trust-log' && statement.at < draft.lastAtS) {
    throw conflict(`expected at of at least ${draft.lastAtS}, got ${statement.at}`);
  }
  const rule = ORDER_RULES[statement.kind] as OrderRule<StatementKind>;
  rule(statement, { index, signer, draft, rootAt }, sha256);
  if (statement.kind !== 'revocation' && statement.kind !== 'state')
    checkRoom(slotName(statement, index), slot, draft);
}

/** Nobody can make a state grow without end: neither a thief nor a region its peers. */
function checkRoom(name: string, slot: Slot, draft: StateDraft): void {
  const bytes = draft.slotBytesWith(name, slot);
  const bytesMax = SLOT_BYTES_MAX[slot.signer];
  if (bytes > bytesMax) {
    throw conflict(`expected at most ${bytesMax} bytes of statements by ${slot.signer}, got ${bytes}`);
  }
}

/** The largest `at` of a statement signed by trust-log, this one included: what is over by then does not come back. */
function newestAt({ at }: Statement, { signer, draft }: Arrival): number {
  return signer === 'trust-log' ? at : draft.lastAtS;
}

/** `before`: the version in the slot, if it is filled. */
function checkVersion(version: number, before: number | undefined, { index }: Arrival): void {
  if (before !== undefined && version <= before) {
    throw conflict(`expected a version above ${before}, got ${version}`);
  }
  if (version > index + 1) throw conflict(`expected a version of at most ${index + 1}, got ${version}`);
}

/** Its version was settled with its authority. */
function checkRoot({ keys }: StatementOf<'root'>, arrival: Arrival, sha256: Sha256): void {
  const keyIds = distinctKeyIds(keys, sha256);
  if (keyIds.some((keyId) => arrival.draft.key(keyId) !== undefined)) {
    throw conflict('expected root keys that are no other keys of the region');
  }
}

function checkKeys(statement: StatementOf<'keys'>, arrival: Arrival, sha256: Sha256): void {
  const keyIds = distinctKeyIds(
    statement.keys.map(({ key }) => key),
    sha256,
  );
  if (keyIds.some((keyId) => isTaken(keyId, arrival.draft))) {
    throw conflict('expected keys that the region has not yet named');
  }
  if (areKeysOver(statement, newestAt(statement, arrival)))
    throw conflict('expected windows that are not long over');
}

function checkLimits({ version }: StatementOf<'limits'>, arrival: Arrival): void {
  checkVersion(version, arrival.draft.statement('limits', 'limits')?.version, arrival);
}

function checkRecognition({ region, version }: StatementOf<'recognition'>, arrival: Arrival): void {
  if (region === arrival.draft.region) throw conflict('a region does not recognise itself');
  checkVersion(version, arrival.draft.recognition(region)?.version, arrival);
}

function checkWithdrawal({ region, version }: StatementOf<'withdrawal'>, arrival: Arrival): void {
  checkVersion(version, arrival.draft.recognition(region)?.version, arrival);
}

function checkSuspension({ region, version }: StatementOf<'suspension'>, arrival: Arrival): void {
  const { draft } = arrival;
  checkVersion(version, draft.statement('suspension', suspensionSlot(region))?.version, arrival);
  const inForce = draft.statement('recognition', recognitionSlot(region))?.version;
  if (version !== inForce) throw conflict('expected the version of the recognition in force');
}

function checkCompromise(statement: StatementOf<'compromise'>, arrival: Arrival): void {
  const { key, version, cutoffs } = statement;
  const { draft, index, rootAt } = arrival;
  const keyId = hexOf(key);
  if (draft.key(keyId) === undefined) throw conflict(`expected a key of the region, got ${keyId}`);
  checkVersion(version, draft.statement('compromise', compromiseSlot(keyId))?.version, arrival);
  const cutOff = cutoffs.find(({ log }) => log === 'trust');
  if (cutOff === undefined) return;
  if (cutOff.size > index)
    throw conflict(`expected a cut-off of at most ${index} entries, got ${cutOff.size}`);
  if (rootAt !== undefined && !equalBytes(rootAt(cutOff.size), cutOff.root)) {
    throw conflict(`expected the root that this log has at size ${cutOff.size}`);
  }
  checkReach(statement, arrival);
}

/** Folding again for voidings costs no more than a multiple of folding the log, or a region could keep its peers at it for ever. */
function checkReach(statement: StatementOf<'compromise'>, { index, draft }: Arrival): void {
  const reach = draft.reach + reachOf(voidingOf(statement, index, draft));
  if (reach > VOIDING_REACH_MAX * index) {
    throw conflict(`expected voidings that reach over ${VOIDING_REACH_MAX * index} entries, got ${reach}`);
  }
}

/** A window is only ever shortened, and not to a time by which the key has been signing: what it signed in time stays good. */
function checkRetirement(statement: StatementOf<'retirement'>, arrival: Arrival): void {
  const { version, until } = statement;
  const keyId = hexOf(statement.key);
  const key = arrival.draft.key(keyId);
  if (key === undefined) throw conflict('expected a key that the region has named');
  checkVersion(version, arrival.draft.statement('retirement', retirementSlot(keyId))?.version, arrival);
  if (until >= key.untilS)
    throw conflict(`expected an end before ${key.untilS}, that of the key's window, got ${until}`);
  const newest = newestAt(statement, arrival);
  if (until <= newest) throw conflict(`expected an end after ${newest}, got ${until}`);
}

function checkRules({ id, version }: StatementOf<'rules'>, arrival: Arrival): void {
  checkVersion(version, arrival.draft.statement('rules', rulesSlot(id))?.version, arrival);
}

function checkAdapter({ id, version }: StatementOf<'adapter'>, arrival: Arrival): void {
  checkVersion(version, arrival.draft.statement('adapter', adapterSlot(id))?.version, arrival);
}

function checkLog(statement: StatementOf<'log'>, arrival: Arrival): void {
  const { log, minimum } = statement;
  const before = arrival.draft.statement('log', logSlot(log))?.minimum ?? 0;
  if (minimum < before) throw conflict(`expected a minimum of at least ${before}, got ${minimum}`);
  if (isLogOver(log, newestAt(statement, arrival))) throw conflict('expected a log that is not long over');
}

function checkNode(statement: StatementOf<'node'>, arrival: Arrival, sha256: Sha256): void {
  const { draft } = arrival;
  if (isTaken(keyIdOf(sha256, statement.key), draft)) {
    throw conflict('expected a node key that is no other key of the region');
  }
  const before = draft.statement('node', nodeSlot(statement.key))?.at;
  if (before !== undefined && statement.at <= before) {
    throw conflict(`expected at above ${before}, got ${statement.at}`);
  }
  if (isNodeOver(statement, newestAt(statement, arrival))) throw conflict('expected a node that is not over');
}

function checkRevocation(statement: StatementOf<'revocation'>, arrival: Arrival): void {
  if (isLogOver(statement.log, newestAt(statement, arrival))) {
    throw conflict('expected a log that is not long over');
  }
}

function checkForeignRevocation(statement: StatementOf<'foreign-revocation'>, arrival: Arrival): void {
  if (isForeignRevocationOver(statement, newestAt(statement, arrival)))
    throw conflict('expected codes that are not long over');
}

/** Each goes on where the one before ended, so that nothing is left out or told twice. */
function checkTally(statement: StatementOf<'tally'>, arrival: Arrival): void {
  const { log, from } = statement;
  const before = arrival.draft.statement('tally', tallySlot(log))?.until ?? 0;
  if (from !== before) throw conflict(`expected a tally from ${before} on, got one from ${from} on`);
  if (isLogOver(log, newestAt(statement, arrival))) throw conflict('expected a log that is not long over');
}

/** A key of the region, whether of a `keys` statement or of a root. */
function isTaken(keyId: string, draft: StateDraft): boolean {
  return draft.key(keyId) !== undefined || draft.isRootKey(keyId);
}

function distinctKeyIds(publicKeys: readonly Uint8Array[], sha256: Sha256): readonly string[] {
  const keyIds = publicKeys.map((publicKey) => keyIdOf(sha256, publicKey));
  if (new Set(keyIds).size < keyIds.length) throw conflict('expected keys with distinct ids');
  return keyIds;
}

export function conflict(message: string): ProtocolError {
  return new ProtocolError('STATEMENT_CONFLICT', message);
}
