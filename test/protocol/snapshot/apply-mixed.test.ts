import assert from 'node:assert/strict';
import fc from 'fast-check';
import { type FaultCode, isProtocolError } from '../../../protocol/fault.ts';
import { type Holdings } from '../../../protocol/snapshot/apply.ts';
import { parseNote } from '../../../protocol/log/note.ts';
import { parseSnapshot, type SnapshotPart } from '../../../protocol/snapshot/snapshot.ts';
import {
  Federation,
  stateRootOf,
  faultIn,
  faultOf,
  five,
  HOME,
  withPart,
} from '../../support/snapshot-fixture.ts';

describe('applySnapshot: T12 mix-and-match', () => {
  const setup = async () => {
    const federation = five();
    const region = federation.region('CN-33');
    region.revoke([1]);
    region.commit();
    region.revoke([2]);
    const early = await federation.snapshot();
    region.revoke([3]);
    region.commit();
    region.revoke([4]);
    const late = await federation.snapshot();
    const partOf = (bytes: Uint8Array) => parseSnapshot(bytes).parts[0] ?? assert.fail();
    return { federation, late, earlyPart: partOf(early), latePart: partOf(late) };
  };

  it('refuses parts of a part from another snapshot', async () => {
    const { federation, late, earlyPart, latePart } = await setup();
    const mixed: [FaultCode, Partial<SnapshotPart>][] = [
      ['SNAPSHOT_INCOMPLETE', { checkpoint: earlyPart.checkpoint }],
      ['SNAPSHOT_INCOMPLETE', { from: earlyPart.from, base: earlyPart.base }],
      ['SNAPSHOT_INCOMPLETE', { entries: [...earlyPart.entries, ...latePart.entries] }],
      ['PROOF_INVALID', { entries: earlyPart.entries }],
      [
        'STATE_MISMATCH',
        { base: { frontier: latePart.base?.frontier ?? [], items: earlyPart.base?.items ?? [] } },
      ],
      ['STATE_MISMATCH', { base: { frontier: latePart.base?.frontier ?? [], items: [] } }],
      [
        'STATE_MISMATCH',
        { base: { frontier: latePart.base?.frontier ?? [], items: latePart.base?.items.slice(1) ?? [] } },
      ],
      [
        'STATE_MISMATCH',
        { base: { frontier: latePart.base?.frontier ?? [], items: latePart.base?.items.toReversed() ?? [] } },
      ],
    ];
    assert.deepEqual([earlyPart.from, latePart.from], [8, 11]);
    assert.equal(earlyPart.entries.length, latePart.entries.length);
    for (const [code, changes] of mixed) {
      const bytes = withPart(late, 'CN-33', (part) => ({ ...part, ...changes }));
      const { details, ...fault } = faultIn(federation.apply(HOME, bytes), 'CN-33');
      assert.deepEqual([fault.code, details['region']], [code, 'CN-33'], Object.keys(changes).join());
    }
    const frontier = latePart.base?.frontier.toReversed() ?? [];
    const turned = withPart(late, 'CN-33', (part) => ({
      ...part,
      base: { frontier, items: part.base?.items ?? [] },
    }));
    assert.equal(faultIn(federation.apply(HOME, turned), 'CN-33').code, 'PROOF_INVALID');
  });

  it('refuses a base without the entry that proves it', async () => {
    const { federation, late } = await setup();
    const region = federation.region('CN-33');
    const size = 11;
    const bare = federation.source('CN-33', { checkpoint: { size, root: region.rootAt(size) } });
    const bytes = withPart(late, 'CN-33', (part) => ({ ...part, checkpoint: bare.note, entries: [] }));
    assert.deepEqual(faultIn(federation.apply(HOME, bytes), 'CN-33'), {
      code: 'SNAPSHOT_INCOMPLETE',
      details: { region: 'CN-33', from: size },
    });
  });

  it('names both sizes where entries and checkpoint do not meet', async () => {
    const { federation, late } = await setup();
    const cut = withPart(late, 'CN-33', (part) => ({ ...part, entries: part.entries.slice(0, -1) }));
    assert.deepEqual(faultIn(federation.apply(HOME, cut), 'CN-33'), {
      code: 'SNAPSHOT_INCOMPLETE',
      details: { region: 'CN-33', end: 12, size: 13 },
    });
  });

  it('refuses the part of one region in the name of another', async () => {
    const { federation, late } = await setup();
    const french = parseSnapshot(late).parts.find(({ region }) => region === 'FR') ?? assert.fail();
    const swapped = withPart(late, 'CN-33', () => ({ ...french, region: 'CN-33' }));
    assert.deepEqual(faultIn(federation.apply(HOME, swapped), 'CN-33'), {
      code: 'PIN_MISMATCH',
      details: { region: 'CN-33' },
    });
  });

  it('refuses a checkpoint that the region did not sign, or signed for another log', async () => {
    const { federation } = await setup();
    const others = federation.sources().filter(({ region }) => region !== 'CN-33');
    const region = federation.region('CN-33');
    const cases: [FaultCode, Parameters<Federation['source']>[1]][] = [
      ['NOTE_UNSIGNED', { checkpointKey: region.keys.attest }],
      ['NOTE_UNSIGNED', { checkpointKey: federation.region('FR').keys.checkpoint }],
      ['NOTE_UNSIGNED', { checkpoint: { origin: federation.region('FR').origin } }],
      ['NOTE_UNSIGNED', { checkpoint: { origin: 'CN-33.other/trust' } }],
      ['PROOF_INVALID', { checkpoint: { root: new Uint8Array(32) } }],
      ['SNAPSHOT_INCOMPLETE', { checkpoint: { size: region.fold.size + 1 } }],
    ];
    for (const [code, vouched] of cases) {
      const bytes = await federation.snapshotOf(federation.source('CN-33', vouched), ...others);
      assert.equal(faultIn(federation.apply(HOME, bytes), 'CN-33').code, code, JSON.stringify(vouched));
    }
  });

  it('refuses a checkpoint by a key that is compromised', async () => {
    const federation = five();
    const region = federation.region('CN-33');
    region.add(region.compromise(region.keys.checkpoint, {}));
    const bytes = await federation.snapshot();
    assert.equal(faultIn(federation.apply(HOME, bytes), 'CN-33').code, 'NOTE_UNSIGNED');
  });

  it('refuses entries that are cut, added, doubled, swapped or altered', async () => {
    const { federation, late } = await setup();
    const changes: [FaultCode, (entries: readonly Uint8Array[]) => Uint8Array[]][] = [
      ['SNAPSHOT_INCOMPLETE', (entries) => entries.slice(0, -1)],
      ['SNAPSHOT_INCOMPLETE', (entries) => entries.slice(1)],
      ['SNAPSHOT_INCOMPLETE', () => []],
      ['SNAPSHOT_INCOMPLETE', (entries) => [...entries, Uint8Array.of(1)]],
      ['SNAPSHOT_INCOMPLETE', ([first = assert.fail(), ...rest]) => [first, first, ...rest]],
      ['PROOF_INVALID', (entries) => entries.toReversed()],
      [
        'PROOF_INVALID',
        ([first = assert.fail(), ...rest]) => [...rest.slice(0, 0), first, ...rest.map(() => first)],
      ],
      ['PROOF_INVALID', (entries) => entries.map((entry, i) => (i === 1 ? entry.subarray(1) : entry))],
    ];
    for (const [code, change] of changes) {
      for (const name of ['CN-33', HOME]) {
        const bytes = withPart(late, name, (part) => ({ ...part, entries: change(part.entries) }));
        const apply = () => federation.apply(HOME, bytes);
        const { details, ...fault } = name === HOME ? faultOf(apply) : faultIn(apply(), name);
        assert.deepEqual([fault.code, details['region']], [code, name]);
      }
    }
  });

  it('refuses any flipped bit, if need be with its part, but in the line of a cosigner, who then counts for nothing, and in a name that then is nobody', async () => {
    const federation = new Federation(HOME, 'FR', 'CN-33');
    federation.region('CN-33').revoke([1]);
    federation.region('CN-33').commit();
    federation.region('CN-33').revoke([2]);
    const bytes = await federation.snapshot();
    const { holdings } = federation.apply(HOME, bytes);
    const lines = parseSnapshot(bytes).parts.map(({ checkpoint }) => {
      const end = checkpoint.byteOffset - bytes.byteOffset + checkpoint.length;
      return { start: end - checkpoint.length + parseNote(checkpoint).text.length, end };
    });
    const inLine = fc
      .constantFrom(...lines)
      .chain(({ start, end }) => fc.integer({ min: start * 8, max: end * 8 - 1 }));
    // From CN-33 to CO-33.
    const regionBit = 8 * Buffer.from(bytes).indexOf('fregioneCN-33') + 8 * 'fregioneC'.length;
    const vouchers = ({ trust }: Holdings, region: string) =>
      (trust.regions.get(region)?.cosignatures ?? []).map((cosigned) => JSON.stringify(cosigned));
    fc.assert(
      fc.property(fc.oneof(fc.nat(bytes.length * 8 - 1), inLine), (bit) => {
        const at = bit >> 3;
        const altered = bytes.slice();
        altered[at] = (altered[at] ?? 0) ^ (1 << (bit & 7));
        let applied;
        try {
          applied = federation.apply(HOME, altered);
        } catch (error) {
          assert.ok(isProtocolError(error), String(error));
          return;
        }
        const faulty = applied.outcomes
          .filter(({ effect }) => effect === 'faulty')
          .map(({ region }) => region);
        assert.ok(!faulty.includes(HOME) && faulty.every((region) => !applied.holdings.logs.has(region)));
        // A part in the name of a region that the home does not recognise is as good as left out.
        const isRenamed = applied.outcomes.some(({ region }) => !federation.regions.has(region));
        assert.ok(
          isRenamed || faulty.length > 0 || lines.some(({ start, end }) => start <= at && at < end),
          `bit ${bit} was borne`,
        );
        for (const [region, { fold }] of applied.holdings.logs) {
          assert.deepEqual(fold.root, holdings.logs.get(region)?.fold.root);
          assert.equal(stateRootOf(applied.holdings, region), stateRootOf(holdings, region));
          const before = vouchers(holdings, region);
          assert.ok(vouchers(applied.holdings, region).every((cosigned) => before.includes(cosigned)));
        }
      }),
      { numRuns: 500, examples: [[regionBit]] },
    );
  });
});
