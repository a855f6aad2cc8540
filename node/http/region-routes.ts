/** What this node knows of regions: for people and pages that look on. Verdicts lean on the same trust. */
import { hexOf } from '../../protocol/bytes.ts';
import { trustLogOrigin } from '../../protocol/log/origin.ts';
import { type KeyRole, type TrustState } from '../../protocol/trust/trust-state.ts';
import { assessKnowledge, type Trust } from '../../protocol/verdict/knowledge.ts';
import { readQuery } from './input.ts';
import { RequestError } from './problem.ts';
import { type Replies } from './replies.ts';
import { type Route } from './routes.ts';
import { type Keys, keys, keysQuery, type Regions, regions } from './schemas.ts';

export interface RegionModules {
  readonly trust: () => Trust;
  readonly nowS: () => number;
  readonly replies: Replies;
}

const ROLES: readonly KeyRole[] = ['attest', 'checkpoint', 'trust-log', 'witness'];
const CACHE = 'public, max-age=5';

export function regionRoutes({ trust, nowS, replies }: RegionModules): Route[] {
  return [
    {
      method: 'get',
      path: '/v1/regions',
      summary: 'The regions that the home recognises, and how old the knowledge of each is',
      answer: { description: 'Regions', content: { 'application/json': { schema: regions } } },
      handle: (context) => replies.json(context, regionsOf(trust(), nowS()), { cache: CACHE }),
    },
    {
      method: 'get',
      path: '/v1/keys',
      summary: 'The keys of a region, by its trust log',
      request: { query: keysQuery },
      answer: { description: 'Keys', content: { 'application/json': { schema: keys } } },
      handle: (context) => {
        const { region } = readQuery(context.req.url, keysQuery);
        const state = trust().regions.get(region)?.state;
        if (state === undefined)
          throw new RequestError('PATH_UNKNOWN', 'this node knows nothing of that region');
        return replies.json(context, keysOf(state), { cache: CACHE });
      },
    },
  ];
}

/** The home first, then the others by their ids. */
export function regionsOf(trust: Trust, nowS: number): Regions {
  const { home, network } = trust;
  const recognised = [...(trust.regions.get(home)?.state.recognitions() ?? [])]
    .filter((one) => one.standing !== 'withdrawn')
    .sort((a, b) => (a.region < b.region ? -1 : 1));
  const about = (region: string) => {
    const state = trust.regions.get(region)?.state;
    const { name } = state?.root ?? {};
    return {
      region,
      ...(name !== undefined && { name }),
      origin: trustLogOrigin(region, network),
      logs: [...(state?.logs() ?? [])].map(({ log }) => log).sort(),
      knowledge: assessKnowledge(trust, region, nowS),
    };
  };
  const own = trust.regions.get(home)?.state.fingerprint;
  return {
    home,
    network,
    regions: [
      { ...about(home), standing: 'home', fingerprint: own && hexOf(own) },
      ...recognised.map(({ region, fingerprint, standing, way, fromS, untilS }) => ({
        ...about(region),
        standing,
        fingerprint: hexOf(fingerprint),
        way,
        fromS,
        untilS,
      })),
    ],
  };
}

export function keysOf(state: TrustState): Keys {
  const all = ROLES.flatMap((role) => state.keysWithRole(role)).map((key) => ({
    keyId: key.keyId,
    role: key.role,
    publicKey: hexOf(key.publicKey),
    fromS: key.fromS,
    untilS: key.untilS,
    isCompromised: key.compromise !== undefined,
  }));
  return { region: state.region, keys: all.sort((a, b) => a.fromS - b.fromS) };
}
