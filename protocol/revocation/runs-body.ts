/** Lengths of runs of members and of the gaps between them, in turn: the body of sets that lie together. Spec: SPEC.md 7.4.3. */
import { revocationMalformed } from './bits.ts';
import { type BodyCode, type Frame, memberAt, requireBits } from './body.ts';
import { golombBits, golombCode, readGolomb, writeGolomb } from './golomb.ts';

/** The last gap and the last run are not written: they follow from the frame. */
export const runsBody: BodyCode = {
  bits(members, frame) {
    const runCount = countRuns(members);
    const { lengthCode, gapCode } = runCodes(frame, runCount);
    let bits = bitWidth(frame.count - 2);
    forEachRun(members, (length, gap, run) => {
      bits += golombBits(lengthCode, length - 1);
      if (run < runCount - 2) bits += golombBits(gapCode, gap - 1);
    });
    return bits;
  },

  write(out, members, frame) {
    const runCount = countRuns(members);
    const { lengthCode, gapCode } = runCodes(frame, runCount);
    out.bits(runCount - 2, bitWidth(frame.count - 2));
    forEachRun(members, (length, gap, run) => {
      writeGolomb(out, lengthCode, length - 1);
      if (run < runCount - 2) writeGolomb(out, gapCode, gap - 1);
    });
  },

  read(input, frame) {
    const { count, first, holes } = frame;
    const runCountWidth = bitWidth(count - 2);
    requireBits(input, runCountWidth);
    const runCount = input.bits(runCountWidth) + 2;
    if (runCount > count || runCount > holes + 1) {
      throw revocationMalformed(
        input.offset,
        `expected runs that ${count} members and ${holes} holes can form`,
      );
    }
    requireBits(input, 2 * runCount - 3);
    const { lengthCode, gapCode } = runCodes(frame, runCount);
    const members = new Float64Array(count);
    let filled = 0;
    let next = first;
    // A run has one member at least and a gap one hole: what is written is how many more.
    let membersLeft = count - runCount;
    let holesLeft = holes - (runCount - 1);
    for (let run = 0; run < runCount; run++) {
      const more = run < runCount - 1 ? readGolomb(input, lengthCode, membersLeft) : membersLeft;
      membersLeft -= more;
      for (let i = 0; i <= more; i++) members[filled++] = next++;
      const wider = run < runCount - 2 ? readGolomb(input, gapCode, holesLeft) : holesLeft;
      holesLeft -= wider;
      next += wider + 1;
    }
    return members;
  },
};

/** Bits that hold every integer in 0 .. `max`. */
function bitWidth(max: number): number {
  return 32 - Math.clz32(max);
}

function runCodes({ count, holes }: Frame, runCount: number) {
  return {
    lengthCode: golombCode(runCount, count - runCount),
    gapCode: golombCode(runCount - 1, holes - (runCount - 1)),
  };
}

function countRuns(members: Float64Array): number {
  let runs = 1;
  for (let i = 1; i < members.length; i++) {
    if (memberAt(members, i) !== memberAt(members, i - 1) + 1) runs++;
  }
  return runs;
}

/** Calls `visit` with the length of each run but the last, and with the gap after it. */
function forEachRun(members: Float64Array, visit: (length: number, gap: number, run: number) => void): void {
  let start = 0;
  let run = 0;
  for (let i = 1; i < members.length; i++) {
    const gap = memberAt(members, i) - memberAt(members, i - 1) - 1;
    if (gap > 0) {
      visit(i - start, gap, run++);
      start = i;
    }
  }
}
