import assert from 'node:assert/strict';
import { FAULT_CODES, ProtocolError } from '../../../protocol/fault.ts';
import { CODES_BY_STATUS, problemOf, REQUEST_FAULTS, RequestError } from '../../../node/http/problem.ts';
import { NODE_ERROR_CODES, NodeError } from '../../../node/node-error.ts';

describe('problemOf', () => {
  const listed = Object.values(CODES_BY_STATUS).flat();

  it('the table has each code once, and every fault of a request', () => {
    assert.equal(new Set(listed).size, listed.length);
    for (const code of REQUEST_FAULTS) assert.ok(listed.includes(code), code);
  });

  it('foreign bytes are never our own failure', () => {
    for (const code of FAULT_CODES) {
      const { status } = problemOf(new ProtocolError(code, 'x'), 'public');
      assert.ok(status >= 400 && status < 500, code);
    }
  });

  it('an error of this node that may pass is 503, unless it is about what was asked for', () => {
    for (const code of NODE_ERROR_CODES) {
      const { status } = problemOf(new NodeError(code, 'x'), 'public');
      assert.equal(status >= 500, !listed.includes(code) || CODES_BY_STATUS[503]?.includes(code), code);
    }
  });

  it('tells the public nothing about this machine, and the operator all', () => {
    const error = new NodeError('DISK_IO', 'cannot read /srv/entente/store', {
      retry: true,
      hint: 'Look at the disk.',
    });
    assert.deepEqual(problemOf(error, 'public'), {
      type: 'about:blank',
      title: 'Service Unavailable',
      status: 503,
      code: 'DISK_IO',
      detail: 'the node cannot serve this now',
      retry: true,
    });
    const { detail, hint } = problemOf(error, 'operator');
    assert.deepEqual([detail, hint], [error.message, error.hint]);
  });

  it('a defect tells nobody what it was', () => {
    const { status, detail } = problemOf(new TypeError('secret'), 'operator');
    assert.equal(status, 500);
    assert.ok(!detail.includes('secret'));
  });

  it('names faults by their code, and input by its place', () => {
    assert.equal(problemOf(new ProtocolError('TILE_INVALID', 'x'), 'public').status, 404);
    const errors = [{ at: '/code', detail: 'x' }];
    assert.deepEqual(problemOf(new RequestError('INPUT_INVALID', 'x', errors), 'public').errors, errors);
  });
});
