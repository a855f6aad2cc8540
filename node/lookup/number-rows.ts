/** A row of a list of numbers: what the local system says of one code. */
import { LOOKUP_NUMBER_BYTES_MAX } from '../../protocol/limits.ts';
import { type Status } from '../../protocol/code/status.ts';
import { type RowFault, type RowForm } from '../rows/row-form.ts';

/** As it is kept. */
export interface NumberRow {
  readonly number: string;
  readonly colour: Status['colour'];
  /** Seconds since 1970: from then on it counts no more. */
  readonly untilS: number;
}

export interface PlacedNumber extends NumberRow {
  readonly line: number;
}

const MEASURE_OF = { green: 'none', yellow: 'home', red: 'isolate' } as const;

/** The rule id of what comes from a list of the local system, and not from rules of this network. */
const RULE_ID = 'local-list';

/** What a look-up says of a number: yellow stays at home and red isolates, until then. `version`: of the list. */
export function statusOfRow({ colour, untilS }: NumberRow, version: number): Status {
  const measure = MEASURE_OF[colour];
  return {
    colour,
    measure,
    untilS: measure === 'none' ? undefined : untilS,
    expiresAtS: untilS,
    ruleId: RULE_ID,
    ruleVersion: version,
  };
}

/** `prefixes`: how numbers of the region begin, by what it announces; none where it has not announced any yet. */
export function numberForm(prefixes: readonly string[]): RowForm<PlacedNumber> {
  return {
    columns: ['number', 'colour', 'until'],
    required: ['number', 'colour', 'until'],
    plain: new Set(),
    parse: ({ number = '', colour = '', until = '' }, line) => {
      const faults: RowFault[] = [];
      const fault = (column: string, reason: string, example: string) =>
        faults.push({ line, column, reason, example });
      if (number.trim() !== number || number === '')
        fault('number', 'is empty, or has spaces around it', '4711-0815');
      else if (Buffer.byteLength(number) > LOOKUP_NUMBER_BYTES_MAX)
        fault('number', `is longer than ${LOOKUP_NUMBER_BYTES_MAX} bytes`, '4711-0815');
      else if (prefixes.length > 0 && !prefixes.some((prefix) => number.startsWith(prefix)))
        fault('number', 'does not begin as the region has announced', `${prefixes[0] ?? ''}0815`);
      if (!(colour in MEASURE_OF)) fault('colour', 'is none of green, yellow and red', 'green');
      const untilS = timeOf(until);
      if (untilS === undefined) fault('until', 'is no time in UTC', '2026-11-27T00:00:00Z');
      if (faults.length > 0 || untilS === undefined) return faults;
      return { line, number, colour: colour as NumberRow['colour'], untilS };
    },
  };
}

function timeOf(text: string): number | undefined {
  if (!/^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}Z$/.test(text)) return undefined;
  const ms = Date.parse(text);
  if (!Number.isFinite(ms) || ms < 0) return undefined;
  // 31 February is taken for a day of March.
  return new Date(ms).toISOString().slice(0, 19) === text.slice(0, 19) ? ms / 1_000 : undefined;
}
