/** What a node keeps of evidence: listed, or written as files. What is kept and is none by this version is named, and stops nothing. */
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { openStoreAt } from '../../node/audit/open-source.ts';
import { isNodeError } from '../../node/node-error.ts';
import { writeFileAtomically } from '../../node/region/files.ts';
import {
  type StoredEvidence,
  storedEvidence,
  storedEvidenceOf,
  type StoredFile,
  storedFiles,
} from '../../node/trust/stored-evidence.ts';
import { systemClock } from '../../node/system-clock.ts';
import { type EvidenceKind, parseEvidence } from '../../protocol/evidence/evidence.ts';
import { verifyEvidence } from '../../protocol/evidence/verify-evidence.ts';
import { isProtocolError, ProtocolError } from '../../protocol/fault.ts';
import { parseOrigin } from '../../protocol/log/origin.ts';
import { type TrustModules } from '../../protocol/trust/verify-statement.ts';
import { accusationText } from '../accusation-text.ts';
import { type Cli } from '../cli.ts';
import { cliErrorOf, EXIT } from '../exit.ts';
import { aligned, counted, figure } from '../output.ts';
import { printable } from '../printable.ts';
import { namedDirectory, regionModules } from '../region.ts';

/** Kept, and no evidence by this version, or none that the trust log which is kept with it supports. */
interface Unread {
  readonly name: string;
  readonly code: string;
  readonly message: string;
}

interface Kept {
  readonly owner: Awaited<ReturnType<typeof openStoreAt>>['owner'];
  readonly forks: readonly StoredEvidence[];
  /** Evidence of other kinds. */
  readonly files: readonly (StoredFile & { readonly says: Accusation })[];
  readonly unread: Unread[];
}

interface Accusation {
  readonly kind: EvidenceKind;
  readonly region: string;
  readonly origin: string;
  readonly at: number;
  readonly words: readonly (readonly string[])[];
}

const UNREAD_HINT = 'It is left where it is. Look at it with the version that kept it.';

export async function listKept(cli: Cli, path: string): Promise<void> {
  await withKept(cli, path, ({ owner, forks, files, unread }) => {
    const evidence = [
      ...forks.map((one) => ({ ...nameOf(one), ...forkAccusation(one) })),
      ...files.map((one) => ({ ...nameOf(one), ...one.says })),
    ];
    const lines = evidence.map(({ name, kind, region, origin, at, isOfEarlierRoot }) => {
      const what =
        kind === 'fork'
          ? `${origin} forked within ${figure(at)} entries`
          : `${region} ${accusationText({ kind, origin, at })}`;
      return [name, `${what}${isOfEarlierRoot ? ', under a root that is followed no more' : ''}`] as const;
    });
    const nothing = unread.length === 0 ? [`${owner.region} holds no evidence against anybody.`] : [];
    cli.output.result({ ...owner, evidence, unread }, () => [
      ...(lines.length === 0 ? nothing : aligned(lines)),
      ...unreadLines(cli, unread),
    ]);
    return Promise.resolve();
  });
}

export async function exportKept(cli: Cli, path: string, { to }: { readonly to: string }): Promise<void> {
  const modules = await regionModules(cli);
  await withKept(cli, path, async ({ owner, forks, files: kept, unread }) => {
    await mkdir(to, { recursive: true });
    const files: string[] = [];
    const write = async (file: string, bytes: Uint8Array): Promise<void> => {
      await writeFileAtomically(file, bytes);
      files.push(file);
    };
    for (const one of forks) {
      const file = join(to, `${one.origin.replaceAll('/', '-')}-${one.name.slice(0, 8)}.evidence`);
      const bytes = await readOr(unread, one.name, () => fileOf(one, modules));
      if (bytes !== undefined) await write(file, bytes);
    }
    for (const { name, file: bytes, says } of kept)
      await write(join(to, `${says.region}-${says.kind}-${name.slice(0, 8)}.evidence`), bytes);
    cli.output.result({ ...owner, files, unread }, () => [
      `Wrote ${counted(files.length, 'proof')}.`,
      ...files.map((file) => `  ${printable(file)}`),
      ...unreadLines(cli, unread),
    ]);
  });
}

/** Ends with 5 where something was not read. */
async function withKept(cli: Cli, path: string, use: (kept: Kept) => Promise<void>): Promise<void> {
  const modules = await regionModules(cli);
  namedDirectory(path);
  const store = await openStoreAt(path);
  try {
    const unread: Unread[] = [];
    const forks = await storedEvidence(store.reader, (name, error) => unread.push(unreadOf(name, error)));
    const files = [];
    for (const one of await storedFiles(store.reader)) {
      const says = await readOr(unread, one.name, () =>
        verifyEvidence(parseEvidence(one.file), () => true, modules),
      );
      if (says !== undefined) files.push({ ...one, says: accusationOf(says) });
    }
    await use({ owner: store.owner, forks, files, unread });
    if (unread.length > 0) cli.exit = EXIT.inconsistent;
  } finally {
    await store.close();
  }
}

/** @throws {ProtocolError} TOO_LARGE where no reader would take it. */
async function fileOf(stored: StoredEvidence, modules: TrustModules): Promise<Uint8Array> {
  const file = await storedEvidenceOf(stored, { ...modules, clock: systemClock });
  if (file !== undefined) return file;
  throw new ProtocolError('TOO_LARGE', 'the region has changed its root so often that no reader takes it');
}

/** Notes what cannot be read, and gives undefined then. */
async function readOr<T>(unread: Unread[], name: string, read: () => T | Promise<T>): Promise<T | undefined> {
  try {
    return await read();
  } catch (error) {
    const isOfKept =
      isProtocolError(error) || isNodeError(error, 'NOT_FOUND') || isNodeError(error, 'LOG_CORRUPT');
    if (!isOfKept) throw error;
    unread.push(unreadOf(name, error));
    return undefined;
  }
}

function unreadOf(name: string, error: unknown): Unread {
  const { code, message } = cliErrorOf(error);
  return { name, code, message };
}

function unreadLines(cli: Cli, unread: readonly Unread[]): string[] {
  const { red } = cli.output.colours;
  return [
    ...unread.map(({ name, code, message }) =>
      red(`${printable(name)} is no evidence by this version: ${code}: ${printable(message)}`),
    ),
    ...(unread.length > 0 ? [UNREAD_HINT] : []),
  ];
}

function nameOf({ name, isOfEarlierRoot }: Pick<StoredFile, 'name' | 'isOfEarlierRoot'>) {
  return { name, isOfEarlierRoot };
}

function forkAccusation({ origin, fork }: StoredEvidence): Accusation {
  const { region } = parseOrigin(origin);
  return { kind: 'fork', region, origin, at: fork.evidence.size, words: fork.signers };
}

function accusationOf({ kind, region, origin, at, words }: Accusation): Accusation {
  return { kind, region, origin, at, words };
}
