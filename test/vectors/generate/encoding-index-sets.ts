/** Coded sets of indexes as cases for `encoding.json`. Spec: SPEC.md 7. */
import { hexOf } from '../../../protocol/bytes.ts';
import { BitWriter } from '../../../protocol/revocation/bits.ts';
import { type BodyCode } from '../../../protocol/revocation/body.ts';
import { gapsBody } from '../../../protocol/revocation/gaps-body.ts';
import { encodeIndexSet } from '../../../protocol/revocation/index-set-code.ts';
import { runsBody } from '../../../protocol/revocation/runs-body.ts';
import { threesBody } from '../../../protocol/revocation/threes-body.ts';
import { randomIndexes, seededRandom } from '../../support/index-sets.ts';

export type IndexSetVector = { readonly name: string; readonly bytes: string; readonly bound?: number } & (
  | { readonly runs: readonly (readonly [number, number])[] }
  | { readonly fault: 'REVOCATION_MALFORMED' }
);

export function indexSetVectors(): IndexSetVector[] {
  return [...exampleCases(), ...randomCases(), ...headerFaults(), ...bodyFaults(), ...modeFaults()];
}

/** Written down by hand from SPEC.md 7. */
function exampleCases(): IndexSetVector[] {
  const good = (name: string, bytes: string, ...runs: [number, number][]) => ({ name, bytes, runs });
  const single = (...indexes: number[]) => indexes.map((index): [number, number] => [index, index]);
  return [
    good('nothing', '00'),
    good('0', '0400', [0, 0]),
    good('300', '04ac02', [300, 300]),
    good('2^40-1', '04ffffffffff1f', [2 ** 40 - 1, 2 ** 40 - 1]),
    good('one run', '0c0500', [5, 7]),
    good('2^20 members', '808080020700', [7, 2 ** 20 + 6]),
    good('two members', '080006', ...single(0, 7)),
    good('two members, far apart', '0800feffffffff1f', ...single(0, 2 ** 40 - 1)),
    good('gaps', '14032d61c4', ...single(3, 10, 12, 30, 52)),
    good('gaps with divisor 1', '100003a0', ...single(0, 2, 4, 6)),
    good('threes', '21000c8e02', [0, 0], [2, 3], [5, 5], [8, 9], [18, 19]),
    good('runs', '5a6494260dabdd80', [100, 107], [1_000, 1_007], [5_000, 5_005]),
    { ...good('last place of a block', '04ffff03', [65_535, 65_535]), bound: 65_536 },
    { ...good('whole block', '8080100000', [0, 65_535]), bound: 65_536 },
  ];
}

/** Sets of every density, coded by the encoder under test: another one must come to the same bytes. */
function randomCases(): IndexSetVector[] {
  const random = seededRandom(40);
  const cases: IndexSetVector[] = [];
  for (const [count, bound] of [
    [3, 1_000_000_000],
    [40, 2 ** 40],
    [50, 50_000],
    [60, 600],
    [60, 300],
    [60, 200],
    [80, 240],
    [80, 200],
    [80, 190],
    [80, 160],
    [120, 150],
    [300, 310],
    [300, 760],
    [400, 1_000],
  ] as const) {
    const members = randomIndexes(bound, count, random);
    cases.push({ name: `${count} of ${bound}`, bytes: hexOf(encodeIndexSet(members)), runs: runsOf(members) });
  }
  for (const runs of [2, 9, 30]) {
    const starts = randomIndexes(100_000, runs, random);
    const members = new Set([...starts].flatMap((start) => Array.from({ length: 1 + Math.floor(random() * 60) }, (_, i) => start + i))); // prettier-ignore
    const sorted = Float64Array.from(members).sort();
    cases.push({ name: `runs from ${runs} places`, bytes: hexOf(encodeIndexSet(sorted)), runs: runsOf(sorted) });
  }
  return cases;
}

function runsOf(members: Float64Array): [number, number][] {
  const runs: [number, number][] = [];
  for (const member of members) {
    const last = runs.at(-1);
    if (last?.[1] === member - 1) last[1] = member;
    else runs.push([member, member]);
  }
  return runs;
}

const bad = (name: string, bytes: string): IndexSetVector => ({ name, bytes, fault: 'REVOCATION_MALFORMED' });

function headerFaults(): IndexSetVector[] {
  return [
    bad('no byte', ''),
    bad('header cut after count', '04'),
    bad('header cut within first', '04ac'),
    bad('header cut after first', '0805'),
    bad('long count', '8000'),
    bad('long count of one', '840000'),
    bad('long first', '04ac8200'),
    bad('long holes', '0c058000'),
    bad('seven bytes', '0480808080808001'),
    bad('six bytes and more to come', '04ffffffffffff'),
    bad('2^20 + 1 members', '848080020000'),
    bad('2^40 - 1 members', 'fcffffffff7f0000'),
    bad('first is 2^40', '04808080808020'),
    bad('last is 2^40', '0800ffffffffff1f'),
    bad('run up to 2^40', '0cfeffffffff1f00'),
    { ...bad('place 65536 in a block', '04808004'), bound: 65_536 },
    { ...bad('a block of 65537', '8480100000'), bound: 65_536 },
    bad('members that the bits cannot hold, gaps', '808080020001' + '00'.repeat(100)),
    bad('members that the bits cannot hold, threes', '818080020001' + '00'.repeat(100)),
    bad('runs that the bits cannot hold', '420028e000'),
  ];
}

function bodyFaults(): IndexSetVector[] {
  return [
    bad('a byte after nothing', '0000'),
    bad('a byte after one member', '040000'),
    bad('a byte after a run', '0c050000'),
    bad('a byte after two members', '08000600'),
    bad('a byte after gaps', '14032d61c400'),
    bad('a byte of zeros is missing', '14032d61'),
    bad('last filling bit set', '14032d61c5'),
    bad('first filling bit set', '14032d61c6'),
    bad('more ones than holes', '14032dfc00'),
    bad('gap of 47 with 45 holes', '14032dfb80'),
    bad('second gap beyond the holes', '14032d61ff'),
    bad('threes with no member', '0d000400'),
    bad('threes with two members more', '0d0004f0'),
    bad('threes with a member after the last', '0d000318'),
    bad('threes with a filling bit set', '21000c8e03'),
    bad('more runs than holes', '160001e0'),
    bad('more runs than members', '2a000af0'),
    bad('runs, cut', '5a6494260dabdd'),
    bad('runs with a filling bit set', '5a6494260dabdd81'),
    bad('runs longer than the members', '5a6494260fffff00'),
  ];
}

/** Sets in a mode that is not theirs: all else is in order. */
function modeFaults(): IndexSetVector[] {
  const cases = [
    bad('nothing in mode 1', '01'),
    bad('nothing in mode 3', '03'),
    bad('one member in mode 2', '0600'),
    bad('a run in mode 1', '0d0500'),
    bad('a run in mode 2', '0e0500'),
    bad('mode 3', '17032d61c4'),
    bad('ties with gaps, threes', '11000374'),
    bad('ties with gaps, runs', '12000380'),
  ];
  for (const vector of [...exampleCases(), ...randomCases()]) {
    const members = 'runs' in vector ? membersOf(vector.runs) : undefined;
    if (members === undefined) continue;
    const right = parseInt(vector.bytes.slice(0, 2), 16) & 3;
    for (const [mode, [form, body]] of FORMS.entries()) {
      if (mode !== right) cases.push(bad(`${vector.name}, as ${form}`, hexOf(coded(mode, body, members))));
    }
  }
  return cases;
}

const FORMS: readonly [string, BodyCode][] = [
  ['gaps', gapsBody],
  ['threes', threesBody],
  ['runs', runsBody],
];

/** Undefined if there is no body, or if it is long as threes. */
function membersOf(runs: readonly (readonly [number, number])[]): Float64Array | undefined {
  const first = runs.at(0)?.[0] ?? 0;
  const last = runs.at(-1)?.[1] ?? 0;
  if (runs.length < 2 || last - first > 2_000) return undefined;
  return Float64Array.from(runs.flatMap(([from, to]) => Array.from({ length: to - from + 1 }, (_, i) => from + i)));
}

function coded(mode: number, body: BodyCode, members: Float64Array): Uint8Array {
  const count = members.length;
  const first = members[0] ?? 0;
  const frame = { count, first, holes: (members[count - 1] ?? 0) - first - (count - 1) };
  const header = [4 * count + mode, first, frame.holes].flatMap(varint);
  const bytes = new Uint8Array(header.length + Math.ceil(body.bits(members, frame) / 8));
  bytes.set(header);
  const out = new BitWriter(bytes, header.length);
  body.write(out, members, frame);
  out.end();
  return bytes;
}

function varint(value: number): number[] {
  return value < 0x80 ? [value] : [(value % 0x80) + 0x80, ...varint(Math.floor(value / 0x80))];
}
