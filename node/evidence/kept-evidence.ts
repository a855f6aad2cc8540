/** What a store keeps of evidence, for people: one after the other, and what cannot be read is named and stops nothing. */
import { type EvidenceKind, parseEvidence } from '../../protocol/evidence/evidence.ts';
import { verifyEvidence } from '../../protocol/evidence/verify-evidence.ts';
import { isProtocolError, ProtocolError } from '../../protocol/fault.ts';
import { parseOrigin } from '../../protocol/log/origin.ts';
import { isNodeError, type NodeError } from '../node-error.ts';
import { type StoreReader } from '../store/reader.ts';
import {
  storedEvidence,
  type StoredEvidence,
  type StoredEvidenceModules,
  storedEvidenceOf,
  storedFiles,
} from '../trust/stored-evidence.ts';

export interface KeptProof {
  /** 32 hexadecimal digits, the same in every store that holds this proof. */
  readonly name: string;
  readonly kind: EvidenceKind;
  readonly region: string;
  readonly origin: string;
  readonly at: number;
  /** Ids of the keys behind each word. */
  readonly words: readonly (readonly string[])[];
  /** Whether it is against a root of the region that is followed no more. */
  readonly isOfEarlierRoot: boolean;
  /** What anybody can verify, in base64, where that was asked for. */
  readonly file?: string;
}

/** Kept, and damaged, or none by this version, or none that the trust log which is kept with it supports. */
export interface Unread {
  readonly name: string;
  readonly code: string;
  readonly message: string;
}

export type KeptLine = KeptProof | { readonly unread: Unread };

/** What says that something which is kept cannot be read: all else is an error of the store. */
const UNREADABLE = ['NOT_FOUND', 'LOG_CORRUPT', 'VALUE_CORRUPT', 'DATA_INCONSISTENT'] as const;

/** Forks first. With `hasFiles` each with the file, and what no file can be made of is unread. Rejects as the store does, but for what is damaged. */
export async function* keptEvidence(
  store: StoreReader,
  { hasFiles }: { readonly hasFiles: boolean },
  modules: StoredEvidenceModules,
): AsyncGenerator<KeptLine, void, undefined> {
  const unread: Unread[] = [];
  const onUnread = (name: string, error: NodeError): void => void unread.push(unreadOf(name, error));
  const told = () => unread.splice(0).map((one) => ({ unread: one }));
  const forks = await storedEvidence(store, onUnread);
  yield* told();
  for (const one of forks)
    yield lineOf(one.name, async () => ({
      ...forkProof(one),
      ...(hasFiles && base64(await fileOf(one, modules))),
    }));
  for await (const { name, file, isOfEarlierRoot } of storedFiles(store, onUnread)) {
    yield* told();
    yield lineOf(name, () => {
      const { kind, region, origin, at, words } = verifyEvidence(parseEvidence(file), () => true, modules);
      return { name, kind, region, origin, at, words, isOfEarlierRoot, ...(hasFiles && base64(file)) };
    });
  }
  yield* told();
}

async function lineOf(name: string, read: () => KeptProof | Promise<KeptProof>): Promise<KeptLine> {
  try {
    return await read();
  } catch (error) {
    const isUnreadable = isProtocolError(error) || UNREADABLE.some((code) => isNodeError(error, code));
    if (!isUnreadable) throw error;
    return { unread: unreadOf(name, error as ProtocolError | NodeError) };
  }
}

function unreadOf(name: string, error: ProtocolError | NodeError): Unread {
  const code = isProtocolError(error) ? error.fault.code : error.code;
  return { name, code, message: error.message };
}

function forkProof({ name, origin, fork, isOfEarlierRoot }: StoredEvidence): KeptProof {
  const { region } = parseOrigin(origin);
  const { evidence, signers } = fork;
  return { name, kind: 'fork', region, origin, at: evidence.size, words: signers, isOfEarlierRoot };
}

/** @throws {ProtocolError} TOO_LARGE where no reader would take it. */
async function fileOf(stored: StoredEvidence, modules: StoredEvidenceModules): Promise<Uint8Array> {
  const file = await storedEvidenceOf(stored, modules);
  if (file !== undefined) return file;
  throw new ProtocolError('TOO_LARGE', 'the region has changed its root so often that no reader takes it');
}

function base64(file: Uint8Array): { readonly file: string } {
  return { file: Buffer.from(file).toString('base64') };
}
