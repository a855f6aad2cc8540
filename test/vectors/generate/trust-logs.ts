/** Trust logs for the rules of SPEC.md 8.3 and for pruning (8.4). */
import { hexBytes } from '../../../protocol/bytes.ts';
import { encodeEntry, parseEntry } from '../../../protocol/trust/statement.ts';
import { type KeyRole } from '../../../protocol/trust/trust-state.ts';
import {
  DAY_S,
  HOUR_S,
  LOG_ID,
  RegionFixture,
  START_S,
  type TestKey,
  type TestStatement,
} from '../../support/region-fixture.ts';
import { TrustScript } from './trust-script.ts';

const UNAUTHORISED = 'STATEMENT_UNAUTHORISED';
const CONFLICT = 'STATEMENT_CONFLICT';
/** The largest at that keeps the November log: 31 days after its month. */
const KEPT_S = Date.UTC(2027, 0, 1) / 1000;
/** y = 1: the neutral element, of order 1. */
const NEUTRAL = hexBytes('01'.padEnd(64, '0'));
/** A good key and a point of order 8 added up: on the curve, canonical, not of small order and not torsion-free. */
const MIXED = hexBytes('4215584cffc6f2ac8ebdbf06faf9b57b0868fe8ead65ca981ea3d26363facb36');

const limits = (version: number, revocationsPerHour = 7): TestStatement => ({
  kind: 'limits',
  version,
  revocationsPerHour,
});
const foreignRevocation = (until: number, ...numbers: readonly number[]): TestStatement => ({
  kind: 'foreign-revocation',
  until,
  hashes: numbers.map((number) => new Uint8Array(16).fill(number)),
});
const adapter = (version: number, id = 'local'): TestStatement => ({
  kind: 'adapter',
  id,
  version,
  from: 0,
  until: START_S,
  data: {},
});
const tally = (from: number, until: number, id = LOG_ID): TestStatement => ({
  kind: 'tally',
  log: id,
  from,
  until,
  cells: [],
  merged: 0,
  overrides: [{ reason: 1, colour: 2, count: 1 }],
});
const rules = (version: number, id = 'baseline'): TestStatement => ({ kind: 'rules', id, version, from: 0, data: {} });
const log = (minimum: number, id = LOG_ID): TestStatement => ({ kind: 'log', log: id, minimum });
const withdrawal = (version: number): TestStatement => ({ kind: 'withdrawal', region: 'FR', version });
const suspension = (version: number): TestStatement => ({ kind: 'suspension', region: 'FR', version });
const FR = { region: 'FR', fingerprint: new Uint8Array(32).fill(0x46) };

function node(key: TestKey, until: number, addresses: readonly string[] = []): TestStatement {
  return { kind: 'node', key: key.publicKey, addresses: [...addresses], from: 0, until };
}

function withKey(script: TrustScript, name: string, role: KeyRole, from: number, until: number): TestKey {
  const key = script.key(name);
  script.admit([{ key, role, from, until }]);
  return key;
}

/** A trust-log key for the hour of `atS` and the day after. */
function keyAt(script: TrustScript, atS: number): TestKey {
  const from = atS - (atS % HOUR_S);
  return withKey(script, `trust-log ${atS}`, 'trust-log', from, from + DAY_S);
}

/** Two of three root keys. */
function council(): TrustScript {
  return new TrustScript({ rootKeys: 3, threshold: 2, begins: 'root' });
}

export type LogCase = readonly [name: string, write: () => TrustScript];

function written(name: string, write: (script: TrustScript) => void, begin = () => new TrustScript()): LogCase {
  return [
    name,
    () => {
      const script = begin();
      write(script);
      return script;
    },
  ];
}

/** Logs without findings. */
export const goodLogs: readonly LogCase[] = [
  ['no entry', () => new TrustScript({ begins: 'empty' })],
  ['a root of one key', () => new TrustScript({ begins: 'root' })],
  ['a root of two of three', council],
  ['keys of every role and a log', () => new TrustScript()],
  written('every kind of statement', (s) => {
    s.add(limits(1));
    s.add(s.recognitionOf(FR));
    s.add(suspension(1));
    s.add(rules(1));
    s.add(adapter(1));
    s.add(node(s.key('node'), START_S + DAY_S, ['/dns4/node.example/tcp/4001']));
    s.revoke([0, 1, 65_535, 65_536, 2 ** 40 - 1]);
    s.add(s.compromise(s.keys.attest, { [LOG_ID]: { size: 9, root: new Uint8Array(32) } }));
    s.add(s.retirement(s.keys.attest, START_S + HOUR_S));
    s.add({ ...s.recognitionOf(FR, 2), way: 'bridge', via: 'LU', rules: 'baseline' });
    s.add(withdrawal(3));
    s.commit();
    s.add(s.rootStatement({ version: 2 }));
  }),
  written('the root signs what trust-log may sign', (s) => {
    s.add(s.recognitionOf(FR));
    s.add(suspension(1), 'root');
    s.add(rules(1), 'root');
    s.add(log(0, '2026-12'), 'root');
    s.add(node(s.key('node'), START_S + DAY_S), 'root');
    s.add(s.revocation([1]), 'root');
  }),
  written(
    'a root changes all its keys: old threshold of old ones, new threshold of new ones',
    (s) => {
      const [a, b] = s.rootKeys as [TestKey, TestKey];
      const keys = ['x', 'y', 'z', 'u'].map((name) => s.key(name));
      const [x, y, z] = keys as [TestKey, TestKey, TestKey];
      s.add(s.rootStatement({ version: 2, keys, threshold: 3 }), [a, b, x, y, z]);
      s.add(limits(1), [x, y, z]);
    },
    council,
  ),
  written(
    'a key in both roots counts for both',
    (s) => {
      const [, b, c] = s.rootKeys as [TestKey, TestKey, TestKey];
      s.add(s.rootStatement({ version: 2, keys: [b, c, s.key('x')] }), [b, c]);
    },
    council,
  ),
  written('trust-log keys follow each other at the edge of their windows', (s) => {
    const first = withKey(s, 'first', 'trust-log', START_S + HOUR_S, START_S + 2 * HOUR_S);
    const second = withKey(s, 'second', 'trust-log', START_S + 2 * HOUR_S, START_S + 3 * HOUR_S);
    s.add({ ...rules(1), at: START_S + HOUR_S }, [first]);
    s.add({ ...rules(2), at: START_S + 2 * HOUR_S - 1 }, [first]);
    s.add({ ...rules(3), at: START_S + 2 * HOUR_S }, [second]);
  }),
  written('versions skip, up to index + 1', (s) => {
    s.add(limits(s.entries.length + 1));
    s.add(rules(0));
    s.add(rules(s.entries.length + 1));
  }),
  written('withdrawn and recognised again', (s) => {
    s.add(s.recognitionOf(FR, 1));
    s.add(withdrawal(2));
    s.add(s.recognitionOf(FR, 3));
    s.add(suspension(3));
    s.add(s.recognitionOf(FR, 4));
  }),
  written('revocations up to the limit of an hour, and of the next', (s) => {
    s.add(limits(1, 3));
    s.revoke([1, 2]);
    s.revoke([2, 3]);
    s.nowS += HOUR_S;
    s.revoke([4, 5, 6]);
    s.add(s.revocation([7, 8, 9, 10]), 'root');
  }),
  written('a log of no announcement', (s) => {
    s.revoke([1], '2026-12.9');
  }),
  written('the last second of a log', (s) => {
    const late = keyAt(s, KEPT_S);
    s.nowS = KEPT_S;
    s.add(log(7), [late]);
    s.add(s.revocation([1]), [late]);
    s.add(s.stateStatement(), [late]);
  }),
  written('cut-offs at every size', (s) => {
    for (let size = 0; size <= 3; size++) {
      s.add(s.compromise(s.keys.witness, { trust: { size, root: s.rootAt(size) } }, size));
    }
  }),
  written('a state is pruned: log, revocations, node, suspension, keys and their compromise', (s) => {
    const late = keyAt(s, KEPT_S + 1);
    s.admit([{ key: s.key('short'), role: 'attest', from: START_S, until: START_S + HOUR_S }]);
    s.add(s.compromise(s.key('short'), {}));
    s.add(s.recognitionOf(FR, 1));
    s.add(suspension(1));
    s.add(s.recognitionOf(FR, 2));
    s.add(node(s.key('node'), KEPT_S + 1));
    s.revoke([1]);
    s.nowS = KEPT_S + 1;
    s.add(s.stateStatement(), [late]);
  }),
  written('keys of a checkpoint and of the trust log that were given up stay in the state', (s) => {
    for (const role of ['attest', 'checkpoint', 'trust-log', 'witness'] as const) {
      const key = s.key(`stolen ${role}`);
      s.admit([{ key, role, from: START_S, until: START_S + HOUR_S }]);
      s.add(s.compromise(key, { trust: s.cutOff() }));
    }
    const late = keyAt(s, KEPT_S + 1);
    s.nowS = KEPT_S + 1;
    s.add(s.stateStatement(), [late]);
  }),
  written('a trust-log key that is retired signs until then, and another from then on', (s) => {
    const next = withKey(s, 'next', 'trust-log', START_S, START_S + DAY_S);
    s.add(s.retirement(s.keys['trust-log'], START_S + 2 * HOUR_S));
    s.add({ ...rules(1), at: START_S + 2 * HOUR_S - 1 });
    s.nowS = START_S + 2 * HOUR_S;
    s.add(rules(2), [next]);
    s.add(s.stateStatement(), [next]);
  }),
  written('a key is retired once more, for an earlier time, and one before it begins', (s) => {
    s.add(s.retirement(s.keys.attest, START_S + 9 * HOUR_S, 1));
    s.add(s.retirement(s.keys.attest, START_S + HOUR_S, 3));
    const later = withKey(s, 'later', 'attest', START_S + DAY_S, START_S + 2 * DAY_S);
    s.add(s.retirement(later, START_S + HOUR_S));
    s.add(s.compromise(later, {}));
    s.commit();
  }),
  written('a retired key stays in the state as long as announced, and goes with its retirement', (s) => {
    const short = withKey(s, 'short', 'attest', START_S, START_S + DAY_S);
    s.add(s.retirement(short, START_S + HOUR_S));
    for (const overS of [START_S + HOUR_S + 31 * DAY_S + 1, START_S + 32 * DAY_S + 1]) {
      const late = keyAt(s, overS);
      s.nowS = overS;
      s.add(s.stateStatement(), [late]);
    }
  }),
  written('keys stay while a statement stands on their signature', (s) => {
    const old = withKey(s, 'old', 'trust-log', START_S, START_S + HOUR_S);
    s.add(rules(1), [old]);
    s.nowS = START_S + HOUR_S + 31 * DAY_S + 1;
    const late = keyAt(s, s.nowS);
    s.add(s.stateStatement(), [late]);
    s.add(rules(2), [late]);
    s.add(s.stateStatement(), [late]);
  }),
  written('a compromise without entries to void', (s) => {
    s.revoke([1]);
    s.add(s.compromise(s.keys['trust-log'], { trust: s.cutOff() }));
  }),
];

/** Logs with findings. */
export const badLogs: readonly LogCase[] = [
  written(
    'T19: the root of another region at index 0, and nothing after it counts',
    (s) => {
      const root = s.rootStatement();
      s.refused(UNAUTHORISED, { ...root, region: 'FR' });
      s.refused(UNAUTHORISED, root);
      s.refused(UNAUTHORISED, limits(1));
    },
    () => new TrustScript({ begins: 'empty' }),
  ),
  written(
    'a first root below its own threshold',
    (s) => {
 s.refused(UNAUTHORISED, s.rootStatement(), s.rootKeys.slice(0, 1));
},
    () => new TrustScript({ begins: 'empty', rootKeys: 3, threshold: 2 }),
  ),
  written(
    'a first root with a foreign signature',
    (s) => {
 s.refused(UNAUTHORISED, s.rootStatement(), [...s.rootKeys, s.key('stranger')]);
},
    () => new TrustScript({ begins: 'empty' }),
  ),
  written(
    'a first root of version 2',
    (s) => {
 s.refused(UNAUTHORISED, s.rootStatement({ version: 2 }));
},
    () => new TrustScript({ begins: 'empty' }),
  ),
  written(
    'a first root with a key of small order',
    (s) => {
      const keys = [...s.rootKeys, { ...s.key('bad'), publicKey: NEUTRAL }];
      s.refused('KEY_INVALID', s.rootStatement({ keys }));
    },
    () => new TrustScript({ begins: 'empty' }),
  ),
  written(
    'below the threshold, above it with a stranger, and with one bad signature',
    (s) => {
      const [a, b] = s.rootKeys as [TestKey, TestKey];
      s.refused(UNAUTHORISED, limits(1), [a]);
      s.refused(UNAUTHORISED, limits(1), [a, b, s.key('stranger')]);
      const good = parseEntry(s.entryOf(limits(1), [a, b]));
      const [first, second] = good.signatures as [(typeof good.signatures)[0], (typeof good.signatures)[0]];
      const swapped = [{ ...first, signature: second.signature }, second];
      s.refusedEntry(UNAUTHORISED, encodeEntry(good.body, swapped));
      s.add(limits(1), [a, b]);
    },
    council,
  ),
  written(
    'a change of roots without enough old keys, without enough new ones, with a stranger',
    (s) => {
      const [a, b] = s.rootKeys as [TestKey, TestKey];
      const keys = ['x', 'y'].map((name) => s.key(name));
      const [x, y] = keys as [TestKey, TestKey];
      const next = s.rootStatement({ version: 2, keys });
      s.refused(UNAUTHORISED, next, [a, x, y]);
      s.refused(UNAUTHORISED, next, [a, b, x]);
      s.refused(UNAUTHORISED, next, [a, b, x, y, s.key('stranger')]);
      s.add(next, [a, b, x, y]);
      s.refused(UNAUTHORISED, limits(1), [a, b]);
    },
    council,
  ),
  written('T11: a root whose version runs ahead, and one whose version was', (s) => {
    s.refused(UNAUTHORISED, s.rootStatement({ version: Number.MAX_SAFE_INTEGER }));
    s.refused(UNAUTHORISED, s.rootStatement({ version: 3 }));
    s.refused(UNAUTHORISED, s.rootStatement({ version: 1 }));
  }),
  written('B54: statements signed for the log of another region and of another network', (s) => {
    for (const names of [{ region: 'FR' }, { network: 'other' }]) {
      const other = new RegionFixture({ ...names, begins: 'empty' });
      s.refusedEntry(UNAUTHORISED, other.entryOf({ ...limits(1), at: START_S }, s.rootKeys));
    }
  }),
  written('trust-log signs what only the root may, the root what only trust-log may, an attest key anything', (s) => {
    s.refused(UNAUTHORISED, limits(1), 'trust-log');
    s.refused(UNAUTHORISED, s.recognitionOf(FR), 'trust-log');
    s.refused(UNAUTHORISED, adapter(1), 'trust-log');
    s.refused(UNAUTHORISED, s.compromise(s.keys.attest, {}), 'trust-log');
    s.refused(UNAUTHORISED, s.keysStatement([{ key: s.key('k'), role: 'attest' }]), 'trust-log');
    s.refused(UNAUTHORISED, s.stateStatement(), 'root');
    s.refused(UNAUTHORISED, s.revocation([1]), [s.keys.attest]);
  }),
  written('outside the window of the key, and with two trust-log keys', (s) => {
    const key = withKey(s, 'hour', 'trust-log', START_S + HOUR_S, START_S + 2 * HOUR_S);
    s.refused(UNAUTHORISED, { ...rules(1), at: START_S + HOUR_S - 1 }, [key]);
    s.refused(UNAUTHORISED, { ...rules(1), at: START_S + 2 * HOUR_S }, [key]);
    s.refused(UNAUTHORISED, { ...rules(1), at: START_S + HOUR_S }, [key, s.keys['trust-log']]);
  }),
  written('T3: a compromised key', (s) => {
    s.add(s.compromise(s.keys['trust-log'], {}));
    s.refused(UNAUTHORISED, s.revocation([1]));
  }),
  written('a retirement below the threshold', (s) => s.refused(UNAUTHORISED, s.retirement(s.keys.attest, START_S + HOUR_S), s.rootKeys.slice(0, 1)), () => {
    const script = council();
    script.addKeys();
    return script;
  }),
  written('a trust-log key that is over since it was retired, whatever its window was', (s) => {
    const next = withKey(s, 'next', 'trust-log', START_S, START_S + DAY_S);
    s.add(s.retirement(s.keys['trust-log'], START_S + HOUR_S));
    s.nowS = START_S + HOUR_S;
    s.refused(UNAUTHORISED, rules(1));
    s.add(rules(1), [next]);
    s.refused(UNAUTHORISED, s.retirement(s.keys.attest, START_S + 2 * HOUR_S), [next]);
  }),
  written('retirements of unknown keys and of a root key, at the end of the window, later, and of no higher version', (s) => {
    const [rootKey] = s.rootKeys as [TestKey];
    s.refused(CONFLICT, s.retirement(s.key('unknown'), START_S + HOUR_S));
    s.refused(CONFLICT, s.retirement(rootKey, START_S + HOUR_S));
    const end = s.state.key(s.keys.attest.keyId)?.untilS ?? 0;
    s.refused(CONFLICT, s.retirement(s.keys.attest, end));
    s.refused(CONFLICT, s.retirement(s.keys.attest, end + HOUR_S));
    s.refused(CONFLICT, s.retirement(s.keys.attest, START_S + HOUR_S, s.entries.length + 2));
    s.add(s.retirement(s.keys.attest, START_S + 3 * HOUR_S, 1));
    s.refused(CONFLICT, s.retirement(s.keys.attest, START_S + 2 * HOUR_S, 1));
    s.refused(CONFLICT, s.retirement(s.keys.attest, START_S + 3 * HOUR_S, 2));
    s.refused(CONFLICT, s.retirement(s.keys.attest, START_S + 4 * HOUR_S, 2));
    s.add(s.retirement(s.keys.attest, START_S + 2 * HOUR_S, 2));
  }),
  written('a retirement that was signed in time and comes when the key has signed on', (s) => {
    const late = s.entryOf(s.retirement(s.keys.attest, START_S + HOUR_S));
    s.nowS = START_S + HOUR_S;
    s.add(rules(1));
    s.refusedEntry(CONFLICT, late);
    s.add(s.retirement(s.keys.attest, START_S + 2 * HOUR_S));
  }),
  written('T9: a retired key is not named anew by the statement that named it', (s) => {
    const old = s.keysStatement([{ key: s.key('short'), role: 'attest', from: START_S, until: START_S + DAY_S }]);
    const entry = s.entryOf(old);
    s.add(old);
    s.add(s.retirement(s.key('short'), START_S + HOUR_S));
    const overS = START_S + HOUR_S + 31 * DAY_S + 1;
    const late = keyAt(s, overS);
    s.nowS = overS;
    s.add(s.stateStatement(), [late]);
    s.refusedEntry(CONFLICT, entry);
    const goneS = START_S + 32 * DAY_S + 1;
    const later = keyAt(s, goneS);
    s.nowS = goneS;
    s.add(s.stateStatement(), [later]);
    s.refusedEntry(CONFLICT, entry);
  }),
  written('form, at the end of the log and among good entries', (s) => {
    s.refusedEntry('STATEMENT_MALFORMED', new Uint8Array(0));
    s.add(rules(1));
    s.refusedEntry('STATEMENT_MALFORMED', hexBytes('80'));
    s.refused('STATEMENT_MALFORMED', { kind: 'revocation', log: LOG_ID, effective: START_S, set: hexBytes('ff') });
  }),
  written('T9, T11: versions that do not rise or run ahead', (s) => {
    const old = s.entryAt(s.add(limits(1)));
    s.add(limits(2));
    s.refusedEntry(CONFLICT, old);
    s.refused(CONFLICT, limits(2));
    s.refused(CONFLICT, limits(s.entries.length + 2));
    s.refused(CONFLICT, rules(Number.MAX_SAFE_INTEGER));
    s.add(adapter(1));
    s.add(adapter(1, 'other'));
    s.refused(CONFLICT, adapter(1));
    s.refused(CONFLICT, adapter(s.entries.length + 2));
    s.add(adapter(2));
    s.add(s.recognitionOf(FR, 3));
    s.refused(CONFLICT, withdrawal(3));
    s.add(withdrawal(4));
    s.refused(CONFLICT, s.recognitionOf(FR, 4));
  }),
  written('suspensions of another version than that in force', (s) => {
    s.refused(CONFLICT, suspension(1));
    s.add(s.recognitionOf(FR, 2));
    s.refused(CONFLICT, suspension(1));
    s.refused(CONFLICT, suspension(3));
    s.add(suspension(2));
    s.refused(CONFLICT, suspension(2));
    s.add(withdrawal(3));
    s.refused(CONFLICT, suspension(3));
  }),
  written('revocations of codes of others, which stay until their time and come back no more', (s) => {
    const until = START_S + 2 * DAY_S;
    const old = s.entryAt(s.add(foreignRevocation(until, 1)));
    s.add(foreignRevocation(until, 1, 2));
    s.add(foreignRevocation(until + DAY_S, 3), 'root');
    s.refused(UNAUTHORISED, foreignRevocation(until, 4), [s.keys.attest]);
    s.add(foreignRevocation(until + 1, 4));
    s.commit();
    s.nowS = until;
    s.commit();
    s.refusedEntry(CONFLICT, old);
    s.refused(CONFLICT, { ...foreignRevocation(until, 5), at: until - 1 }, 'root');
  }),
  written('tallies, each of which goes on where the one before ended', (s) => {
    s.refused(CONFLICT, tally(1, 5));
    const first = s.entryAt(s.add(tally(0, 5)));
    s.refusedEntry(CONFLICT, first);
    s.refused(CONFLICT, tally(4, 9));
    s.refused(CONFLICT, tally(6, 9));
    s.refused(UNAUTHORISED, tally(5, 9), [s.keys.attest]);
    s.refused(UNAUTHORISED, tally(5, 9), 'root');
    s.add(tally(0, 3, '2026-12'));
    s.add(tally(5, 9));
    s.commit();
  }),
  written('at that goes back', (s) => {
    s.add({ ...rules(1), at: START_S + 1 });
    s.refused(CONFLICT, { ...rules(2), at: START_S });
  }),
  written('keys that are there already', (s) => {
    const [rootKey] = s.rootKeys as [TestKey];
    const fresh = s.key('fresh');
    s.refused(CONFLICT, s.keysStatement([{ key: s.keys.attest, role: 'attest' }]));
    s.refused(CONFLICT, s.keysStatement([{ key: rootKey, role: 'attest' }]));
    s.refused(CONFLICT, s.keysStatement([{ key: fresh, role: 'attest' }, { key: fresh, role: 'witness' }]));
    s.refused(CONFLICT, s.rootStatement({ version: 2, keys: [rootKey, s.keys.attest] }));
    s.refused(CONFLICT, node(s.keys.witness, START_S + DAY_S));
    s.add(node(fresh, START_S + DAY_S));
    s.refused(CONFLICT, node(fresh, START_S + DAY_S));
  }),
  written('keys that were node identities', (s) => {
    const [admitted, root, kept] = [s.key('admitted'), s.key('root'), s.key('kept')];
    for (const key of [admitted, root, kept]) s.add(node(key, START_S + DAY_S));
    s.add(s.keysStatement([{ key: admitted, role: 'attest' }]));
    s.add(s.rootStatement({ version: 2, keys: [...s.rootKeys, root] }), [...s.rootKeys, root]);
    s.refused(CONFLICT, node(admitted, START_S + DAY_S));
    s.refused(CONFLICT, node(root, START_S + DAY_S));
    s.add(s.stateStatement());
  }),
  written('keys of small order and with a component of small order', (s) => {
    for (const publicKey of [NEUTRAL, MIXED]) {
      const key = { ...s.key('bad'), publicKey };
      s.refused('KEY_INVALID', s.keysStatement([{ key: s.key('good'), role: 'attest' }, { key, role: 'attest' }]));
      s.refused('KEY_INVALID', node(key, START_S + DAY_S));
      s.refused('KEY_INVALID', s.rootStatement({ version: 2, keys: [...s.rootKeys, key] }));
    }
  }),
  written('a region that recognises itself', (s) => {
 s.refused(CONFLICT, s.recognitionOf(s));
}),
  written('compromises of unknown keys, beyond the log, and with another root', (s) => {
    const { size, root } = s.cutOff();
    s.refused(CONFLICT, s.compromise(s.key('unknown'), {}));
    s.refused(CONFLICT, s.compromise(s.rootKeys[0] as TestKey, {}));
    s.refused(CONFLICT, s.compromise(s.keys.attest, { trust: { size: s.entries.length + 1, root } }));
    s.refused(CONFLICT, s.compromise(s.keys.attest, { trust: { size: size - 1, root } }));
  }),
  written('a minimum that decreases', (s) => {
    s.add(log(5));
    s.refused(CONFLICT, log(4));
  }),
  written('one revocation too many in an hour', (s) => {
    s.add(limits(1, 3));
    s.revoke([1, 2]);
    s.refused(CONFLICT, s.revocation([3, 4]));
    s.nowS += HOUR_S - 1;
    s.refused(CONFLICT, { ...s.revocation([3, 4]), log: '2026-12' });
    s.revoke([3]);
    s.nowS += 1;
    s.refused(CONFLICT, s.revocation([5, 6, 7, 8]));
  }),
  written('T9: what pruning would drop at once', (s) => {
    const late = keyAt(s, KEPT_S + 1);
    const old = [
      s.entryOf(log(9), 'root'),
      s.entryOf(s.revocation([1]), 'root'),
      s.entryOf(node(s.key('node'), KEPT_S + 1), 'root'),
      s.entryOf(s.keysStatement([{ key: s.key('old'), role: 'attest', from: START_S, until: START_S + DAY_S }])),
    ];
    s.add({ ...rules(1), at: KEPT_S + 1 }, [late]);
    for (const entry of old) s.refusedEntry(CONFLICT, entry);
  }),
  written('states of another number, root or time', (s) => {
    const state = s.stateStatement();
    s.refused('STATE_MISMATCH', { ...state, items: state.items + 1 });
    s.refused('STATE_MISMATCH', { ...state, root: new Uint8Array(32) });
    s.add(rules(1));
    s.refused('STATE_MISMATCH', state);
    s.add(node(s.key('node'), START_S + 1));
    const early = s.stateStatement();
    s.nowS += 1;
    s.refused('STATE_MISMATCH', early);
  }),
  written('T3: what a stolen key did from the cut-off on is voided, and what it prevented passes', (s) => {
    const honest = withKey(s, 'honest', 'trust-log', START_S, START_S + DAY_S);
    s.revoke([1]);
    const cutOff = s.cutOff();
    const a = s.revoke([2]);
    s.nowS += 100;
    const b = s.add(rules(5));
    s.nowS -= 100;
    const c = s.entries.length;
    s.refused(CONFLICT, s.revocation([3]), [honest]);
    s.add(s.revocation([4]), 'root');
    s.add(s.compromise(s.keys['trust-log'], { trust: cutOff }));
    s.turned([a, b], UNAUTHORISED);
    s.turned([c], undefined);
    s.refused(UNAUTHORISED, s.revocation([6]));
    s.add(rules(1), [honest]);
  }),
  written('a state between cut-off and compromise becomes a mismatch, and what it pruned comes back', (s) => {
    const late = keyAt(s, KEPT_S + 1);
    s.revoke([1]);
    const cutOff = s.cutOff();
    const a = s.add(rules(1));
    s.nowS = KEPT_S + 1;
    const b = s.add(s.stateStatement(), [late]);
    s.add(s.compromise(s.keys['trust-log'], { trust: cutOff }));
    s.turned([a], UNAUTHORISED);
    s.turned([b], 'STATE_MISMATCH');
  }),
  written('a voiding lets a compromise pass that voids in its turn', (s) => {
    const overS = START_S + 40 * DAY_S;
    const other = withKey(s, 'other', 'trust-log', START_S, START_S + HOUR_S);
    const pruner = keyAt(s, overS);
    const early = s.cutOff();
    const a = s.add(s.revocation([1]), [other]);
    const cutOff = s.cutOff();
    s.nowS = overS;
    const b = s.add(s.stateStatement(), [pruner]);
    const c = s.entries.length;
    s.refused(CONFLICT, s.compromise(other, { trust: early }));
    s.add(s.compromise(pruner, { trust: cutOff }));
    s.turned([a, b], UNAUTHORISED);
    s.turned([c], undefined);
  }),
];
