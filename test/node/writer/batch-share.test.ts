import assert from 'node:assert/strict';
import { NodeError } from '../../../node/node-error.ts';
import { type Change } from '../../../node/ports.ts';
import { putAway } from '../../../node/store/put-away.ts';
import { type StoreReader } from '../../../node/store/reader.ts';
import {
  BatchShare,
  holdsShare,
  parseShare,
  SHARE_BYTES_MAX,
  ShareServer,
  sharesOf,
} from '../../../node/writer/batch-share.ts';
import { Turns } from '../../../node/turns.ts';
import { sharedKey } from '../../../node/writer/writer-memory.ts';
import { encodeCbor } from '../../../protocol/encoding/cbor.ts';
import { ManualClock } from '../../support/manual-clock.ts';
import { MemoryNetwork } from '../../support/memory-network.ts';
import { put, rejectsWith } from '../../support/store-fixture.ts';

const LOG = 'DE.test/attest/2026-11';
const BATCH = [
  put('registry/page/2026-11/0000000000007', 'page'),
  put('registry/held/00ff/0a', ''),
  put('registry/subject/00ff/0a', ''),
  put('registry/manual/00ff', ''),
  put('registry/basis/2026-11/0000000000007', 'bases'),
  put(`log/${LOG}/drafts/0000000000000007`, 'drafts'),
  put(`log/${LOG}/staged/0000000000000007`, 'head'),
];

function bench() {
  const network = new MemoryNetwork({ random: () => 0.5 }, { clock: new ManualClock() }).join('DE#2');
  const standing = { isStandby: true, isPromoted: false, writesLeft: Infinity };
  const kept: Change[] = [];
  const rows = new Map<string, Uint8Array>();
  const gaveWay: string[] = [];
  const records: string[] = [];
  const forgotten: string[] = [];
  const server = new ShareServer(
    { region: 'DE', network: 'test' },
    {
      network,
      turns: new Turns(),
      isOwn: (peer) => peer === 'DE',
      isStandby: () => standing.isStandby,
      keep: (changes) => {
        if (standing.writesLeft-- === 0) return Promise.reject(new NodeError('DISK_FULL', 'no room'));
        for (const change of changes) {
          if ('put' in change) {
            kept.push(change);
            rows.set(change.put, change.value);
          } else rows.delete(change.del);
        }
        return Promise.resolve();
      },
      isHeld: (share) =>
        holdsShare({ get: (key: string) => Promise.resolve(rows.get(key)) } as StoreReader, share),
      keepRecord: (origin, record, under) =>
        Promise.resolve(records.push(under + origin) > 0 && record.length > 0),
      forget: ({ name, value }) => {
        if (name.startsWith('f')) return Promise.resolve('refused');
        if (name.startsWith('d')) return Promise.resolve('failed');
        forgotten.push(name);
        return Promise.resolve(value.subarray(0, 3));
      },
      giveWay: (origin, index, write) => {
        if (standing.isPromoted) standing.isStandby = false;
        gaveWay.push(`${origin} ${index}`);
        const isOfLog = (key: string) =>
          key.startsWith(`log/${origin}/`) || (origin === LOG && key.startsWith('registry/'));
        return write([...rows.keys()].filter(isOfLog).map((key) => ({ del: key })));
      },
    },
  );
  const answer = async (share: Uint8Array, peer = 'DE') =>
    Buffer.from(await server.answer(peer, share)).toString();
  return { server, answer, kept, rows, gaveWay, records, forgotten, standing };
}

function share(rows: readonly (readonly [string, Uint8Array])[], origin = LOG, index = 7): Uint8Array {
  return encodeCbor({ origin, index, rows: rows.map(([key, value]) => [key, value]) });
}

describe('sharesOf', () => {
  it('gives all rows in their order, in messages within the bound', () => {
    const big = Array.from({ length: 5 }, (_, i) => put(`registry/page/2026-11/${i}`, 'x'.repeat(400_000)));
    const shares = sharesOf({ origin: LOG, index: 7, changes: [...big, ...BATCH] });
    assert.ok(shares.length > 1 && shares.every(({ length }) => length <= SHARE_BYTES_MAX));
    const keys = shares.flatMap((one) => parseShare(one).rows.map(([key]) => key));
    assert.deepEqual(
      keys,
      [...big, ...BATCH].map((change) => ('put' in change ? change.put : '')),
    );
  });
});

describe('sharesOf and ShareServer', () => {
  it('T9: give and take of a revocation its count in the hour, and nothing that is noted of people besides the registry', async () => {
    const trust = 'DE.test/trust';
    const staged = (origin: string) => put(`log/${origin}/staged/0000000000000007`, 'head');
    const count = put('revoking/hour', 'count');
    const notes = ['life/person/00ff', 'life/untold/00ff', 'handover/2026-11/0000000000000007'].map((key) =>
      put(key, 'note'),
    );
    for (const [origin, changes, expected] of [
      [trust, [count, staged(trust)], [count, staged(trust)]],
      [LOG, [...BATCH.slice(0, 2), ...notes, ...BATCH.slice(2)], BATCH],
    ] as const) {
      const { answer, kept } = bench();
      for (const one of sharesOf({ origin, index: 7, changes })) assert.equal(await answer(one), 'kept\n');
      assert.deepEqual(kept, expected);
    }
  });
});

describe('BatchShare', () => {
  it('T9: tells of a standby that refuses, once until it keeps again, and gives it the next batch all the same', async () => {
    const troubles: unknown[] = [];
    const asked: number[] = [];
    let word = 'refused\n';
    const share = new BatchShare({
      client: {
        peers: () => ['DE#2', 'FR'],
        request: (peer, _protocol, bytes) => {
          assert.equal(peer, 'DE#2');
          asked.push(parseShare(bytes).index);
          return Promise.resolve(new Uint8Array(Buffer.from(word)));
        },
      },
      clock: new ManualClock(),
      isOwn: (peer) => peer.startsWith('DE'),
      onTrouble: (error) => troubles.push(error),
    });
    const counts: number[] = [];
    for (const [index, said] of ['refused\n', 'refused\n', 'kept\n', 'what\n'].entries()) {
      word = said;
      await share.give({ origin: LOG, index, changes: BATCH });
      counts.push(troubles.length);
    }
    assert.deepEqual(asked, [0, 1, 2, 3]);
    assert.deepEqual(counts, [1, 1, 1, 2]);
    assert.match(
      String(troubles[0]),
      /DE#2 does not keep what is staged of DE\.test\/attest\/2026-11 from entry 0/,
    );
  });
});

describe('BatchShare of a batch in several messages', () => {
  for (const [how, words, troubles] of [
    ['begins again, once, where what follows is refused', ['kept', 'refused', 'kept', 'kept'], 0],
    ['tells of a standby that refuses it again', ['kept', 'refused', 'kept', 'refused'], 1],
    ['does not begin again where the first is refused', ['refused'], 1],
  ] as const)
    it(`T9: ${how}`, async () => {
      const left = [...words];
      const told: unknown[] = [];
      const share = new BatchShare({
        client: {
          peers: () => ['DE#2'],
          request: () => Promise.resolve(new Uint8Array(Buffer.from(`${left.shift() ?? assert.fail()}\n`))),
        },
        clock: new ManualClock(),
        isOwn: () => true,
        onTrouble: (error) => told.push(error),
      });
      const big = [0, 1].map((i) => put(`registry/page/2026-11/${i}`, 'x'.repeat(600_000)));
      await share.give({ origin: LOG, index: 7, changes: [...big, ...BATCH] });
      assert.deepEqual([left, told.length], [[], troubles]);
    });
});

describe('ShareServer', () => {
  it('T9: keeps what the region has promised the writers of another, and nothing of its own under that name', async () => {
    const { answer, records, kept, standing } = bench();
    const root = new Uint8Array(32).fill(7);
    const shareOf = (origin: string, more: Change[] = [], text = 'record') => {
      const changes = [put(sharedKey(origin, root), text), ...more];
      return sharesOf({ origin, index: 7, changes })[0] ?? assert.fail();
    };
    const rootless = (key: string) => share([[key, Uint8Array.of(1)]], 'FR.test/trust');
    assert.equal(await answer(shareOf('FR.test/trust')), 'kept\n');
    const refused = [
      shareOf('DE.test/trust'),
      shareOf('FR.other/trust'),
      shareOf('FR.test/attest/2026-11'),
      shareOf('FR.test/trust', [put(sharedKey('FR.test/trust', root), 'again')]),
      rootless('writer/FR.test/trust'),
      rootless('~07~writer/FR.test/trust'),
      shareOf('FR.test/trust', [], ''),
    ];
    for (const share of refused) assert.equal(await answer(share), 'refused\n');
    standing.isStandby = false;
    assert.equal(await answer(shareOf('FR.test/trust')), 'refused\n');
    const name = `${putAway(root)}FR.test/trust`;
    assert.deepEqual([records, kept], [[name, name], []]);
  });

  it('keeps a batch of the machine that writes, and gives way to it once', async () => {
    const { answer, kept, gaveWay } = bench();
    for (const one of [BATCH.slice(0, 2), BATCH.slice(2)])
      for (const message of sharesOf({ origin: LOG, index: 7, changes: one }))
        assert.equal(await answer(message), 'kept\n');
    assert.deepEqual(kept, BATCH);
    assert.deepEqual(gaveWay, [`${LOG} 7`]);
  });

  it('T9: a batch that is shared again is kept as it is, and never given up; another in its place is kept instead', async () => {
    const { answer, kept, gaveWay } = bench();
    const tell = async (batch: readonly Change[]) => {
      const words = [];
      for (const some of [batch.slice(0, 2), batch.slice(2)])
        for (const message of sharesOf({ origin: LOG, index: 7, changes: some }))
          words.push(await answer(message));
      return words.join('');
    };
    for (let i = 0; i < 3; i++) assert.equal(await tell(BATCH), 'kept\nkept\n');
    assert.deepEqual([kept, gaveWay], [BATCH, [`${LOG} 7`]]);
    const another = BATCH.map((change, i) =>
      i === 0 ? put('registry/page/2026-11/0000000000007', 'other') : change,
    );
    assert.equal(await tell(another), 'kept\nkept\n');
    assert.equal(gaveWay.length, 2);
    // What tells it from the one that is here comes with its second message: it has to be given from its beginning.
    const later = another.map((change, i) =>
      i === 5 ? put(`log/${LOG}/drafts/0000000000000007`, 'more') : change,
    );
    assert.equal(await tell(later), 'kept\nrefused\n');
    assert.equal(gaveWay.length, 3);
    assert.equal(await tell(later), 'kept\nkept\n');
  });

  it('T9: gives a batch up in the write that keeps what comes in its place, and in none before', async () => {
    const { answer, rows, standing } = bench();
    const messageOf = (batch: readonly Change[]) =>
      sharesOf({ origin: LOG, index: 7, changes: batch })[0] ?? assert.fail();
    assert.equal(await answer(messageOf(BATCH)), 'kept\n');
    const before = new Map(rows);
    const another = BATCH.map((change, i) => (i === 1 ? put('registry/subject/00ff/0b', '') : change));
    standing.writesLeft = 0;
    await rejectsWith(answer(messageOf(another)), 'DISK_FULL');
    assert.deepEqual(rows, before);
    standing.writesLeft = 1;
    assert.equal(await answer(messageOf(another)), 'kept\n');
    assert.deepEqual(
      [...rows.keys()].sort(),
      another.map((change) => ('put' in change ? change.put : '')).sort(),
    );
  });

  it('T9: keeps what it has where it is promoted before the write, and refuses what was to come in its place', async () => {
    const { answer, rows, standing, gaveWay } = bench();
    const messageOf = (batch: readonly Change[]) =>
      sharesOf({ origin: LOG, index: 7, changes: batch })[0] ?? assert.fail();
    assert.equal(await answer(messageOf(BATCH)), 'kept\n');
    const before = new Map(rows);
    standing.isPromoted = true;
    const another = BATCH.map((change, i) => (i === 1 ? put('registry/subject/00ff/0b', '') : change));
    assert.equal(await answer(messageOf(another)), 'refused\n');
    assert.deepEqual([rows, gaveWay.length], [before, 2]);
  });

  it('T9: a batch of which the writer gave a part before it died is kept when it comes again', async () => {
    const { answer, rows } = bench();
    const [begun, rest] = [BATCH.slice(0, 2), BATCH.slice(2)].map(
      (changes) => sharesOf({ origin: LOG, index: 7, changes })[0] ?? assert.fail(),
    ) as [Uint8Array, Uint8Array];
    const words = [];
    const between = share([['log/DE.test/trust/staged/0000000000000007', Uint8Array.of(1)]], 'DE.test/trust');
    for (const one of [begun, between, begun, rest]) words.push(await answer(one));
    assert.deepEqual(words, ['kept\n', 'kept\n', 'kept\n', 'kept\n']);
    assert.equal(rows.size, BATCH.length + 1);
  });

  it('T9: gives up no batch that comes again with more revocations in the hour, and keeps how many', async () => {
    const { answer, rows, gaveWay } = bench();
    const origin = 'DE.test/trust';
    const batch = ['drafts', 'staged'].map((part) => put(`log/${origin}/${part}/0000000000000007`, part));
    for (const count of ['1', '2']) {
      const changes = [put('revoking/hour', count), ...batch];
      for (const one of sharesOf({ origin, index: 7, changes })) assert.equal(await answer(one), 'kept\n');
    }
    assert.deepEqual(gaveWay, [`${origin} 7`]);
    assert.equal(Buffer.from(rows.get('revoking/hour') ?? []).toString(), '2');
  });

  it('T1: takes nothing from other regions, while it writes itself, or that belongs elsewhere in the store', async () => {
    const { answer, kept, gaveWay, standing } = bench();
    const [good = new Uint8Array()] = sharesOf({ origin: LOG, index: 7, changes: BATCH });
    assert.equal(await answer(good, 'FR'), 'refused\n');
    const value = Uint8Array.of(1);
    for (const message of [
      share([[`log/${LOG}/head`, value]]),
      share([[`log/${LOG}/entries/0000000000000007`, value]]),
      share([['log/DE.test/trust/staged/0000000000000007', value]]),
      share([['registry/check', value]]),
      share([['life/person/00ff', value]]),
      share([['revoking/hour', value]]),
      share([['revoking/hours', value]], 'DE.test/trust'),
      share([['registry/page/2026-11/0000000000007', value]], 'DE.test/trust'),
      share([['witness/FR.test/trust', value]]),
      share([['log/FR.test/trust/staged/0000000000000007', value]], 'FR.test/trust'),
    ]) {
      assert.equal(await answer(message), 'refused\n');
    }
    standing.isStandby = false;
    assert.equal(await answer(good), 'refused\n');
    assert.deepEqual([kept, gaveWay], [[], []]);
  });

  it('T25 is told what to forget by another machine of the region alone, whichever writes, one name at a time', async () => {
    const { answer, forgotten, kept, gaveWay, standing } = bench();
    const trust = 'DE.test/trust';
    const name = `${'0'.repeat(32)}/${'a'.repeat(32)}`;
    const key = `registry/forgotten/${name}`;
    const value = new Uint8Array(56).fill(0x61);
    const good = share([[key, value]], trust, 0);
    const damaged = share([[`registry/forgotten/${'d'.repeat(32)}/${'a'.repeat(32)}`, value]], trust, 0);
    for (const isStandby of [true, false]) {
      standing.isStandby = isStandby;
      assert.equal(await answer(good), 'kept\naaa');
      assert.equal(await answer(damaged), 'failed\n');
      assert.equal(await answer(good, 'FR'), 'refused\n');
      for (const bad of [
        share([[key, new Uint8Array(0)]], trust, 0),
        share([[key, new Uint8Array(32)]], trust, 0),
        share([[key, new Uint8Array(49)]], trust, 0),
        share([[key, value]], trust, 1),
        share([[key, value]], LOG, 0),
        share([[key, value]], 'FR.test/trust', 0),
        share([[key, value]], 'DE.other/trust', 0),
        share(
          [
            [key, value],
            [key, value],
          ],
          trust,
          0,
        ),
        share([[`${key}0`, value]], trust, 0),
        share([[key.slice(0, -1), value]], trust, 0),
        share([[key.toUpperCase(), value]], trust, 0),
        share([[key.replace('a', 'g'), value]], trust, 0),
        share([[`registry/held/${name}`, value]], trust, 0),
        share([[`registry/forgotten/${'f'.repeat(32)}/${'a'.repeat(32)}`, value]], trust, 0),
      ])
        assert.equal(await answer(bad), 'refused\n');
    }
    assert.deepEqual([forgotten, kept, gaveWay], [[name, name], [], []]);
  });

  it('B63: bytes that are no share are a fault of the peer', async () => {
    const { server } = bench();
    for (const bytes of [new Uint8Array(0), new Uint8Array(SHARE_BYTES_MAX + 1), Uint8Array.of(0xa0)])
      await assert.rejects(server.answer('DE', bytes), { name: 'ProtocolError' });
    await assert.rejects(server.answer('DE', share([], 'nobody')), { name: 'ProtocolError' });
  });
});
