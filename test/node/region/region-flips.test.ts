import assert from 'node:assert/strict';
import { cpSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { openStaticSource } from '../../../node/audit/static-source.ts';
import { auditRegion } from '../../../node/audit/region-audit.ts';
import { openSecret } from '../../../node/http/admin-secret.ts';
import { isNodeError } from '../../../node/node-error.ts';
import { readRegionConfig, RegionLayout } from '../../../node/region/layout.ts';
import { type RegionModules } from '../../../node/region/modules.ts';
import { readPublicRegion } from '../../../node/region/public-region.ts';
import { type Region } from '../../../node/region/region.ts';
import { openNodeIdentity } from '../../../node/service/node-identity.ts';
import { hexBytes } from '../../../protocol/bytes.ts';
import { isProtocolError } from '../../../protocol/fault.ts';
import { TestCli } from '../../support/cli.ts';
import { assertCodesHeld, assertSound } from '../../support/issued-check.ts';
import { type Acknowledged, greenFor, hashOf, openAlone, realModules } from '../../support/issuing-child.ts';
import { seeded } from '../../support/seeded.ts';
import { temporaryFolders } from '../../support/temporary.ts';

/** 13 in the suite, since each opens a region and reads all of it; TEST_FLIPS=500 or more by hand. */
const FLIPS = Number(process.env['TEST_FLIPS'] ?? 13);

/** Every file of a region's directory is of one of these kinds. */
const KINDS = {
  table: /^store\/level\/.*\.ldb$/,
  log: /^store\/level\/.*\.log$/,
  manifest: /^store\/level\/(MANIFEST-\d+|CURRENT)$/,
  'text log': /^store\/level\/LO(G|G\.old|CK)$/,
  'commit mark': /^store\/commits$/,
  reserve: /^store\/reserve$/,
  'second place': /^second-place\/.*\.marks?$/,
  key: /^keys\/.*\.json$/,
  secret: /^admin-secret$/,
  trail: /^trail\.jsonl$/,
  config: /^entente\.yaml$/,
  checkpoint: /^public\/(trust|attest\/[0-9-]+)\/checkpoint$/,
  'tile or bundle': /^public\/(trust|attest\/[0-9-]+)\/tile\/.*$/,
  'copy of a peer': /^public\/copies\/.*$/,
  cosignature: /^public\/cosignatures\/.*$/,
} as const;

/** What is known to be true of the region before anything is damaged. */
interface Known {
  readonly fingerprint: Uint8Array;
  readonly codes: readonly (Acknowledged & { readonly text: string; readonly outcome: 'pass' | 'stop' })[];
}

describe('Region F4: damage at rest, in every kind of file of its directory', () => {
  const folder = temporaryFolders();
  const random = seeded(20_261_125);
  let cli: TestCli;
  let modules: RegionModules;
  let known: Known;
  let home: string;

  before(async function () {
    this.timeout(120_000);
    cli = new TestCli(folder());
    cli.nowS = Math.floor(Date.now() / 1000);
    modules = await realModules();
    const made = await cli.json<{ fingerprint: string }>('init', 'DE', '--dir', cli.path('DE'));
    await cli.json('init', 'FR', '--dir', cli.path('FR'));
    for (const [one, other] of [
      ['DE', 'FR'],
      ['FR', 'DE'],
    ] as const)
      await cli.json('recognise', cli.path(one), cli.path(other));
    home = cli.path('DE');
    writeFileSync(cli.path('people.csv'), peopleCsv(300));
    const rows = (await cli.run('issue', home, cli.path('people.csv'), '--json')).out.trimEnd().split('\n');
    const issued = rows.map((row) => JSON.parse(row) as { subject: string; code: string; index: number });
    const revoked = issued.filter(({ subject }) => subject.endsWith('7')).map(({ code }) => code);
    await cli.json('revoke', home, ...revoked);
    await openNodeIdentity(
      new RegionLayout(home).keys,
      await readRegionConfig(new RegionLayout(home)),
      modules,
    );
    await openSecret(join(home, 'admin-secret'), modules.random);
    known = { fingerprint: hexBytes(made.fingerprint), codes: [] };
    const region = await openAlone(home);
    try {
      await region.node.whenWriting();
      const codes = [];
      for (const { subject, code } of issued.slice(0, 40)) {
        const [held] = await region.node.heldCodes.ofSubject(subject);
        assert.ok(held);
        const { log, index, attestation } = held;
        const outcome = revoked.includes(code) ? ('stop' as const) : ('pass' as const);
        codes.push({ subject, log, index, hash: hashOf(attestation), text: code, outcome });
      }
      known = { ...known, codes };
    } finally {
      await region.close();
    }
    cli.nowS = Math.floor(Date.now() / 1000);
    for (const region of ['FR', 'DE']) await cli.json('witness', cli.path(region));
    await cli.json('issue', home, '--subject', 'Last', '--colour', 'green');
    await cli.json('witness', cli.path('FR'));
    for (const file of filesOf(home)) {
      assert.ok(
        Object.values(KINDS).some((pattern) => pattern.test(file)),
        `${file} is of no known kind`,
      );
    }
  });
  /** The region, and its neighbour beside it. */
  function copied(): string {
    const beside = folder();
    for (const name of ['DE', 'FR']) cpSync(cli.path(name), join(beside, name), { recursive: true });
    return join(beside, 'DE');
  }

  /**
   * Goes through everything that anybody may ask of the region: each answer is right, or an error that says what to do.
   * Returns the codes of those errors.
   */
  async function told(path: string): Promise<string[]> {
    const errors: string[] = [];
    /** What a failure leaves undone is not asked for. */
    const step = async (what: () => Promise<void>): Promise<boolean> => {
      try {
        await what();
        return true;
      } catch (error) {
        if (!isNodeError(error)) throw error;
        assert.ok(error.hint, `no hint: ${error.code} ${error.message}`);
        errors.push(error.code);
        return false;
      }
    };
    await step(async () => void (await openSecret(join(path, 'admin-secret'), modules.random)));
    let region: Region | undefined;
    const opens = await step(async () => {
      const layout = new RegionLayout(path);
      await openNodeIdentity(layout.keys, await readRegionConfig(layout), modules);
      region = await openAlone(path);
    });
    if (!opens || region === undefined) return errors;
    try {
      const { node } = region;
      const signs = await step(() => node.whenWriting());
      if (signs) {
        await step(() => assertCodesHeld(node, known.codes));
        await step(async () => void (await node.issue(greenFor('later'))));
        await step(() => region?.publish() ?? Promise.resolve());
      }
    } finally {
      await region.close();
    }
    await step(async () => void (await assertSound(path, false)));
    return errors;
  }

  /** Codes that are held against the region: one that passes and one that is revoked. */
  function shown(): Known['codes'] {
    return ['pass', 'stop'].flatMap((wanted) => known.codes.find(({ outcome }) => outcome === wanted) ?? []);
  }

  async function verdictOn(path: string, text: string): Promise<{ outcome?: string; error?: string }> {
    const { exit, out, err } = await cli.run('verify', '--region', path, text, '--json');
    if (exit === 0 || out !== '') return JSON.parse(out) as { outcome: string };
    const { error } = JSON.parse(err) as { error: { code: string; message: string; hint?: string } };
    assert.ok(error.hint, `no hint: ${error.code} ${error.message}`);
    return { error: error.code };
  }

  /** The same for those who have the published files alone. */
  async function toldByFiles(path: string): Promise<string[]> {
    const errors: string[] = [];
    try {
      const { state } = await readPublicRegion(join(path, 'public'), known, modules);
      for (const { log, index, outcome } of known.codes)
        assert.equal(state.revoked(log)?.has(index), outcome === 'stop');
    } catch (error) {
      if (!isNodeError(error) && !isProtocolError(error)) throw error;
      errors.push(isNodeError(error) ? error.code : error.fault.code);
    }
    for (const { text, outcome } of shown()) {
      // Too little knowledge is undetermined; what is not so is a wrong answer.
      const verdict = await verdictOn(path, text);
      if (verdict.error !== undefined) errors.push(verdict.error);
      else
        assert.ok(
          [outcome, 'undetermined'].includes(verdict.outcome ?? ''),
          `${verdict.outcome}, not ${outcome}`,
        );
    }
    return [...errors, ...(await audited(join(path, 'public')))];
  }

  /** The codes of what an auditor of these files finds. */
  async function audited(path: string): Promise<string[]> {
    try {
      const source = await openStaticSource(path);
      const { faults } = await auditRegion({ ...source.owner, nowS: modules.nowS() }, { ...modules, source });
      return faults.map(({ code }) => code);
    } catch (error) {
      if (!isProtocolError(error)) throw error;
      return [error.fault.code];
    }
  }

  async function assertUndamaged(path: string): Promise<void> {
    assert.deepEqual(await told(path), []);
    assert.deepEqual(await toldByFiles(path), []);
  }

  async function assertPublishedAnew(path: string): Promise<void> {
    for (const name of ['trust', 'attest']) rmSync(join(path, 'public', name), { recursive: true });
    assert.deepEqual(await told(path), []);
    cli.nowS = Math.floor(Date.now() / 1000);
    for (const region of [path, join(path, '..', 'FR')]) await cli.json('witness', region);
    assert.deepEqual(await toldByFiles(path), []);
  }

  it('without damage every code passes or is stopped as it should, and nothing is wrong', async () => {
    const path = copied();
    for (const { text, outcome } of shown()) assert.equal((await verdictOn(path, text)).outcome, outcome);
    await assertUndamaged(path);
  });

  for (const [kind, pattern] of Object.entries(KINDS)) {
    const flips = Math.ceil(FLIPS / Object.keys(KINDS).length);
    it(`${flips} flipped bits in files of the kind ${kind}: no wrong answer, nothing lost, and whatever fails says what to do`, async function () {
      this.timeout(30_000 + flips * 15_000);
      const files = filesOf(home).filter((file) => pattern.test(file) && sizeOf(home, file) > 0);
      const counts = new Map<string, number>();
      for (let flip = 0; flip < flips; flip++) {
        const path = copied();
        const file = files[Math.floor(random() * files.length)] ?? '';
        const bytes = readFileSync(join(path, file));
        const bit = Math.floor(random() * bytes.length * 8);
        bytes[bit >> 3] = (bytes[bit >> 3] ?? 0) ^ (1 << (bit & 7));
        writeFileSync(join(path, file), bytes);
        try {
          const byFiles = await toldByFiles(path);
          const errors = [...byFiles, ...(await told(path))];
          // What is published can be made again from the store.
          if (errors.length > 0 && errors.length === byFiles.length) await assertPublishedAnew(path);
          const what = errors.length === 0 ? 'harmless or healed' : [...new Set(errors)].join(' ');
          counts.set(what, (counts.get(what) ?? 0) + 1);
        } catch (error) {
          throw new Error(`bit ${bit} of ${file}: ${String(error)}`, { cause: error });
        }
        rmSync(path, { recursive: true });
      }
      if (FLIPS > 13) console.log(`      ${JSON.stringify(Object.fromEntries(counts))}`);
    });
  }
});

function peopleCsv(count: number): string {
  return `subject,colour\n${Array.from({ length: count }, (_, i) => `P${i},green\n`).join('')}`;
}

function sizeOf(directory: string, file: string): number {
  return statSync(join(directory, file)).size;
}

function filesOf(directory: string): string[] {
  return readdirSync(directory, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(directory.length + 1));
}
