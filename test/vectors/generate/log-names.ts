/** Names of logs and paths of tiles, good and bad. The verdict of a case is known from how it is made. */
import { type FaultCode } from '../../../protocol/fault.ts';

export interface OriginVector {
  readonly text: string;
  readonly origin?: {
    readonly kind: string;
    readonly region: string;
    readonly network: string;
    readonly log?: string;
  };
  readonly fault?: FaultCode;
}

export interface TilePathVector {
  readonly path: string;
  readonly tile?: { readonly level: number | 'entries'; readonly index: number; readonly width: number };
  readonly fault?: FaultCode;
}

const LONGEST_NETWORK = 'n'.repeat(32);

export function originVectors(): OriginVector[] {
  const good = [
    ['CN-33', 'demo', 'trust'],
    ['DE', 'demo', 'trust'],
    ['GB-ENG', 'a', 'witness'],
    ['FR-A', LONGEST_NETWORK, 'witness'],
    ['US-1', '0', 'trust'],
    ['CN-33', 'a--b', 'attest', '2026-11'],
    ['CN-33', 'demo', 'attest', '2000-01.1'],
    ['CN-33', 'demo', 'attest', '2999-12.9'],
  ] as const;
  const bad = [
    '', 'CN-33.demo', 'CN-33.demo/', 'CN-33/trust', '.demo/trust', 'cn-33.demo/trust', 'CN-33.Demo/trust', 'CN-33.demo/Trust',
    'CN-\u0421\u041d.demo/trust', '\u0421N-33.demo/trust', 'CN-33.d\u0435mo/trust', 'CN-33.demo/trust ', 'CN-33.demo/trust\n',
    'CN-33.demo/trust+1', 'CN-3333.demo/trust', 'CHN.demo/trust', 'C.demo/trust', 'CN-.demo/trust', 'CN-33.-demo/trust',
    'CN-33.demo-/trust', 'CN-33.demo.net/trust', `CN-33.${LONGEST_NETWORK}n/trust`, 'CN-33.demo/attest/2026-13',
    'CN-33.demo/attest/2026-00', 'CN-33.demo/attest/1999-12', 'CN-33.demo/attest/3000-01', 'CN-33.demo/attest/2026-11.0',
    'CN-33.demo/attest/2026-11.10', 'CN-33.demo/attest/2026-1', 'CN-33.demo/attest', 'CN-33.demo/witness/2026-11',
  ]; // prettier-ignore
  return [
    ...good.map(([region, network, kind, log]) => ({
      text: `${region}.${network}/${kind}${log === undefined ? '' : `/${log}`}`,
      origin: { kind, region, network, ...(log === undefined ? {} : { log }) },
    })),
    ...bad.map((text) => ({ text, fault: 'ORIGIN_INVALID' as const })),
  ];
}

export function tilePathVectors(): TilePathVector[] {
  const good = [
    ['tile/0/000', 0, 0, 256],
    ['tile/0/000.p/1', 0, 0, 1],
    ['tile/1/999.p/255', 1, 999, 255],
    ['tile/2/x001/000', 2, 1000, 256],
    ['tile/63/x001/x234/067', 63, 1_234_067, 256],
    ['tile/entries/273.p/112', 'entries', 273, 112],
    ['tile/entries/x001/x234/067', 'entries', 1_234_067, 256],
    ['tile/0/x009/x007/x199/x254/x740/991', 0, 9_007_199_254_740_991, 256],
  ] as const;
  const bad = [
    '', 'tile', 'tile/0', 'tile/0/', '/tile/0/000', 'tile/0/x001/../../../etc/passwd', 'tile/0/../0/000', 'tile/0/000/', 'tile/0/000\n',
    'tile/0/000.p/0', 'tile/0/000.p/256', 'tile/0/000.p/257', 'tile/0/000.p/01', 'tile/0/000.p/', 'tile/0/000.p', 'tile/0/000.p/1.p/1',
    'tile/64/000', 'tile/00/000', 'tile/-1/000', 'tile/x0/000', 'tile/data/000', 'tile/0/0', 'tile/0/0000', 'tile/0/001/000',
    'tile/0/x000/001', 'tile/0/x001', 'tile/0/x001/x000', 'tile/0/x01/000', 'tile/0/X001/000', 'tile/0/x009/x007/x199/x254/x740/992',
    'tile/0/x001/x000/x000/x000/x000/x000/000',
  ]; // prettier-ignore
  return [
    ...good.map(([path, level, index, width]) => ({ path, tile: { level, index, width } })),
    ...bad.map((path) => ({ path, fault: 'TILE_INVALID' as const })),
  ];
}
