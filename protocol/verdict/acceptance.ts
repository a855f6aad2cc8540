/** The acceptance rules that hold where a region has not set its own. Spec: SPEC.md 11. */
import { reasonOf } from './reasons.ts';
import { type Acceptance } from './verdict.ts';

/** Green passes, yellow owes its measure, red stops; place and time do not matter. */
export const acceptByColour: Acceptance = ({ status }) => {
  switch (status.colour) {
    case 'green':
      return [];
    case 'yellow':
      return [reasonOf('STATUS_YELLOW')];
    case 'red':
      return [reasonOf('STATUS_RED')];
  }
};
