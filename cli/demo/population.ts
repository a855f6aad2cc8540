/** Synthetic people: nobody of this name exists. */

const RED_OF_HUNDRED = 2;
const YELLOW_OF_HUNDRED = 6;

export interface Population {
  readonly csv: string;
  readonly green: number;
  readonly yellow: number;
  readonly red: number;
}

/** `count` people as a CSV for `entente issue`: of every hundred two red, six yellow, the others green. */
export function population(count: number): Population {
  const rows = Array.from({ length: count }, (_, i) => `${personName(i + 1)},${colourOf(i)}\n`);
  const counts = { green: 0, yellow: 0, red: 0 };
  for (let i = 0; i < count; i++) counts[colourOf(i)]++;
  return { csv: `subject,colour\n${rows.join('')}`, ...counts };
}

/** `Person 00001` */
export function personName(number: number): string {
  return `Person ${String(number).padStart(5, '0')}`;
}

/** The numbers of a green, a yellow and a red person. */
export const EXAMPLES = { green: 1, yellow: 100 - RED_OF_HUNDRED, red: 100 } as const;

function colourOf(i: number): 'green' | 'yellow' | 'red' {
  const place = i % 100;
  if (place >= 100 - RED_OF_HUNDRED) return 'red';
  return place >= 100 - RED_OF_HUNDRED - YELLOW_OF_HUNDRED ? 'yellow' : 'green';
}
