/** Members as Golomb codes of the holes before them: the body of sets that are spread out. Spec: SPEC.md 7.4.1. */
import { type BodyCode, lastOf, memberAt, requireBits } from './body.ts';
import { golombBits, golombCode, readGolomb, writeGolomb } from './golomb.ts';

/** Holes before the last member are not written: they follow from the frame. */
export const gapsBody: BodyCode = {
  bits(members, { count, holes }) {
    const code = golombCode(count - 1, holes);
    let bits = 0;
    for (let i = 1; i < count - 1; i++) {
      bits += golombBits(code, memberAt(members, i) - memberAt(members, i - 1) - 1);
    }
    return bits;
  },

  write(out, members, { count, holes }) {
    const code = golombCode(count - 1, holes);
    for (let i = 1; i < count - 1; i++) {
      writeGolomb(out, code, memberAt(members, i) - memberAt(members, i - 1) - 1);
    }
  },

  read(input, frame) {
    const { count, first, holes } = frame;
    const code = golombCode(count - 1, holes);
    requireBits(input, (count - 2) * (1 + code.width));
    const members = new Float64Array(count);
    members[0] = first;
    let member = first;
    let holesLeft = holes;
    for (let i = 1; i < count - 1; i++) {
      const gap = readGolomb(input, code, holesLeft);
      holesLeft -= gap;
      member += gap + 1;
      members[i] = member;
    }
    members[count - 1] = lastOf(frame);
    return members;
  },
};
