import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { hcertKeyOf } from '../../node/foreign/hcert-key.ts';
import { opensslBackEnd } from '../../node/crypto/openssl.ts';
import { encodeEvidence } from '../../protocol/evidence/evidence.ts';
import { REGIONS, witnessAll } from '../support/cli-world.ts';
import { TestCli } from '../support/cli.ts';
import { makeAuthority } from '../support/csca-fixture.ts';
import { makeEcSigner } from '../support/foreign-keys.ts';
import { Forger } from '../support/forger.ts';
import { JSON_PROFILE, LOCAL_CLAIMS, localJwk, signedJson } from '../support/local-fixture.ts';
import { makeHcert } from '../support/hcert-fixture.ts';
import { examplesIn, helpTree } from '../support/help-tree.ts';
import { projectRoot } from '../support/project.ts';
import { temporaryFolders } from '../support/temporary.ts';
import { makeCertificate } from '../support/x509-fixture.ts';

const HELP = await helpTree();
const EXAMPLES = new Set(HELP.flatMap(examplesIn));

/** What runs until it is stopped, takes long, needs vectors made by others or a PostgreSQL, or asks nodes of other machines. */
const TRIED_ELSEWHERE =
  /^(ENTENTE_LOG_FORMAT=pretty )?entente (run|up|demo|bench|conformance|registry|worker)\b|https:\/\//;

/** What ends with another code than 0 in the world below. */
const OTHER_EXITS = new Map([
  // No node runs there.
  ['entente status DE', 4],
  ['entente evidence tell DE fork.evidence', 4],
  ['entente status --live DE', 1],
  ['entente promote DE', 4],
  // What is issued by hand, where nobody is an operator, is by no two.
  ['entente audit disclosure 0.disclosure --key auditor.key --against DE/public', 5],
  // That hash is of no trail.
  [`entente trail verify DE --line 12 --hash ${'0a'.repeat(32)}`, 5],
  ['entente invite list DE', 4],
  ['entente invite confirm DE FR --words "abandon ability ... zoo"', 4],
  ['entente invite confirm DE AT --words "abandon ability ... zoo" --way adapter', 4],
  ['entente invite drop DE FR', 4],
  ['entente invite drop DE 0123456789abcdef', 4],
  ['entente join ask FR invitation.txt', 4],
  ['entente join list FR', 4],
  ['entente join confirm FR DE --words "abandon ability ... zoo"', 4],
  ['entente join drop FR DE', 4],
]);

/** Rules that are in force today. */
function rulesOf(version: number, today: string): string {
  const year = Number(today.slice(0, 4));
  return `id: de
version: ${version}
base: { id: baseline, version: 1 }
region: DE
from: ${year}-01-01
until: ${year + 1}-12-31
examples:
  - name: nobody is green without a declaration
    at: ${today}T00:00:00Z
    facts: {}
    expect: { open: [declared, consent] }
`;
}

/** As member states exchange them. */
const COUNTRY_RULE = {
  Identifier: 'GR-DE-0001',
  Type: 'Acceptance',
  Country: 'DE',
  Version: '1.0.0',
  Engine: 'CERTLOGIC',
  CertificateType: 'General',
  Description: [{ lang: 'en', desc: 'It has to be against the targeted disease.' }],
  ValidFrom: '2021-06-01T00:00:00Z',
  ValidTo: '2030-06-01T00:00:00Z',
  Logic: { in: [{ var: 'payload.v.0.tg' }, { var: 'external.valueSets.disease-agent-targeted' }] },
};

describe('the examples of the help texts', () => {
  const folder = temporaryFolders();
  let world: TestCli;
  let path: string;
  /** What stands for what an example cannot know. */
  let meant: (line: string) => string;

  /** Three regions that know each other, a person with codes and a phone, and what the examples read. */
  before(async function () {
    this.timeout(120_000);
    world = new TestCli(folder());
    // Some examples run as processes, which go by the clock of this machine.
    world.nowS = Math.floor(Date.now() / 1000);
    const bin = folder();
    const main = join(projectRoot, 'dist/cli/main.js');
    writeFileSync(join(bin, 'entente'), `#!/bin/sh\nexec '${process.execPath}' '${main}' "$@"\n`, {
      mode: 0o755,
    });
    path = `${bin}:${process.env['PATH'] ?? ''}`;

    const pins: Record<string, string> = {};
    for (const region of REGIONS) {
      const made = await world.json<{ fingerprint: string }>('init', region, '--dir', world.path(region));
      pins[region] = made.fingerprint;
    }
    const [issuer, home] = [world.path('CN-33'), world.path('DE')];
    const order = ['--subject', 'Person 00001', '--colour', 'green'];
    const { code } = await world.json<{ code: string }>('issue', issuer, ...order);
    const second = await world.json<{ code: string }>('issue', issuer, ...order);
    await world.json('issue', home, ...order, '--device', world.path('phone.json'));
    await world.json('issue', home, '--subject', 'Person 00004', '--colour', 'green');
    await world.json('revoke', home, '--subject', 'Person 00004');
    for (const name of ['gate.policy', 'our.policy']) writeFileSync(world.path(name), 'quorum none\n');
    writeFileSync(world.path('people.csv'), 'subject,colour\nPerson 00002,green\n');
    const today = new Date(1_000 * world.nowS).toISOString().slice(0, 10);
    writeFileSync(world.path('rules.yaml'), rulesOf(2, today));
    writeFileSync(world.path('first-rules.yaml'), rulesOf(1, today));
    await world.json('rules', 'activate', home, world.path('first-rules.yaml'));
    await world.json('rules', 'activate', home, 'hcert');
    await world.json('rules', 'activate', home, 'local');
    const rulesOfIssuer = rulesOf(1, today)
      .replace('id: de', 'id: cn-33')
      .replace('region: DE', 'region: CN-33');
    writeFileSync(world.path('issuer-rules.yaml'), rulesOfIssuer);
    await world.json('rules', 'activate', issuer, world.path('issuer-rules.yaml'));
    writeFileSync(
      world.path('declarations.csv'),
      `subject,full_name,birth_date,declaration.day,declaration.consent\nPerson 00003,Person Sample,1990-05-17,${today},true\n`,
    );
    writeFileSync(
      world.path('declared.csv'),
      `subject,full_name,birth_date,declared_at,consent,symptoms\nPerson 00006,Person Sample,1990-05-17,${today}T00:00:00Z,true,false\n`,
    );
    writeFileSync(
      world.path('control.csv'),
      `subject,control.level,control.since\nPerson 00003,key,${today}\n`,
    );
    writeFileSync(
      world.path('contacts.csv'),
      'id_type,id_country,id_number,contact,day\npassport,DE,C01X00T47,close,2026-11-20\n',
    );
    writeFileSync(world.path('numbers.csv'), 'number,colour,until\nDE-4711,green,2030-01-01T00:00:00Z\n');
    const gate = ['--name', 'gare-de-lyon', '--out', world.path('gate.token')];
    await world.json('verifier', 'add', world.path('FR'), ...gate);
    const contacts = ['lists', 'import', home, 'contacts', world.path('contacts.csv')];
    await world.json(...contacts, '--source', 'Health office', '--as-of', '2026-11-20T05:00:00Z');
    for (const subject of ['Person 00007', 'Person 00008']) {
      const whom = ['--subject', subject, '--full-name', subject, '--birth-date', '1990-05-17'];
      await world.json('declare', home, ...whom, '--no-symptoms', '--consent');
    }
    await world.json('update', home);
    await world.json('object', 'open', home, '--subject', 'Person 00008', '--text', 'It was not me.');
    writeFileSync(world.path('facts.json'), '{"control":{"level":"key","since":"2026-11-20"}}');
    writeFileSync(world.path('codes.txt'), `${code}\n${second.code}\n`);
    for (const one of REGIONS)
      for (const other of REGIONS)
        if (one !== other) await world.json('recognise', world.path(one), world.path(other));
    await witnessAll(world);
    // In a region with operators nobody else does anything.
    await world.json('init', 'IT', '--dir', world.path('IT'));
    for (const name of ['anna', 'bert']) {
      const order = ['--name', name, '--scopes', 'issue,audit,read', '--out', world.path(`${name}.key`)];
      await world.json('operator', 'add', world.path('IT'), ...order);
    }
    const why = ['--colour', 'red', '--reason', 'laboratory', '--days', '14', '--subject', 'Person 00009'];
    const proposal = await world.json<{ id: string; proposalDigest: string }>(
      ...['override', 'propose', world.path('IT'), ...why, '--operator', world.path('anna.key')],
    );
    const { publicKey } = await world.json<{ publicKey: string }>(
      ...['audit', 'key', '--out', world.path('auditor.key')],
    );
    const range = [
      '--log',
      new Date(world.nowS * 1000).toISOString().slice(0, 7),
      '--from',
      '0',
      '--until',
      '2',
    ];
    const given = [...range, '--auditor', publicKey, '--out', world.path('0.disclosure')];
    await world.json('audit', 'disclose', home, ...given);
    const pin = pins['CN-33'] ?? '';
    const forger = await Forger.of(issuer, opensslBackEnd);
    writeFileSync(world.path('fork.evidence'), encodeEvidence(forger.evidence()));
    const snapshot = ['snapshot', 'make', issuer];
    await world.json(...snapshot, '--out', world.path('home.snap'));
    await world.json(...snapshot, '--since', world.path('home.snap'), '--out', world.path('delta.snap'));
    const signer = makeEcSigner();
    const der = makeCertificate(signer, { country: 'DE' });
    writeFileSync(
      world.path('dsc-list.json'),
      JSON.stringify([{ rawData: Buffer.from(der).toString('base64') }]),
    );
    const announced = ['dcc', '--keys', world.path('dsc-list.json'), '--rules', 'hcert'];
    await world.json('adapter', 'announce', home, ...announced);
    const times = { iat: world.nowS - 60, exp: world.nowS + 86_400 };
    const local = signedJson({ payload: JSON.stringify({ ...LOCAL_CLAIMS, ...times }) });
    writeFileSync(world.path('pass.json'), JSON.stringify(JSON_PROFILE));
    writeFileSync(world.path('keys.json'), JSON.stringify({ keys: [localJwk()] }));
    writeFileSync(world.path('examples.txt'), `${local}\n`);
    writeFileSync(world.path('rules.json'), JSON.stringify(COUNTRY_RULE));
    writeFileSync(world.path('sets.json'), '{"disease-agent-targeted":["840539006"]}');
    mkdirSync(world.path('csca'));
    writeFileSync(world.path('csca', 'de.cer'), makeAuthority({ country: 'DE' }).certificate);
    writeFileSync(world.path('seals.json'), '{"vaccination.day":{"var":"code.msg.ve.0.vd.0.dvc"}}');
    const keyId = Buffer.from(hcertKeyOf(der).keyId, 'base64');
    const hcert = makeHcert(signer, {
      protectedHeader: new Map<number, unknown>([
        [1, -7],
        [4, new Uint8Array(keyId)],
      ]),
      issuedAt: world.nowS - 60,
      expiresAt: world.nowS + 86_400,
    });
    writeFileSync(world.path('batch.json'), '{"entries":[{"hash":"AQAAAAAAAAAAAAAAAAAAAA=="}]}');
    const lists = makeEcSigner().privateKey.export({ format: 'pem', type: 'pkcs8' });
    writeFileSync(world.path('lists.pem'), lists);
    const trust = ['--offline', world.path('home.snap'), '--home', 'CN-33', '--pin', pin];
    await world.json('verify', ...trust, '--keep', world.path('gate.json'), code);
    // The key that is retired has one that takes over.
    await world.json('key', 'rotate', home, '--role', 'attest');
    const { keys } = await world.json<{ keys: readonly { keyId: string; role: string }[] }>(
      'key',
      'list',
      home,
    );
    const keyOf = (wanted: string) => keys.find(({ role }) => role === wanted)?.keyId ?? assert.fail();
    const [key, checkpointKey] = [keyOf('attest'), keyOf('checkpoint')];
    const month = new Date(world.nowS * 1000).toISOString().slice(0, 7);
    writeFileSync(world.path('pass.txt'), 'five words that mean nothing\n');
    for (const medium of ['usb1', 'usb2', 'usb3']) mkdirSync(world.path(medium));
    const twin = world.path('twin of DE');
    cpSync(home, twin, { recursive: true });
    const pass = ['--passphrase-file', world.path('pass.txt')];
    const sealed = await world.json<{ keys: readonly { keyId: string; file: string }[] }>(
      ...['root', 'seal', twin, '--medium', world.path('usb1'), ...pass],
    );
    const [root = assert.fail()] = sealed.keys;
    await world.json('withdraw', home, 'FR', '--draft', world.path('draft.json'));
    for (const copy of ['one.json', 'two.json', 'signed.json'])
      cpSync(world.path('draft.json'), world.path(copy));
    await world.json('root', 'sign', world.path('signed.json'), '--key', root.file, ...pass);
    rmSync(twin, { recursive: true });
    meant = (line) =>
      line
        .replaceAll('root-0011223344556677', `root-${root.keyId}`)
        .replaceAll('ENT1:...', () => code)
        .replaceAll('HC1:...', () => hcert)
        .replaceAll('ZZJ:...', () => local)
        .replaceAll('1f2e...', line.includes('--region DE') ? (pins['DE'] ?? '') : pin)
        .replaceAll('--key 0011223344556677', `--key ${key}`)
        .replaceAll('--key 8899aabbccddeeff', `--key ${checkpointKey}`)
        .replaceAll('2026-11-30T02:00:00Z', String(world.nowS - (world.nowS % 3_600) + 36_000))
        .replaceAll('2026-11/17 2026-11/2041', `${month}/0 ${month}/1`)
        .replaceAll('00112233445566778899aabbccddeeff', proposal.id)
        .replaceAll(`--digest ${'0011223344556677'.repeat(4)}`, `--digest ${proposal.proposalDigest}`)
        .replaceAll('age1auditor', publicKey)
        .replaceAll('2026-11', month)
        .replaceAll('2027-01-01T00:00:00Z', String(world.nowS + 86_400))
        .replaceAll('12D3KooW...', '12D3KooWEyoppNCUx8Yx66oV9fJnriXwCcXwDDUA2kj6vnc6iDEp')
        .replaceAll('/srv/www/', 'www/');
  });

  /** Files and directories that an example is to make. */
  const madeBy = (line: string) =>
    [...line.matchAll(/(?:entente init|--draft|--out|--device|--png|--to|>) ([^\s']+)/g)].map(
      ([, name = '']) => name,
    );

  function shell(script: string, cwd: string) {
    const env = { ...process.env, NODE_OPTIONS: '', PATH: path };
    return spawnSync('bash', ['-o', 'pipefail', '-c', script], { cwd, env, encoding: 'utf8' });
  }

  /** Runs a line as a shell does; what it starts alone runs in this process, which saves the start of one. */
  async function run(line: string, cwd: string): Promise<{ exit: number | null; text: string }> {
    if (/[|>]/.test(line)) {
      const { status, stdout, stderr } = shell(line, cwd);
      return { exit: status, text: stdout + stderr };
    }
    const words = shell(`entente() { printf '%s\\0' "$@"; }; ${line}`, cwd).stdout.split('\0').slice(0, -1);
    const before = process.cwd();
    process.chdir(cwd);
    try {
      const { exit, out, err } = await world.run(...words);
      return { exit, text: out + err };
    } finally {
      process.chdir(before);
    }
  }

  for (const example of EXAMPLES) {
    if (TRIED_ELSEWHERE.test(example)) continue;
    it(`does its work: ${example}`, async function () {
      this.timeout(30_000);
      const cwd = folder();
      // The reserve of a store is large, and made anew by whoever opens that.
      cpSync(world.dir, cwd, { recursive: true, filter: (from) => basename(from) !== 'reserve' });
      mkdirSync(join(cwd, 'www'));
      const line = meant(example);
      const made = madeBy(line).map((name) => join(cwd, name));
      for (const file of made) rmSync(file, { recursive: true, force: true });
      const { exit, text } = await run(line, cwd);
      assert.equal(exit, OTHER_EXITS.get(example) ?? 0, `${line}\n${text}`);
      assert.deepEqual(
        made.filter((file) => !existsSync(file)),
        [],
      );
      rmSync(cwd, { recursive: true });
    });
  }

  it('are those of every command, and what is said of some holds for one', () => {
    const bare = HELP.filter((help) => help.below.length === 0 && examplesIn(help).length === 0);
    assert.deepEqual(
      bare.map(({ command }) => command.join(' ')),
      [],
    );
    for (const example of OTHER_EXITS.keys()) assert.ok(EXAMPLES.has(example), example);
    assert.ok([...EXAMPLES].filter((example) => !TRIED_ELSEWHERE.test(example)).length > 50);
  });
});
