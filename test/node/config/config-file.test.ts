import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import fc from 'fast-check';
import { createConfig, editConfig, parseConfig, readConfig } from '../../../node/config/config-file.ts';
import { type ConfigInput } from '../../../node/config/schema.ts';
import { allSettings, variableOf } from '../../../node/config/settings.ts';
import { isNodeError, type NodeErrorCode } from '../../../node/node-error.ts';
import { temporaryFolders } from '../../support/temporary.ts';

const FINGERPRINT = 'ab12'.repeat(16);
const VALUES: ConfigInput = { format: 1, region: 'CN-33', network: 'demo', name: '浙江' };
const TEXT = 'format: 1\nregion: CN-33\nnetwork: demo\nname: 浙江\n';

function refuses(text: string, message: RegExp, over: Parameters<typeof parseConfig>[2] = {}): void {
  assert.throws(
    () => parseConfig('entente.yaml', text, over),
    (error) => {
      assert.ok(isNodeError(error, 'CONFIG_INVALID'), String(error));
      assert.match(error.message, message);
      return true;
    },
  );
}

function isError(code: NodeErrorCode) {
  return (error: unknown) => isNodeError(error, code);
}

describe('parseConfig', () => {
  it('gives what the file says, and the defaults of the schema for what it does not say', () => {
    const config = parseConfig('entente.yaml', TEXT);
    assert.equal(config.name, '浙江');
    assert.deepEqual(config.peers, {});
    assert.equal(config.limits.bodyBytesMax, 65_536);
    assert.equal(config.http.tls, undefined);
  });

  it('takes a key without a value as not set, as where all below it is commented out', () => {
    const config = parseConfig('entente.yaml', `${TEXT}limits:\n  # inFlightMax: 3\nhttp:\n  port:\n`);
    assert.deepEqual(config, parseConfig('entente.yaml', TEXT));
  });

  it('takes a fingerprint as it is printed for people', () => {
    const printed = FINGERPRINT.toUpperCase().match(/.{4}/g)?.join(' ') ?? '';
    assert.equal(parseConfig('x', `${TEXT}fingerprint: ${printed}\n`).fingerprint, FINGERPRINT);
  });

  it('B70: names line and nearest key of an unknown one, at every depth', () => {
    refuses(`${TEXT}http:\n  prot: 80\n`, /line 6: unknown key http\.prot: did you mean http\.port\?/);
    refuses(`${TEXT}pears: {}\n`, /line 5: unknown key pears: did you mean peers\?/);
    refuses(`${TEXT}\nport: 80\n`, /line 6: unknown key port: did you mean http\.port\?/);
    refuses(`${TEXT}log:\n  Level: info\n`, /unknown key log\.Level: did you mean log\.level\?/);
    refuses(
      `${TEXT}peers:\n  DE:\n    directory: x\n    adresses: []\n`,
      /line 8: .*did you mean peers\.DE\.addresses\?/,
    );
    refuses(`${TEXT}colourOfTheSky: blue\n`, /known are format, region/);
    refuses(`${TEXT}__proto__: {}\n`, /unknown key __proto__/);
  });

  const bad: readonly [what: string, text: string, message: RegExp][] = [
    ['another format', TEXT.replace('1', '2'), /line 1: format: /],
    ['a region with a Cyrillic letter (T19)', TEXT.replace('CN-33', 'СN-33'), /line 2: region: /],
    ['a region in lower case', TEXT.replace('CN-33', 'cn-33'), /line 2: region: /],
    ['a network with a capital', TEXT.replace('demo', 'Demo'), /line 3: network: /],
    ['an empty name', TEXT.replace('浙江', '""'), /line 4: name: /],
    ['a name of 65 bytes', TEXT.replace('浙江', 'x'.repeat(65)), /line 4: name: .*64 bytes/],
    ['a missing name', 'format: 1\nregion: DE\nnetwork: demo\n', /name: is missing/],
    ['port 70000', `${TEXT}http:\n  port: 70000\n`, /line 6: http\.port: /],
    ['port -1', `${TEXT}http:\n  port: -1\n`, /line 6: http\.port: /],
    ['a port as text', `${TEXT}http:\n  port: "80"\n`, /line 6: http\.port: /],
    ['a host name to listen on', `${TEXT}http:\n  address: localhost\n`, /line 6: http\.address: .*IP/],
    [
      'the admin interface on all addresses',
      `${TEXT}admin:\n  listen: 0.0.0.0:80\n`,
      /line 6: admin\.listen: /,
    ],
    ['an admin port of 70000', `${TEXT}admin:\n  listen: 127.0.0.1:70000\n`, /line 6: admin\.listen: /],
    [
      'TLS without a key',
      `${TEXT}http:\n  tls:\n    certFile: a\n`,
      /line 6: http\.tls\.keyFile: is missing/,
    ],
    ['an origin with a path', `${TEXT}http:\n  corsOrigins: [https://a.example/b]\n`, /http\.corsOrigins\.0/],
    [
      'an address that is no multiaddr',
      `${TEXT}p2p:\n  listen: [127.0.0.1:80]\n`,
      /p2p\.listen\.0: .*multiaddr/,
    ],
    ['its own region as a peer', `${TEXT}peers:\n  CN-33: {directory: x}\n`, /line 6: peers\.CN-33: .*own/],
    ['a peer twice', `${TEXT}peers:\n  DE: {directory: x}\n  DE: {directory: y}\n`, /line 7: .*unique/],
    ['a peer that is no region', `${TEXT}peers:\n  de: {directory: x}\n`, /line 6: peers\.de: /],
    ['a peer without an address', `${TEXT}peers:\n  DE: {mirror: true}\n`, /line 6: peers\.DE: /],
    ['an invited peer without a fingerprint', `${TEXT}peers:\n  DE: {invited: true}\n`, /fingerprint/],
    ['a fingerprint of 63 digits', `${TEXT}fingerprint: ${FINGERPRINT.slice(1)}\n`, /line 5: fingerprint: /],
    ['batches of nothing', `${TEXT}limits: {batchCodesMax: 0}\n`, /limits\.batchCodesMax/],
    ['batches of 10,001 (B67)', `${TEXT}limits: {batchCodesMax: 10001}\n`, /limits\.batchCodesMax/],
    ['a list', '- 1\n', /the whole/],
    ['nothing', '', /the whole/],
    ['a broken file', 'format: 1\n  region: x\n', /line \d/],
    ['two documents', `${TEXT}---\n${TEXT}`, /line 5/],
    ['anchors and aliases', `${TEXT}http: &x {}\nadmin: *x\n`, /line 5: anchors.*\n.*line 6: anchors/],
    ['tags', `${TEXT}http: !secret {}\n`, /line 5: /],
  ];
  for (const [what, text, message] of bad) {
    it(`B70: refuses ${what}`, () => refuses(text, message));
  }

  it('tells the first problems of many', () => {
    const keys = Array.from({ length: 20 }, (_, i) => `unknown${i}: 1\n`).join('');
    refuses(TEXT + keys, /unknown0(.|\n)*unknown4(.|\n)*and 15 more$/);
  });

  it('takes the environment over the file, and settings over the environment', () => {
    const text = `${TEXT}http:\n  port: 1\n  address: 127.0.0.2\n`;
    const environment = {
      ENTENTE_HTTP_PORT: '2',
      ENTENTE_LOG_LEVEL: 'warn',
      ENTENTE_VECTORS: 'x',
      PATH: '/bin',
    };
    const { http, log } = parseConfig('x', text, { environment, settings: [['http.port', '3']] });
    assert.deepEqual([http.port, http.address, log.level], [3, '127.0.0.2', 'warn']);
    assert.equal(parseConfig('x', text, { environment }).http.port, 2);
    assert.deepEqual(
      parseConfig('x', text, {
        environment: { ENTENTE_HTTP_CORS_ORIGINS: 'https://a.example, https://b.example' },
      }).http.corsOrigins,
      ['https://a.example', 'https://b.example'],
    );
  });

  it('B70: refuses what the environment or a flag says wrong, by its name', () => {
    refuses(TEXT, /ENTENTE_HTTP_PROT: .*did you mean ENTENTE_HTTP_PORT\?/, {
      environment: { ENTENTE_HTTP_PROT: '1' },
    });
    refuses(TEXT, /ENTENTE_HTTP_PORT: http\.port: /, { environment: { ENTENTE_HTTP_PORT: '70000' } });
    refuses(TEXT, /ENTENTE_HTTP_PORT: http\.port: /, { environment: { ENTENTE_HTTP_PORT: '8e1' } });
    refuses(TEXT, /--set http\.prot: .*did you mean http\.port\?/, { settings: [['http.prot', '1']] });
    refuses(TEXT, /ENTENTE_PEERS: unknown/, { environment: { ENTENTE_PEERS: '{}' } });
  });

  it('every setting but the peers has a variable of its own', () => {
    const names = allSettings()
      .filter(({ kind }) => kind !== 'map')
      .map(variableOf);
    assert.equal(new Set(names).size, allSettings().length - 1);
    assert.ok(names.includes('ENTENTE_LIMITS_BODY_BYTES_MAX'));
  });
});

describe('readConfig', () => {
  const folder = temporaryFolders();

  it('names an absent file, and refuses what is no UTF-8 or too long', async () => {
    const path = join(folder(), 'entente.yaml');
    await assert.rejects(readConfig(path), isError('DIRECTORY_MISSING'));
    writeFileSync(path, Buffer.from([0x6e, 0xff]));
    await assert.rejects(readConfig(path), isError('CONFIG_INVALID'));
    writeFileSync(path, `${TEXT}#${'x'.repeat(1_048_576)}`);
    await assert.rejects(readConfig(path), isError('DATA_INCONSISTENT'));
  });
});

describe('createConfig', () => {
  const folder = temporaryFolders();

  it('writes a file that says what was given, and every other key with its meaning and default', async () => {
    const path = join(folder(), 'entente.yaml');
    const values = { ...VALUES, fingerprint: FINGERPRINT, http: { port: 1234 }, peers: {} };
    await createConfig(path, values);
    const text = readFileSync(path, 'utf8');
    assert.deepEqual(
      await readConfig(path),
      parseConfig('x', `${TEXT}fingerprint: ${FINGERPRINT}\nhttp: {port: 1234}\n`),
    );
    for (const { at, description } of allSettings()) {
      assert.match(text, new RegExp(`^ *(# )?${at.at(-1)}:`, 'm'));
      assert.ok(text.includes(description.slice(0, 60)), at.join('.'));
    }
  });

  it('shows the true defaults: with the signs of comment taken away from the settings the file says the same', async () => {
    const path = join(folder(), 'entente.yaml');
    await createConfig(path, VALUES);
    const text = readFileSync(path, 'utf8');
    const bare = text.replaceAll(
      /^( *)# (?!certFile|keyFile|key:|addresses:)(?=[a-zA-Z]+:( (?![a-z]+ )|$)| +- )/gm,
      '$1',
    );
    assert.notEqual(bare, text);
    assert.deepEqual(parseConfig('x', bare), parseConfig('x', text));
  });

  it('B71: writes nothing where the values are refused', async () => {
    const path = folder();
    await assert.rejects(
      createConfig(join(path, 'entente.yaml'), { ...VALUES, region: 'x' }),
      isError('CONFIG_INVALID'),
    );
    assert.deepEqual(readdirSync(path), []);
  });
});

describe('editConfig', () => {
  const folder = temporaryFolders();

  async function afterEdits(text: string, ...edits: Parameters<typeof editConfig>[1]): Promise<string> {
    const path = join(folder(), 'entente.yaml');
    writeFileSync(path, text);
    await editConfig(path, edits);
    return readFileSync(path, 'utf8');
  }

  it('adds a peer to none, and another to that, and comments stay where they were', async () => {
    const text = `# top\n${TEXT}# who we know\npeers: {} # none yet\n\n# the end\n`;
    const one = await afterEdits(text, { at: ['peers', 'DE'], value: { directory: '../DE' } });
    assert.equal(
      one,
      `# top\n${TEXT}# who we know\npeers:\n  DE:\n    directory: ../DE # none yet\n\n# the end\n`,
    );
    const two = await afterEdits(one, {
      at: ['peers', 'FR'],
      value: { addresses: ['/ip4/192.0.2.1/tcp/1'] },
    });
    assert.equal(
      two,
      one.replace('# none yet\n', '# none yet\n  FR:\n    addresses:\n      - /ip4/192.0.2.1/tcp/1\n'),
    );
    assert.equal(await afterEdits(two, { at: ['peers', 'FR'], value: undefined }), one);
  });

  it('replaces a value, sets one in a section that is commented out, and one in a section that is absent', async () => {
    const text = `${TEXT}http:\n  port: 1 # public\nlimits:\n  # inFlightMax: 512\n`;
    const edits = [
      { at: ['http', 'port'], value: 2 },
      { at: ['limits', 'inFlightMax'], value: 3 },
      { at: ['log', 'level'], value: 'warn' },
    ];
    assert.equal(
      await afterEdits(text, ...edits),
      `${TEXT}http:\n  port: 2 # public\nlimits:\n  inFlightMax: 3\n  # inFlightMax: 512\nlog:\n  level: warn\n`,
    );
  });

  it('changes nothing where the result would be refused', async () => {
    const path = join(folder(), 'entente.yaml');
    writeFileSync(path, TEXT);
    const edits = [{ at: ['http', 'prot'], value: 1 }];
    await assert.rejects(editConfig(path, edits), isError('CONFIG_INVALID'));
    assert.equal(readFileSync(path, 'utf8'), TEXT);
  });

  it('loses none of eight edits at once, and leaves nothing beside the file', async () => {
    const path = join(folder(), 'entente.yaml');
    writeFileSync(path, TEXT);
    const regions = ['AT', 'BE', 'CZ', 'DE', 'ES', 'FR', 'IT', 'PL'];
    await Promise.all(
      regions.map((region) =>
        editConfig(path, [{ at: ['peers', region], value: { directory: `../${region}` } }]),
      ),
    );
    assert.deepEqual(Object.keys((await readConfig(path)).peers).toSorted(), regions);
    assert.deepEqual(readdirSync(dirname(path)), ['entente.yaml']);
  });

  it('makes no folder where there is no region', async () => {
    const path = join(folder(), 'nowhere', 'entente.yaml');
    await assert.rejects(editConfig(path, []), isError('DIRECTORY_MISSING'));
    assert.ok(!existsSync(dirname(path)));
  });

  it('leaves every other line as it is, whichever settings are changed in whatever order', async () => {
    const path = join(folder(), 'entente.yaml');
    await createConfig(path, { ...VALUES, peers: {} });
    const text = readFileSync(path, 'utf8');
    const numbers = allSettings()
      .filter(({ kind, at }) => kind === 'number' && at[0] === 'limits')
      .map(({ at }) => at);
    // What no number of these fits.
    const SMALL = ['batchCodesMax', 'addressSharePercent'];
    const edit = fc.record({
      at: fc.constantFrom(...numbers),
      value: fc.integer({ min: 4_096, max: 10_000 }),
    });
    // Blanks alone name no directory.
    const directory = fc.string({ unit: 'grapheme' }).filter((text) => text.trim() !== '');
    const peer = fc.record({
      at: fc.constantFrom('DE', 'FR', 'IT').map((region) => ['peers', region]),
      value: fc.option(fc.record({ directory }, { noNullPrototype: true }), {
        nil: undefined,
      }),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(fc.oneof(edit, peer), { maxLength: 6 }), async (edits) => {
        writeFileSync(path, text);
        const wanted = new Map(edits.map(({ at, value }) => [at.join('.'), value]));
        const isKept = edits.every(({ at }) => !SMALL.some((name) => at.includes(name)));
        if (!isKept) return assert.rejects(editConfig(path, edits), isError('CONFIG_INVALID'));
        const config = await editConfig(path, edits);
        for (const [name, value] of wanted) {
          const [section = '', key = ''] = name.split('.');
          const part = config[section as 'limits' | 'peers'] as Readonly<Record<string, unknown>>;
          assert.deepEqual(part[key], value);
        }
        const lines = readFileSync(path, 'utf8').split('\n');
        for (const line of text.split('\n'))
          if (line.trimStart().startsWith('#')) assert.ok(lines.includes(line), line);
        return undefined;
      }),
      { numRuns: 200, examples: [[[{ at: ['peers', 'DE'], value: { directory: '-\u2003' } }]]] },
    );
  });
});
