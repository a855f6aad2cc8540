/** Each region that is recognised: whether its node can be reached, is who it should be, and whether each hears the other. */
import { resolve } from 'node:path';
import { z } from 'zod';
import { DIAL_TROUBLES, type DialTrouble } from '../../node/network/host/dial-trouble.ts';
import { type Config } from '../../node/config/schema.ts';
import { publishes } from '../../node/region/public-region.ts';
import { neededCosignatures } from '../../protocol/log/quorum.ts';
import { EXIT } from '../exit.ts';
import { figure } from '../output.ts';
import { printable } from '../printable.ts';
import { spanText } from '../times.ts';
import { type Finding, must, note, ok, quoted, warn } from './finding.ts';
import { type PeerView, type ReadablePatient } from './patient.ts';
import { recognising } from './their-checks.ts';

/** Two nodes that hear each other vouch for each other's logs every 10 s. */
const VOUCHED_S_MAX = 120;
const ANSWER_MS_MAX = 3_000;

export async function checkReachable({
  config,
  layout,
  path,
  peers,
  storeError,
  running,
}: ReadablePatient): Promise<Finding[]> {
  if (running === undefined && storeError !== undefined)
    return [note('peers are not asked while the store cannot be opened')];
  if (peers.length === 0) return [note('no region is recognised', `entente recognise ${quoted(path)} OTHER`)];
  return Promise.all(
    peers.map(async (peer) => {
      const { directory } = config.peers[peer.region] ?? {};
      if (peer.connected !== undefined) {
        const { address, rttMs } = peer.connected;
        const rtt = rttMs === undefined ? '' : `, ${rttMs.toFixed(1)} ms`;
        return ok(
          `${peer.region} is connected at ${printable(address)}${rtt}, with the identity that its trust log names`,
        );
      }
      // What lies in a directory says nothing of a node that is gone.
      if (
        running === undefined &&
        directory !== undefined &&
        (await publishes(resolve(layout.path, directory)))
      ) {
        return note(
          `${peer.region} is not connected${whyText(peer)}; what it publishes is read from ${printable(directory)}`,
        );
      }
      return unreachable(peer, path, config);
    }),
  );
}

function unreachable(peer: PeerView, path: string, { region: home, fingerprint = 'HEX' }: Config): Finding {
  const { region, addresses, trouble } = peer;
  const [first = ''] = addresses;
  const adding = `entente peer add ${quoted(path)} ${region} --address /ip4/ADDRESS/tcp/4600/p2p/NAME   # as \`entente run\` prints it there`;
  if (addresses.length === 0 && trouble === undefined) {
    return warn(`no address of ${region} is known: it can only connect by itself`, adding);
  }
  if (trouble === 'other-identity') {
    return must(
      `at ${printable(first)} another identity answers than the one of ${region}: call its people`,
      adding,
    );
  }
  const text = `${region} cannot be reached${whyText(peer)} (${addresses.map(printable).join(', ')})`;
  if (trouble === 'not-welcome')
    return warn(
      text,
      `${recognising(region, home, fingerprint)}   # by the people of ${region}; if it recognises this region, they add this node: entente peer add ${region} ${home} --address ...`,
    );
  const [, host = '', port = ''] = /^\/[a-z0-9]+\/([^/]+)\/tcp\/(\d+)/.exec(first) ?? [];
  return warn(text, `nc -vz -w 3 ${host} ${port}   # then its people: does its node run?`);
}

function whyText({ trouble }: PeerView): string {
  return trouble === undefined ? '' : `: ${DIAL_TROUBLES[trouble as DialTrouble]}`;
}

/** As many as have to say that nothing is missing before the node signs, and to vouch before others lean on what it says. */
export async function checkEnough({
  config,
  layout,
  peers,
  path,
  storeError,
  running,
}: ReadablePatient): Promise<Finding[]> {
  if (peers.length === 0 || (running === undefined && storeError !== undefined)) return [];
  const heard = await Promise.all(
    peers.map(async ({ region, connected }) => {
      const { directory } = config.peers[region] ?? {};
      return (
        connected !== undefined ||
        (directory !== undefined && (await publishes(resolve(layout.path, directory))))
      );
    }),
  );
  const count = heard.filter(Boolean).length;
  const needed = neededCosignatures(peers.length);
  const text = `${count} of ${peers.length} recognised regions can be asked, ${needed} are needed`;
  if (count >= needed) return [ok(text)];
  return [must(text, `entente peer list ${quoted(path)}`, EXIT.undetermined)];
}

export function checkVouching({ running, nowS, path }: ReadablePatient): Finding[] {
  if (running === undefined) return [];
  return running.vouching.map(({ region, vouchesForUsAtS, vouchedByUsAtS }) => {
    const theirs = vouchesForUsAtS === undefined ? undefined : nowS - vouchesForUsAtS;
    const ours = vouchedByUsAtS === undefined ? undefined : nowS - vouchedByUsAtS;
    const text = `${region} vouched for our log ${agoText(theirs)}, we for its ${agoText(ours)}`;
    const look = `entente status ${quoted(path)}`;
    if (theirs === undefined || theirs > VOUCHED_S_MAX)
      return warn(`${text}: it does not hear us, or does not recognise us`, look);
    if (ours === undefined || ours > VOUCHED_S_MAX)
      return warn(`${text}: we do not hear it, or refuse what it signs`, look);
    return ok(text);
  });
}

/** Of those that broke the protocol again and again, by the name of their node: they are not dialled meanwhile. */
export function checkShutOut({ running, path }: ReadablePatient): Finding[] {
  const shutOut = (running?.conduct ?? []).filter(({ isShutOut }) => isShutOut);
  return shutOut.map(({ peer, counts }) => {
    const reasons = Object.entries(counts).map(([reason, count]) => `${printable(reason)} ${figure(count)}`);
    return warn(
      `the node ${printable(peer)} is shut out for ten minutes, since it broke the protocol again and again: ${reasons.join(', ')}`,
      `entente peer list ${quoted(path)}   # whose it is; call its people`,
    );
  });
}

const regionsSchema = z.looseObject({ home: z.string(), network: z.string() });

/** Public interfaces that the config names. */
export function checkHttp({ config }: ReadablePatient): Promise<Finding[]> {
  const named = Object.entries(config.peers).flatMap(([region, { http }]) =>
    http === undefined ? [] : [{ region, http }],
  );
  return Promise.all(
    named.map(async ({ region, http }) => {
      const look = `curl -sS ${quoted(new URL('/readyz', http).href)}`;
      try {
        const response = await fetch(new URL('/v1/regions', http), {
          redirect: 'error',
          signal: AbortSignal.timeout(ANSWER_MS_MAX),
        });
        const { home, network } = regionsSchema.parse(await response.json());
        if (home === region && network === config.network)
          return ok(`${region} answers at ${printable(http)}`);
        return must(
          `at ${printable(http)} ${printable(home)} of the network ${printable(network)} answers, not ${region} of ${config.network}`,
          look,
        );
      } catch {
        return warn(`${region} does not answer at ${printable(http)}`, look);
      }
    }),
  );
}

function agoText(seconds: number | undefined): string {
  return seconds === undefined ? 'never' : `${spanText(Math.max(0, seconds))} ago`;
}
