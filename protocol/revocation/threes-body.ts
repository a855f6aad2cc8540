/**
 * A bitmap by threes: the body of sets that hold about four in ten, where gaps take up to 4 % more than the entropy.
 * The high bit of a pattern is its lowest index. 000 is written 00; 001 .. 101 are 010 .. 110; 110 is 1110, 111 is 1111.
 * Spec: SPEC.md 7.4.2.
 */
import { revocationMalformed } from './bits.ts';
import { type BodyCode, type Frame, lastOf, memberAt, requireBits } from './body.ts';

export const threesBody: BodyCode = {
  bits(members, frame) {
    let bits = 2 * groupsOf(frame);
    forEachGroup(members, frame, (_, pattern) => (bits += pattern < 6 ? 1 : 2));
    return bits;
  },

  write(out, members, frame) {
    let written = 0;
    forEachGroup(members, frame, (group, pattern) => {
      out.zeros(2 * (group - written));
      if (pattern < 6) out.bits(pattern + 1, 3);
      else out.bits(pattern + 8, 4);
      written = group + 1;
    });
  },

  read(input, frame) {
    const { count, first } = frame;
    const groups = groupsOf(frame);
    const last = lastOf(frame);
    requireBits(input, 2 * groups);
    const members = new Float64Array(count);
    members[0] = first;
    let filled = 1;
    for (let group = 0; group < groups; group++) {
      let pattern = input.bits(2);
      if (pattern === 0) continue;
      pattern = 2 * pattern + input.bits(1) - 1;
      if (pattern === 6) pattern += input.bits(1);
      const start = first + 1 + 3 * group;
      for (let place = 0; place < 3; place++) {
        if ((pattern & (4 >> place)) === 0) continue;
        if (filled === count - 1 || start + place >= last) {
          throw revocationMalformed(
            input.offset,
            `expected ${count - 2} indexes between the first and the last, got more`,
          );
        }
        members[filled++] = start + place;
      }
    }
    if (filled !== count - 1) {
      throw revocationMalformed(
        input.offset,
        `expected ${count - 2} indexes between the first and the last, got ${filled - 1}`,
      );
    }
    members[filled] = last;
    return members;
  },
};

/** How many threes hold the indexes strictly between the first and the last member. */
function groupsOf({ count, holes }: Frame): number {
  return Math.ceil((count - 2 + holes) / 3);
}

/** Calls `visit`, in order, with every three that is not empty. */
function forEachGroup(
  members: Float64Array,
  { count, first }: Frame,
  visit: (group: number, pattern: number) => void,
): void {
  let group = 0;
  let pattern = 0;
  for (let i = 1; i < count - 1; i++) {
    const place = memberAt(members, i) - first - 1;
    const itsGroup = Math.floor(place / 3);
    if (itsGroup !== group && pattern !== 0) {
      visit(group, pattern);
      pattern = 0;
    }
    group = itsGroup;
    pattern |= 4 >> (place - 3 * itsGroup);
  }
  if (pattern !== 0) visit(group, pattern);
}
