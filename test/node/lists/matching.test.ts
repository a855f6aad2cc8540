import assert from 'node:assert/strict';
import { entryOf, type ListEntry } from '../../../node/lists/entry.ts';
import { type Identity, type IdentityDocument } from '../../../node/lists/identity.ts';
import { matchOf } from '../../../node/lists/matching.ts';

const SAMPLE = { name: 'PERSON SAMPLE', birthDate: '1949-12-31' };
const resident = (number: string): IdentityDocument => ({ type: 'resident', country: 'CN', number });
const passport = (number: string, country = 'DE'): IdentityDocument => ({
  type: 'passport',
  country,
  number,
});
const entry = (identity: Identity, line = 2): ListEntry => entryOf(identity, { level: 'key' }, line);

function match(
  identity: Identity,
  byDocument: ListEntry | undefined,
  byName: readonly ListEntry[],
  isNameShared = false,
) {
  const found = matchOf({ identity: { ...identity }, isNameShared }, { byDocument, byName });
  if (found === undefined) return undefined;
  const { is, doubt } = found;
  const lines = doubt?.entries.map(({ line }) => line) ?? [];
  return [is?.by, doubt?.code, ...lines].filter((part) => part !== undefined).join(' ');
}

const R1 = resident('11010519491231002X');
const R2 = resident('440524188001010014');
const P1 = passport('C01X00T47');

describe('matchOf', () => {
  const cases: readonly [string, string | undefined, ReturnType<typeof match>][] = [
    ['nothing on the list', undefined, match({ document: R1, ...SAMPLE }, undefined, [])],
    ['the document', 'document', match({ document: R1 }, entry({ document: R1 }), [])],
    [
      'the document, written with another name',
      'document',
      match({ document: P1, ...SAMPLE }, entry({ document: P1, name: 'OTHER' }), []),
    ],
    [
      'the document, whoever shares the name',
      'document',
      match({ document: P1, ...SAMPLE }, entry({ document: P1 }), [], true),
    ],
    [
      'the document, with another day of birth',
      'BIRTH_DATE_DIFFERS 2',
      match({ document: P1, ...SAMPLE }, entry({ document: P1, birthDate: '1949-12-30' }), []),
    ],
    ['the name alone', 'name', match({ document: R1, ...SAMPLE }, undefined, [entry(SAMPLE)])],
    [
      'the name, of somebody without a document',
      'name',
      match(SAMPLE, undefined, [entry({ document: R1, ...SAMPLE })]),
    ],
    [
      'the name, with a document of another kind',
      'name',
      match({ document: R1, ...SAMPLE }, undefined, [entry({ document: P1, ...SAMPLE })]),
    ],
    [
      'the name, with a passport of another country',
      'name',
      match({ document: P1, ...SAMPLE }, undefined, [
        entry({ document: passport('C01X00T47', 'FR'), ...SAMPLE }),
      ]),
    ],
    [
      'the name, with another passport: a new one, or another person',
      'OTHER_DOCUMENT 2',
      match({ document: P1, ...SAMPLE }, undefined, [entry({ document: passport('C02'), ...SAMPLE })]),
    ],
    [
      'the name, with another number of a resident: another person',
      undefined,
      match({ document: R1, ...SAMPLE }, undefined, [entry({ document: R2, ...SAMPLE })]),
    ],
    [
      'a name that two people have',
      'NAME_SHARED 2',
      match({ document: R1, ...SAMPLE }, undefined, [entry(SAMPLE)], true),
    ],
    [
      'a name that two entries have',
      'SEVERAL_ENTRIES 2 3',
      match(SAMPLE, undefined, [entry({ document: R1, ...SAMPLE }), entry({ document: R2, ...SAMPLE }, 3)]),
    ],
    [
      'of two of that name one with another number of a resident',
      'name',
      match({ document: R1, ...SAMPLE }, undefined, [entry({ document: R2, ...SAMPLE }), entry(SAMPLE, 3)]),
    ],
    [
      'the document, and the name once more: the document stands',
      'document SEVERAL_ENTRIES 3',
      match({ document: R1, ...SAMPLE }, entry({ document: R1, ...SAMPLE }), [entry(SAMPLE, 3)]),
    ],
    [
      'the document, and the name of another resident',
      'document',
      match({ document: R1, ...SAMPLE }, entry({ document: R1, ...SAMPLE }), [
        entry({ document: R2, ...SAMPLE }, 3),
      ]),
    ],
  ];
  for (const [what, expected, found] of cases)
    it(`B69: ${what}: ${expected ?? 'not about them'}`, () => assert.equal(found, expected));
});
