/** `entente key list|extend`, and what ends keys or gives them up: the keys of a region over time. */
import Table from 'cli-table3';
import { type Command } from 'commander';
import { upkeep } from '../../node/region/statements.ts';
import { trustLogOrigin, witnessName } from '../../protocol/log/origin.ts';
import {
  COSIGNATURE,
  ED25519,
  encodeVerifierKey,
  makeVerifierKey,
  type NoteAlgorithm,
} from '../../protocol/log/verifier-key.ts';
import { type Sha256 } from '../../protocol/primitives.ts';
import { keyIdOf } from '../../protocol/signature/key-id.ts';
import { type TrustKey } from '../../protocol/trust/trust-state.ts';
import { type Cli, examples } from '../cli.ts';
import { appendByRoot } from '../ceremony/by-root.ts';
import { withDesk } from '../desk/with-desk.ts';
import { counted } from '../output.ts';
import { draftOption, readRegion, type RootOptions, withoutPeersOption } from '../region.ts';
import { timeText } from '../times.ts';
import { addCompromise } from './compromise.ts';
import { addRetire } from './retire.ts';
import { addRotate } from './rotate.ts';

export function addKey(program: Command, cli: Cli): void {
  const key = program
    .command('key')
    .summary('list, extend, replace, retire or give up keys')
    .description('The keys of a region over time.');
  key
    .command('list')
    .description(
      'Lists the keys that the trust log admits, and the identities of nodes. One that is retired, or retiring, ends before its announced time. Keys of the witness, and those that sign checkpoints of the trust log, come as verifier keys too, as a policy of witnesses and C2SP tlog-witness take them.',
    )
    .argument('<region>', 'directory of the region')
    .addHelpText('after', examples(['entente key list DE', 'with their windows']))
    .action((region: string) => list(cli, region));
  key
    .command('extend')
    .description('Makes and signs, with the root, the keys and logs that are missing for the next 90 days.')
    .argument('<region>', 'directory of the region')
    .addOption(draftOption())
    .addOption(withoutPeersOption())
    .addHelpText('after', examples(['entente key extend DE', 'once a month, with enough root keys at hand']))
    .action((region: string, options: RootOptions) => extend(cli, region, options));
  addRotate(key, cli);
  addRetire(key, cli);
  addCompromise(key, cli);
}

async function list(cli: Cli, path: string): Promise<void> {
  const { state, network } = await readRegion(cli, path);
  const { sha256 } = await cli.crypto();
  const vkeyOf = vkeysOf({ region: state.region, network }, sha256);
  const nowS = cli.surroundings.nowS();
  const roles = ['attest', 'checkpoint', 'trust-log', 'witness'] as const;
  const keys = roles.flatMap((role) => state.keysWithRole(role).toSorted((a, b) => a.fromS - b.fromS));
  const rows = keys.map((key) => ({ ...key, now: standingOf(key, nowS), vkey: vkeyOf(key) }));
  const nodes = [...state.nodes()]
    .map(({ publicKey, ...node }) => ({
      ...node,
      keyId: keyIdOf(sha256, publicKey),
      now: standingOf(node, nowS),
    }))
    .toSorted((a, b) => a.fromS - b.fromS);
  cli.output.result({ root: state.root, keys: rows, nodes }, () => {
    const table = new Table({
      head: ['role', 'key', 'from', 'until', 'now'],
      style: { head: [], border: [] },
    });
    for (const { role, keyId, fromS, untilS, now } of rows)
      table.push([role, keyId, timeText(fromS), timeText(untilS), now]);
    for (const { keyId, fromS, untilS, now } of nodes)
      table.push(['node', keyId, timeText(fromS), timeText(untilS), now]);
    const { threshold, keys: roots } = state.root ?? { threshold: 0, keys: [] };
    // What is over can be put in no policy any more, unlike what has still to come.
    const usable = rows.filter(({ untilS, compromise }) => nowS < untilS && compromise === undefined);
    const vkeys = usable.flatMap(({ role, vkey }) => (vkey === undefined ? [] : [`  ${role} ${vkey}`]));
    return [
      `Root: ${threshold} of ${roots.map(({ keyId }) => keyId).join(', ')}`,
      table.toString(),
      ...(vkeys.length === 0 ? [] : ['Verifier keys, for policies and witnesses:', ...vkeys]),
    ];
  });
}

/** As verifier keys (C2SP signed-note): by which a witness vouches, and a trust log signs its checkpoints. Others sign no notes of such a name. */
function vkeysOf(
  { region, network }: { readonly region: string; readonly network: string },
  sha256: Sha256,
): (key: TrustKey) => string | undefined {
  const vkey = (name: string, algorithm: NoteAlgorithm, publicKey: Uint8Array) =>
    encodeVerifierKey(makeVerifierKey(sha256, { name, algorithm, publicKey }));
  return ({ role, publicKey }) => {
    if (role === 'witness') return vkey(witnessName(region, network), COSIGNATURE, publicKey);
    return role === 'checkpoint' ? vkey(trustLogOrigin(region, network), ED25519, publicKey) : undefined;
  };
}

async function extend(cli: Cli, path: string, options: RootOptions): Promise<void> {
  const made = await withDesk(
    cli,
    path,
    async (desk, { nowS }) => {
      const { statements, keys, logs } = await upkeep(desk.state, desk.keys, nowS());
      if (statements.length > 0) await appendByRoot(cli, desk, statements, options);
      return { keys, logs };
    },
    options,
  );
  cli.output.result(made, () => [
    made.keys + made.logs === 0
      ? 'Nothing is missing for the next 90 days.'
      : `Admitted ${counted(made.keys, 'key')} and announced ${counted(made.logs, 'log')}.`,
  ]);
}

type Ends = Pick<TrustKey, 'fromS' | 'untilS' | 'retirement' | 'compromise'>;

function standingOf({ fromS, untilS, retirement, compromise }: Ends, nowS: number): string {
  if (compromise !== undefined) return 'compromised';
  if (retirement !== undefined) return untilS <= Math.max(nowS, fromS) ? 'retired' : 'retiring';
  if (nowS < fromS) return 'to come';
  return nowS < untilS ? 'in force' : 'over';
}
