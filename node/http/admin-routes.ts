/** What an operator may do besides issuing: revoke, log what the root has signed, suspend, look on. */
import { hexBytes } from '../../protocol/bytes.ts';
import { FOREIGN_REVOCATION_S_MAX } from '../../protocol/limits.ts';
import { attestationLogOrigin, parseOrigin } from '../../protocol/log/origin.ts';
import { type RegionNode } from '../core/region-node.ts';
import { type KeptLine } from '../evidence/kept-evidence.ts';
import { type LifeReport } from '../life/life.ts';
import { isNodeError } from '../node-error.ts';
import { type MutualVouching, mutualVouching } from '../trust/mutual-vouching.ts';
import { isRevocable, logOver } from '../revoking/revocable.ts';
import { type Revocation } from '../revoking/revoker.ts';
import { type AdminRoute } from './admin-route.ts';
import { RequestError } from './problem.ts';
import { type ProcessReport } from './process-report.ts';
import { type Replies } from './replies.ts';
import { keysOf, regionsOf } from './region-routes.ts';
import {
  accused,
  entryOrder,
  evidenceOrder,
  forced,
  keptLine,
  keptQuery,
  promoted,
  logged,
  nodeStatus,
  peerList,
  receipt,
  receiptQuery,
  revoked,
  revokeOrder,
  foreignRevocationOrder,
  suspendOrder,
} from './admin-schemas.ts';
import { readJson, readQuery } from './input.ts';
import { keys } from './schemas.ts';

export interface AdminModules {
  readonly node: Pick<
    RegionNode,
    | 'submit'
    | 'logEntries'
    | 'accuse'
    | 'keptEvidence'
    | 'tend'
    | 'revoke'
    | 'commitState'
    | 'force'
    | 'promote'
    | 'heldCodes'
    | 'life'
    | 'status'
    | 'trust'
    | 'keeper'
    | 'receipts'
    | 'log'
  >;
  readonly report: () => ProcessReport;
  readonly nowS: () => number;
  readonly replies: Replies;
}

interface Place {
  readonly log: string;
  readonly index: number;
}

export interface AdminRoutesOptions {
  readonly region: string;
}

const BODY_BYTES_MAX = 1_048_576;
const json = (schema: Parameters<typeof readJson>[1]) => ({ 'application/json': { schema } });
const body = (schema: Parameters<typeof readJson>[1]) => ({
  body: { content: json(schema), required: true },
});

export function adminRoutes(
  { region }: AdminRoutesOptions,
  { node, report, nowS, replies }: AdminModules,
): AdminRoute[] {
  const receiptNow = () => {
    const own = node.keeper(region)?.origin;
    return own === undefined ? {} : { receipt: node.receipts.of(own) };
  };
  return [
    {
      method: 'post',
      path: '/v1/revoke',
      needs: 'revoke',
      summary: 'Revokes by log and indexes, or all that a person holds',
      request: body(revokeOrder),
      description:
        'Of what a person holds, all that can still pass; codes in logs that are over are left out, 410 where there are no others.',
      answer: { description: 'What is revoked now, for ever', content: json(revoked) },
      order: async (context) => {
        const order = await readJson(context.env.incoming, revokeOrder, BODY_BYTES_MAX);
        const { log, indexes = [], subject, why } = order;
        if (log !== undefined) requireIssued({ log, indexes }, { node, region, nowS });
        const places =
          subject === undefined
            ? indexes.map((index) => ({ log: log ?? '', index }))
            : await revocableOf(subject, { node, region, nowS });
        const byLog = groupByLog(places);
        const carryOut = async () => {
          const all = [...byLog].map(([of, inIt]) => ({ log: of, indexes: inIt }));
          await Promise.all(all.map((one) => node.revoke(one)));
          if (why !== undefined) await node.life.revokedBecause(places, why);
          return replies.json(context, { revoked: all, ...receiptNow() });
        };
        return { count: places.length, about: [...byLog.keys()].join(',').slice(0, 128), carryOut };
      },
    },
    {
      method: 'post',
      path: '/v1/entries',
      needs: 'trust',
      summary: 'Logs entries that the root has signed: a recognition, keys, a compromise',
      request: body(entryOrder),
      answer: { description: 'The index of the first in the trust log', content: json(logged) },
      order: async (context) => {
        const { entries } = await readJson(context.env.incoming, entryOrder, BODY_BYTES_MAX);
        const carryOut = async () => {
          const index = await node.logEntries(
            entries.map((entry) => new Uint8Array(Buffer.from(entry, 'base64'))),
          );
          return replies.json(context, { index, ...receiptNow() });
        };
        return { count: entries.length, carryOut };
      },
    },
    {
      method: 'post',
      path: '/v1/evidence',
      needs: 'trust',
      summary: 'Takes what proves that a region contradicted itself, and tells it to peers',
      request: body(evidenceOrder),
      answer: { description: 'Whether it was not known', content: json(accused) },
      order: async (context) => {
        const { evidence } = await readJson(context.env.incoming, evidenceOrder, BODY_BYTES_MAX);
        const file = new Uint8Array(Buffer.from(evidence, 'base64'));
        const carryOut = async () => replies.json(context, { isNew: await node.accuse(file) });
        return { carryOut };
      },
    },
    {
      method: 'get',
      path: '/v1/evidence',
      needs: 'read',
      summary: 'What the node holds against regions; JSON lines',
      request: { query: keptQuery },
      answer: { description: 'A line for each', content: { 'application/jsonl': { schema: keptLine } } },
      handle: async (context) => {
        const { files } = readQuery(context.req.url, keptQuery);
        const lines = textOf(node.keptEvidence({ hasFiles: files === 'true' }));
        return replies.streamBegun(context, lines, 'application/jsonl');
      },
    },
    {
      method: 'post',
      path: '/v1/suspend',
      needs: 'trust',
      summary: 'Suspends the recognition of a region, by the trust-log key',
      request: body(suspendOrder),
      answer: { description: 'Its index in the trust log', content: json(logged) },
      order: async (context) => {
        const { region: other } = await readJson(context.env.incoming, suspendOrder, BODY_BYTES_MAX);
        const suspended = () => {
          const inForce = node.keeper(region)?.state.recognition(other);
          if (inForce !== undefined)
            return { kind: 'suspension', region: other, version: inForce.version } as const;
          throw new RequestError('PATH_UNKNOWN', 'that region is not recognised');
        };
        const carryOut = async () => {
          const { index } = await node.submit({ build: () => ({ statement: suspended() }) });
          return replies.json(context, { index, ...receiptNow() });
        };
        return { about: other, carryOut };
      },
    },
    {
      method: 'post',
      path: '/v1/foreign-revocations',
      needs: 'revoke',
      summary: 'Revokes codes of others that count by an adapter of this region, by the trust-log key',
      request: body(foreignRevocationOrder),
      answer: { description: 'Its index in the trust log', content: json(logged) },
      order: async (context) => {
        const order = await readJson(context.env.incoming, foreignRevocationOrder, BODY_BYTES_MAX);
        const ageS = order.untilS - nowS();
        if (ageS <= 0 || ageS >= FOREIGN_REVOCATION_S_MAX)
          throw new RequestError('INPUT_INVALID', 'untilS lies ahead, by less than ten years');
        const hashes = order.hashes.map(hexBytes);
        const statement = { kind: 'foreign-revocation', until: order.untilS, hashes } as const;
        const carryOut = async () => {
          const { index } = await node.submit({ build: () => ({ statement }) });
          return replies.json(context, { index, ...receiptNow() });
        };
        return { count: hashes.length, carryOut };
      },
    },
    {
      method: 'post',
      path: '/v1/state',
      needs: 'trust',
      summary: 'Commits to the state of the trust log, so that readers can start there',
      answer: { description: 'Its index in the trust log', content: json(logged) },
      handle: async (context) => {
        const { index } = await node.commitState();
        return replies.json(context, { index, ...receiptNow() });
      },
    },
    {
      method: 'get',
      path: '/v1/receipt',
      needs: 'read',
      summary: 'Where an own log stands, and who vouches for so many entries of it by now',
      description:
        'Of so many entries (`size`), or of one (`index`): then with its proof (C2SP tlog-proof), under the newest checkpoint that is witnessed and has it, else under the newest.',
      request: { query: receiptQuery },
      answer: { description: 'The receipt', content: json(receipt) },
      handle: async (context) => {
        const { log, size, index } = readQuery(context.req.url, receiptQuery);
        const own = node.keeper(region)?.origin;
        const isTrust = own === undefined || log === 'trust';
        const origin = isTrust ? own : attestationLogOrigin(region, parseOrigin(own).network, log);
        const found =
          origin &&
          (index === undefined ? node.receipts.of(origin, size) : await node.receipts.ofEntry(origin, index));
        if (found) return replies.json(context, found);
        throw new RequestError('PATH_UNKNOWN', 'no signed checkpoint of that log has so many entries');
      },
    },
    {
      method: 'post',
      path: '/v1/promote',
      needs: 'trust',
      summary: 'Lets this machine write in the place of the one that does; answers once it signs',
      description:
        '503 LOG_BEHIND while it fetches what the other has signed: it signs as soon as it has that.',
      answer: { description: 'In which epoch it writes', content: json(promoted) },
      handle: async (context) => {
        await node.promote();
        return replies.json(context, { epoch: node.status.writer?.epoch ?? 0 });
      },
    },
    {
      method: 'post',
      path: '/v1/force',
      needs: 'trust',
      summary:
        'Lets the node sign although too few peers have answered: only where its store is surely the newest',
      answer: { description: 'It will try', content: json(forced) },
      handle: (context) => {
        node.force();
        return replies.json(context, { forced: true });
      },
    },
    {
      method: 'get',
      path: '/v1/status',
      needs: 'read',
      summary: 'How the node is',
      answer: { description: 'Status', content: json(nodeStatus) },
      handle: async (context) =>
        replies.json(context, {
          ...regionsOf(node.trust, nowS()),
          ...node.status,
          ...(await lifeOf(node)),
          vouching: vouchingOf(node, region),
          ...report(),
        }),
    },
    {
      method: 'get',
      path: '/v1/peers',
      needs: 'read',
      summary: 'Who is connected, who is not and why, and how they behave',
      answer: { description: 'Peers', content: json(peerList) },
      handle: (context) => {
        const { peers, missing, conduct } = report();
        return replies.json(context, { peers, missing, conduct });
      },
    },
    {
      method: 'get',
      path: '/v1/keys',
      needs: 'read',
      summary: 'The public keys of this region, by what its trust log says',
      answer: { description: 'Keys', content: json(keys) },
      handle: (context) => {
        const state = node.keeper(region)?.state;
        if (state === undefined) throw new RequestError('PATH_UNKNOWN', 'the region has no trust log yet');
        return replies.json(context, keysOf(state));
      },
    },
  ];
}

async function* textOf(lines: AsyncIterable<KeptLine>): AsyncGenerator<string, void, undefined> {
  for await (const line of lines) yield `${JSON.stringify(line)}\n`;
}

/** Nothing where the store cannot be read: how the node is can be asked all the same. */
async function lifeOf({ life }: Pick<RegionNode, 'life'>): Promise<{ readonly life?: LifeReport }> {
  try {
    return { life: await life.report() };
  } catch (error) {
    if (isNodeError(error)) return {};
    throw error;
  }
}

/**
 * There is no way back from a revocation: one of an index that a slip made would hit whoever is issued that next.
 * @throws {NodeError} LOG_OVER
 * @throws {RequestError} INPUT_INVALID
 */
function requireIssued(
  { log, indexes }: Revocation,
  { node, region, nowS }: Pick<AdminModules, 'node' | 'nowS'> & AdminRoutesOptions,
): void {
  const own = node.keeper(region);
  if (own !== undefined && !isRevocable(log, own.state, nowS())) throw logOver(`the log ${log} is over`);
  const tree =
    own === undefined
      ? undefined
      : node.log(attestationLogOrigin(region, parseOrigin(own.origin).network, log));
  const size = tree?.size ?? 0;
  if (indexes.every((index) => index < size)) return;
  const detail = size === 0 ? 'nothing was issued there' : `the log ends before ${size}`;
  throw new RequestError('INPUT_INVALID', 'the request is not as expected', [{ at: '/indexes', detail }]);
}

/** Where a person has codes that can still be revoked, of which there must be some. */
async function revocableOf(
  subject: string,
  { node, region, nowS }: Pick<AdminModules, 'node' | 'nowS'> & AdminRoutesOptions,
): Promise<readonly Place[]> {
  const places: Place[] = [];
  let isAny = false;
  for await (const held of node.heldCodes.of({ subject })) {
    isAny = true;
    if (!('givenUp' in held)) places.push(held);
  }
  const state = node.keeper(region)?.state ?? { lastAtS: 0 };
  const open = places.filter(({ log }) => isRevocable(log, state, nowS()));
  if (open.length > 0) return open;
  if (isAny) throw logOver('all codes of that subject are in logs that are over');
  throw new RequestError('PATH_UNKNOWN', 'nothing was issued to that subject');
}

function vouchingOf(node: AdminModules['node'], home: string): MutualVouching[] {
  const own = node.keeper(home);
  const keepers = [...node.trust.regions.keys()].flatMap((region) => node.keeper(region) ?? []);
  return own === undefined ? [] : mutualVouching(own, keepers);
}

function groupByLog(places: readonly Place[]): Map<string, number[]> {
  const byLog = new Map<string, number[]>();
  for (const { log, index } of places) byLog.set(log, [...(byLog.get(log) ?? []), index]);
  return byLog;
}
