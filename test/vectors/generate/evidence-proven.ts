/** Evidence that proves what it says. */
import { START_S, testKey } from '../../support/region-fixture.ts';
import * as fixture from '../../support/evidence-fixture.ts';

const { accused, story, otherStory, trustStory, otherTrustStory, sideOf, rootedSideOf, GROUNDS } = fixture;

export const sameSize = fixture.fork();

export const twoSizes = fixture.fork({ size: 4, sides: [sideOf(story, 4, { size: 7 }), sideOf(otherStory, 4)] });

/** The root of version 2 has a key of its own, and names another checkpoint key. */
const newRoot = testKey('evidence: second root');
export const secondWriter = testKey('evidence: second writer');
export const rootChange = accused.entryOf(accused.rootStatement({ version: 2, keys: [newRoot] }), [accused.rootKeys[0] ?? newRoot, newRoot]);
export const keysOfNewRoot = accused.entryOf(accused.keysStatement([{ key: secondWriter, role: 'checkpoint' }]), [newRoot]);
export const twoWriters = fixture.fork({
  grounds: [[...(GROUNDS[0] ?? []), rootChange, keysOfNewRoot]],
  sides: [sideOf(story, 5, { size: 5 }), sideOf(otherStory, 5, { size: 5, key: secondWriter })],
});

export const trustLog = fixture.fork({
  sides: [
    sideOf(trustStory, 5, { size: 5, origin: accused.origin }),
    sideOf(otherTrustStory, 5, { origin: accused.origin }),
  ],
});

export const witnessed = fixture.cosignatures();

const byOwn = [{ region: 'DE', key: accused.keys.witness }];
export const witnessedByOwn = fixture.cosignatures({
  grounds: GROUNDS,
  witness: 'DE',
  sides: [rootedSideOf(trustStory, 5, { size: 5, by: byOwn }), rootedSideOf(otherTrustStory, 5, { size: 5, by: byOwn })],
});

export const swapped = fixture.leaf();
export const twice = fixture.indexes();
export const backdatedEntry = fixture.hours();
export const reordered = fixture.misplaced(3);
export const ofAnotherLog = fixture.misplaced(4);
export const noAttestation = fixture.misplaced(5);
export const twoTables = fixture.tables();
/** As far apart as one minute lets them be. */
export const tablesOfAMinute = fixture.tables({ heads: [fixture.headOf(1), fixture.headOf(1, { at: START_S + 59, bits: 2 })] });
