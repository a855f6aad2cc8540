/** Three regions made by commands, which recognise and witness each other: what most tests of commands begin with. */
import { cpSync, writeFileSync } from 'node:fs';
import { TestCli } from './cli.ts';

export const REGIONS = ['CN-33', 'DE', 'FR'] as const;

/** A world as it was made once, to be copied for each test that changes it. */
export interface World {
  readonly dir: string;
  /** Fingerprints by region. */
  readonly pins: Readonly<Record<string, string>>;
  /** Codes of CN-33: green, yellow, red, and one on a device. */
  readonly codes: Readonly<Record<'green' | 'yellow' | 'red' | 'device', string>>;
}

/** Makes the world in the empty folder `dir`; `phone.json` and `de.snap`, a snapshot for DE, lie there too. */
export async function makeWorld(dir: string): Promise<World> {
  const cli = new TestCli(dir);
  const pins: Record<string, string> = {};
  for (const region of REGIONS) {
    const made = await cli.json<{ fingerprint: string }>('init', region, '--dir', cli.path(region));
    pins[region] = made.fingerprint;
  }
  writeFileSync(cli.path('people.csv'), 'subject,colour\nGreen,green\nYellow,yellow\nRed,red\n');
  const rows = (await cli.run('issue', cli.path('CN-33'), cli.path('people.csv'), '--json')).out
    .trimEnd()
    .split('\n');
  const [green, yellow, red] = rows.map((row) => (JSON.parse(row) as { code: string }).code);
  const device = await cli.json<{ code: string }>(
    'issue',
    cli.path('CN-33'),
    '--subject',
    'Phone',
    '--colour',
    'green',
    '--device',
    cli.path('phone.json'),
  );
  for (const region of REGIONS) {
    for (const peer of REGIONS)
      if (peer !== region) await cli.json('recognise', cli.path(region), cli.path(peer));
  }
  await witnessAll(cli);
  await cli.json('snapshot', 'make', cli.path('DE'), '--out', cli.path('de.snap'));
  return {
    dir,
    pins,
    codes: { green: green ?? '', yellow: yellow ?? '', red: red ?? '', device: device.code },
  };
}

export async function witnessAll(cli: TestCli): Promise<void> {
  for (const region of REGIONS) await cli.json('witness', cli.path(region));
}

export interface Told {
  readonly outcome: string;
  readonly grade?: string;
  readonly colour?: string;
  readonly reasons: readonly { readonly code: string }[];
  /** Where the code stands; absent if it could not be read. */
  readonly code?: { readonly log: string; readonly index: number; readonly keyId: string };
}

/** A verifier of DE in a world, with its snapshot. */
export class Gate extends TestCli {
  /** The flags that make `verify` trust `de.snap`. */
  readonly trust: readonly string[];

  constructor(world: World, dir = world.dir) {
    super(dir);
    this.trust = ['--offline', this.path('de.snap'), '--home', 'DE', '--pin', world.pins['DE'] ?? ''];
  }

  /** The verdict on a code by the snapshot. */
  told(code: string, ...args: readonly string[]): Promise<Told> {
    return this.json<Told>('verify', ...this.trust, ...args, code);
  }
}

export function codesOf({ reasons }: Told): string[] {
  return reasons.map(({ code }) => code);
}

/** A copy of a world in another empty folder, to be changed. */
export function copyWorld(world: World, dir: string): Gate {
  cpSync(world.dir, dir, { recursive: true });
  return new Gate(world, dir);
}
