import assert from 'node:assert/strict';
import { Admission, SHED_AT, type Work } from '../../../node/http/admission.ts';
import { workOf } from '../../../node/http/public-server.ts';
import { until } from '../../support/until.ts';

describe('Admission', () => {
  it('T17: lets verdicts in longest', () => {
    const { watch, verdict, ...others } = SHED_AT;
    assert.ok(Object.values(others).every((share) => share < verdict));
    assert.equal(watch, Infinity);
    const admission = new Admission({ inFlightMax: 1, delayMsMax: 50 });
    assert.ok(admission.take('verdict'));
    const kinds = ['verdict', ...Object.keys(others)] as Exclude<Work, 'watch'>[];
    assert.deepEqual(
      kinds.filter((kind) => admission.take(kind)),
      [],
    );
    assert.equal(admission.shed.verdict, 1);
  });

  it('counts what is in hand until it is done', () => {
    const admission = new Admission({ inFlightMax: 2, delayMsMax: 50 });
    assert.ok(admission.take('verdict') && admission.take('verdict'));
    assert.ok(!admission.take('verdict'));
    admission.done();
    assert.ok(admission.take('verdict'));
    assert.equal(admission.inFlight, 2);
  });

  it('T17: heeds how late the event loop is, and forgets it within a second', () => {
    let nowMs = 0;
    const admission = new Admission({ inFlightMax: 100, delayMsMax: 50 }, { nowMs: () => nowMs });
    admission.start();
    const sampleAfter = (ms: number) => {
      nowMs += ms;
      admission.sample();
    };
    sampleAfter(10);
    assert.equal(admission.delayMs, 0);
    sampleAfter(200);
    assert.ok(admission.take('verdict'), 'one pause is no overload');
    for (let i = 0; i < 10; i++) sampleAfter(70);
    assert.ok(!admission.take('verdict'));
    for (let i = 0; i < 100; i++) sampleAfter(10);
    assert.ok(admission.load < 0.05);
    admission.stop();
  });

  it('looks at the event loop for a second after a request, and begins anew with the next', async () => {
    let looks = 0;
    const admission = new Admission({ inFlightMax: 2, delayMsMax: 50 }, { nowMs: () => 10 * looks++ });
    admission.start();
    assert.ok(admission.take('verdict'));
    assert.equal(looks, 1, 'it has begun already');
    admission.done();
    await until(() => looks === 101, 'a hundred looks');
    assert.ok(admission.take('verdict'));
    assert.equal(looks, 102, 'it had stopped');
    await until(() => looks > 300, 'it looks as long as there is a request');
    admission.stop();
  });
});

describe('workOf', () => {
  const kindOf = (url: string, length?: number, method = 'POST') =>
    workOf({ method, url, headers: length === undefined ? {} : { 'content-length': String(length) } });

  it('tells a batch from a single code by the length of the body, and takes one without a length for a batch', () => {
    assert.deepEqual(
      [300, 6_144, 6_145, undefined].map((length) => kindOf('/v1/verify', length)),
      ['verdict', 'verdict', 'batch', 'batch'],
    );
    assert.equal(kindOf('/v1/verify', NaN), 'verdict');
  });

  it('knows every path by its kind', () => {
    for (const [url, kind] of [
      ['/livez', 'watch'],
      ['/metrics?x', 'watch'],
      ['/v1/snapshot?since=DE:1', 'snapshot'],
      ['/v1/regions', 'read'],
      ['/openapi.json', 'log'],
      ['/DE.demo/trust/checkpoint', 'log'],
    ] as const) {
      assert.equal(kindOf(url), kind, url);
    }
  });

  it('takes a code that a page of a gate sends for a verdict, and the page itself for reading', () => {
    assert.equal(kindOf('/gate?place=de%2Fgate', 300), 'verdict');
    assert.equal(kindOf('/gate?place=de%2Fgate', 6_145), 'batch');
    assert.equal(kindOf('/gate?place=..', undefined, 'GET'), 'read');
  });

  it('lets a page ask whether it may verify as long as it lets it verify', () => {
    assert.equal(kindOf('/v1/verify', undefined, 'OPTIONS'), 'verdict');
  });

  it('T17: a path that is written in another way goes first, whatever it leads to', () => {
    for (const url of [
      '/v1/%76erify',
      'http://node.example/v1/verify',
      'http://node.example/livez',
      '/DE%2etest/trust/checkpoint',
      '/x/../v1/verify',
      '/./v1/verify',
      '/x/../gate?place=',
      '/livez/.',
      '/v1/verify#',
      '/v1/verify#?x',
      '*',
      '',
    ])
      assert.equal(kindOf(url, 300), 'batch', url);
  });
});
