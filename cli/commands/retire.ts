/** `entente key retire`: keys that nobody has stolen end before the time that was announced. */
import { type Command } from 'commander';
import { type KeyWindow } from '../../node/region/key-schedule.ts';
import { keyNamesIn } from '../../node/region/key-file.ts';
import { retiring } from '../../node/region/statements.ts';
import { type StatementDraft } from '../../node/log/trust-log-work.ts';
import { hexOf } from '../../protocol/bytes.ts';
import { type Sha256 } from '../../protocol/primitives.ts';
import { keyIdOf } from '../../protocol/signature/key-id.ts';
import { appendByRoot } from '../ceremony/by-root.ts';
import {
  type Ending,
  leaveNoneOption,
  type LeaveNoneOption,
  type Others,
  othersOf,
  refused,
  requireSuccessor,
} from '../ceremony/successors.ts';
import { type Cli, examples } from '../cli.ts';
import { type Desk } from '../desk/desk.ts';
import { withDesk } from '../desk/with-desk.ts';
import { CliError, EXIT, usageError } from '../exit.ts';
import { printable } from '../printable.ts';
import { draftOption, type RootOptions, withoutPeersOption } from '../region.ts';
import { timeText, wholeHour } from '../times.ts';

const HOUR_S = 3_600;

interface RetireOptions extends RootOptions, LeaveNoneOption {
  readonly key: readonly string[];
  readonly until?: string;
}

interface Ordered extends Ending {
  readonly statement: StatementDraft;
}

export function addRetire(key: Command, cli: Cli): void {
  key
    .command('retire')
    .description(
      'Lets keys that nobody has stolen end, with the root, before the time that was announced: when this hour is over, or at a later one. What a key signed until then stays good, what it signs from then on does not count, and the next key signs. Also ends the identity of a node that is gone. Whoever has the key can still sign what contradicts the log or is evidence against the region: a key that may be stolen, or that people had who are gone on bad terms, is given up instead, by entente key compromise. All nodes of the network and their witnesses must know of retirements first: one of an older version vouches for the log of this region no more.',
    )
    .argument('<region>', 'directory of the region')
    .requiredOption(
      '--key <id>',
      'id of a key, 16 hexadecimal digits; give it once for each, and all end by one order',
      (value: string, before: readonly string[] = []) => [...before, value],
    )
    .option(
      '--until <time>',
      'the whole hour at which they end; else the next one. With --draft: a time by which enough have signed',
    )
    .addOption(leaveNoneOption())
    .addOption(draftOption())
    .addOption(withoutPeersOption())
    .addHelpText(
      'after',
      examples(
        [
          'entente key retire DE --key 0011223344556677',
          'once `entente key rotate` put another in place; it ends within the hour',
        ],
        [
          'entente key retire DE --key 0011223344556677 --until 2026-11-30T02:00:00Z --draft draft.json',
          'for root keys that are elsewhere',
        ],
      ),
    )
    .action((region: string, options: RetireOptions) => retire(cli, region, options));
}

async function retire(cli: Cli, path: string, options: RetireOptions): Promise<void> {
  const ids = options.key.map((id) => id.toLowerCase());
  const twice = ids.find((id, i) => ids.indexOf(id) < i);
  if (twice !== undefined) throw usageError(`--key names ${printable(twice)} twice`);
  const told = await withDesk(
    cli,
    path,
    async (desk, { nowS, sha256 }) => {
      const atS = nowS();
      const untilS = endOf(options, atS);
      const endings: Ordered[] = [];
      for (const id of ids) endings.push(await endingOf(desk, id, { atS, untilS, path, sha256 }));
      const ended: Told[] = [];
      for (const ending of endings) {
        const others = await othersOf(desk, ending.role, endings, sha256);
        if (options.leaveNone !== true) requireSuccessor(ending, others, { path, atS });
        ended.push(toldOf(ending, others));
      }
      cli.output.before({ keys: ended }, () => ended.map(lineBefore));
      await appendByRoot(
        cli,
        desk,
        endings.map(({ statement }) => statement),
        options,
      );
      return ended;
    },
    options,
  );
  cli.output.result({ keys: told }, () =>
    told.map(({ key, role, untilS }) => `The ${role} key ${key} is retired: it ends at ${timeText(untilS)}.`),
  );
}

/** @throws {CliError} USAGE for a time that is no whole hour, or is over. */
function endOf({ until }: RetireOptions, atS: number): number {
  if (until === undefined) return atS - (atS % HOUR_S) + HOUR_S;
  const untilS = wholeHour(until);
  if (untilS > atS) return untilS;
  throw usageError(
    `${timeText(untilS)} is over: what the keys have signed since would count no more`,
    'Leave --until out, and they end when this hour is over. A key that is stolen is given up: entente key compromise.',
  );
}

interface Order {
  readonly atS: number;
  readonly untilS: number;
  readonly path: string;
  readonly sha256: Sha256;
}

/** @throws {CliError} NOT_FOUND for a key that the region has not; REFUSED for one that is given up, or ends by then anyway. */
async function endingOf(desk: Desk, id: string, order: Order): Promise<Ordered> {
  const key = desk.state.key(id);
  if (key === undefined) return identityEnding(desk, id, order);
  const { keyId, role, fromS, untilS: beforeS, compromise, retirement } = key;
  const { untilS } = order;
  if (compromise !== undefined)
    throw refused(`the ${role} key ${id} is given up: nothing of it is left to end`);
  if (untilS >= beforeS) {
    const already = retirement === undefined ? 'ends' : 'is retired, and ends';
    throw refused(
      `the ${role} key ${id} ${already} at ${timeText(beforeS)}: a key is only ever retired for an earlier time`,
    );
  }
  return { keyId, role, fromS, untilS, beforeS, statement: retiring(key, untilS) };
}

/** An identity is a statement of the trust log, which one that ends earlier replaces. */
async function identityEnding(desk: Desk, id: string, { untilS, path, sha256 }: Order): Promise<Ordered> {
  const node = [...desk.state.nodes()].find(({ publicKey }) => keyIdOf(sha256, publicKey) === id);
  if (node === undefined)
    throw new CliError(EXIT.failure, 'NOT_FOUND', `the region has no key ${printable(id)}`, {
      hint: `Nothing was retired. List its keys with \`entente key list ${printable(path)}\`; those of the root are replaced by \`entente root rotate\`.`,
    });
  const { publicKey: key, fromS, untilS: beforeS } = node;
  if (untilS >= beforeS) throw refused(`the identity ${id} of a node ends at ${timeText(beforeS)} anyway`);
  const isHere = (await keyNamesIn(desk.layout.keys)).some(
    ({ role, keyId }) => role === 'node' && keyId === id,
  );
  if (isHere)
    throw refused(
      `${id} is who the node of this directory is, which announces itself anew whenever it runs`,
      `Remove keys/node-${id}.json while it is stopped, and it makes itself another identity.`,
    );
  if (desk.config.writer.standby?.key === hexOf(key))
    throw refused(
      `${id} is the standby, which the node of this directory announces anew whenever it runs`,
      'Take writer.standby out of entente.yaml first, or name the machine that takes its place.',
    );
  const from = Math.min(fromS, untilS - 1);
  const statement = { kind: 'node' as const, key, addresses: [], from, until: untilS };
  return { keyId: id, role: 'node', fromS, untilS, beforeS, statement };
}

interface Told extends Pick<KeyWindow, 'untilS'> {
  readonly key: string;
  readonly role: Ending['role'];
  /** When it was to end. */
  readonly beforeS: number;
  /** Which signs from then on. */
  readonly next?: string;
}

function toldOf({ keyId, role, untilS, beforeS }: Ending, others: Others): Told {
  const [next] = others
    .filter((other) => other.fromS <= untilS && untilS < other.untilS)
    .toSorted((a, b) => b.untilS - a.untilS);
  return { key: keyId, role, untilS, beforeS, ...(next !== undefined && { next: next.keyId }) };
}

function lineBefore({ key, role, untilS, beforeS, next }: Told): string {
  const then = role === 'node' ? '' : next === undefined ? ' Nothing signs then.' : ` ${next} signs then.`;
  return `To be retired: the ${role} key ${key}, which ends at ${timeText(untilS)}, not at ${timeText(beforeS)}.${then}`;
}
