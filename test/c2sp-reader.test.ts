/** A reader in Python, written from the documents of C2SP alone, reads the logs of running nodes and has them witnessed. */
import assert from 'node:assert/strict';
import { execFile, spawnSync } from 'node:child_process';
import { createServer, type Server } from 'node:http';
import { type AddressInfo } from 'node:net';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { hexBytes } from '../protocol/bytes.ts';
import { COSIGNATURE, ED25519, encodeVerifierKey, makeVerifierKey } from '../protocol/log/verifier-key.ts';
import { eventually, Federation } from './support/federation.ts';
import { sha256 } from './support/primitives.ts';
import { projectRoot } from './support/project.ts';
import { temporaryFolders } from './support/temporary.ts';

const READER = join(projectRoot, 'test/c2sp-reader/reader.py');
const [ISSUER, WITNESS] = ['FR', 'DE'] as const;
const TRUST = `${ISSUER}.demo/trust`;
/** More than a full tile. */
const PEOPLE = 300;
const DEADLINE_MS = 60_000;

interface Read {
  readonly origin: string;
  readonly size: number;
  readonly root: string;
  readonly tiles: number;
  readonly cosigned: readonly (readonly [name: string, timeS: number])[];
}

interface Proven {
  readonly origin: string;
  readonly index: number;
  readonly cosigned: Read['cosigned'];
}

interface WitnessedBy {
  readonly from: number;
  readonly size: number;
  readonly times: readonly number[];
}

describe('a reader written from the documents of C2SP', function () {
  this.timeout(240_000);
  const folder = temporaryFolders();
  let world: Federation;
  /** Verifier keys of the logs and of the witnesses. */
  let keys: readonly string[];
  let attestation: string;

  before(async function () {
    if (spawnSync('python3', ['-c', 'import sys; sys.exit(sys.version_info < (3, 10))']).status !== 0) {
      console.log('skipped: there is no python3 of version 3.10 or later');
      this.skip();
    }
    world = await Federation.found(folder(), [WITNESS, ISSUER]);
    await Promise.all([WITNESS, ISSUER].map((region) => world.start(region)));
    await Promise.all([WITNESS, ISSUER].map((region) => world.node(region).ready()));
    await issue(PEOPLE);
    attestation = `${ISSUER}.demo/attest/${new Date().toISOString().slice(0, 7)}`;
    keys = [
      ...(await keysOf(ISSUER, 'checkpoint', ED25519, [TRUST, attestation])),
      ...(await keysOf(ISSUER, 'witness', COSIGNATURE, [`${ISSUER}.demo/witness`])),
      ...(await keysOf(WITNESS, 'witness', COSIGNATURE, [`${WITNESS}.demo/witness`])),
    ];
  });
  after(() => world?.stop());

  async function issue(count: number): Promise<void> {
    const file = join(world.cli.dir, 'people.csv');
    const rows = Array.from({ length: count }, (_, i) => `Person ${i},green\n`);
    writeFileSync(file, `subject,colour\n${rows.join('')}`);
    const { exit, err } = await world.cli.run('issue', world.cli.path(ISSUER), file, '--json');
    assert.equal(exit, 0, err);
  }

  async function keysOf(
    region: string,
    role: string,
    algorithm: typeof ED25519 | typeof COSIGNATURE,
    names: readonly string[],
  ): Promise<string[]> {
    const told = JSON.parse((await world.get(region, `/v1/keys?region=${region}`)).toString()) as {
      readonly keys: readonly { readonly role: string; readonly publicKey: string }[];
    };
    return told.keys
      .filter((key) => key.role === role)
      .flatMap(({ publicKey }) =>
        names.map((name) =>
          encodeVerifierKey(makeVerifierKey(sha256, { name, algorithm, publicKey: hexBytes(publicKey) })),
        ),
      );
  }

  function python(...args: readonly string[]): Promise<{ exit: number; out: string; err: string }> {
    return new Promise((resolve) => {
      execFile('python3', [READER, ...args, ...keys], { timeout: DEADLINE_MS }, (error, out, err) =>
        resolve({ exit: error === null ? 0 : Number(error.code ?? -1), out, err }),
      );
    });
  }

  async function told<T>(...args: readonly string[]): Promise<T> {
    const { exit, out, err } = await python(...args);
    assert.equal(exit, 0, err);
    return JSON.parse(out) as T;
  }

  const prefixOf = (origin: string) => `${world.node(ISSUER).url}/${origin}`;
  const rootOf = async (origin: string) =>
    Buffer.from(
      (await world.get(ISSUER, `/${origin}/checkpoint`)).toString().split('\n')[2] ?? '',
      'base64',
    ).toString('hex');

  it('takes checkpoint, entries and every tile of an attestation log of more than one bundle, and the cosignature of its witness', async () => {
    const nowS = Date.now() / 1_000;
    const { origin, size, root, tiles, cosigned } = await eventually(
      () => told<Read>('log', prefixOf(attestation)),
      (read) => read.cosigned.length > 0,
      ({ cosigned: by }) => JSON.stringify(by),
      // Where a part of it was witnessed first, the rest is a minute later.
      2 * DEADLINE_MS,
      500,
    );
    assert.deepEqual([origin, root], [attestation, await rootOf(attestation)]);
    assert.ok(size >= PEOPLE, `${size} entries`);
    assert.equal(tiles, 3, 'two of level 0 and one above them');
    assert.deepEqual(
      cosigned.map(([name, timeS]) => [name, timeS > nowS - 600 && timeS <= Date.now() / 1_000 + 1]),
      [[`${WITNESS}.demo/witness`, true]],
    );
  });

  it('takes the receipt of an attestation as proof that it is in the log, and that its witness has seen it', async () => {
    const [log = '', index] = [attestation.split('/').pop(), 7];
    const path = join(world.cli.dir, 'receipt.tlog-proof');
    const asked = ['log', 'receipt', world.cli.path(ISSUER), '--log', log, '--index', String(index)];
    await world.cli.json(...asked, '--out', path);
    const { cosigned, ...proven } = await told<Proven>('proof', path, prefixOf(attestation));
    assert.deepEqual(proven, { origin: attestation, index });
    assert.deepEqual(
      cosigned.map(([name]) => name),
      [`${WITNESS}.demo/witness`],
    );
    const text = readFileSync(path, 'utf8');
    writeFileSync(path, text.replace(`index ${index}`, 'index 8'));
    const { exit, err } = await python('proof', path, prefixOf(attestation));
    assert.deepEqual([exit, err], [1, 'refused: the path leads to another root\n']);
  });

  it('takes the trust log, and the cosignatures of both witnesses on it', async () => {
    const names = [`${WITNESS}.demo/witness`, `${ISSUER}.demo/witness`];
    const { cosigned } = await eventually(
      () => told<Read>('log', prefixOf(TRUST)),
      (read) => names.every((name) => read.cosigned.some(([by]) => by === name)),
      ({ cosigned: by }) => JSON.stringify(by),
    );
    const nowS = Date.now() / 1_000;
    for (const [name, timeS] of cosigned) assert.ok(timeS > nowS - 600 && timeS <= nowS + 1, name);
  });

  it('A14 has a witness cosign a log as it grows, and is refused as the document says', async () => {
    const ask = () => told<WitnessedBy>('witness', prefixOf(attestation), world.node(WITNESS).url);
    await ask();
    // The witness looks at the log by itself, too, and may have been there first.
    const grown = await eventually(
      async () => {
        await issue(3);
        return ask();
      },
      ({ from, size }) => from < size,
      JSON.stringify,
    );
    const { from, size, times, ...answers } = grown;
    assert.ok(from >= PEOPLE && size > from);
    assert.ok((times[0] ?? 0) > Date.now() / 1_000 - 600);
    assert.deepEqual(answers, {
      again: 200,
      late: 409,
      lateSize: `${size}\n`,
      tooOld: 400,
      proofOfNothing: 422,
      tampered: 403,
      elsewhere: 404,
      malformed: 400,
    });
  });

  describe('refuses a log of which one bit was changed on its way:', () => {
    let proxy: Server;
    let flips: (path: string) => number | undefined = () => undefined;

    before(async () => {
      proxy = createServer((request, response) => {
        const path = request.url ?? '';
        void world.get(ISSUER, path).then(
          (bytes) => {
            const at = flips(path);
            if (at !== undefined) bytes[at < 0 ? bytes.length + at : at] = (bytes.at(at) ?? 0) ^ 1;
            response.end(bytes);
          },
          () => response.writeHead(404).end(),
        );
      }).listen(0, '127.0.0.1');
      await new Promise((resolve) => proxy.once('listening', resolve));
    });
    after(() => proxy?.close());

    const cases: readonly [what: string, path: RegExp, at: number, refusal: RegExp][] = [
      ['A5 a leaf hash', /tile\/0\/000$/, 40, /tile 0 of level 0/],
      ['A6 an entry', /tile\/entries\/000$/, 20, /tile 0 of level 0/],
      ['A6 the length of an entry', /tile\/entries\/001\.p/, 0, /bundle 1/],
      ['A7 a hash above the leaves', /tile\/1\/000\.p/, 5, /tile 0 of level 1/],
      ['A7 a partial tile', /tile\/0\/001\.p/, 5, /tile 1 of level 0/],
      ['A21 the size', /checkpoint$/, 24, /./],
      ['A22 the last line of the checkpoint', /checkpoint$/, -20, /./],
    ];
    for (const [what, path, at, refusal] of cases) {
      it(what, async () => {
        let changed = 0;
        flips = (asked) => (path.test(asked) && ++changed > 0 ? at : undefined);
        const { port } = proxy.address() as AddressInfo;
        const { exit, err } = await python('log', `http://127.0.0.1:${port}/${attestation}`);
        assert.equal(exit, 1, err);
        assert.match(err, /^refused: /);
        assert.match(err, refusal);
        assert.ok(changed > 0);
      });
    }
  });
});
