/** A region that is well, as `entente doctor` sees it, and what can be wrong with it. */
import { join } from 'node:path';
import { type PeerView, type ReadablePatient } from '../../cli/doctor/patient.ts';
import { type Finding, type Level } from '../../cli/doctor/finding.ts';
import { type RunningStatus } from '../../cli/desk/node-status.ts';
import { readRegionConfig, RegionLayout } from '../../node/region/layout.ts';
import { readPublicRegion } from '../../node/region/public-region.ts';
import { freePorts } from '../../cli/processes/free-port.ts';
import { TestCli } from './cli.ts';
import { trustModules } from './region-fixture.ts';
import { START_S } from './regions.ts';

/** A region that was just set up in `dir`, whose node does not run; two peers are connected. */
export async function wellPatient(dir: string): Promise<ReadablePatient> {
  const path = join(dir, 'DE');
  await new TestCli(dir).json('init', 'DE', '--dir', path);
  const layout = new RegionLayout(path);
  const [http = 0, p2p = 0] = await freePorts(2);
  const config = await readRegionConfig(layout, {
    settings: [
      ['http.port', String(http)],
      ['p2p.listen', `/ip4/127.0.0.1/tcp/${p2p}`],
    ],
  });
  const { state } = await readPublicRegion(layout.public, {}, trustModules);
  return {
    path,
    layout,
    nowS: START_S,
    config,
    configError: undefined,
    running: undefined,
    storeError: undefined,
    sizes: { 'DE.demo/trust': 1 },
    state,
    life: undefined,
    peers: [peerView('FR'), peerView('IT')],
    steppedMs: 0,
  };
}

export function peerView(region: string, more: Partial<PeerView> = {}): PeerView {
  return {
    region,
    connected: { address: '/ip4/127.0.0.1/tcp/4601', rttMs: 1 },
    trouble: undefined,
    addresses: ['/ip4/127.0.0.1/tcp/4601'],
    aheadS: 0,
    knowsMore: undefined,
    ...more,
  };
}

export function gonePeer(
  region: string,
  trouble: string | undefined,
  more: Partial<PeerView> = {},
): PeerView {
  return peerView(region, { connected: undefined, aheadS: undefined, trouble, ...more });
}

/** The same with a node that runs. */
export function runningOn(patient: ReadablePatient, more: Partial<RunningStatus> = {}): ReadablePatient {
  const running: RunningStatus = {
    home: 'DE',
    network: 'demo',
    regions: [],
    writing: 'writing',
    store: 'serving',
    clock: { standing: 'agrees', aheadS: 0, aheadOfS: { FR: 0, IT: 0 }, needed: 2 },
    sizes: { 'DE.demo/trust': 1 },
    closed: {},
    forked: [],
    scrub: { corrupt: 0 },
    verdicts: {},
    peers: [],
    missing: {},
    vouching: ['FR', 'IT'].map((region) => ({
      region,
      vouchesForUsAtS: patient.nowS - 5,
      vouchedByUsAtS: patient.nowS - 5,
    })),
    conduct: [],
    addresses: { peer: 'us', http: 'http://127.0.0.1:1', p2p: [] },
    health: { ready: true, reasons: [] },
    process: {
      pid: process.pid,
      node: 'v24.1.0',
      uptimeS: 60,
      residentBytes: 1 << 27,
      heapBytesMax: 1 << 31,
    },
    ...more,
  };
  return { ...patient, running };
}

/** The gravest, or undefined where nothing is told. */
export function gravest(findings: readonly Finding[]): Level | undefined {
  const levels: readonly Level[] = ['must', 'warn', 'note', 'ok'];
  return levels.find((level) => findings.some((finding) => finding.level === level));
}
