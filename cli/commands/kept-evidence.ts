/** What a node keeps of evidence, whether it runs or not: listed, or written as files. What cannot be read of it is named, and stops nothing. */
import { mkdir } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { openStoreAt } from '../../node/audit/open-source.ts';
import {
  keptEvidence,
  type KeptLine,
  type KeptProof,
  type Unread,
} from '../../node/evidence/kept-evidence.ts';
import { isNodeError } from '../../node/node-error.ts';
import { writeFileAtomically } from '../../node/region/files.ts';
import { readRegionConfig, RegionLayout } from '../../node/region/layout.ts';
import { systemClock } from '../../node/system-clock.ts';
import { EVIDENCE_BYTES_MAX } from '../../protocol/limits.ts';
import { accusationText } from '../accusation-text.ts';
import { type Cli } from '../cli.ts';
import { told } from '../desk/node-answers.ts';
import { adminOf } from '../desk/admin-of.ts';
import { EXIT } from '../exit.ts';
import { aligned, counted, figure } from '../output.ts';
import { printable } from '../printable.ts';
import { namedDirectory, regionModules } from '../region.ts';

interface Kept {
  readonly owner: { readonly region: string; readonly network: string };
  readonly lines: AsyncIterable<KeptLine>;
}

/** A file in base64, and what is said of it. */
const LINE_BYTES_MAX = 2 * EVIDENCE_BYTES_MAX;

export async function listKept(cli: Cli, path: string): Promise<void> {
  const evidence: KeptProof[] = [];
  const { owner, unread } = await readKept(cli, path, false, (proof) => {
    evidence.push(proof);
    return Promise.resolve();
  });
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
}

export async function exportKept(cli: Cli, path: string, { to }: { readonly to: string }): Promise<void> {
  const files: string[] = [];
  const { owner, unread } = await readKept(cli, path, true, async (proof) => {
    const file = join(to, fileNameOf(proof));
    await mkdir(to, { recursive: true });
    await writeFileAtomically(file, Buffer.from(proof.file ?? '', 'base64'));
    files.push(file);
  });
  // Whoever looks there next finds that there is nothing.
  await mkdir(to, { recursive: true });
  cli.output.result({ ...owner, files, unread }, () => [
    `Wrote ${counted(files.length, 'proof')}.`,
    ...files.map((file) => `  ${printable(file)}`),
    ...unreadLines(cli, unread),
  ]);
}

function fileNameOf({ name, kind, region, origin }: KeptProof): string {
  const of = kind === 'fork' ? origin.replaceAll('/', '-') : `${region}-${kind}`;
  return `${of}-${name.slice(0, 8)}.evidence`;
}

/** Ends with 5 where something was not read. */
async function readKept(
  cli: Cli,
  path: string,
  hasFiles: boolean,
  take: (proof: KeptProof) => Promise<void>,
): Promise<{ readonly owner: Kept['owner']; readonly unread: readonly Unread[] }> {
  namedDirectory(path);
  const unread: Unread[] = [];
  const owner = await withKept(cli, path, hasFiles, async (kept) => {
    for await (const line of kept.lines) {
      if ('unread' in line) unread.push(line.unread);
      else await take(line);
    }
    return kept.owner;
  });
  if (unread.length > 0) cli.exit = EXIT.inconsistent;
  return { owner, unread };
}

/** Out of the store, or, where a node has that open, by that node. @throws {NodeError} STORE_LOCKED if neither can be read. */
async function withKept<T>(
  cli: Cli,
  path: string,
  hasFiles: boolean,
  use: (kept: Kept) => Promise<T>,
): Promise<T> {
  const modules = { ...(await regionModules(cli)), clock: systemClock };
  const store = await openStoreAt(path).catch((error: unknown) => {
    if (isNodeError(error, 'STORE_LOCKED')) return error;
    throw error;
  });
  if (isNodeError(store)) {
    const isUnasked = (error: unknown) =>
      isNodeError(error, 'PEER_UNREACHABLE') || isNodeError(error, 'DIRECTORY_MISSING');
    return askNode(cli, path, hasFiles, use).catch((error: unknown) => {
      throw isUnasked(error) ? store : error;
    });
  }
  try {
    return await use({ owner: store.owner, lines: keptEvidence(store.reader, { hasFiles }, modules) });
  } finally {
    await store.close();
  }
}

async function askNode<T>(
  cli: Cli,
  path: string,
  hasFiles: boolean,
  use: (kept: Kept) => Promise<T>,
): Promise<T> {
  const environment = cli.surroundings.environment ?? {};
  const client = await adminOf(path, environment);
  const { region, network } = await readRegionConfig(new RegionLayout(resolve(path)), { environment });
  const request = { method: 'GET', path: `/v1/evidence${hasFiles ? '?files=true' : ''}` } as const;
  const lines = client.lines(request, [], { type: 'application/json', lineBytesMax: LINE_BYTES_MAX });
  try {
    return await use({ owner: { region, network }, lines: lines as AsyncIterable<KeptLine> });
  } catch (error) {
    throw told(error);
  }
}

function unreadLines(cli: Cli, unread: readonly Unread[]): string[] {
  const { red } = cli.output.colours;
  const isDamaged = ({ code }: Unread) => code === 'VALUE_CORRUPT' || code === 'LOG_CORRUPT';
  return [
    ...unread.map((one) => {
      const what = isDamaged(one) ? 'cannot be read' : 'is no evidence by this version';
      return red(`${printable(one.name)} ${what}: ${one.code}: ${printable(one.message)}`);
    }),
    ...(unread.some((one) => !isDamaged(one))
      ? ['It is left where it is. Look at it with the version that kept it.']
      : []),
    ...(unread.some(isDamaged)
      ? [
          'What is damaged is left where it is: have the disk looked at, and give the proof again as a file, by `entente evidence tell`.',
        ]
      : []),
  ];
}
