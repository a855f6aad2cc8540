import assert from 'node:assert/strict';
import { Admission } from '../../../node/http/admission.ts';
import { Metrics, METRICS_KEPT_MS } from '../../../node/http/metrics.ts';

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
});
