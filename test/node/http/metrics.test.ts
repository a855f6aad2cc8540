import assert from 'node:assert/strict';
import { Admission } from '../../../node/http/admission.ts';
import { Metrics, METRICS_KEPT_MS } from '../../../node/http/metrics.ts';
import { type UpdatesReport } from '../../../node/life/last-update.ts';
import { type TrustState } from '../../../protocol/trust/trust-state.ts';
import { NodeWorld } from '../../support/node-fixture.ts';

describe('Metrics', () => {
  it('T17: gathers the figures once a second, however many ask', async () => {
    let nowMs = 5;
    let gathered = 0;
    const metrics = new Metrics({
      status: () => {
        gathered++;
        throw new Error('no status');
      },
      admission: new Admission({ inFlightMax: 1, delayMsMax: 1 }),
      nowMs: () => nowMs,
    });
    const ask = () => assert.rejects(metrics.text(), /no status/);
    await Promise.all(Array.from({ length: 50 }, ask));
    nowMs += METRICS_KEPT_MS - 1;
    await ask();
    assert.equal(gathered, 1);
    nowMs++;
    await ask();
    assert.equal(gathered, 2);
  });

  it('tells when colours were updated, and that they are not, as of the figures before; nothing that hangs keeps any back', async () => {
    let nowMs = 0;
    let updates: () => Promise<UpdatesReport> = () => new Promise(() => undefined);
    const world = new NodeWorld();
    const { status } = await world.found('DE');
    await world.stop();
    const made = () =>
      new Metrics({
        status: () => status,
        admission: new Admission({ inFlightMax: 1, delayMsMax: 1 }),
        nowMs: () => (nowMs += METRICS_KEPT_MS),
        updates: () => updates(),
      });
    const told = async (metrics: Metrics) =>
      (await metrics.text()).body
        .split('\n')
        .filter((line) => /^entente_(colours_(not_)?updated|people_damaged|list_as_of)/.test(line));
    const lines = (atS: string, failing: number, dossier = 0, codes = 0) => [
      `entente_colours_updated_seconds ${atS}`,
      `entente_colours_not_updated ${failing}`,
      `entente_people_damaged{what="dossier"} ${dossier}`,
      `entente_people_damaged{what="codes"} ${codes}`,
    ];
    const hanging = made();
    assert.deepEqual([await told(hanging), await told(hanging)], [lines('Nan', 0), lines('Nan', 0)]);
    const metrics = made();
    const trouble = { code: 'REFUSED', message: '2 sets', retry: false };
    updates = () => Promise.resolve({ lastAtS: 5, hasDeclared: true, trouble });
    await told(metrics);
    updates = () => Promise.resolve({ lastAtS: 6, hasDeclared: true, damaged: ['a', 'b'], unread: 3 });
    assert.deepEqual(await told(metrics), lines('5', 1));
    const asked = { facts: ['control.level'], isOld: false };
    const lists = [
      { list: 'control' as const, ...asked, asOfS: 9 },
      { list: 'contacts' as const, ...asked },
    ];
    updates = () => Promise.resolve({ lastAtS: 7, hasDeclared: true, lists });
    assert.deepEqual(await told(metrics), lines('6', 0, 2, 3));
    assert.deepEqual(await told(metrics), [
      ...lines('7', 0),
      'entente_list_as_of_seconds{list="control"} 9',
      'entente_list_as_of_seconds{list="contacts"} 0',
    ]);
  });

  it('tells until when adapters are announced, and nothing of one that was taken back', async () => {
    const world = new NodeWorld();
    const { status } = await world.found('DE');
    await world.stop();
    const adapter = { version: 1, fromS: 0, untilS: 7 };
    const state = {
      adapters: () => [
        { ...adapter, id: 'eu', data: { format: 'hcert' } },
        { ...adapter, id: 'old', data: {} },
      ],
      recognitions: () => [],
      keysWithRole: () => [],
      allRules: () => [],
    } as unknown as TrustState;
    const metrics = new Metrics({
      status: () => status,
      admission: new Admission({ inFlightMax: 1, delayMsMax: 1 }),
      nowMs: () => METRICS_KEPT_MS,
      home: () => state,
    });
    const { body } = await metrics.text();
    const lines = body.split('\n').filter((line) => line.startsWith('entente_adapter_until_seconds{'));
    assert.deepEqual(lines, ['entente_adapter_until_seconds{adapter="eu"} 7']);
  });
});
