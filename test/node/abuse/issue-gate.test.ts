import assert from 'node:assert/strict';
import { IssueGate } from '../../../node/abuse/issue-gate.ts';

describe('IssueGate.basisOf', () => {
  const NOW_S = 1_770_000_000;
  const gate = new IssueGate({
    state: () => undefined,
    areNamed: () => true,
    nowS: () => NOW_S,
    weigh: () => Promise.resolve([]),
  });
  const status = {
    colour: 'green',
    measure: 'none',
    expiresAtS: NOW_S + 3_600,
    ruleId: 'de',
    ruleVersion: 1,
  } as const;
  const decidedAt = (atS: number) => gate.basisOf({ subject: 'P1', status, told: { atS, facts: {} } });

  it('takes what was decided up to an hour ago, and nothing of the next day that the clock of a machine is not about', async () => {
    for (const s of [-3_600, 0, 120]) await assert.rejects(decidedAt(NOW_S + s), /no such rules/, String(s));
    for (const s of [-3_601, 121]) await assert.rejects(decidedAt(NOW_S + s), /at another time/, String(s));
  });
});
