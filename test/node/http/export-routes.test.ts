import assert from 'node:assert/strict';
import { exportRoutes } from '../../../node/http/export-routes.ts';
import { RequestError } from '../../../node/http/problem.ts';
import { type Replies, type WebContext } from '../../../node/http/replies.ts';
import { announcedTrust, type AnnouncedWorld } from '../../support/announced-fixture.ts';
import { sha256 } from '../../support/primitives.ts';
import { cosigned } from '../../support/stub-trust.ts';
import { NOW_S } from '../../support/verdict-fixture.ts';

/** Vouched for so many seconds ago. */
const aged = (ageS: number) => ({
  cosignatures: ['AT', 'DE', 'FR', 'IT'].map((region) => cosigned(region, NOW_S - ageS)),
});

/** The code of the problem, or `sent`. */
async function answered(path: string, world: AnnouncedWorld): Promise<string> {
  const trust = announcedTrust(world);
  const replies = { send: () => undefined } as unknown as Replies;
  const routes = exportRoutes({ trust: () => trust, sha256, nowS: () => NOW_S, replies });
  const route = routes.find((one) => one.path === path) ?? assert.fail();
  try {
    await route.handle({ req: { url: `${path}?region=AT` } } as unknown as WebContext);
    return 'sent';
  } catch (error) {
    assert.ok(error instanceof RequestError);
    return error.code;
  }
}

describe('exportRoutes', () => {
  for (const path of ['/v1/jwks', '/v1/dcc-keys'])
    it(`${path} passes no keys on by knowledge that is too old for verdicts`, async () => {
      assert.equal(await answered(path, { issuerKnowledge: aged(600) }), 'sent');
      assert.equal(await answered(path, { issuerKnowledge: aged(601) }), 'KNOWLEDGE_STALE');
      assert.equal(await answered(path, { homeKnowledge: aged(601) }), 'KNOWLEDGE_STALE');
      assert.equal(await answered(path, { issuerKnowledge: { cosignatures: [] } }), 'KNOWLEDGE_STALE');
      assert.equal(
        await answered(path, { issuerKnowledge: { ...aged(601), standing: 'forked' } }),
        'PATH_UNKNOWN',
      );
    });
});
