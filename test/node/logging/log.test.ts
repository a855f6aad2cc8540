import assert from 'node:assert/strict';
import { ProtocolError } from '../../../protocol/fault.ts';
import { type LogOptions, openLog } from '../../../node/logging/log.ts';
import { NodeError } from '../../../node/node-error.ts';

const CODE = 'ENT1:6BF+70790T9WJWG.FKY*4GO0 O-%:/$';

function logged(options: Partial<LogOptions>, say: (log: ReturnType<typeof openLog>) => void): string {
  const lines: string[] = [];
  say(openLog({ level: 'info', format: 'json', ...options }, (line) => lines.push(line)));
  return lines.join('');
}

describe('openLog', () => {
  for (const format of ['json', 'pretty'] as const) {
    it(`${format}: no code gets through, wherever it stands`, () => {
      const text = logged({ format, level: 'debug' }, (log) => {
        log.info(`someone put it here: ${CODE}`);
        log.warn('or there', { path: `/v1/${CODE}`, deep: { deeper: [CODE] } });
        log.error('or in an error', { error: new Error(`bad ${CODE}`, { cause: CODE }) });
        log.debug('or in a hint', {
          error: new NodeError('REFUSED', CODE, { hint: CODE, cause: new Error(CODE) }),
        });
      });
      assert.ok(!text.includes('ENT1') && !text.includes('6BF+'), text);
      assert.equal(text.split('[code]').length > 6, true);
    });

    it(`${format}: members that hold what people bring are not shown`, () => {
      const secrets = {
        code: 's3cret',
        codes: ['s3cret'],
        body: 's3cret',
        subject: 's3cret',
        authorization: 's3cret',
        secret: 's3cret',
        challenge: 's3cret',
      };
      const text = logged({ format }, (log) => log.info('x', { ...secrets, request: secrets }));
      assert.ok(!text.includes('s3cret'), text);
      assert.equal(text.split('[redacted]').length, 15);
    });
  }

  it('is a JSON document per line, with level, time and event', () => {
    const text = logged({}, (log) => log.info('listens', { port: 1 }));
    const { level, msg, port, time } = JSON.parse(text) as Record<string, unknown>;
    assert.deepEqual([level, msg, port], ['info', 'listens', 1]);
    assert.ok(!Number.isNaN(Date.parse(String(time))));
  });

  it('keeps silent below its level', () => {
    const say = (log: ReturnType<typeof openLog>) => {
      log.debug('a');
      log.info('b');
      log.error('c');
    };
    assert.equal(logged({ level: 'error' }, say).split('\n').length, 2);
    assert.equal(logged({ level: 'silent' }, say), '');
  });

  it('names faults and what to do, and shows the stack of what nobody foresaw', () => {
    const fault = logged({}, (log) =>
      log.warn('x', { error: new ProtocolError('TOO_LARGE', 'y', { bytes: 3 }) }),
    );
    assert.match(fault, /"fault":"TOO_LARGE"/);
    assert.ok(!fault.includes('stack'));
    assert.match(
      logged({}, (log) => log.warn('x', { error: new Error('y') })),
      /"stack":/,
    );
  });
});
